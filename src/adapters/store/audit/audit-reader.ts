import { DatabaseSync } from 'node:sqlite';
import { HASH_BYTES, type AuditReader, type Hash, type StoredEntry } from '../../../domains/audit/index.ts';
import { isStoreWritable, placeToRead } from '../open-store.ts';
import { endOf, isWhole, type EntryRow } from './entry-rows.ts';
import { isStored, StoredTree } from './stored-tree.ts';
import { syncSeen } from './wal-sync.ts';

/** Entries given at once: few, since what is in use whenever V8 clears its young generation makes it let that grow. */
const PAGE_ENTRIES = 8;
/** Rows read at once: so many entries at most, and no further row after so many bytes. */
const ROWS_ENTRIES = 256;
const ROWS_BYTES = 64 * 1024;
/** Checkpoints read at once. */
const NOTES = 32;
/** No size is less. */
const SMALLEST = '-9223372036854775808';
const BUSY_TIMEOUT_MS = 5000;
/** Rows are read once, one after the other: what was read is not needed again. */
const CACHE_KIB = 256;

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
  database.exec(`pragma cache_size = -${CACHE_KIB}`);
  const tree = new StoredTree(database);
  // As text: whoever changed a size may have made it any number, and those beyond 2^53 can not be read as one.
  const notes = database.prepare(
    'select cast(size as text) as size, note from audit_checkpoints where size > cast(? as integer) order by audit_checkpoints.size limit ?',
  );
  return {
    size: async () => tree.last().size,
    entries: (from, to) => entries(tree, from, to),
    nextHeld: async (place) => tree.nextHeld(place),
    node: async (level, index): Promise<Hash | null> => tree.node(level, index),
    keptLeaf: async (index) => tree.leaf(index),
    kept: { holds: (level) => level === 0 || isStored(level), hashes: async (level, first, count) => tree.hashes(level, first, count) },
    async *checkpoints() {
      for (let after = SMALLEST; ;) {
        const rows = notes.all(after, NOTES) as { size: string; note: string }[];
        if (rows.length > 0) await sync(path);
        for (const { size, note } of rows) yield { size: Number(size), note };
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
  const rows = new HeldRows();
  for (let at = from; at < to;) {
    const before = at;
    rows.read(tree, at, to);
    for (const [i, row] of rows.list.entries()) {
      // What is missing or torn ends it: whoever reads counts, and finds it by its place.
      const isNext = at === before ? row.first <= at : row.first === at;
      if (!isNext || !isWhole(row)) return;
      // Two rows for one entry: which of them is read would hang on where reading begins, and how much is read at once.
      const end = row.first + row.leaves.length / HASH_BYTES;
      const next = rows.list[i + 1];
      if (next === undefined ? tree.isRowWithin(row.first, end) : next.first < end) return;
      if (at === from && tree.isRowOver(row.first)) return;
      for (const page of pagesOf(row, at, to)) {
        yield page;
        at += page.length;
      }
    }
    if (at === before) return;
  }
}

/**
 * Some rows, in memory that is used again for the next. What SQLite hands over for a row would be held for as long as its entries are
 * looked at: V8 takes that for something to keep, and tens of MB of rows that were read lie about until it looks again.
 */
class HeldRows {
  #bytes = new Uint8Array(2 * ROWS_BYTES);
  #used = 0;
  #list: EntryRow[] = [];

  get list(): readonly EntryRow[] {
    return this.#list;
  }

  /** Without waiting in between, so that it never keeps the store from clearing its WAL. */
  read(tree: StoredTree, from: number, to: number): void {
    this.#list = [];
    this.#used = 0;
    for (const row of tree.eachRow(from, Math.min(from + ROWS_ENTRIES, to))) {
      this.#list.push(this.#hold(row));
      if (this.#used >= ROWS_BYTES) break;
    }
  }

  #hold(row: EntryRow): EntryRow {
    const { first, leaves, bodies } = row;
    // SQLite keeps a value of any type in any column; what is no row is found by who looks at it.
    if (!(leaves instanceof Uint8Array && bodies instanceof Uint8Array)) return row;
    return { first, leaves: this.#copy(leaves), bodies: this.#copy(bodies) };
  }

  #copy(bytes: Uint8Array): Uint8Array {
    const end = this.#used + bytes.length;
    // Rows that are held already stay where they are.
    if (end > this.#bytes.length) {
      this.#bytes = new Uint8Array(2 * end);
      this.#used = 0;
    }
    const copy = this.#bytes.subarray(this.#used, this.#used + bytes.length);
    copy.set(bytes);
    this.#used += bytes.length;
    return copy;
  }
}

/** Of a row that is whole; in memory of their own. */
function* pagesOf({ first, leaves, bodies }: EntryRow, from: number, to: number): Iterable<readonly StoredEntry[]> {
  let [at, place] = [0, first];
  for (; place < from; place++) at = endOf(bodies, at);
  while (at < bodies.length && place < to) {
    const ends: number[] = [];
    for (let end = at; end < bodies.length && ends.length < PAGE_ENTRIES && place + ends.length < to;)
      ends.push((end = endOf(bodies, end)));
    const page = bodies.slice(at, ends.at(-1));
    yield ends.map((end, i) => {
      const start = ends[i - 1] ?? at;
      const leaf = (place + i - first) * HASH_BYTES;
      return end === start + 1 ? { leafHash: leaves.slice(leaf, leaf + HASH_BYTES) } : page.subarray(start + 1 - at, end - at);
    });
    place += ends.length;
    at = ends.at(-1) ?? at;
  }
}
