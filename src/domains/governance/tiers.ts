export type Risk = 'low' | 'medium' | 'high' | 'critical';
/** tier_1 runs, tier_2 runs with notice, tier_3 needs one approval, tier_4 a quorum. */
export type AutonomyTier = 'tier_1' | 'tier_2' | 'tier_3' | 'tier_4';
/** Where an action would happen: boot acts within tier policy, run time only observes unless told otherwise [GV-4]. */
export type Phase = 'boot' | 'runtime';

export interface DecisionInput {
  readonly action: string;
  readonly component: string;
  readonly risk: Risk;
  readonly tier: AutonomyTier;
  readonly phase: Phase;
  /** `SELF_HEAL_EXECUTE`. */
  readonly executeAtRuntime: boolean;
  /** An approval that is bound to exactly this action. */
  readonly isApproved: boolean;
}

export type Decision =
  | { readonly verdict: 'allow'; readonly reason: string }
  | { readonly verdict: 'allow_with_notice'; readonly reason: string }
  | { readonly verdict: 'needs_approval'; readonly approvals: number; readonly reason: string }
  | { readonly verdict: 'observe'; readonly reason: string };

/** Distinct approvers that tier_4 asks for. */
export const QUORUM = 2;

/** The one place that decides whether an action may run. */
export function decide(input: DecisionInput): Decision {
  if (input.phase === 'runtime' && !input.executeAtRuntime)
    return { verdict: 'observe', reason: 'at run time Grace only observes unless SELF_HEAL_EXECUTE=true' };
  switch (input.tier) {
    case 'tier_1':
      return { verdict: 'allow', reason: 'tier_1 runs automatically' };
    case 'tier_2':
      return { verdict: 'allow_with_notice', reason: 'tier_2 runs automatically, with notice' };
    case 'tier_3':
      return input.isApproved
        ? { verdict: 'allow_with_notice', reason: 'tier_3, approved' }
        : { verdict: 'needs_approval', approvals: 1, reason: 'tier_3 needs one approval' };
    case 'tier_4':
      return input.isApproved
        ? { verdict: 'allow_with_notice', reason: 'tier_4, approved by its quorum' }
        : { verdict: 'needs_approval', approvals: QUORUM, reason: `tier_4 needs ${QUORUM} distinct approvers` };
  }
}
