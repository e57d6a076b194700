import type { Kysely } from 'kysely';
import type { ComponentOverrides, Overrides } from '../../domains/playbooks/index.ts';
import type { ProcessStore } from '../../domains/supervisor/index.ts';
import type { Tables } from './tables.ts';

export function processStore(db: Kysely<Tables>): ProcessStore {
  return {
    async save(r) {
      const row = {
        component: r.component,
        pid: r.identity.pid,
        start_ticks: r.identity.startTicks,
        machine_boot_id: r.identity.machineBootId,
        spec_hash: r.specHash,
        launched_at: r.launchedAtMs,
        log_offset: r.logOffset,
        uid: r.uid,
      };
      await db
        .insertInto('processes')
        .values(row)
        .onConflict((c) => c.column('component').doUpdateSet(row))
        .execute();
    },
    async remove(component) {
      await db.deleteFrom('processes').where('component', '=', component).execute();
    },
    async list() {
      return (await db.selectFrom('processes').selectAll().execute()).map((row) => ({
        component: row.component,
        identity: { pid: row.pid, startTicks: row.start_ticks, machineBootId: row.machine_boot_id },
        specHash: row.spec_hash,
        launchedAtMs: row.launched_at,
        logOffset: row.log_offset,
        uid: row.uid,
      }));
    },
  };
}

const NO_OVERRIDES: ComponentOverrides = { openFiles: null, heapMb: null, env: {}, skip: false };

export function overrideStore(db: Kysely<Tables>): Overrides {
  const read = async (db: Kysely<Tables>, component: string): Promise<ComponentOverrides> => {
    const row = await db.selectFrom('overrides').selectAll().where('component', '=', component).executeTakeFirst();
    return row ? { ...NO_OVERRIDES, ...(JSON.parse(row.body) as Partial<ComponentOverrides>) } : NO_OVERRIDES;
  };
  return {
    get: (component) => read(db, component),
    async set(component, change) {
      // One transaction: what is learned at the same moment must not be forgotten again.
      await db.transaction().execute(async (t) => {
        const body = JSON.stringify({ ...(await read(t, component)), ...change });
        await t
          .insertInto('overrides')
          .values({ component, body })
          .onConflict((c) => c.column('component').doUpdateSet({ body }))
          .execute();
      });
    },
  };
}
