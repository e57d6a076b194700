import type { Clock, Ids } from '../../kernel/index.ts';
import { APPROVAL_LIFE_MS, approvalState, type ApprovalStore, type ForeseenStep } from '../governance/index.ts';
import type { RegisteredPlaybook } from '../playbooks/index.ts';

/** The request for exactly these bytes: the one that is open already, or a new one. @returns its id */
export async function askForApproval(
  ports: { readonly approvals: ApprovalStore; readonly clock: Clock; readonly ids: Ids },
  asked: {
    readonly playbook: RegisteredPlaybook;
    readonly component: string;
    readonly incidentId: string;
    readonly binding: string;
    /** The plan that is agreed to, or the offer where there is none yet; null where only the file is known. */
    readonly foreseen: readonly ForeseenStep[] | null;
    readonly required: number;
    /** The person who wants it, and can not agree to it as well; null where Grace proposes it. */
    readonly requestedBy?: string | null;
  },
): Promise<string> {
  const { approvals, clock, ids } = ports;
  const existing = await approvals.byBinding(asked.binding);
  if (existing !== null && approvalState(existing, clock.nowMs()) === 'pending') return existing.id;
  const id = ids.next('ap');
  await approvals.save({
    id,
    action: 'run_playbook',
    playbook: asked.playbook.name,
    component: asked.component,
    incidentId: asked.incidentId,
    requestedBy: asked.requestedBy ?? null,
    summary:
      asked.foreseen?.map((s) => `${s.summary === '' ? s.step : s.summary} (${s.primitive})${limitOf(s)}`) ??
      asked.playbook.steps.map((s) => `${s.name} (${s.primitive})`),
    bindingHash: asked.binding,
    foreseen: asked.foreseen,
    requiredApprovals: asked.required,
    approvedBy: [],
    claimedNames: {},
    rejectedBy: null,
    createdAtMs: clock.nowMs(),
    expiresAtMs: clock.nowMs() + APPROVAL_LIFE_MS,

    usedAtMs: null,
  });
  return id;
}

/** Where nobody knows yet what a step will do, it is said where at most. */
function limitOf({ state, targets }: ForeseenStep): string {
  return state === 'offered' && targets.length > 0 ? `, acting on nothing but ${targets.join(', ')}` : '';
}
