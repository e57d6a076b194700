import { nodeIds } from '../../adapters/node/ids.ts';
import { lockHolder } from '../../adapters/node/instance-lock.ts';
import {
  answerEntry,
  ApprovalRefused,
  approvalState,
  approve,
  effectiveTier,
  isExpiringSoon,
  isForOneRun,
  isOffer,
  reject,
  tierAllowed,
  type Approval,
  type ApprovalState,
  type RecordedDecision,
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
            ['approval', 'state', 'for', 'component', 'asked', 'has', 'incident'].map((title) => paint('dim', title)),
            ...approvals.map((a) => [
              a.id,
              stateOf(approvalState(a, memory.nowMs)) +
                (isExpiringSoon(a, memory.nowMs) ? paint('red', ` ends ${when(a.expiresAtMs, memory.nowMs)}`) : ''),
              a.action === 'run_playbook' ? a.playbook : titleOf(a),
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
  const playbook = approval.action === 'run_playbook' ? await memory.playbooks.get(approval.playbook) : null;
  const pattern = await memory.incidents.patternByIncident(approval.incidentId);
  const state = approvalState(approval, memory.nowMs);
  const explanation = pattern === null ? undefined : (await memory.incidents.explanations({ signature: pattern.signature, limit: 1 }))[0];
  const { primitives } = await import('../../primitives/index.ts');
  // What people agreed to, step by step; where nobody knew that, the steps that are known of the playbook.
  const steps = approval.foreseen ?? playbook?.steps ?? [];
  const effective =
    playbook === null
      ? null
      : tierAllowed(
          effectiveTier(playbook.tier, await memory.tierChanges.of(playbook.name, playbook.hash)),
          playbook.risk,
          steps.some(({ primitive }) => primitives.get(primitive)?.undo === null),
        );
  const irreversible = steps.flatMap(({ primitive }, i) => {
    const reason = primitives.get(primitive)?.irreversible;
    return reason === undefined ? [] : [{ step: i + 1, primitive, reason }];
  });
  const data = {
    ...approvalJson(approval, memory.nowMs),
    risk_level: playbook?.risk ?? null,
    autonomy_tier: playbook?.tier ?? null,
    effective_tier: effective,
    irreversible,
    file: playbook?.file ?? null,
    cause: explanation?.cause ?? pattern?.rootCause ?? null,
    evidence: explanation?.evidence ?? [],
  };
  const lines = [
    `${paint('bold', approval.id)}  ${stateOf(state)}  ${titleOf(approval)}`,
    '',
    table([
      ...(data.cause === null ? [] : [['  cause', wrapped(data.cause)]]),
      ...data.evidence.map((e, i) => [i === 0 ? '  evidence' : '', wrapped(e)]),
      ...approval.summary.map((s, i) => [i === 0 ? '  would do' : '', wrapped(`${i + 1}. ${s}`)]),
      ...irreversible.map((one, i) => [
        i === 0 ? '  no undo' : '',
        wrapped(`${one.step}. ${one.primitive} cannot be undone: ${one.reason}`),
      ]),
      ...(playbook === null
        ? []
        : [
            ['  risk', `${playbook.risk}, ${effective === playbook.tier ? effective : `${effective} (its file says ${playbook.tier})`}`],
            ['  source', playbook.file],
          ]),
      ...(approval.incidentId === '' ? [] : [['  incident', approval.incidentId]]),
      [
        '  has',
        `${approval.approvedBy.length} of ${approval.requiredApprovals} approvals${approval.approvedBy.length === 0 ? '' : ` (${approval.approvedBy.map((who) => nameOf(approval, who)).join(', ')})`}`,
      ],
      ['  asked by', approval.requestedBy ?? 'Grace itself'],
      [
        '  bound to',
        approval.action !== 'run_playbook'
          ? 'this one time: asked again, it has to be agreed to again'
          : approval.foreseen === null
            ? 'the bytes of the playbook, its parameters and the component; what it acts on shows when it runs'
            : isOffer(approval.foreseen)
              ? 'the bytes of the playbook, its parameters, the component, the failure, and the places named here: what reaches further is asked for anew'
              : 'the bytes of the playbook, its parameters, the component, and exactly what it would do',
      ],
      ...(approval.rejectedBy === null ? [] : [['  rejected', `by ${approval.rejectedBy}`]]),
      ['  asked', when(approval.createdAtMs, memory.nowMs)],
      ['  counts', countsUntil(approval, memory.nowMs)],
    ]),
    ...(state === 'pending' ? ['', `grace approvals approve ${id}`, `grace approvals reject ${id}`] : []),
    ...(state === 'approved' ? ['', `to take it back: grace approvals reject ${id}`] : []),
  ];
  return { exitCode: 0, data, lines };
}

/** How long, and how often, what was agreed to may be done. */
function countsUntil(approval: Approval, nowMs: number): string {
  if (approval.usedAtMs !== null) return `no more: it was used ${when(approval.usedAtMs, nowMs)}`;
  if (approval.action === 'run_playbook' && isOffer(approval.foreseen)) return 'until somebody takes it back';
  const end = `until ${when(approval.expiresAtMs, nowMs)}`;
  return isForOneRun(approval) ? `for one run, ${end}` : end;
}

/** Where values stand: beside the longest label. */
const LABEL_WIDTH = 12;

function wrapped(value: string): string {
  return wrap(value, columns() - LABEL_WIDTH, ' '.repeat(LABEL_WIDTH));
}

/** `grace approvals approve`. @throws ApprovalRefused, and what did not count is recorded */
export async function approveApproval(memory: Memory, id: string, approver: string, claimedName: string | null = null): Promise<Answer> {
  const approved = await answerApproval(
    memory,
    id,
    approver,
    'approved',
    (a) => approve(a, approver, memory.nowMs, claimedName),
    claimedName,
  );
  const missing = approved.requiredApprovals - approved.approvedBy.length;
  const next = missing > 0 ? `${missing} more from another person` : whatFollows(approved, lockHolder(memory.dataDir)?.pid ?? null);
  return {
    exitCode: 0,
    data: approvalJson(approved, memory.nowMs),
    lines: [
      `${paint('green', 'approved')} ${titleOf(approved)} by ${nameOf(approved, approver)}: ${approved.approvedBy.length} of ${approved.requiredApprovals}, ${next}`,
    ],
  };
}

/** `grace approvals reject`: one no is enough. @throws ApprovalRefused */
export async function rejectApproval(memory: Memory, id: string, by: string): Promise<Answer> {
  const rejected = await answerApproval(memory, id, by, 'rejected', (a) => reject(a, by, memory.nowMs));
  return {
    exitCode: 0,
    data: approvalJson(rejected, memory.nowMs),
    lines: [
      `${paint('yellow', 'rejected')} ${titleOf(rejected)} by ${by}: it will not ${rejected.action === 'run_playbook' ? 'run' : 'be done'}`,
    ],
  };
}

/** Written down with what it changes, or not at all: an answer that cannot be recorded does not count. */
async function answerApproval(
  memory: Memory,
  id: string,
  by: string,
  verdict: 'approved' | 'rejected',
  answer: (approval: Approval) => Approval,
  claimedName: string | null = null,
): Promise<Approval> {
  const asked = await theApproval(memory, id);
  const entry = (said: 'approved' | 'rejected' | 'refused', reason: string): RecordedDecision => ({
    id: nodeIds.next('dc'),
    atMs: memory.nowMs,
    ...answerEntry(asked, by, said, reason, claimedName),
  });
  try {
    return (await memory.approvals.change(id, answer, entry(verdict, titleOf(asked)))) ?? asked;
  } catch (error) {
    if (error instanceof ApprovalRefused) await memory.decisions.write(entry('refused', error.message));
    throw error;
  }
}

function whatFollows({ action, playbook, requestedBy, foreseen }: Approval, pid: number | null): string {
  if (action === 'set_mode') return 'whoever asked for it runs grace mode set again';
  const isRollback = foreseen?.some(({ primitive }) => primitive === 'roll_back_release') === true;
  if (action === 'run_playbook' && requestedBy !== null && (isRollback || pid === null))
    return `${requestedBy} runs it again: grace ${isRollback ? 'boots rollback' : `playbooks run ${playbook}`}`;
  if (pid !== null) return `Grace (pid ${pid}) takes it up by itself, within seconds`;
  return action === 'run_playbook'
    ? 'it runs at the next grace up'
    : action === 'change_policy'
      ? 'it counts at the next grace up'
      : 'no Grace runs that could do it';
}

/** What it is for, in a few words. */
export function titleOf({ action, playbook, component }: Pick<Approval, 'action' | 'playbook' | 'component'>): string {
  if (action === 'run_playbook') return `${playbook} for ${component}`;
  if (action === 'restart_component') return `the restart of ${component}`;
  if (action === 'set_mode') return `the mode ${playbook}`;
  if (action === 'change_policy') return `other policies (${playbook.slice(0, DIGEST_SHOWN)})`;
  if (action === 'change_playbook') return `a change of ${playbook}`;
  return `${action} ${playbook}${component === '' ? '' : ` of ${component}`}`;
}

/** Of a digest, for people. */
export const DIGEST_SHOWN = 12;

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

const STATE_STYLE = { pending: 'yellow', approved: 'green', rejected: 'red', expired: 'dim', used: 'dim' } as const;

function stateOf(state: ApprovalState): string {
  return paint(STATE_STYLE[state], state);
}

function approvalJson(a: Approval, nowMs: number): Readonly<Record<string, unknown>> {
  return {
    id: a.id,
    state: approvalState(a, nowMs),
    action: a.action,
    playbook: a.playbook,
    component: a.component,
    incident: a.incidentId,
    would_do: a.summary,
    required_approvals: a.requiredApprovals,
    requested_by: a.requestedBy,
    approved_by: a.approvedBy,
    claimed_names: a.claimedNames,
    bound_to: a.action !== 'run_playbook' ? 'occasion' : a.foreseen === null ? 'file' : isOffer(a.foreseen) ? 'places' : 'plan',
    foreseen: a.foreseen,
    is_expiring_soon: isExpiringSoon(a, nowMs),
    rejected_by: a.rejectedBy,
    binding_hash: a.bindingHash,
    at: iso(a.createdAtMs),
    expires_at: iso(a.expiresAtMs),
    used_at: a.usedAtMs === null ? null : iso(a.usedAtMs),
  };
}
