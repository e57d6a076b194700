import { GraceError, sha256Hex, type Json } from '../../kernel/index.ts';
import type { GovernedAction } from './governed-action.ts';
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
  /** After it nobody can answer any more, and what was agreed to does not count either; an offer alone stands until it is withdrawn. */
  readonly expiresAtMs: number;
  /** When the person who asked had it run: it was for that one run. Null before. */
  readonly usedAtMs: number | null;
}

export type ApprovalState = 'pending' | 'approved' | 'rejected' | 'expired' | 'used';

/** A request is stale after a week, answered or not: the failure it was for is another by then. */
export const APPROVAL_LIFE_MS = 7 * 86_400_000;
/** People are told of a request this long before it ends unanswered: one working day comes before it. */
const WARNED_BEFORE_MS = 86_400_000;

export function approvalState(approval: Approval, nowMs: number): ApprovalState {
  if (approval.rejectedBy !== null) return 'rejected';
  if (approval.usedAtMs !== null) return 'used';
  const isAnswered = agreed(approval) >= approval.requiredApprovals;
  if (nowMs > approval.expiresAtMs && !(isAnswered && isOffer(approval.foreseen))) return 'expired';
  return isAnswered ? 'approved' : 'pending';
}

/** It ended, and not enough people had agreed by then. */
export function endedUnanswered(approval: Approval, nowMs: number): boolean {
  return approvalState(approval, nowMs) === 'expired' && agreed(approval) < approval.requiredApprovals;
}

/** Asked for while all is well: what it would do is not known yet, only where at most. */
export function isOffer(steps: readonly ForeseenStep[] | null): boolean {
  return steps?.some((step) => step.state === 'offered') === true;
}

/** A person's own request is for one run; what Grace was allowed, it may do again while that stands. */
export function isForOneRun({ action, requestedBy }: Pick<Approval, 'action' | 'requestedBy'>): boolean {
  return action === 'run_playbook' && requestedBy !== null;
}

/**
 * Distinct people whose agreement counts for a decision: of a request that has all it asked for, and of no other.
 * @param by  the person who wants it done now, and whose own agreement does not count; null: Grace does what it was allowed to
 */
export function approvalsHeld(approval: Approval | null, nowMs: number, by: string | null = null): number {
  if (approval === null || approvalState(approval, nowMs) !== 'approved') return 0;
  if (by === null || approval.requestedBy === null || isSamePerson(by, approval.requestedBy)) return agreed(approval, by);
  // Whoever asked for it wants it as well: of two people each is the other one.
  return agreed({ approvedBy: [...approval.approvedBy, approval.requestedBy], requestedBy: by }, null);
}

function agreed({ approvedBy, requestedBy }: Pick<Approval, 'approvedBy' | 'requestedBy'>, but: string | null = null): number {
  const people = new Set(approvedBy.map(personOf));
  for (const name of [requestedBy, but]) if (name !== null) people.delete(personOf(name));
  return people.size;
}

/** Two ways to write one name are one person: a quorum and four eyes rather miss a person than count one twice. */
function isSamePerson(a: string, b: string): boolean {
  return personOf(a) === personOf(b);
}

function personOf(name: string): string {
  return name.normalize('NFKC').trim().toLowerCase();
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
    JSON.stringify(
      foreseen === null
        ? bound
        : // What a generated playbook is called with stands in its file: those steps are bound as they always were.
          [
            ...bound,
            foreseen.map((s) => [
              s.step,
              s.primitive,
              s.state,
              s.summary,
              s.targets,
              ...(s.paramsDigest === undefined ? [] : [s.paramsDigest]),
            ]),
          ],
    ),
  );
}

/**
 * What a person's own request for a run is bound to. Grace's request for the same stays beside it: its approver may have been the
 * one who asks now, and then it is for what Grace does by itself alone.
 */
export function askedBinding(binding: string): string {
  return sha256Hex(JSON.stringify(['asked by a person', binding]));
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
  for (const name of claimedName === null ? [approver] : [approver, claimedName])
    if (approval.requestedBy !== null && isSamePerson(name, approval.requestedBy))
      throw new ApprovalRefused(
        `${name} has asked for ${approval.id} and cannot approve it`,
        'nobody approves their own request: let another user of this machine run this; where there is none, grace policy test tells ' +
          'which rule asks for it, and whether a policy of yours can lift it',
      );
  if (approval.approvedBy.some((who) => isSamePerson(who, approver)))
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
 * One no is enough, from whoever it comes; it takes back what was agreed to as well.
 * @throws ApprovalRefused when it is neither pending nor approved
 */
export function reject(approval: Approval, by: string, nowMs: number): Approval {
  const state = approvalState(approval, nowMs);
  if (state !== 'pending' && state !== 'approved')
    throw new ApprovalRefused(`approval ${approval.id} is ${state}`, 'see the open ones with: grace approvals list');
  return { ...approval, rejectedBy: by };
}

/**
 * A person has what they asked for run, now: it does not count again. Of two commands at the same moment one has it.
 * @throws ApprovalRefused when it does not count any more
 */
export function useApproval(approval: Approval, nowMs: number): Approval {
  const state = approvalState(approval, nowMs);
  if (state !== 'approved')
    throw new ApprovalRefused(`approval ${approval.id} is ${state}`, 'run it again: where somebody has to agree, they are asked anew');
  return isForOneRun(approval) ? { ...approval, usedAtMs: nowMs } : approval;
}
