import type { Kysely, Selectable } from 'kysely';
import type { Approval, ApprovalStore, ForeseenStep, GovernedAction } from '../../domains/governance/index.ts';
import type { Tables } from './tables.ts';

export function approvalStore(db: Kysely<Tables>): ApprovalStore {
  const all = (from: Kysely<Tables> = db) => from.selectFrom('approvals').selectAll();
  return {
    save: (approval) => write(db, approval),
    change: (id, work) =>
      db.transaction().execute(async (transaction) => {
        const row = await all(transaction).where('id', '=', id).executeTakeFirst();
        if (row === undefined) return null;
        const changed = work(fromRow(row));
        await write(transaction, changed);
        return changed;
      }),
    async get(id) {
      const row = await all().where('id', '=', id).executeTakeFirst();
      return row ? fromRow(row) : null;
    },
    async list() {
      return (await all().orderBy('created_at', 'desc').execute()).map(fromRow);
    },
    async byBinding(hash) {
      const row = await all().where('binding_hash', '=', hash).orderBy('created_at', 'desc').limit(1).executeTakeFirst();
      return row ? fromRow(row) : null;
    },
  };
}

async function write(db: Kysely<Tables>, a: Approval): Promise<void> {
  const row = {
    id: a.id,
    action: a.action,
    playbook: a.playbook,
    component: a.component,
    incident_id: a.incidentId,
    summary: JSON.stringify(a.summary),
    requested_by: a.requestedBy,
    foreseen: a.foreseen === null ? null : JSON.stringify(a.foreseen),
    claimed_names: JSON.stringify(a.claimedNames),
    binding_hash: a.bindingHash,
    required: a.requiredApprovals,
    approved_by: JSON.stringify(a.approvedBy),
    rejected_by: a.rejectedBy,
    created_at: a.createdAtMs,
    expires_at: a.expiresAtMs,
  };
  await db
    .insertInto('approvals')
    .values(row)
    .onConflict((c) => c.column('id').doUpdateSet(row))
    .execute();
}

function fromRow(row: Selectable<Tables['approvals']>): Approval {
  return {
    id: row.id,
    action: row.action as GovernedAction,
    playbook: row.playbook,
    component: row.component,
    incidentId: row.incident_id,
    requestedBy: row.requested_by,
    summary: JSON.parse(row.summary) as string[],
    foreseen: row.foreseen === null ? null : (JSON.parse(row.foreseen) as ForeseenStep[]),
    claimedNames: JSON.parse(row.claimed_names) as Record<string, string>,
    bindingHash: row.binding_hash,
    requiredApprovals: row.required,
    approvedBy: JSON.parse(row.approved_by) as string[],
    rejectedBy: row.rejected_by,
    createdAtMs: row.created_at,
    expiresAtMs: row.expires_at,
  };
}
