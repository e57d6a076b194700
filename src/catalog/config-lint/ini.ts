import type { TextProblem } from '../../domains/preflight/index.ts';
import { brokenAt, placeholderAt, twiceAt } from './text-problem.ts';

/**
 * No two programs agree on what INI is, and the parsers there are take every line and say no place. So this looks only for what is
 * wrong for all of them: a section that does not end, and a key that is twice in its section. Names with `[]` are lists.
 */
export function lintIni(text: string): readonly TextProblem[] {
  const found: TextProblem[] = [];
  let seen = new Map<string, number>();
  const sections = new Map<string, Map<string, number>>([['', seen]]);
  for (const [index, raw] of text.split('\n').entries()) {
    const content = raw.trim();
    const place = { line: index + 1, column: raw.length - raw.trimStart().length + 1 };
    if (content === '' || content.startsWith(';') || content.startsWith('#')) continue;
    if (content.startsWith('[')) {
      const end = content.indexOf(']');
      if (end < 0) found.push(brokenAt(place, 'has a section whose name does not end with "]"'));
      const name = content.slice(1, Math.max(end, 1));
      seen = sections.get(name) ?? new Map<string, number>();
      sections.set(name, seen);
      continue;
    }
    // What is indented goes on with the value above, for those that know that.
    const equals = content.indexOf('=');
    if (equals <= 0 || place.column > 1) continue;
    const name = content.slice(0, equals).trim();
    const first = seen.get(name);
    if (first !== undefined && !name.endsWith('[]')) found.push(twiceAt(place, name, first));
    seen.set(name, first ?? place.line);
    const placeholder = placeholderAt(place, name, content.slice(equals + 1).trim().replace(/^(["'])(.*)\1$/, '$2')); // prettier-ignore
    if (placeholder !== null) found.push(placeholder);
  }
  return found;
}
