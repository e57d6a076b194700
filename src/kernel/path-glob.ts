/**
 * A glob as a test of paths: `*` and `?` within a name, `**` over directories, `{a,b}` one of them, `[0-9]` one of
 * these characters. Names with a leading
 * dot have to be named: a star never reaches `.env` or `.git`.
 */
export function globPattern(glob: string): RegExp {
  let out = '';
  let inBraces = false;
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
    } else if (char === '[' && CLASS.test(glob.slice(i))) {
      const set = CLASS.exec(glob.slice(i))?.[0] ?? '';
      out += set.replace(/^\[!/, '[^').replaceAll('\\', '\\\\');
      i += set.length - 1;
    } else if (char === '?') out += atNameStart ? '(?!\\.)[^/]' : '[^/]';
    else if (char === '{' && glob.includes('}', i)) {
      inBraces = true;
      out += '(?:';
    } else if (char === ',' && inBraces) out += '|';
    else if (char === '}' && inBraces) {
      inBraces = false;
      out += ')';
    } else out += char.replace(/[.+^$()|[\]\\{}]/, '\\$&');
  }
  return new RegExp(`^${out}$`);
}

/** `[0-9]`, `[!a-z]`: a closed set without slash. */
const CLASS = /^\[!?[^\]/]+\]/;
