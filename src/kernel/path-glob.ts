/**
 * A glob as a test of paths: `*` and `?` within a name, `**` over directories, `{a,b}` one of them, `[0-9]` one of
 * these characters. Names with a leading dot have to be named: a star never reaches `.env` or `.git`. Any text is a
 * glob: a brace or bracket that is not closed stands for itself.
 */
export function globPattern(glob: string): RegExp {
  let out = '';
  let depth = 0;
  const closed = closedBraces(glob);
  for (let i = 0; i < glob.length; i++) {
    const char = glob[i] ?? '';
    const atNameStart = i === 0 || glob[i - 1] === '/';
    if (glob.startsWith('**/', i) && atNameStart) {
      out += '(?:(?!\\.)[^/]+/)*';
      i += 2;
    } else if (glob.slice(i) === '**' && atNameStart) {
      out += '(?:(?!\\.)[^/]+/)*(?!\\.)[^/]+';
      i += 1;
    } else if (char === '*') {
      if (glob[i - 1] !== '*') out += atNameStart ? '(?!\\.)[^/]*' : '[^/]*';
    } else if (char === '[' && isClass(glob.slice(i))) {
      const set = CLASS.exec(glob.slice(i))?.[0] ?? '';
      out += classSource(set);
      i += set.length - 1;
    } else if (char === '?') out += atNameStart ? '(?!\\.)[^/]' : '[^/]';
    else if (char === '{' && closed.has(i)) {
      depth++;
      out += '(?:';
    } else if (char === ',' && depth > 0) out += '|';
    else if (char === '}' && depth > 0) {
      depth--;
      out += ')';
    } else out += char.replace(/[.+^$()|[\]\\{}]/, '\\$&');
  }
  return new RegExp(`^${out}$`);
}

/** `[0-9]`, `[!a-z]`: a closed set without slash. */
const CLASS = /^\[!?[^\]/]+\]/;

function classSource(set: string): string {
  const isNot = set.startsWith('[!');
  return `[${isNot ? '^' : ''}${set.slice(isNot ? 2 : 1, -1).replace(/[\\^[]/g, '\\$&')}]`;
}

/** A range that runs backwards, `[z-a]`, is no set. */
function isClass(text: string): boolean {
  const set = CLASS.exec(text)?.[0];
  if (set === undefined) return false;
  try {
    return new RegExp(classSource(set)) instanceof RegExp;
  } catch {
    return false; // this is the question that was asked
  }
}

/** Where a brace opens that is closed again. */
function closedBraces(glob: string): ReadonlySet<number> {
  const open: number[] = [];
  const closed = new Set<number>();
  for (let i = 0; i < glob.length; i++) {
    if (glob[i] === '[' && isClass(glob.slice(i))) i += (CLASS.exec(glob.slice(i))?.[0].length ?? 1) - 1;
    if (glob[i] === '{') open.push(i);
    const at = glob[i] === '}' ? open.pop() : undefined;
    if (at !== undefined) closed.add(at);
  }
  return closed;
}
