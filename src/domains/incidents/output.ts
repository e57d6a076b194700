/** Error text is hostile input: no line longer than this reaches a regular expression. */
export const LINE_CHARS_MAX = 512;
/** Lines kept from the start of a run and from its end: the first error line matters as much as the last. */
export const WINDOW_LINES_MAX = 200;
/** Lines read for facts from each end: all ordinary ones of what is taken from a log, but not a hundred thousand of two letters. */
export const READ_LINES_MAX = 2000;

/* oxlint-disable-next-line no-control-regex -- removing control characters is what this is for */
const ESCAPES = /\u001B(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001B]{0,256}(?:\u0007|\u001B\\)?|[@-Z\\-_])/g;
/* oxlint-disable-next-line no-control-regex -- as above; tabs become spaces below */
const CONTROLS = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u200B-\u200F\u202A-\u202E\u2066-\u2069]/g;

/* oxlint-disable-next-line no-control-regex -- as above: what most lines do not have */
const UNSAFE = /[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u200B-\u200F\u202A-\u202E\u2066-\u2069]/;

/**
 * What a program wrote, made safe to read, store and show: lines without colours, control characters and text-direction
 * tricks, cut to `LINE_CHARS_MAX`, empty ones left out.
 * @param text     UTF-8 with invalid bytes already replaced
 */
export function cleanLines(text: string): string[] {
  const lines: string[] = [];
  let start = 0;
  while (start <= text.length) {
    let end = text.indexOf('\n', start);
    if (end < 0) end = text.length;
    // Cut before cleaning: a line may have 100 MB. Twice the limit leaves room for colours.
    const raw = text.slice(start, Math.min(end, start + LINE_CHARS_MAX * 2));
    const safe = UNSAFE.test(raw) ? raw.replace(ESCAPES, '').replaceAll('\t', '  ').replace(CONTROLS, '') : raw;
    const line = safe.trimEnd().slice(0, LINE_CHARS_MAX);
    if (line.trim() !== '') lines.push(line);
    start = end + 1;
  }
  return lines;
}

/** The first and last lines of a long output, with a mark between them saying how many were left out. */
export function windowOf(lines: readonly string[], limit: number = WINDOW_LINES_MAX): readonly string[] {
  if (lines.length <= limit * 2) return lines;
  return [...lines.slice(0, limit), `… ${lines.length - limit * 2} lines left out …`, ...lines.slice(-limit)];
}
