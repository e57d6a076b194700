/** A time stands at the start of a line, or in its first fields where it is JSON. */
const PREFIX_CHARS = 160;
const WRITTEN = /(?<![\d-])(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(?:[.,](\d{1,3})\d{0,6})? {0,1}(Z|UTC|[+-]\d{2}:?\d{2})?(?!\d)/;
/** Milliseconds since 1970, as pino and bunyan write them. */
const COUNTED = /"(?:time|ts|timestamp)": {0,1}(\d{13})\b/;

/** @returns null where the line does not say when it was written. A time without a zone counts as one of this machine. */
export function timeOfLine(line: string): number | null {
  const start = line.slice(0, PREFIX_CHARS);
  const counted = COUNTED.exec(start);
  if (counted !== null) return Number(counted[1]);
  const written = WRITTEN.exec(start);
  if (written === null) return null;
  const [, date = '', time = '', fraction = '0', zone = ''] = written;
  const at = Date.parse(
    `${date}T${time}.${fraction.padEnd(3, '0')}${zone === 'UTC' ? 'Z' : zone.replace(/^([+-]\d{2})(\d{2})$/, '$1:$2')}`,
  );
  return Number.isNaN(at) ? null : at;
}

/**
 * The lines since then, oldest first. A line that says no time is of the time of the last one before it that does: a stack
 * belongs to its error. Those before the first time are kept, as are all where none has one.
 * @returns `areTimed` tells whether any line said when it was written
 */
export function linesSince(lines: readonly string[], sinceMs: number): { readonly lines: readonly string[]; readonly areTimed: boolean } {
  let isRecent = true;
  let areTimed = false;
  const kept = lines.filter((line) => {
    const at = timeOfLine(line);
    if (at !== null) {
      areTimed = true;
      isRecent = at >= sinceMs;
    }
    return isRecent;
  });
  return { lines: kept, areTimed };
}
