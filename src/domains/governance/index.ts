// Governance: may this action run, here and now, and who has to agree?
export { isWithinClaim, tierAllowed, type AutonomyTier, type Phase, type Risk } from './tiers.ts';
export { fallbackFrom, modeInForce, MODES, type Mode, type ModeChange, type ModeInForce, type ModeStore } from './mode.ts';
export {
  componentOf,
  decisionOf,
  isAllowed,
  subjectOf,
  type Decision,
  type DecisionRequest,
  type FiredPolicy,
  type RunPlaybook,
} from './decision.ts';
export { GOVERNED_ACTIONS, type GovernedAction } from './governed-action.ts';
export {
  answerEntry,
  recordDecision,
  recordedDecisions,
  type DecisionRecord,
  type RecordedDecision,
  type RecordPorts,
} from './decision-record.ts';
export {
  APPROVAL_LIFE_MS,
  ApprovalRefused,
  approvalsHeld,
  askedBinding,
  approvalState,
  approve,
  endedUnanswered,
  isForOneRun,
  isOffer,
  bindingHash,
  isExpiringSoon,
  reject,
  useApproval,
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
export { askForAction, type ActionApprovalPorts } from './ask-for-action.ts';
export { policyDigest, type PolicySource, type PolicyText, type PolicyTextStore } from './policy-text.ts';
export { isOpenRequest, type PersonRequest, type PersonRequestState, type PersonRequestStore } from './person-request.ts';
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
