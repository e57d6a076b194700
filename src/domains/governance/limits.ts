import { formatDuration } from '../../kernel/index.ts';
import type { Phase } from './tiers.ts';

/** How much Grace may do, whatever the policies say. All of it is counted from what the store holds: a crash forgets none of it. */
export interface HealingLimits {
  /** Playbook runs in any hour, over all components. */
  readonly perHour: number;
  /** At run time: how long the same failure of the same component is not met with the same playbook again. */
  readonly cooldownMs: number;
  /** Tries of one playbook on one component that did not help, in a row, before its breaker opens. */
  readonly breakerAfter: number;
  /** A verified fix whose failure is back within this time has not helped. */
  readonly stabilityMs: number;
}

/** A run as the limits see it. */
export interface CountedRun {
  readonly playbook: string;
  readonly component: string;
  readonly signature: string | null;
  /** `cut_off`: by a crash of Grace; it counts as a try, and says nothing about the playbook. */
  readonly outcome: 'open' | 'helped' | 'did_not_help' | 'cut_off';
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
}

/**
 * Open until somebody closes it. A `breaker` is about one playbook on one component, and only a person closes it; a `storm` is
 * about all of them, and ends as well when nothing has failed for a while.
 */
export interface Breaker {
  readonly id: string;
  readonly kind: 'breaker' | 'storm';
  /** Null: any. */
  readonly playbook: string | null;
  readonly component: string | null;
  readonly openedAtMs: number;
  readonly reason: string;
  readonly closedAtMs: number | null;
  /** The user it ran as, `user:grace` for one who has Grace's name; `grace` where Grace itself ended a storm. */
  readonly closedBy: string | null;
  readonly closeReason: string | null;
}

/** One run per component, whichever process of Grace asks. */
export interface Lease {
  release(): Promise<void>;
}

export interface LimitStore {
  breakers(): Promise<readonly Breaker[]>;
  saveBreaker(breaker: Breaker): Promise<void>;
  /** @returns null while a living process has it */
  lease(component: string, runId: string): Promise<Lease | null>;
  /** Whether a living process has the lease for exactly this run. */
  isHeld(component: string, runId: string): Promise<boolean>;
  /** Forgets what processes held that have died: after a crash nothing else would. */
  forgetDeadLeases(): Promise<void>;
  /** Since when the tries of a component count in this scope; null when none are counted. */
  triesSince(component: string, scope: string): Promise<number | null>;
  countTriesFrom(component: string, scope: string, ms: number): Promise<void>;
  forgetTries(component: string, scope: string): Promise<void>;
}

export interface LimitReached {
  readonly limit: 'breaker' | 'storm' | 'per_hour' | 'cooldown';
  readonly reason: string;
}

export const HOUR_MS = 3_600_000;

/** @param runs  of the last hour and of the cooldown at least, oldest first */
export function limitReached(
  asked: { readonly playbook: string; readonly component: string; readonly signature: string | null; readonly phase: Phase },
  runs: readonly CountedRun[],
  breakers: readonly Breaker[],
  limits: HealingLimits,
  nowMs: number,
): LimitReached | null {
  const open = breakers.find(
    (b) =>
      b.closedAtMs === null &&
      (b.playbook === null || b.playbook === asked.playbook) &&
      (b.component === null || b.component === asked.component) &&
      (b.kind === 'breaker' || asked.phase === 'runtime'),
  );
  if (open !== undefined) return { limit: open.kind, reason: `${open.reason}; a person closes it with: grace breakers close ${open.id}` };
  const lately = runs.filter((r) => r.startedAtMs > nowMs - HOUR_MS);
  if (lately.length >= limits.perHour)
    return {
      limit: 'per_hour',
      reason: `${lately.length} playbooks ran in the last hour, and healing.limits.perHour is ${limits.perHour}`,
    };
  const { playbook, component, signature } = asked;
  const same = runs.findLast(
    (r) => r.playbook === playbook && r.component === component && r.signature === signature && r.outcome === 'helped',
  );
  const sinceMs = nowMs - (same?.endedAtMs ?? -Infinity);
  if (asked.phase === 'runtime' && signature !== null && sinceMs < limits.cooldownMs)
    return {
      limit: 'cooldown',
      reason: `it ran for this very failure ${formatDuration(sinceMs)} ago: doing it again would only hide why it comes back`,
    };
  return null;
}

/** Tries of this playbook on this component since it last helped, or since a person last closed its breaker. */
export function failuresInARow(playbook: string, component: string, runs: readonly CountedRun[], breakers: readonly Breaker[]): number {
  const closedMs = Math.max(
    0,
    ...breakers.filter((b) => b.playbook === playbook && b.component === component).map((b) => b.closedAtMs ?? 0),
  );
  const its = runs.filter((r) => r.playbook === playbook && r.component === component && r.startedAtMs > closedMs);
  const helped = its.findLastIndex((r) => r.outcome === 'helped');
  return its.slice(helped + 1).filter((r) => r.outcome === 'did_not_help').length;
}

/** Fewer components than this fail by chance at the same time. */
const STORM_COMPONENTS = 3;

/**
 * Whether so much fails at once that it has one cause, and healing each by itself would make it worse.
 * @param failing  components with a failure within the window
 * @param all      components that are looked after
 */
export function isStorm(failing: number, all: number): boolean {
  return failing >= STORM_COMPONENTS && failing * 3 > all;
}
