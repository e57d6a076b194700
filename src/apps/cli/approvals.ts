import { userInfo } from 'node:os';
import { lockHolder } from '../../adapters/node/instance-lock.ts';
import {
  ApprovalRefused,
  approvalState,
  approve,
  isExpiringSoon,
  type Approval,
  type ApprovalState,
} from '../../domains/governance/index.ts';
import type { Answer } from './answer.ts';
import { NotKnown } from './errors.ts';
import type { Memory } from './memory.ts';
import { columns, fitted, paint, table, wrap } from './terminal.ts';
import { iso, when } from './when.ts';

/** `grace approvals list`: the open ones first. */
export async function listApprovals(memory: Memory): Promise<Answer> {
  const approvals = (await memory.approvals.list()).toSorted((a, b) => Number(isOpen(b, memory.nowMs)) - Number(isOpen(a, memory.nowMs)));
  const lines =
    approvals.length === 0
      ? ['nothing waits for approval']
      : [
          fitted([
            ['approval', 'state', 'playbook', 'component', 'asked', 'has', 'incident'].map((title) => paint('dim', title)),
            ...approvals.map((a) => [
              a.id,
              stateOf(approvalState(a, memory.nowMs)) +
                (isExpiringSoon(a, memory.nowMs) ? paint('red', ` ends ${when(a.expiresAtMs, memory.nowMs)}`) : ''),
              a.playbook,
              a.component,
              when(a.createdAtMs, memory.nowMs),
              `${a.approvedBy.length} of ${a.requiredApprovals}`,
              a.incidentId,
            ]),
          ]),
        ];
  return { exitCode: 0, data: approvals.map((a) => approvalJson(a, memory.nowMs)), lines };
}

/** `grace approvals show`: what would be done, why, and how risky it is. */
export async function showApproval(memory: Memory, id: string): Promise<Answer> {
  const approval = await theApproval(memory, id);
  const playbook = await memory.playbooks.get(approval.playbook);
  const pattern = await memory.incidents.patternByIncident(approval.incidentId);
  const state = approvalState(approval, memory.nowMs);
  const explanation = pattern === null ? undefined : (await memory.incidents.explanations({ signature: pattern.signature, limit: 1 }))[0];
  const data = {
    ...approvalJson(approval, memory.nowMs),
    risk_level: playbook?.risk ?? null,
    autonomy_tier: playbook?.tier ?? null,
    file: playbook?.file ?? null,
    cause: explanation?.cause ?? pattern?.rootCause ?? null,
    evidence: explanation?.evidence ?? [],
  };
  const lines = [
    `${paint('bold', approval.id)}  ${stateOf(state)}  ${approval.playbook} for ${approval.component}`,
    '',
    table([
      ...(data.cause === null ? [] : [['  cause', wrapped(data.cause)]]),
      ...data.evidence.map((e, i) => [i === 0 ? '  evidence' : '', wrapped(e)]),
      ...approval.summary.map((s, i) => [i === 0 ? '  would do' : '', wrapped(`${i + 1}. ${s}`)]),
      ...(playbook === null
        ? []
        : [
            ['  risk', `${playbook.risk}, ${playbook.tier}`],
            ['  source', playbook.file],
          ]),
      ['  incident', approval.incidentId],
      [
        '  has',
        `${approval.approvedBy.length} of ${approval.requiredApprovals} approvals${approval.approvedBy.length === 0 ? '' : ` (${approval.approvedBy.map((who) => nameOf(approval, who)).join(', ')})`}`,
      ],
      ['  asked by', approval.requestedBy ?? 'Grace itself'],
      [
        '  bound to',
        approval.foreseen === null
          ? 'the bytes of the playbook, its parameters and the component; what it acts on shows when it runs'
          : 'the bytes of the playbook, its parameters, the component, and exactly what it would do',
      ],
      ...(approval.rejectedBy === null ? [] : [['  rejected', `by ${approval.rejectedBy}`]]),
      ['  asked', `${when(approval.createdAtMs, memory.nowMs)}, expires ${when(approval.expiresAtMs, memory.nowMs)}`],
    ]),
    ...(state === 'pending' ? ['', `grace approvals approve ${id}`, `grace approvals reject ${id}`] : []),
  ];
  return { exitCode: 0, data, lines };
}

/** Where values stand: beside the longest label. */
const LABEL_WIDTH = 12;

function wrapped(value: string): string {
  return wrap(value, columns() - LABEL_WIDTH, ' '.repeat(LABEL_WIDTH));
}

/** `grace approvals approve`. @throws ApprovalRefused */
export async function approveApproval(memory: Memory, id: string, approver: string, claimedName: string | null = null): Promise<Answer> {
  const approved = approve(await theApproval(memory, id), approver, memory.nowMs, claimedName);
  await memory.approvals.save(approved);
  const missing = approved.requiredApprovals - approved.approvedBy.length;
  const holder = lockHolder(memory.dataDir);
  const next =
    missing > 0
      ? `${missing} more from another person`
      : holder === null
        ? 'it runs at the next grace up'
        : `Grace (pid ${holder.pid}) picks it up by itself`;
  return {
    exitCode: 0,
    data: approvalJson(approved, memory.nowMs),
    lines: [
      `${paint('green', 'approved')} ${approved.playbook} for ${approved.component} by ${nameOf(approved, approver)}: ${approved.approvedBy.length} of ${approved.requiredApprovals}, ${next}`,
    ],
  };
}

/** `grace approvals reject`: one no is enough. @throws ApprovalRefused */
export async function rejectApproval(memory: Memory, id: string, by: string): Promise<Answer> {
  const approval = await theApproval(memory, id);
  const state = approvalState(approval, memory.nowMs);
  if (state !== 'pending') throw new ApprovalRefused(`approval ${id} is ${state}`, 'see the open ones with: grace approvals list');
  const rejected = { ...approval, rejectedBy: by };
  await memory.approvals.save(rejected);
  return {
    exitCode: 0,
    data: approvalJson(rejected, memory.nowMs),
    lines: [`${paint('yellow', 'rejected')} ${rejected.playbook} for ${rejected.component} by ${by}: it will not run`],
  };
}

/** Who decides: whoever runs this process. A name given with `--as` is what they say of themselves, and counts for nothing. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`; // a container's user may be in no list of users
  }
}

function nameOf({ claimedNames }: Approval, who: string): string {
  const claimed = claimedNames[who];
  return claimed === undefined || claimed === who ? who : `${who}, who says to be ${claimed}`;
}

async function theApproval(memory: Memory, id: string): Promise<Approval> {
  const approval = await memory.approvals.get(id);
  if (approval === null) throw new NotKnown('approval', id, 'see the open ones with: grace approvals list');
  return approval;
}

function isOpen(approval: Approval, nowMs: number): boolean {
  return approvalState(approval, nowMs) === 'pending';
}

const STATE_STYLE = { pending: 'yellow', approved: 'green', rejected: 'red', expired: 'dim' } as const;

function stateOf(state: ApprovalState): string {
  return paint(STATE_STYLE[state], state);
}

function approvalJson(a: Approval, nowMs: number): Readonly<Record<string, unknown>> {
  return {
    id: a.id,
    state: approvalState(a, nowMs),
    playbook: a.playbook,
    component: a.component,
    incident: a.incidentId,
    would_do: a.summary,
    required_approvals: a.requiredApprovals,
    requested_by: a.requestedBy,
    approved_by: a.approvedBy,
    claimed_names: a.claimedNames,
    bound_to: a.foreseen === null ? 'file' : 'plan',
    foreseen: a.foreseen,
    is_expiring_soon: isExpiringSoon(a, nowMs),
    rejected_by: a.rejectedBy,
    binding_hash: a.bindingHash,
    at: iso(a.createdAtMs),
    expires_at: iso(a.expiresAtMs),
  };
}
