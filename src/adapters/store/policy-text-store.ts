import type { Kysely, Selectable } from 'kysely';
import type { PolicySource, PolicyText, PolicyTextStore } from '../../domains/governance/index.ts';
import { plainly, type Carry } from './carry.ts';
import type { Tables } from './tables.ts';

/** Texts that are kept, the one in force aside; each may have a quarter of a megabyte. */
const KEPT = 20;

/** @param carry how a text is written down */
export function policyTextStore(db: Kysely<Tables>, carry: Carry<PolicyText> = plainly(db)): PolicyTextStore {
  return {
    async inForce() {
      const row = await db.selectFrom('policy_texts').selectAll().where('state', '=', 'in_force').executeTakeFirst();
      return row === undefined ? null : fromRow(row);
    },
    async get(digest) {
      const row = await db.selectFrom('policy_texts').selectAll().where('digest', '=', digest).executeTakeFirst();
      return row === undefined ? null : fromRow(row);
    },
    async list(limit) {
      return (await db.selectFrom('policy_texts').selectAll().orderBy('since', 'desc').limit(limit).execute()).map(fromRow);
    },
    async save(text) {
      const row = {
        digest: text.digest,
        files: JSON.stringify(text.files),
        state: text.state,
        since: text.sinceMs,
        reason: text.reason,
        approval: text.approval,
      };
      const end = db
        .updateTable('policy_texts')
        .set({ state: 'past', since: text.sinceMs })
        .where('state', '=', 'in_force')
        .where('digest', '!=', text.digest);
      const put = db
        .insertInto('policy_texts')
        .values(row)
        .onConflict((c) => c.column('digest').doUpdateSet(row));
      const newest = db.selectFrom('policy_texts').select('digest').orderBy('since', 'desc').limit(KEPT);
      const forget = db.deleteFrom('policy_texts').where('state', '!=', 'in_force').where('digest', 'not in', newest);
      await carry([...(text.state === 'in_force' ? [end.compile()] : []), put.compile(), forget.compile()], text);
    },
  };
}

function fromRow(row: Selectable<Tables['policy_texts']>): PolicyText {
  return {
    digest: row.digest,
    files: JSON.parse(row.files) as PolicySource[],
    state: row.state as PolicyText['state'],
    sinceMs: row.since,
    reason: row.reason,
    approval: row.approval,
  };
}
