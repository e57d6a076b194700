import { seededRandom } from '../../kernel/index.ts';

/** Looks of all components that fall into the same beat happen together: waking up costs more than looking. */
export const BEAT_MS = 1000;
/**
 * Share of a beat over which its moments are spread. What happens in a component at the same rate, an event loop that is blocked
 * for most of every second, must be met in all of its phases: with a third of a beat, some were never met.
 */
const JITTER = 0.8;

/**
 * When to look next: the beat that is nearest to the wanted time, and not yet over.
 * @param wantedMs   monotonic milliseconds
 * @param nowMs      monotonic milliseconds
 * @returns          monotonic milliseconds, the same for everybody who wants about the same time
 */
export function beatAt(wantedMs: number, nowMs: number): number {
  let n = Math.round(wantedMs / BEAT_MS);
  while (beat(n) <= nowMs) n++;
  return beat(n);
}

function beat(n: number): number {
  return n * BEAT_MS + BEAT_MS * JITTER * (seededRandom(n).next() - 0.5);
}
