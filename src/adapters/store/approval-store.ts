import { sql, type CompiledQuery, type Kysely, type Selectable } from 'kysely';
import {
  endedUnanswered,
  type Approval,
  type ApprovalStore,
  type ForeseenStep,
  type GovernedAction,
  type RecordedDecision,
} from '../../domains/governance/index.ts';
import { isLost, plainly, type Carry } from './carry.ts';
import { decisionQuery } from './decision-store.ts';
import type { Tables } from './tables.ts';

/** What of an approval is written down. */
export interface ApprovalWritten {
  readonly approval: Approval;
  /** `answered`: with the answer; `changed`: without one. */
  readonly what: 'asked' | 'answered' | 'changed' | 'expired';
  readonly answer: RecordedDecision | null;
}

/** @param carry how one is written down */
export function approvalStore(db: Kysely<Tables>, carry: Carry<ApprovalWritten> = plainly(db)): ApprovalStore {
  const all = () => db.selectFrom('approvals').selectAll();
  return {
    async save(approval) {
      const known = await db.selectFrom('approvals').select('id').where('id', '=', approval.id).executeTakeFirst();
      await carry([approvalQuery(db, approval)], { approval, what: known === undefined ? 'asked' : 'changed', answer: null });
    },
    async change(id, work, answer = null) {
      for (;;) {
        const row = await all().where('id', '=', id).executeTakeFirst();
        if (row === undefined) return null;
        const approval = work(fromRow(row));
        const answered = answer === null ? [] : [decisionQuery(db, answer)];
        try {
          await carry([unchanged(db, row), approvalQuery(db, approval), ...answered], {
            approval,
            what: answer === null ? 'changed' : 'answered',
            answer,
          });
          return approval;
        } catch (error) {
          // Another person has answered since it was read: it is read again, and each answer counts.
          if (!isLost(error)) throw error;
        }
      }
    },
    async expire(nowMs) {
      const rows = await all().where('expires_at', '<=', nowMs).where('expiry_told', '=', 0).orderBy('expires_at').execute();
      const expired: Approval[] = [];
      for (const row of rows) {
        const approval = fromRow(row);
        const told = db
          .updateTable('approvals')
          .set({ expiry_told: sql<number>`case when expiry_told = 0 then 1 end` })
          .where('id', '=', row.id);
        const isOpen = endedUnanswered(approval, nowMs);
        try {
          await carry([told.compile()], { approval, what: isOpen ? 'expired' : 'changed', answer: null });
          if (isOpen) expired.push(approval);
        } catch (error) {
          if (!isLost(error)) throw error; // another Grace or command tells of it
        }
      }
      return expired;
    },
    async get(id) {
      const row = await all().where('id', '=', id).executeTakeFirst();
      return row ? fromRow(row) : null;
    },
    async endingAfter(ms) {
      return (await all().where('expires_at', '>', ms).orderBy('created_at').execute()).map(fromRow);
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

/** Fails when somebody has answered since the row was read: what is required would be gone then, which is not stored. */
function unchanged(db: Kysely<Tables>, row: Selectable<Tables['approvals']>): CompiledQuery {
  return db
    .updateTable('approvals')
    .set({
      required: sql<number>`case when approved_by = ${row.approved_by} and rejected_by is ${row.rejected_by} and used_at is ${row.used_at} then required end`,
    })
    .where('id', '=', row.id)
    .compile();
}

function approvalQuery(db: Kysely<Tables>, a: Approval): CompiledQuery {
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
    used_at: a.usedAtMs,
  };
  return db
    .insertInto('approvals')
    .values({ ...row, expiry_told: 0 })
    .onConflict((c) => c.column('id').doUpdateSet(row))
    .compile();
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
    usedAtMs: row.used_at,
  };
}
