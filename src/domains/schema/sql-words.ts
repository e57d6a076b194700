/** A piece of SQL: `text` is a quoted text, `name` a quoted name without its quotes, `word` is in small letters. */
export interface SqlToken {
  readonly kind: 'text' | 'name' | 'word' | 'number' | 'sign';
  readonly value: string;
}

/** Definitions are short; of a longer one the rest is compared as it stands. */
const CHARS_MAX = 20_000;

const NUMBER = /\d[\d.]*(?:[eE][-+]?\d+)?/y;
const WORD = /[\p{L}_][\p{L}\p{N}_$]*/uy;
const SIGN = /::|\|\||<>|!=|<=|>=|./suy;

/** Takes a definition apart, so that spaces, comments, quotes and the case of words make no difference. One pass, whatever it is given. */
export function sqlTokens(sql: string): readonly SqlToken[] {
  const text = sql.slice(0, CHARS_MAX);
  const tokens: SqlToken[] = [];
  let at = 0;
  const take = (pattern: RegExp): string | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0] ?? null;
    if (found !== null) at += found.length;
    return found;
  };
  while (at < text.length) {
    const char = text[at] as string;
    if (/\s/.test(char)) at += 1;
    else if (text.startsWith('--', at)) at = endOf(text, '\n', at);
    else if (text.startsWith('/*', at)) at = endOf(text, '*/', at + 2);
    else if (char === "'") {
      const { value, next } = quoted(text, at, "'");
      tokens.push({ kind: 'text', value });
      at = next;
    } else if (char === '"' || char === '`' || char === '[') {
      const { value, next } = quoted(text, at, char === '[' ? ']' : char);
      tokens.push({ kind: 'name', value });
      at = next;
    } else {
      const number = take(NUMBER);
      const word = number === null ? take(WORD) : null;
      if (number !== null) tokens.push({ kind: 'number', value: String(Number(number)) === 'NaN' ? number : String(Number(number)) });
      else if (word !== null) tokens.push({ kind: 'word', value: word.toLowerCase() });
      else tokens.push({ kind: 'sign', value: take(SIGN) as string });
    }
  }
  if (sql.length > CHARS_MAX) tokens.push({ kind: 'text', value: sql.slice(CHARS_MAX) });
  return tokens;
}

/** Text that is equal when two lists of tokens are. A quoted name of small letters is the word itself. */
export function joined(tokens: readonly SqlToken[]): string {
  return tokens
    .map(({ kind, value }) => {
      if (kind === 'text') return `'${value.replaceAll("'", "''")}'`;
      return kind === 'name' && !/^[a-z_][a-z0-9_]*$/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
    })
    .join(' ');
}

function endOf(text: string, mark: string, from: number): number {
  const found = text.indexOf(mark, from);
  return found < 0 ? text.length : found + mark.length;
}

function quoted(text: string, from: number, quote: string): { readonly value: string; readonly next: number } {
  let value = '';
  for (let at = from + 1; at < text.length; at += 1) {
    if (text[at] !== quote) value += text[at];
    else if (text[at + 1] === quote && quote !== ']') {
      value += quote;
      at += 1;
    } else return { value, next: at + 1 };
  }
  return { value, next: text.length };
}
