/** How careful the whole of Grace is. What each lets happen is said by the policies. */
export type Mode = 'normal' | 'read_only' | 'observation_only' | 'emergency';

export const MODES: readonly Mode[] = ['normal', 'read_only', 'observation_only', 'emergency'];

/** One change of the mode, as it was decided. */
export interface ModeChange {
  readonly id: string;
  readonly mode: Mode;
  readonly atMs: number;
  /** The user who set it, or `Grace`. */
  readonly by: string;
  /** What that user calls themselves; believed by nobody. */
  readonly claimedName: string | null;
  readonly reason: string;
  /** When it ends by itself; null: when somebody says so. */
  readonly untilMs: number | null;
  /** What it then goes back to. */
  readonly fallback: Mode;
}

export interface ModeInForce {
  readonly mode: Mode;
  /** Null when nobody has ever changed it. */
  readonly sinceMs: number | null;
  readonly by: string;
  readonly reason: string;
  readonly untilMs: number | null;
  /** The change that put it in force; null as `sinceMs`. */
  readonly change: string | null;
}

export interface ModeStore {
  append(change: ModeChange): Promise<void>;
  /** Newest first. */
  history(limit: number): Promise<readonly ModeChange[]>;
}

/** A change for a limited time ends by the clock alone: nothing has to run for it to end. */
export function modeInForce(latest: ModeChange | null, nowMs: number): ModeInForce {
  if (latest === null) return { mode: 'normal', sinceMs: null, by: 'Grace', reason: 'it was never changed', untilMs: null, change: null };
  const { id, mode, atMs, by, reason, untilMs, fallback } = latest;
  if (untilMs !== null && nowMs >= untilMs)
    return { mode: fallback, sinceMs: untilMs, by: 'Grace', reason: `the time for ${mode} was over`, untilMs: null, change: id };
  return { mode, sinceMs: atMs, by, reason, untilMs, change: id };
}

/** Where a change that is made now would fall back to: never to one that only holds for a while itself. */
export function fallbackFrom(latest: ModeChange | null, nowMs: number): Mode {
  const now = modeInForce(latest, nowMs);
  return now.untilMs === null ? now.mode : (latest?.fallback ?? 'normal');
}
