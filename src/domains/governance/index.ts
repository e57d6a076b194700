// Governance: may this action run, here and now, and who has to agree?
export type { AutonomyTier, Mode, Phase, Risk } from './tiers.ts';
export { decisionOf, type Decision, type DecisionRequest, type FiredPolicy } from './decision.ts';
export {
  APPROVAL_LIFE_MS,
  ApprovalRefused,
  approvalsHeld,
  approvalState,
  approve,
  bindingHash,
  isExpiringSoon,
  type Approval,
  type ApprovalState,
} from './approval.ts';
export {
  demotionReason,
  effectiveTier,
  isEarned,
  looser,
  promotionRefusal,
  standing,
  stricter,
  tellStanding,
  type JudgedRun,
  type Standing,
  type TierChange,
  type TierChangeStore,
} from './autonomy.ts';
export type { SuccessRate } from './success-rate.ts';
export { beyondPlan, changesOfPlan, type ForeseenStep } from './foreseen.ts';
export type { ApprovalStore, DecisionPoint } from './ports.ts';
export {
  failuresInARow,
  HOUR_MS,
  isStorm,
  limitReached,
  type Breaker,
  type CountedRun,
  type HealingLimits,
  type Lease,
  type LimitReached,
  type LimitStore,
} from './limits.ts';
