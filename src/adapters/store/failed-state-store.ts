import { sql, type Kysely } from 'kysely';
import { FAILED_STATES_MAX, type FailedState, type FailedStateStore } from '../../domains/learning/index.ts';
import type { Tables } from './tables.ts';

const PREFIX = 'failed:';

/** Among the snapshots: one row for each component and signature, with its newest states. */
export function failedStateStore(db: Kysely<Tables>): FailedStateStore {
  const rowOf = (component: string, signature: string) =>
    db
      .selectFrom('snapshots')
      .select('body')
      .where('component', '=', component)
      .where('kind', '=', PREFIX + signature)
      .executeTakeFirst();
  return {
    async save(state) {
      const before = statesIn((await rowOf(state.component, state.signature))?.body);
      const row = {
        component: state.component,
        kind: PREFIX + state.signature,
        boot_id: state.bootId,
        body: JSON.stringify([...before, state].slice(-FAILED_STATES_MAX)),
      };
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
      return rows.flatMap((row) => statesIn(row.body)).toSorted((a, b) => a.atMs - b.atMs);
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

function statesIn(body: string | undefined): readonly FailedState[] {
  return body === undefined ? [] : (JSON.parse(body) as FailedState[]);
}
