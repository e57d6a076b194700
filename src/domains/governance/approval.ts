import { GraceError, sha256Hex, type Json } from '../../kernel/index.ts';
import type { GovernedAction } from './decision.ts';
import type { ForeseenStep } from './foreseen.ts';

/** A request to do one thing exactly so; anything else needs another approval [GV-6]. */
export interface Approval {
  readonly id: string;
  readonly action: GovernedAction;
  /** The playbook; of another action what it is about: see `subjectOf`. */
  readonly playbook: string;
  /** Empty where it is about Grace itself. */
  readonly component: string;
  /** Empty where there is none. */
  readonly incidentId: string;
  /** Who wants it to run, and can therefore not agree to it; null is Grace itself, which agrees to nothing. */
  readonly requestedBy: string | null;
  /** What would be done, step by step, for the person who decides. */
  readonly summary: readonly string[];
  /** What was agreed to, by `bindingHash`. */
  readonly bindingHash: string;
  /** What the steps would do, as far as it is bound to that; null: to the file, its parameters and the component only. */
  readonly foreseen: readonly ForeseenStep[] | null;
  readonly requiredApprovals: number;
  readonly approvedBy: readonly string[];
  /** Names that approvers gave for themselves with `--as`, by user. Recorded, and believed by nobody. */
  readonly claimedNames: Readonly<Record<string, string>>;
  readonly rejectedBy: string | null;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}

export type ApprovalState = 'pending' | 'approved' | 'rejected' | 'expired';

/** An unanswered request is stale after a week: the failure it was for is another by then. */
export const APPROVAL_LIFE_MS = 7 * 86_400_000;
/** People are told of a request this long before it ends unanswered: one working day comes before it. */
const WARNED_BEFORE_MS = 86_400_000;

export function approvalState(approval: Approval, nowMs: number): ApprovalState {
  if (approval.rejectedBy !== null) return 'rejected';
  if (agreed(approval) >= approval.requiredApprovals) return 'approved';
  return nowMs > approval.expiresAtMs ? 'expired' : 'pending';
}

/** Distinct people whose agreement counts for a decision: of a request that has all it asked for, and of no other. */
export function approvalsHeld(approval: Approval | null, nowMs: number): number {
  return approval !== null && approvalState(approval, nowMs) === 'approved' ? agreed(approval) : 0;
}

function agreed({ approvedBy, requestedBy }: Approval): number {
  return new Set(approvedBy.filter((who) => who !== requestedBy)).size;
}

/** Unanswered, and about to become a no. */
export function isExpiringSoon(approval: Approval, nowMs: number): boolean {
  return approvalState(approval, nowMs) === 'pending' && approval.expiresAtMs - nowMs <= WARNED_BEFORE_MS;
}

/** @param foreseen what the steps say they would do; null where nobody knows them without running them */
export function bindingHash(
  playbookHash: string,
  component: string,
  params: Json,
  foreseen: readonly ForeseenStep[] | null = null,
): string {
  const bound = [playbookHash, component, params];
  // Without foreseen steps it is what it always was: older approvals stay bound.
  return sha256Hex(
    JSON.stringify(foreseen === null ? bound : [...bound, foreseen.map((s) => [s.step, s.primitive, s.state, s.summary, s.targets])]),
  );
}

/** What an approval of another action than a playbook is bound to. It cannot be that of a playbook, whatever is in it. */
export function actionBinding(action: GovernedAction, subject: string, occasion: string): string {
  return sha256Hex(JSON.stringify(['action', action, subject, occasion]));
}

export class ApprovalRefused extends GraceError {
  constructor(message: string, hint: string) {
    super({ code: 'GRACE_GOVERNANCE_APPROVAL_REFUSED', message, hint });
  }
}

/**
 * @param claimedName  what the approver says to be called, beside who they are
 * @throws ApprovalRefused when it is no longer pending, this person already approved it, or asked for it
 */
export function approve(approval: Approval, approver: string, nowMs: number, claimedName: string | null = null): Approval {
  const state = approvalState(approval, nowMs);
  if (state !== 'pending') throw new ApprovalRefused(`approval ${approval.id} is ${state}`, 'see the open ones with: grace approvals list');
  if (approver === approval.requestedBy)
    throw new ApprovalRefused(
      `${approver} has asked for ${approval.id} and cannot approve it`,
      'nobody approves their own request: let another person decide',
    );
  if (approval.approvedBy.includes(approver))
    throw new ApprovalRefused(
      `${approver} has already approved ${approval.id}`,
      'a quorum needs distinct people: let another person approve it',
    );
  return {
    ...approval,
    approvedBy: [...approval.approvedBy, approver],
    claimedNames: claimedName === null ? approval.claimedNames : { ...approval.claimedNames, [approver]: claimedName },
  };
}

/**
 * One no is enough, from whoever it comes.
 * @throws ApprovalRefused when it is no longer pending
 */
export function reject(approval: Approval, by: string, nowMs: number): Approval {
  const state = approvalState(approval, nowMs);
  if (state !== 'pending') throw new ApprovalRefused(`approval ${approval.id} is ${state}`, 'see the open ones with: grace approvals list');
  return { ...approval, rejectedBy: by };
}
