import { isErrorLike, isSentence } from './headline.ts';
import { transcriptOf } from './transcript.ts';

/** An access log writes the status behind the request; others name it. */
const SERVER_ERROR = /\bHTTP\/[\d.]{1,3}"? 5\d\d\b|\bstatus(?:[ _-]?code)?["']?[:= ]{1,3}5\d\d\b/i;

/** Every line that a program said as an error, taken out of JSON: not its stacks, not its warnings, not the source beside them. */
export function errorLines(lines: readonly string[]): readonly string[] {
  return transcriptOf(lines)
    .filter((line) => (line.tone === 'error' && isSentence(line.text)) || isErrorLike(line) || SERVER_ERROR.test(line.text))
    .map((line) => line.text.trim());
}
