import { parse, TomlError } from 'smol-toml';
import type { TextProblem } from '../../domains/preflight/index.ts';
import { brokenAt } from './text-problem.ts';

/** A key that is there twice is an error of the format. Only the first line of the parser's words: the rest quotes the text. */
export function lintToml(text: string): readonly TextProblem[] {
  try {
    parse(text);
    return [];
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [first = ''] = error.message.split('\n', 1);
    return [brokenAt(error, `is no TOML here: ${first.replace(/^Invalid TOML document: /, '')}`)];
  }
}
