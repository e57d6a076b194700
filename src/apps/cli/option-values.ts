import { InvalidArgumentError } from 'commander';
import { parseDurationMs } from '../../kernel/index.ts';

export function wholeNumber(text: string): number {
  const n = Number(text);
  if (!Number.isInteger(n) || n < 1) throw new InvalidArgumentError('It must be a whole number above 0.');
  return n;
}

/** Ten years: more would be counted, a row each, and show nothing more. */
const WEEKS_MAX = 520;

export function weekCount(text: string): number {
  const n = wholeNumber(text);
  if (n > WEEKS_MAX) throw new InvalidArgumentError(`It must be ${WEEKS_MAX} at most.`);
  return n;
}

export function durationMs(text: string): number {
  const ms = parseDurationMs(text);
  if (ms === null) throw new InvalidArgumentError('It must be a duration such as 7d or 12h.');
  return ms;
}

/** A week: what has to hold longer is no longer for a while. */
const DURATION_MS_MAX = 7 * 86_400_000;

export function duration(text: string): number {
  const ms = parseDurationMs(text);
  if (ms === null || ms < 1000 || ms > DURATION_MS_MAX) throw new InvalidArgumentError('It must be a time from 1s to 7d, such as 30m.');
  return ms;
}

export function place(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 0 on.');
  return Number(text);
}

/** A mistake in it is wrong usage. @returns milliseconds since 1970 */
export function moment(text: string): number {
  const isDate = /^\d{4}-\d{2}-\d{2}(?:$|T)/.test(text);
  const ms = isDate ? Date.parse(text) : Date.now() - (parseDurationMs(text) ?? Number.NaN);
  if (Number.isNaN(ms)) throw new InvalidArgumentError('It must be a date, a moment, or how long ago, such as 2h.');
  return ms;
}
