import { seededRandom } from '../../kernel/index.ts';

/** Looks of all components that fall into the same beat happen together: waking up costs more than looking. */
export const BEAT_MS = 1000;
/** How far a beat may be off its time: never in step with something in a component that happens at the same rate. */
const JITTER = 0.3;

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
