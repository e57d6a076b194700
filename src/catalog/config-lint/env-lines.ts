import type { TextProblem } from '../../domains/preflight/index.ts';
import { brokenAt, twiceAt } from './text-problem.ts';

/** One assignment of an env file, with its place. */
export interface EnvLine {
  readonly name: string;
  /** Without quotes; several lines where the quotes hold them. */
  readonly value: string;
  readonly quote: '"' | "'" | '`' | null;
  readonly line: number;
  /** What the comment directly above says, and one behind the value. */
  readonly remark: string;
}

/** Assignments in order, read as dotenv and Node read them, and what none of them can read. */
export function readEnvLines(text: string): { readonly entries: readonly EnvLine[]; readonly problems: readonly TextProblem[] } {
  const entries: EnvLine[] = [];
  const problems: TextProblem[] = [];
  const lines = text.split('\n');
  let remark = '';
  for (let at = 0; at < lines.length; at++) {
    const raw = (lines[at] ?? '').replace(/\r$/, '');
    const content = raw.trim();
    const line = at + 1;
    if (content === '' || content.startsWith('#')) {
      remark = content;
      continue;
    }
    const assignment = /^(?:export\s{1,8})?([A-Za-z_][\w.-]*)\s{0,8}=/.exec(content);
    if (assignment?.[1] === undefined) {
      // `export NAME` alone is a shell's; every loader passes over it
      if (!/^export\s/.test(content))
        problems.push({ ...brokenAt({ line, column: 1 }, 'is no NAME=value here: the line has no effect'), kind: 'doubtful' });
      remark = '';
      continue;
    }
    const rest = content.slice(assignment[0].length).trim();
    const quote = rest[0] === '"' || rest[0] === "'" || rest[0] === '`' ? rest[0] : null;
    if (quote === null) {
      const comment = /(?:^|\s)#/.exec(rest);
      const value = comment === null ? rest : rest.slice(0, comment.index).trimEnd();
      entries.push({ name: assignment[1], value, quote, line, remark: `${remark} ${comment === null ? '' : rest.slice(comment.index)}` });
    } else {
      let value = rest.slice(1);
      let end = closing(value, quote);
      let last = at;
      const parts = [value];
      while (end < 0 && last + 1 < lines.length && last - at < VALUE_LINES_MAX) {
        value = lines[++last] ?? '';
        parts.push(value);
        end = closing(value, quote);
      }
      if (end < 0) {
        // loaders differ in what they make of it, and take it all the same
        problems.push({
          ...brokenAt({ line, column: raw.indexOf(quote) + 1 }, `has a value whose ${quote} does not end`),
          kind: 'doubtful',
        });
        entries.push({ name: assignment[1], value: rest.slice(1), quote: null, line, remark });
      } else {
        parts[parts.length - 1] = value.slice(0, end);
        entries.push({ name: assignment[1], value: parts.join('\n'), quote, line, remark: `${remark} ${value.slice(end + 1)}` });
        at = last;
      }
    }
    remark = '';
  }
  return { entries, problems };
}

/** A private key has fifty lines. */
const VALUE_LINES_MAX = 200;

/** Where the quote closes; only double quotes can be escaped. */
function closing(text: string, quote: string): number {
  for (let at = text.indexOf(quote); at >= 0; at = text.indexOf(quote, at + 1)) if (quote !== '"' || text[at - 1] !== '\\') return at;
  return -1;
}

export function lintEnv(text: string): readonly TextProblem[] {
  const { entries, problems } = readEnvLines(text);
  const seen = new Map<string, number>();
  const twice: TextProblem[] = [];
  for (const { name, line } of entries) {
    const first = seen.get(name);
    if (first !== undefined) twice.push(twiceAt({ line, column: 1 }, name, first));
    seen.set(name, first ?? line);
  }
  return [...problems, ...twice].toSorted((a, b) => a.line - b.line);
}
