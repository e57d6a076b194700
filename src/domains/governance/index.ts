// Governance: may this action run, here and now, and who has to agree?
export { decide, type AutonomyTier, type Decision, type DecisionInput, type Phase, type Risk } from './tiers.ts';
export { APPROVAL_LIFE_MS, ApprovalRefused, approvalState, approve, bindingHash, type Approval, type ApprovalState } from './approval.ts';
export type { ApprovalStore } from './ports.ts';
