import { invariant } from '../../kernel/index.ts';
import type { RestartSpec } from './component.ts';

export type RestartVerdict =
  | { readonly state: 'allowed'; readonly left: number; readonly delayMs: number }
  | { readonly state: 'exhausted'; readonly sinceMs: number };

/** Restarts without delay: most crashes are single ones, or two in a row, and every delay is downtime. */
const AT_ONCE = 2;
/** A crash this long after the last one is a new story: the first restart is immediate again. */
const CALM_MS = 60_000;

/**
 * How many restarts a component may use up before Grace stops restarting and diagnoses instead.
 * Counts restarts in the sliding window of the last `periodMs`; the (intensity + 1)th exhausts it. The first two are
 * immediate.
 * @see Erlang/OTP supervisor, restart intensity and period
 */
export class RestartIntensity {
  private restarts: number[] = [];
  private streak = 0;
  private readonly spec: RestartSpec;

  constructor(spec: RestartSpec) {
    this.spec = spec;
  }

  /**
   * Counts a restart, if it is allowed.
   * @param nowMs   monotonic milliseconds
   * @throws InvariantViolated when nowMs is earlier than the last recorded restart
   */
  next(nowMs: number): RestartVerdict {
    const last = this.restarts.at(-1);
    invariant(last === undefined || nowMs >= last, 'restarts are recorded in the order of a monotonic clock');
    this.restarts = this.restarts.filter((t) => nowMs - t < this.spec.periodMs);
    if (this.restarts.length >= this.spec.intensity) return { state: 'exhausted', sinceMs: nowMs - (this.restarts[0] ?? nowMs) };
    this.streak = last !== undefined && nowMs - last < CALM_MS ? this.streak + 1 : 0;
    this.restarts.push(nowMs);
    const delayMs = this.streak < AT_ONCE ? 0 : Math.min(this.spec.backoffMs * 2 ** (this.streak - AT_ONCE), this.spec.backoffMsMax);
    return { state: 'allowed', left: this.spec.intensity - this.restarts.length, delayMs };
  }

  /** After a verified fix the past says nothing any more. */
  reset(): void {
    this.restarts = [];
    this.streak = 0;
  }
}
