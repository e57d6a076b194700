// Governance: may this action run, here and now, and who has to agree?
export { effectiveTier, type AutonomyTier, type Mode, type Phase, type Risk } from './tiers.ts';
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
