import { sql, type Kysely } from 'kysely';
import type { Mission, MissionStore } from '../../domains/missions/index.ts';
import { isLost, plainly, type Carry } from './carry.ts';
import type { Tables } from './tables.ts';

/** @param carry how a mission is written down */
export function missionStore(db: Kysely<Tables>, carry: Carry<Mission> = plainly(db)): MissionStore {
  const missionOf = (row: { readonly body: string }): Mission => JSON.parse(row.body) as Mission;
  return {
    async get(id) {
      const row = await db.selectFrom('missions').select('body').where('id', '=', id).executeTakeFirst();
      return row === undefined ? null : missionOf(row);
    },
    async list(limit) {
      const rows = await db.selectFrom('missions').select('body').orderBy('opened_at', 'desc').orderBy('id', 'desc').limit(limit).execute();
      return rows.map(missionOf);
    },
    async standing() {
      const rows = await db
        .selectFrom('missions')
        .select('body')
        .where('state', 'in', ['open', 'abandoned'])
        .orderBy('opened_at')
        .execute();
      return rows.map(missionOf);
    },
    async save(mission, was) {
      const { id, key, component, state, openedAtMs, closedAtMs } = mission;
      const row = { id, key, component, state, opened_at: openedAtMs, closed_at: closedAtMs, body: JSON.stringify(mission) };
      // Of two who change it one wins: the other's statement would leave it without a state, which is not stored.
      const statement =
        was === null
          ? db.insertInto('missions').values(row)
          : db
              .updateTable('missions')
              .set({ ...row, state: sql<Mission['state']>`case when state = ${was} then ${state} end` })
              .where('id', '=', id);
      try {
        await carry([statement.compile()], mission);
        return true;
      } catch (error) {
        if (isLost(error)) return false;
        throw error;
      }
    },
  };
}
