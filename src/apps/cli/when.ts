const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** For people: `just now`, `3 min ago`, `in 2 h`, and the date when it is older than a week. */
export function when(atMs: number, nowMs: number): string {
  const agoMs = nowMs - atMs;
  if (agoMs < 0) return `in ${span(-agoMs)}`;
  if (agoMs < 10_000) return 'just now';
  if (agoMs >= 7 * DAY_MS) return new Date(atMs).toISOString().slice(0, 10);
  return `${span(agoMs)} ago`;
}

function span(ms: number): string {
  if (ms < MINUTE_MS) return `${Math.round(ms / 1000)} s`;
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min`;
  if (ms < DAY_MS) return `${Math.floor(ms / HOUR_MS)} h`;
  const days = Math.floor(ms / DAY_MS);
  return `${days} day${days === 1 ? '' : 's'}`;
}

export function iso(atMs: number): string {
  return new Date(atMs).toISOString();
}

export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}
