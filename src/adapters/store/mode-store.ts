import type { Kysely } from 'kysely';
import type { Mode, ModeChange, ModeStore } from '../../domains/governance/index.ts';
import { plainly, type Carry } from './carry.ts';
import type { Tables } from './tables.ts';

/** @param carry how a change is written down */
export function modeStore(db: Kysely<Tables>, carry: Carry<ModeChange> = plainly(db)): ModeStore {
  return {
    async append(change) {
      const insert = db
        .insertInto('mode_changes')
        .values({
          id: change.id,
          mode: change.mode,
          at: change.atMs,
          author: change.by,
          claimed_name: change.claimedName,
          reason: change.reason,
          until: change.untilMs,
          fallback: change.fallback,
        })
        .compile();
      await carry([insert], change);
    },
    async history(limit) {
      const rows = await db.selectFrom('mode_changes').selectAll().orderBy('seq', 'desc').limit(limit).execute();
      return rows.map((row) => ({
        id: row.id,
        mode: row.mode as Mode,
        atMs: row.at,
        by: row.author,
        claimedName: row.claimed_name,
        reason: row.reason,
        untilMs: row.until,
        fallback: row.fallback as Mode,
      }));
    },
  };
}
