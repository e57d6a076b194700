import type { StepLimits } from '../playbooks/index.ts';

/** How long a run may take, each of its steps, and its undo. */
export interface RunLimits extends StepLimits {
  readonly runMs: number;
}

/** Package installs are the slow ones. A step that was told to end has to end its commands first, which are killed after a while. */
export const RUN_LIMITS: RunLimits = {
  runMs: 8 * 60_000,
  stepMs: 6 * 60_000,
  endMs: 60_000,
  after: (ms) => AbortSignal.timeout(ms),
};
