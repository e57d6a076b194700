/** One logical line of an env file; a quoted value may span several. */
export interface EnvLine {
  /** Exactly as written, without the line ending. */
  readonly raw: string;
  /** Null for comments and blank lines. */
  readonly name: string | null;
  readonly value: string;
}

export interface EnvText {
  readonly lines: readonly EnvLine[];
  readonly eol: '\n' | '\r\n';
  readonly endsWithEol: boolean;
}

const ASSIGNMENT = /^\s*(?:export\s+)?([A-Za-z_][\w.-]*)\s*=(.*)$/;

/** Reads an env file without losing a byte: joinEnv(parseEnvLines(text)) === text. */
export function parseEnvLines(text: string): EnvText {
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  const endsWithEol = text.endsWith(eol);
  const rows = text === '' ? [] : (endsWithEol ? text.slice(0, -eol.length) : text).split(eol);
  const lines: EnvLine[] = [];
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] ?? '';
    const match = ASSIGNMENT.exec(row);
    if (!match) {
      lines.push({ raw: row, name: null, value: '' });
      continue;
    }
    const rest = (match[2] ?? '').trim();
    const quote = /^["'`]/.exec(rest)?.[0];
    let raw = row;
    let value = unquote(rest);
    if (quote !== undefined && !rest.slice(1).includes(quote)) {
      const end = rows.findIndex((later, at) => at > i && later.includes(quote));
      // A quote that never closes is a broken line, not a value that swallows the rest of the file.
      if (end > i && rows.slice(i + 1, end).every((between) => !ASSIGNMENT.test(between) || quote !== '"')) {
        raw = rows.slice(i, end + 1).join(eol);
        value = raw.slice(raw.indexOf(quote) + 1, raw.lastIndexOf(quote));
        i = end;
      }
    }
    lines.push({ raw, name: match[1] ?? null, value });
  }
  return { lines, eol, endsWithEol };
}

export function joinEnv(text: EnvText): string {
  return text.lines.map((line) => line.raw).join(text.eol) + (text.endsWithEol ? text.eol : '');
}

function unquote(rest: string): string {
  const quoted = /^(["'`])([\s\S]*?)\1/.exec(rest);
  return quoted ? (quoted[2] ?? '') : rest.replace(/(?:^|\s+)#.*$/, '').trim();
}

const PLACEHOLDER =
  /^(?:change[-_ ]?(?:me|this|it)\b.*|your[-_ ].*|.*[-_ ]here|<[^>]*>|\[[^\]]*\]|\{\{.*\}\}|x{3,}|\.{3,}|\*{3,}|todo|tbd|fixme|replace[-_ ]?(?:me|this|with)\b.*|placeholder|insert[-_ ].*|fill[-_ ].*|set[-_ ]?me|none|null|undefined)$/i;

/** Nothing, or a text that asks to be replaced. */
export function isPlaceholder(value: string): boolean {
  return value === '' || PLACEHOLDER.test(value);
}

const SECRET_MARK = /^\s*#\s*secret:\s*generate(?:\s+(\d{1,4})(?:\s*bytes?)?)?\s*$/i;
const BYTES_DEFAULT = 32;
/** Fewer could be guessed. */
export const SECRET_BYTES_MIN = 16;
export const SECRET_BYTES_MAX = 512;

/**
 * How many random bytes the example asks for with `# secret: generate N bytes` directly above the key; null when it
 * does not. Only this mark says that nobody else has to know the value.
 */
export function markedSecretBytes(lines: readonly EnvLine[], name: string): number | null {
  const at = lines.findIndex((line) => line.name === name);
  const mark = at > 0 ? SECRET_MARK.exec(lines[at - 1]?.raw ?? '') : null;
  if (!mark || lines[at - 1]?.name !== null) return null;
  return Math.min(Math.max(mark[1] === undefined ? BYTES_DEFAULT : Number(mark[1]), SECRET_BYTES_MIN), SECRET_BYTES_MAX);
}

/** The line with another value; name, indentation and `export` stay. */
export function withValue(line: EnvLine, value: string): EnvLine {
  return { ...line, raw: line.raw.replace(/^([^=]*=\s*)[\s\S]*$/, (_all, head: string) => `${head.trimEnd()}${value}`), value };
}
