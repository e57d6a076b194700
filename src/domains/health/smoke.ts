import type { ProbeTarget } from './probe.ts';

/** A check that the service really works, not only answers. */
export interface SmokeSpec {
  readonly name: string;
  readonly target: ProbeTarget;
  readonly timeoutMs: number;
  /** A failed critical one fails the boot, and is healed like a failed start. */
  readonly critical: boolean;
  /** Repeated while the service runs; null runs it only at boot. */
  readonly everyMs: number | null;
  /** Whom to blame; null blames the first critical process. */
  readonly component: string | null;
}
