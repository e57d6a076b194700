import type { Captured } from '../learning/index.ts';
import type { AppliedRun, AppliedRuns } from './applied-runs.ts';

/** A guess that did not bring the component up is not left in place. */
export const GUESS = 0.6;

/** The same failure again: the last fix did not help and is undone. Another one: it did, and something else is wrong too. */
export async function dropWhatDidNotHelp(
  pending: AppliedRun[],
  captured: Captured,
  applied: AppliedRuns,
  signal: AbortSignal,
): Promise<void> {
  const last = pending.at(-1);
  if (last === undefined) return;
  const isSame = last.captured.failure.signature === captured.failure.signature;
  if (!isSame && last.confidence >= GUESS) return;
  pending.pop();
  if (isSame) await applied.reject(last, 'the same failure came back', signal);
  else await applied.reject(last, 'the component fails in another way', signal);
}
