import type { Kysely } from 'kysely';
import type { TemplateStore } from '../../domains/learning/index.ts';
import type { Json } from '../../kernel/index.ts';
import { snapshotStore } from './last-good-store.ts';
import type { Tables } from './tables.ts';

const KIND = 'templates';

/** One row for each component: what its failures say, sorted into templates. */
export function templateStore(db: Kysely<Tables>): TemplateStore {
  const snapshots = snapshotStore(db);
  return {
    async load(component) {
      const body = await snapshots.get(component, KIND);
      try {
        return body === null ? null : (JSON.parse(body) as Json);
      } catch {
        return null; // damaged: what it said is learned anew
      }
    },
    save: (component, state) => snapshots.put(component, KIND, '', JSON.stringify(state)),
  };
}
