import { sql, type Kysely } from 'kysely';
import type { FailedState, FailedStateStore } from '../../domains/learning/index.ts';
import type { Tables } from './tables.ts';

const PREFIX = 'failed:';

/** Among the snapshots: one row for each component and signature, with its newest states. */
export function failedStateStore(db: Kysely<Tables>): FailedStateStore {
  return {
    async replace(component, signature, states) {
      const bootId = states.at(-1)?.bootId ?? '';
      const row = { component, kind: PREFIX + signature, boot_id: bootId, body: JSON.stringify(states) };
      await db
        .insertInto('snapshots')
        .values(row)
        .onConflict((c) => c.columns(['component', 'kind']).doUpdateSet(row))
        .execute();
    },
    async load(component) {
      const rows = await db
        .selectFrom('snapshots')
        .select('body')
        .where('component', '=', component)
        .where(sql<boolean>`substr(kind, 1, ${PREFIX.length}) = ${PREFIX}`)
        .execute();
      return rows.flatMap((row) => JSON.parse(row.body) as FailedState[]).toSorted((a, b) => a.atMs - b.atMs);
    },
    async forget(component, signature) {
      await db
        .deleteFrom('snapshots')
        .where('component', '=', component)
        .where('kind', '=', PREFIX + signature)
        .execute();
    },
  };
}
