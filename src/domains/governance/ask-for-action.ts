import type { Clock, Ids } from '../../kernel/index.ts';
import { actionBinding, APPROVAL_LIFE_MS, approvalsHeld, approvalState, type Approval } from './approval.ts';
import { componentOf, subjectOf, type Decision, type DecisionRequest } from './decision.ts';
import type { ApprovalStore, DecisionPoint } from './ports.ts';

export interface ActionApprovalPorts {
  readonly policy: DecisionPoint;
  readonly approvals: ApprovalStore;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly ids: Ids;
}

/**
 * Decides an action other than a playbook, and asks people where they have to agree.
 * @param occasion  what makes this time another one than the last: an approval is for one occasion and no other
 * @param summary  what would be done, for the person who decides
 * @returns the decision, and the request it rests on or waits for
 */
export async function askForAction(
  ports: ActionApprovalPorts,
  request: DecisionRequest,
  occasion: string,
  summary: readonly string[],
): Promise<{ readonly decision: Decision; readonly approval: Approval | null }> {
  const { policy, approvals, clock, ids } = ports;
  // Only what follows from the answer is written down, and that once.
  const forecast = await policy.decide({ ...request, approvals: 0, isForecast: true });
  const unapproved = forecast.verdict === 'needs_approval' ? null : await policy.decide({ ...request, approvals: 0 });
  if (unapproved !== null && unapproved.verdict !== 'needs_approval') return { decision: unapproved, approval: null };
  const bound = actionBinding(request.action, subjectOf(request), occasion);
  const found = await approvals.byBinding(bound);
  const nowMs = clock.nowMs();
  const held = approvalsHeld(found, nowMs);
  if (held > 0 && found !== null) {
    const again = await policy.decide({ ...request, approvals: held, approval: found.id });
    if (again.verdict !== 'needs_approval') return { decision: again, approval: found };
    // They ask for more people than when it was approved.
    return { decision: again, approval: await ask(ports, request, bound, again.approvals, summary) };
  }
  const decision = unapproved ?? (await policy.decide({ ...request, approvals: 0 }));
  if (decision.verdict !== 'needs_approval') return { decision, approval: null };
  const state = found === null ? 'expired' : approvalState(found, nowMs);
  if (found !== null && state === 'pending') return { decision, approval: found };
  if (found !== null && state === 'rejected')
    return {
      decision: { verdict: 'deny', reason: `${found.rejectedBy ?? 'somebody'} said no (${found.id})`, policies: [] },
      approval: found,
    };
  return { decision, approval: await ask({ approvals, clock, ids }, request, bound, decision.approvals, summary) };
}

async function ask(
  { approvals, clock, ids }: Omit<ActionApprovalPorts, 'policy'>,
  request: DecisionRequest,
  bound: string,
  required: number,
  summary: readonly string[],
): Promise<Approval> {
  const nowMs = clock.nowMs();
  const approval: Approval = {
    id: ids.next('ap'),
    action: request.action,
    playbook: subjectOf(request),
    component: componentOf(request),
    incidentId: '',
    requestedBy: request.actor.kind === 'grace' ? null : request.actor.name,
    summary,
    bindingHash: bound,
    foreseen: null,
    requiredApprovals: required,
    approvedBy: [],
    claimedNames: {},
    rejectedBy: null,
    createdAtMs: nowMs,
    expiresAtMs: nowMs + APPROVAL_LIFE_MS,

    usedAtMs: null,
  };
  await approvals.save(approval);
  return approval;
}
