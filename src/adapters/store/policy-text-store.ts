import type { Kysely, Selectable } from 'kysely';
import type { PolicySource, PolicyText, PolicyTextStore } from '../../domains/governance/index.ts';
import type { Tables } from './tables.ts';

/** Texts that are kept, the one in force aside; each may have a quarter of a megabyte. */
const KEPT = 20;

export function policyTextStore(db: Kysely<Tables>): PolicyTextStore {
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
      await db.transaction().execute(async (t) => {
        if (text.state === 'in_force')
          await t
            .updateTable('policy_texts')
            .set({ state: 'past', since: text.sinceMs })
            .where('state', '=', 'in_force')
            .where('digest', '!=', text.digest)
            .execute();
        await t
          .insertInto('policy_texts')
          .values(row)
          .onConflict((c) => c.column('digest').doUpdateSet(row))
          .execute();
        const newest = t.selectFrom('policy_texts').select('digest').orderBy('since', 'desc').limit(KEPT);
        await t.deleteFrom('policy_texts').where('state', '!=', 'in_force').where('digest', 'not in', newest).execute();
      });
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
