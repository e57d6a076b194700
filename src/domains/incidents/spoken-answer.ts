/** An answer over HTTP whose body is JSON. */
const JSON_ANSWER = /^[^\n]{0,2000}?HTTP \d{3}: [{[]/;
const ESCAPED = /\\(["\\/nrt])/g;
const MEANT: Readonly<Record<string, string>> = { n: '\n', r: '', t: '\t' };

/**
 * What an answer of a service says, as its log would have it. In JSON a message keeps its quotes and line ends escaped
 * (`Could not load the \"sharp\" module\nPossible solutions:`), and no reader knows it then. The body may be cut off, so it is not parsed.
 * @param detail  what a probe says of the answer: `http://127.0.0.1:80/: HTTP 500: {"message": …`; others are given back as they are
 */
export function spokenAnswer(detail: string): string {
  return JSON_ANSWER.test(detail) ? detail.replace(ESCAPED, (_, char: string) => MEANT[char] ?? char) : detail;
}
