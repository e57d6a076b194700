import { sql, type Kysely, type Selectable } from 'kysely';
import type { PersonRequest, PersonRequestState, PersonRequestStore } from '../../domains/governance/index.ts';
import { isLost, plainly, type Carry } from './carry.ts';
import type { Tables } from './tables.ts';

const OPEN: readonly PersonRequestState[] = ['asked', 'waiting', 'running'];
/** What ended is kept for a look back; the decisions about it are kept elsewhere. */
const KEPT = 1000;

/** @param carry how a request is written down: when it is made, and each time it stands otherwise */
export function personRequestStore(db: Kysely<Tables>, carry: Carry<PersonRequest> = plainly(db)): PersonRequestStore {
  return {
    async add(r) {
      const insert = db.insertInto('requests').values({
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
      });
      const newest = db.selectFrom('requests').select('id').orderBy('asked_at', 'desc').limit(KEPT);
      const forget = db.deleteFrom('requests').where('state', 'not in', OPEN).where('id', 'not in', newest);
      await carry([insert.compile(), forget.compile()], r);
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
      const row = await db.selectFrom('requests').selectAll().where('id', '=', id).executeTakeFirst();
      if (row?.state !== from) return false;
      // Of two who change it one wins: the other's statement would leave it without a state, which is not stored.
      const move = db
        .updateTable('requests')
        .set({ ...change, state: sql<string>`case when state = ${from} then ${change.state} end` })
        .where('id', '=', id);
      try {
        await carry([move.compile()], { ...fromRow(row), ...change });
        return true;
      } catch (error) {
        if (isLost(error)) return false;
        throw error;
      }
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
