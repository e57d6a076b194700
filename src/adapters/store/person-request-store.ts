import type { Kysely, Selectable } from 'kysely';
import type { PersonRequest, PersonRequestState, PersonRequestStore } from '../../domains/governance/index.ts';
import type { Tables } from './tables.ts';

const OPEN: readonly PersonRequestState[] = ['asked', 'waiting', 'running'];
/** What ended is kept for a look back; the decisions about it are kept elsewhere. */
const KEPT = 1000;

export function personRequestStore(db: Kysely<Tables>): PersonRequestStore {
  return {
    async add(r) {
      await db.transaction().execute(async (t) => {
        await t
          .insertInto('requests')
          .values({
            id: r.id,
            action: r.action,
            component: r.component,
            author: r.by,
            claimed_name: r.claimedName,
            reason: r.reason,
            asked_at: r.askedAtMs,
            state: r.state,
            approval: r.approval,
            detail: r.detail,
          })
          .execute();
        const newest = t.selectFrom('requests').select('id').orderBy('asked_at', 'desc').limit(KEPT);
        await t.deleteFrom('requests').where('state', 'not in', OPEN).where('id', 'not in', newest).execute();
      });
    },
    async get(id) {
      const row = await db.selectFrom('requests').selectAll().where('id', '=', id).executeTakeFirst();
      return row === undefined ? null : fromRow(row);
    },
    async open() {
      return (await db.selectFrom('requests').selectAll().where('state', 'in', OPEN).orderBy('asked_at').orderBy('id').execute()).map(
        fromRow,
      );
    },
    async move(id, from, change) {
      const { numUpdatedRows } = await db
        .updateTable('requests')
        .set(change)
        .where('id', '=', id)
        .where('state', '=', from)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
  };
}

function fromRow(row: Selectable<Tables['requests']>): PersonRequest {
  return {
    id: row.id,
    action: row.action as PersonRequest['action'],
    component: row.component,
    by: row.author,
    claimedName: row.claimed_name,
    reason: row.reason,
    askedAtMs: row.asked_at,
    state: row.state as PersonRequestState,
    approval: row.approval,
    detail: row.detail,
  };
}
