import { GraceError, sha256Hex, type Json } from '../../kernel/index.ts';

/** A request to run one playbook with exactly these parameters; anything else needs another approval [GV-6]. */
export interface Approval {
  readonly id: string;
  readonly playbook: string;
  readonly component: string;
  readonly incidentId: string;
  /** What would be done, step by step, for the person who decides. */
  readonly summary: readonly string[];
  /** Hash of playbook source, parameters and component. */
  readonly bindingHash: string;
  readonly requiredApprovals: number;
  readonly approvedBy: readonly string[];
  readonly rejectedBy: string | null;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}

export type ApprovalState = 'pending' | 'approved' | 'rejected' | 'expired';

/** An unanswered request is stale after a week: the failure it was for is another by then. */
export const APPROVAL_LIFE_MS = 7 * 86_400_000;

export function approvalState(approval: Approval, nowMs: number): ApprovalState {
  if (approval.rejectedBy !== null) return 'rejected';
  if (approval.approvedBy.length >= approval.requiredApprovals) return 'approved';
  return nowMs > approval.expiresAtMs ? 'expired' : 'pending';
}

export function bindingHash(playbookHash: string, component: string, params: Json): string {
  return sha256Hex(JSON.stringify([playbookHash, component, params]));
}

export class ApprovalRefused extends GraceError {
  constructor(message: string, hint: string) {
    super({ code: 'GRACE_GOVERNANCE_APPROVAL_REFUSED', message, hint });
  }
}

/** @throws ApprovalRefused when it is no longer pending or this person already approved it */
export function approve(approval: Approval, approver: string, nowMs: number): Approval {
  const state = approvalState(approval, nowMs);
  if (state !== 'pending') throw new ApprovalRefused(`approval ${approval.id} is ${state}`, 'see the open ones with: grace approvals list');
  if (approval.approvedBy.includes(approver))
    throw new ApprovalRefused(
      `${approver} has already approved ${approval.id}`,
      'a quorum needs distinct people: let another person approve it',
    );
  return { ...approval, approvedBy: [...approval.approvedBy, approver] };
}
