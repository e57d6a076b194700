import type { TranscriptLine } from './transcript.ts';

const BEGINS_WITH_ERROR =
  /^\s{0,4}(?:\[[\w .:/-]{1,40}\]\s{1,3}|✖ |❌ |× )?(?:error|fatal|panic(?=:)|abort(?:ed)?|failure|[\w.]{0,60}(?:Error|Exception))\b(?! handler|: (?:null|none|0|undefined)\b|s?\b[^:]{0,3}\b0)/i;
const FAILS = /\b(?:failed to|cannot|can't|could not|couldn't|unable to|not permitted|giving up|aborting|refusing to)\b/i;
const HARMLESS = /\b(?:no|0|without|zero) (?:errors?|failures?|problems?)\b|\bLOG: /i;
/** Where a crash ends rather than what it was. */
const NOT_IT = /^(?:Node\.js v\d|\s{1,12}at |\s{2,12}File "|node:|file:\/\/|Traceback \(|Require stack:|- \/)/;

/**
 * The line that best says what went wrong: the first one that was understood, else the first one said as an error.
 * The first, not the last: causes come before the reports about them.
 */
export function headlineOf(lines: readonly TranscriptLine[], firstFactAt: number | null): string {
  const said =
    firstFactAt === null
      ? (lines.find((line) => line.tone === 'error' && isSentence(line.text)) ?? lines.find(isErrorLike))
      : lines[firstFactAt];
  return said?.text.trim() ?? '';
}

/** Not said by a logger, but in the words of an error. */
export function isErrorLike(line: TranscriptLine): boolean {
  if (line.tone !== 'plain' || !isSentence(line.text) || HARMLESS.test(line.text)) return false;
  return BEGINS_WITH_ERROR.test(line.text) || FAILS.test(line.text);
}

/** Words, and no frame of a stack. */
export function isSentence(text: string): boolean {
  return !NOT_IT.test(text) && /[A-Za-z]{3}/.test(text);
}

/** A program that says more than this does not end with its reason. */
const FEW_LINES = 12;
/** These lines come before details, and are none themselves. */
const ANNOUNCES = /^(?:stack traceback|traceback|usage|options|details|help|hint)\b.{0,80}:?$/i;
const WARNS = /\b[A-Z]\w{0,40}Warning: /;

/** The last thing that was said, when little was: what a program prints before it ends with a code is its reason. */
export function lastWordsOf(lines: readonly TranscriptLine[]): string {
  const said = lines.filter(({ text, tone }) => tone !== 'quiet' && tone !== 'echo' && !/^\s/.test(text));
  if (said.length > FEW_LINES) return '';
  const sentences = said.filter(({ text }) => isSentence(text) && !WARNS.test(text));
  return (sentences.findLast(({ text }) => !ANNOUNCES.test(text)) ?? sentences.at(-1))?.text.trim() ?? '';
}
