import type { Kysely } from 'kysely';
import type { LastGoodStore, StoredEntry } from '../../domains/learning/index.ts';
import type { Tables } from './tables.ts';

/** Rows per statement: SQLite binds at most 32,766 values. */
const CHUNK = 500;

export function lastGoodStore(db: Kysely<Tables>): LastGoodStore {
  return {
    async load(component) {
      const rows = await db.selectFrom('last_good').selectAll().where('component', '=', component).execute();
      return rows.map((r): StoredEntry => ({
        path: r.path,
        kind: r.kind as StoredEntry['kind'],
        mode: r.mode,
        uid: r.uid,
        gid: r.gid,
        sizeBytes: r.size,
        mtimeMs: r.mtime,
        digest: r.digest,
        hasContent: r.has_content === 1,
        bootId: r.boot_id,
      }));
    },
    async digests() {
      return (await db.selectFrom('last_good').select('digest').distinct().where('has_content', '=', 1).execute()).map((r) => r.digest);
    },
    async replace(component, entries) {
      await db.transaction().execute(async (t) => {
        await t.deleteFrom('last_good').where('component', '=', component).execute();
        for (let i = 0; i < entries.length; i += CHUNK) {
          const rows = entries.slice(i, i + CHUNK).map((e) => ({
            component,
            path: e.path,
            kind: e.kind,
            mode: e.mode,
            uid: e.uid,
            gid: e.gid,
            size: e.sizeBytes,
            mtime: e.mtimeMs,
            digest: e.digest,
            has_content: e.hasContent ? 1 : 0,
            boot_id: e.bootId,
          }));
          await t.insertInto('last_good').values(rows).execute();
        }
      });
    },
  };
}

/**
 * What a component's database, packages or port looked like at its last verified boot; how often its files differed
 * between good boots (`restless`); what people did about its failures (`lessons`); the schema that
 * its migrations or its schema file make (`release_schema`), and why they could not (`failed_schemas`); and, for `grace`, what checks answered (`checks`).
 */
export type SnapshotKind =
  | 'config'
  | 'templates'
  | 'schema'
  | 'packages'
  | 'port'
  | 'appearance'
  | 'restless'
  | 'lessons'
  | 'checks'
  | 'release_schema'
  | 'failed_schemas';

export interface SnapshotStore {
  get(component: string, kind: SnapshotKind): Promise<string | null>;
  remove(component: string, kind: SnapshotKind): Promise<void>;
  put(component: string, kind: SnapshotKind, bootId: string, body: string): Promise<void>;
}

export function snapshotStore(db: Kysely<Tables>): SnapshotStore {
  return {
    async get(component, kind) {
      const row = await db
        .selectFrom('snapshots')
        .select('body')
        .where('component', '=', component)
        .where('kind', '=', kind)
        .executeTakeFirst();
      return row?.body ?? null;
    },
    async remove(component, kind) {
      await db.deleteFrom('snapshots').where('component', '=', component).where('kind', '=', kind).execute();
    },
    async put(component, kind, bootId, body) {
      const row = { component, kind, boot_id: bootId, body };
      await db
        .insertInto('snapshots')
        .values(row)
        .onConflict((c) => c.columns(['component', 'kind']).doUpdateSet(row))
        .execute();
    },
  };
}
