import type { Kysely } from 'kysely';
import type { Breaker, LimitStore } from '../../domains/governance/index.ts';
import { plainly, type Carry } from './carry.ts';
import type { Tables } from './tables.ts';

/** Who holds a lease, in words that another process can check. */
export interface LeaseHolder {
  /** This process, told from one of the same number that comes after it. */
  readonly me: string;
  isAlive(holder: string): boolean;
}

/** @param carry how a breaker is written down */
export function limitStore(
  db: Kysely<Tables>,
  { me, isAlive }: LeaseHolder,
  nowMs: () => number,
  carry: Carry<Breaker> = plainly(db),
): LimitStore {
  return {
    async breakers() {
      return (await db.selectFrom('breakers').selectAll().orderBy('opened_at').execute()).map((row) => ({
        id: row.id,
        kind: row.kind,
        playbook: row.playbook,
        component: row.component,
        openedAtMs: row.opened_at,
        reason: row.reason,
        closedAtMs: row.closed_at,
        closedBy: row.closed_by,
        closeReason: row.close_reason,
      }));
    },
    async saveBreaker(b) {
      const row = {
        id: b.id,
        kind: b.kind,
        playbook: b.playbook,
        component: b.component,
        opened_at: b.openedAtMs,
        reason: b.reason,
        closed_at: b.closedAtMs,
        closed_by: b.closedBy,
        close_reason: b.closeReason,
      };
      const save = db
        .insertInto('breakers')
        .values(row)
        .onConflict((c) => c.column('id').doUpdateSet(row));
      await carry([save.compile()], b);
    },
    async lease(component, runId) {
      const row = { component, run_id: runId, holder: me, at: nowMs() };
      const isMine = await db.transaction().execute(async (t) => {
        const held = await t.selectFrom('leases').selectAll().where('component', '=', component).executeTakeFirst();
        // What a process that died has held is nobody's.
        if (held !== undefined && isAlive(held.holder)) return false;
        await t
          .insertInto('leases')
          .values(row)
          .onConflict((c) => c.column('component').doUpdateSet(row))
          .execute();
        return true;
      });
      if (!isMine) return null;
      return {
        async release() {
          await db.deleteFrom('leases').where('component', '=', component).where('run_id', '=', runId).execute();
        },
      };
    },
    async isHeld(component, runId) {
      const held = await db
        .selectFrom('leases')
        .select('holder')
        .where('component', '=', component)
        .where('run_id', '=', runId)
        .executeTakeFirst();
      return held !== undefined && isAlive(held.holder);
    },
    async forgetDeadLeases() {
      for (const { component, run_id: runId, holder } of await db.selectFrom('leases').selectAll().execute())
        if (!isAlive(holder)) await db.deleteFrom('leases').where('component', '=', component).where('run_id', '=', runId).execute();
    },
    async triesSince(component, scope) {
      const row = await db
        .selectFrom('tries')
        .select('since')
        .where('component', '=', component)
        .where('scope', '=', scope)
        .executeTakeFirst();
      return row?.since ?? null;
    },
    async countTriesFrom(component, scope, since) {
      await db
        .insertInto('tries')
        .values({ component, scope, since })
        .onConflict((c) => c.columns(['component', 'scope']).doUpdateSet({ since }))
        .execute();
    },
    async forgetTries(component, scope) {
      await db.deleteFrom('tries').where('component', '=', component).where('scope', '=', scope).execute();
    },
  };
}
