import { DatabaseSync } from 'node:sqlite';
import type { AuditReader, Hash, StoredEntry } from '../../../domains/audit/index.ts';
import { isStoreWritable, placeToRead } from '../open-store.ts';
import { entriesOf, storedEntry } from './entry-rows.ts';
import { StoredTree } from './stored-tree.ts';
import { syncSeen } from './wal-sync.ts';

/** Entries read at once: at most as many times 64 KiB, in practice some hundred kilobytes. */
const PAGE_ENTRIES = 256;
const BUSY_TIMEOUT_MS = 5000;

/** The log as it lies in the store, for looking only. It reads page by page, so how long the log is does not show in memory. */
export interface StoredAuditReader extends AuditReader {
  close(): void;
}

/**
 * Signed heads come out only when they are on the disk: they are made to be handed out.
 * @param path   of a store that `openStore` has opened before
 * @param sync   only a test says anything else
 */
export function openAuditReader(path: string, sync: (path: string) => Promise<void> = syncSeen): StoredAuditReader {
  const database = new DatabaseSync(placeToRead(path, isStoreWritable(path)), { readOnly: true, timeout: BUSY_TIMEOUT_MS });
  const tree = new StoredTree(database);
  const notes = database.prepare('select size, note from audit_checkpoints where size > ? order by size limit ?');
  return {
    size: async () => tree.last().size,
    entries: (from, to) => entries(tree, from, to),
    node: async (level, index): Promise<Hash | null> => tree.node(level, index),
    async *checkpoints() {
      for (let after = -1; ;) {
        const rows = notes.all(after, PAGE_ENTRIES) as { size: number; note: string }[];
        if (rows.length > 0) await sync(path);
        for (const { note } of rows) yield note;
        const last = rows.at(-1);
        if (last === undefined) return;
        after = last.size;
      }
    },
    async latestCheckpoint() {
      const row = database.prepare('select note from audit_checkpoints order by size desc limit 1').get() as { note: string } | undefined;
      if (row !== undefined) await sync(path);
      return row?.note ?? null;
    },
    async keys() {
      const rows = database.prepare('select vkey from audit_keys order by number').all() as { vkey: string }[];
      return rows.map(({ vkey }) => vkey);
    },
    close: () => database.close(),
  };
}

async function* entries(tree: StoredTree, from: number, to: number): AsyncIterable<readonly StoredEntry[]> {
  for (let at = from; at < to;) {
    const page: StoredEntry[] = [];
    for (const row of tree.rows(at, Math.min(at + PAGE_ENTRIES, to))) {
      const held = entriesOf(row);
      const next = at + page.length;
      // What is missing or torn ends it: whoever reads counts, and finds it by its place.
      const isNext = page.length === 0 ? row.first <= next : row.first === next;
      if (held === null || !isNext || row.first + held.length <= next) break;
      page.push(...held.slice(next - row.first, to - row.first).map(storedEntry));
    }
    if (page.length === 0) return;
    yield page;
    at += page.length;
  }
}
