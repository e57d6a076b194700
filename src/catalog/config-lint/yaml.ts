import { isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments, type ParsedNode } from 'yaml';
import type { TextProblem } from '../../domains/preflight/index.ts';
import { brokenAt, placeholderAt, twiceAt } from './text-problem.ts';

/** Sources of templates are YAML only after somebody has filled them in. */
const TEMPLATE = /\{\{[\s\S]{0,400}?\}\}|\{%|<%/;

/**
 * Aliases are not followed, so that a few lines cannot grow into gigabytes. Keys are compared here: the parser compares each with
 * each, which takes minutes for a long list.
 */
export function lintYaml(text: string): readonly TextProblem[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { logLevel: 'silent', prettyErrors: false, uniqueKeys: false, lineCounter: lines });
  if (!Array.isArray(documents)) return [];
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const error = documents.flatMap((d) => d.errors)[0];
  // The parser's own words quote what stands there.
  if (error !== undefined) return TEMPLATE.test(text) ? [] : [brokenAt(at(error.pos[0]), `is no YAML here: ${inWords(error.code)}`)];
  const found: TextProblem[] = [];
  const open: ParsedNode[] = documents.flatMap((d) => (d.contents === null ? [] : [d.contents]));
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (isSeq(node)) for (const item of node.items as (ParsedNode | null)[]) if (item !== null) open.push(item);
    if (!isMap(node)) continue;
    const seen = new Map<string, number>();
    for (const { key, value } of node.items as { key: ParsedNode; value: ParsedNode | null }[]) {
      if (value !== null && !isAlias(value) && !isScalar(value)) open.push(value);
      if (!isScalar(key) || key.range == null) continue;
      const name = String(key.value);
      const place = at(key.range[0]);
      const first = seen.get(name);
      if (first !== undefined && name !== '<<') found.push(twiceAt(place, name, first));
      seen.set(name, first ?? place.line);
      const placeholder = isScalar(value) && value.tag === undefined ? placeholderAt(place, name, value.value) : null;
      if (placeholder !== null) found.push(placeholder);
    }
  }
  return found.toSorted((a, b) => a.line - b.line || a.column - b.column);
}

function inWords(code: string): string {
  return WORDS[code] ?? code.toLowerCase().replaceAll('_', ' ');
}

const WORDS: Readonly<Record<string, string>> = {
  BAD_ALIAS: 'an alias without its anchor',
  BAD_DQ_ESCAPE: 'an unknown escape inside double quotes',
  BAD_INDENT: 'it is indented differently than what stands above',
  BLOCK_AS_IMPLICIT_KEY: 'a value with a further ":" has to be quoted or put on lines of its own',
  MISSING_CHAR: 'a character is missing, often a closing quote or bracket, or the ":" of a key',
  MULTILINE_IMPLICIT_KEY: 'a key that goes over several lines; often the ":" is missing',
  TAB_AS_INDENT: 'a tab as indent; only spaces may be used',
  UNEXPECTED_TOKEN: 'this is not expected here',
};
