import { lastingRate } from './lasting-rate.ts';
import { successRate, type SuccessRate } from './success-rate.ts';
import type { AutonomyTier, Risk } from './tiers.ts';

/** A tier that is another than the file says, for exactly these bytes: an edited playbook is a new one, and begins again. */
export interface TierChange {
  readonly id: string;
  readonly playbook: string;
  readonly hash: string;
  /** Only a person promotes; only Grace demotes. */
  readonly kind: 'promoted' | 'demoted';
  readonly from: AutonomyTier;
  readonly to: AutonomyTier;
  /** Who: the user it ran as, or `grace`. */
  readonly by: string;
  readonly atMs: number;
  readonly reason: string;
}

export interface TierChangeStore {
  /** Oldest first. */
  of(playbook: string, hash: string): Promise<readonly TierChange[]>;
  save(change: TierChange): Promise<void>;
}

/** A run that was judged: one that is open, inconclusive, refused or cut off says nothing. */
export interface JudgedRun {
  readonly helped: boolean;
  readonly atMs: number;
}

/** What speaks for and against one playbook (name and hash) and one signature. */
export interface Standing {
  readonly signature: string;
  /** Over everything that is remembered; between bounds for all looks together, see `lastingRate`. */
  readonly success: SuccessRate;
  /** Over the last `RECENT_RUNS` since its tier was changed; between the bounds of one look. */
  readonly recent: SuccessRate;
  /** How often the failure goes away with nothing done; bounds as those of `success`. */
  readonly selfRecovery: SuccessRate;
}

/** The last so many judged runs decide about a demotion. With 30, a fall from 95 % to 60 % hardly ever escapes. */
export const RECENT_RUNS = 30;
/** Judged runs, and as many episodes of self-recovery, before a promotion is suggested: fewer are an anecdote, whatever they show. */
export const PROMOTION_RUNS_MIN = 10;
/** A playbook that cannot be shown to help in this share of its recent runs has to ask. */
const FLOOR = 0.6;
/** Trials from which what is known of self-recovery counts against a playbook. */
const SELF_RECOVERY_MIN = 5;

const ORDER: readonly AutonomyTier[] = ['tier_1', 'tier_2', 'tier_3', 'tier_4'];

/** @param runs  oldest first */
export function standing(
  signature: string,
  runs: readonly JudgedRun[],
  selfRecovery: { readonly recovered: number; readonly episodes: number },
  sinceMs: number,
): Standing {
  const recent = runs.filter((r) => r.atMs >= sinceMs).slice(-RECENT_RUNS);
  return {
    signature,
    success: lastingRate(helpedOf(runs), runs.length),
    recent: successRate(helpedOf(recent), recent.length),
    selfRecovery: lastingRate(selfRecovery.recovered, selfRecovery.episodes),
  };
}

function helpedOf(runs: readonly JudgedRun[]): number {
  return runs.filter((r) => r.helped).length;
}

/**
 * Whether it has been shown to help more often than the failure goes away by itself. The bounds must not touch: the least it can
 * be said to help beats the most that self-recovery can be said to do, between bounds that hold for all looks: it is looked at again
 * and again, and a suggestion at one lucky look would stay. Unknown self-recovery could be all of it, so that without data nothing is
 * promoted.
 */
export function isEarned({ success, recent, selfRecovery }: Standing): boolean {
  const isKnown = success.trials >= PROMOTION_RUNS_MIN && selfRecovery.trials >= PROMOTION_RUNS_MIN;
  return isKnown && success.lower > selfRecovery.upper && demotionReason(recent, selfRecovery) === null;
}

/**
 * Why it has to ask more, or null. With a full window its lower bound has to stay above the floor, and above what self-recovery
 * does for sure; before that only a record counts whose upper bound is below the floor: a young playbook is not to blame.
 * Here the bounds are those of one look: to ask once too often does no harm, and a fall has to be seen soon.
 */
export function demotionReason(recent: SuccessRate, { successes, trials }: Pick<SuccessRate, 'successes' | 'trials'>): string | null {
  const itself = successRate(successes, trials);
  const told = `it helped ${recent.successes} of its last ${recent.trials} times`;
  if (recent.trials > 0 && recent.upper < FLOOR)
    return `${told}: that is ${percent(recent.upper)} at most, and ${percent(FLOOR)} are wanted`;
  if (recent.trials < RECENT_RUNS) return null;
  if (recent.lower < FLOOR) return `${told}: that is ${percent(recent.lower)} for sure, and ${percent(FLOOR)} are wanted`;
  if (itself.trials >= SELF_RECOVERY_MIN && recent.lower < itself.lower)
    return `${told}, ${percent(recent.lower)} for sure; the failure goes away by itself in ${percent(itself.lower)} for sure`;
  return null;
}

/** One step more asking. Of tier_3 on, a person sees each run already; null then. */
export function stricter(tier: AutonomyTier): AutonomyTier | null {
  return tier === 'tier_1' ? 'tier_2' : tier === 'tier_2' ? 'tier_3' : null;
}

export function looser(tier: AutonomyTier): AutonomyTier | null {
  return ORDER[ORDER.indexOf(tier) - 1] ?? null;
}

export function isLooser(a: AutonomyTier, than: AutonomyTier): boolean {
  return ORDER.indexOf(a) < ORDER.indexOf(than);
}

/** The tier that is decided on. Risk and what cannot be undone have rules of their own, which see this tier and hold all the same. */
export function effectiveTier(declared: AutonomyTier, changes: readonly TierChange[]): AutonomyTier {
  return changes.at(-1)?.to ?? declared;
}

/**
 * Why nobody may promote it to this tier; null when a person may.
 * @param standings  of each signature it was ever judged for
 */
export function promotionRefusal(asked: {
  readonly to: AutonomyTier;
  readonly declared: AutonomyTier;
  readonly effective: AutonomyTier;
  readonly risk: Risk;
  readonly origin: string;
  readonly hasIrreversible: boolean;
  readonly standings: readonly Standing[];
}): string | null {
  const { to, declared, effective, risk, origin, standings } = asked;
  if (!isLooser(to, effective)) return `it is ${effective} already`;
  // Back to what its file says: a person has looked, and that is enough.
  if (!isLooser(to, declared)) return null;
  if (origin === 'learned') return 'what was learned from a person is tier_3 at least';
  if ((risk === 'high' || risk === 'critical') && isLooser(to, 'tier_3')) return `risk ${risk} needs an approval, whatever the tier`;
  if (to === 'tier_1' && asked.hasIrreversible) return 'it has a step that cannot be undone, or whose steps are not known';
  if (to !== looser(declared)) return 'a playbook rises one tier above what its file says; more is for its author';
  if (standings.length === 0) return 'it was never judged';
  const short = standings.find((s) => !isEarned(s));
  return short === undefined ? null : `it has not earned it: ${tellStanding(short)}`;
}

/** `helped 12 of 12 times (76 % for sure); goes away by itself 0 of 9 times (30 % at most)`. */
export function tellStanding({ success, selfRecovery }: Standing): string {
  const helped = `helped ${success.successes} of ${success.trials} times (${percent(success.lower)} for sure)`;
  const itself =
    selfRecovery.trials === 0
      ? 'how often the failure goes away by itself is not known (it could be always)'
      : `the failure goes away by itself ${selfRecovery.successes} of ${selfRecovery.trials} times (${percent(selfRecovery.upper)} at most)`;
  return `${helped}; ${itself}`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
