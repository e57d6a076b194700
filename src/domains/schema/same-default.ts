import type { SchemaColumn, SchemaEngine } from './schema.ts';
import { joined, sqlTokens, type SqlToken } from './sql-words.ts';

/** What stands for the time of now, whatever it is called. */
const NOW: Readonly<Record<SchemaEngine, readonly string[]>> = {
  postgres: ['now ( )', 'current_timestamp', 'transaction_timestamp ( )'],
  sqlite: ['current_timestamp', "datetime ( 'now' )", 'datetime ( )'],
};

/**
 * One spelling of a default: without casts and parentheses around it, `now()` for all that means it, `numbered` for serial and identity.
 * @returns null when there is none, or it is NULL
 */
export function canonicalDefault(engine: SchemaEngine, column: Pick<SchemaColumn, 'default' | 'identity' | 'generated'>): string | null {
  if (column.identity !== null) return 'numbered';
  if (column.default === null || column.generated !== null) return null;
  let tokens = sqlTokens(column.default);
  if (engine === 'postgres') {
    if (tokens[0]?.value === 'nextval') return 'numbered';
    tokens = withoutCasts(tokens);
  }
  tokens = withoutParentheses(tokens);
  // SQLite takes a name in double quotes for a text where no column is of that name.
  const [only] = tokens;
  if (engine === 'sqlite' && tokens.length === 1 && only?.kind === 'name') return joined([{ kind: 'text', value: only.value }]);
  const text = joined(tokens);
  if (text === 'null') return null;
  if (NOW[engine].includes(text)) return 'now()';
  if (engine === 'sqlite' && (text === 'true' || text === 'false')) return text === 'true' ? '1' : '0';
  // `'0'::integer` is the number
  return only?.kind === 'text' && tokens.length === 1 && /^-?\d+(?:\.\d+)?$/.test(only.value)
    ? String(Number(only.value))
    : text.replace(/^- (?=\d)/, '-');
}

/** `'x'::text`, `'{}'::text[]`, `'a'::public."Mood"`, `'0'::numeric(10,2)`. */
function withoutCasts(tokens: readonly SqlToken[]): readonly SqlToken[] {
  const kept: SqlToken[] = [];
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at] as SqlToken;
    if (token.value !== '::' || token.kind !== 'sign') {
      kept.push(token);
      continue;
    }
    // its type: words, dots, a size in parentheses, brackets
    let next = at + 1;
    while (next < tokens.length && isOfType(tokens[next] as SqlToken)) next += 1;
    if (tokens[next]?.value === '(') {
      const close = tokens.findIndex(({ kind, value }, i) => i > next && kind === 'sign' && value === ')');
      if (close > 0 && tokens.slice(next + 1, close).every(({ kind, value }) => kind === 'number' || value === ',')) next = close + 1;
    }
    while (next < tokens.length && isOfType(tokens[next] as SqlToken)) next += 1;
    at = next - 1;
  }
  return kept;
}

function isOfType({ kind, value }: SqlToken): boolean {
  return kind === 'word' || kind === 'name' || (kind === 'sign' && ['.', '[', ']'].includes(value));
}

/** Only those that hold the whole. */
function withoutParentheses(tokens: readonly SqlToken[]): readonly SqlToken[] {
  let depth = 0;
  const isWhole =
    tokens[0]?.value === '(' &&
    tokens.every(({ kind, value }, at) => {
      if (kind === 'sign' && value === '(') depth += 1;
      if (kind === 'sign' && value === ')') depth -= 1;
      return depth > 0 || at === tokens.length - 1;
    });
  return isWhole && depth === 0 ? withoutParentheses(tokens.slice(1, -1)) : tokens;
}
