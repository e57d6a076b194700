import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { HASH_BYTES, runRoot, type Hash } from '../../../domains/audit/index.ts';
import { BODIES, entriesOf, LEAVES, type EntryRow } from './entry-rows.ts';
import { bytesOf, type HashText } from './hash-text.ts';

/**
 * Stored are the levels 8, 12, 16 and so on: one row in 256 entries beside their leaves, so that most transactions write none. A node
 * between is made of at most 128 leaves, or eight stored nodes. An earlier Grace stored level 4, too: nobody reads those rows.
 */
const LOWEST_STORED = 8;
const LEVEL_STEP = 4;

/** The first entry of a row. Whoever writes into the store may give any; those beyond 2^53 - 1 can not be read as numbers. */
export const FIRST = `min(first, ${Number.MAX_SAFE_INTEGER})`;

/** The tree as the tables hold it: leaves with their entries, and the nodes that are stored. Reads what was last committed. */
export class StoredTree {
  private readonly selectLast: StatementSync;
  private readonly selectLeaf: StatementSync;
  private readonly selectRow: StatementSync;
  private readonly selectRows: StatementSync;
  private readonly selectNext: StatementSync;
  private readonly selectBetween: StatementSync;
  private readonly selectEndBefore: StatementSync;
  private readonly selectLeaves: StatementSync;
  private readonly selectNode: StatementSync;
  private readonly selectNodes: StatementSync;
  private readonly insertRow: StatementSync;
  private readonly insertNode: StatementSync;

  constructor(database: DatabaseSync) {
    this.selectLast = database.prepare(
      `select min(first + length(leaves) / ${HASH_BYTES}, ${Number.MAX_SAFE_INTEGER}) as size, substr(leaves, -${HASH_BYTES}) as leaf
        from audit_entries order by first desc limit 1`,
    );
    // Of a row only what is before the bodies is read.
    this.selectLeaf = database.prepare(
      `select substr(leaves, (?1 - first) * ${HASH_BYTES} + 1, ${HASH_BYTES}) as leaf from audit_entries where first <= ?1 order by first desc limit 1`,
    );
    this.selectRow = database.prepare(`select first, ${LEAVES}, ${BODIES} from audit_entries where first <= ? order by first desc limit 1`);
    this.selectRows = database.prepare(
      `select ${FIRST} as first, ${LEAVES}, ${BODIES} from audit_entries
        where audit_entries.first >= coalesce((select max(first) from audit_entries where first <= ?1), ?1)
        and audit_entries.first < ?2 order by audit_entries.first`,
    );
    this.selectBetween = database.prepare('select 1 from audit_entries where first > ? and first < ? limit 1');
    this.selectEndBefore = database.prepare(
      `select first + length(leaves) / ${HASH_BYTES} as end from audit_entries where first < ? order by first desc limit 1`,
    );
    this.selectNext = database.prepare('select first from audit_entries where first >= ? order by first limit 1');
    this.selectLeaves = database.prepare(
      `select first, ${LEAVES} from audit_entries where first >= coalesce((select max(first) from audit_entries where first <= ?1), ?1)
        and first < ?2 order by first`,
    );
    this.selectNodes = database.prepare(
      'select position, hash from audit_nodes where level = ? and position >= ? and position < ? order by position',
    );
    // Read by the hundred.
    for (const statement of [this.selectLeaves, this.selectNodes]) statement.setReturnArrays(true);
    this.selectNode = database.prepare('select hash from audit_nodes where level = ? and position = ?');
    this.insertRow = database.prepare('insert into audit_entries (first, leaves, bodies) values (?, ?, ?)');
    // Over whatever may lie there: a node is made by its leaves alone, and one that was put there before must not stop the log.
    this.insertNode = database.prepare('insert or replace into audit_nodes (level, position, hash) values (?, ?, ?)');
  }

  /** How many entries there are, going by the last row, and the last one's leaf. */
  last(): { readonly size: number; readonly leaf: Hash | null } {
    const { size, leaf } = (this.selectLast.get() as { size: number; leaf: unknown } | undefined) ?? { size: 0, leaf: null };
    return { size, leaf: hashOrNull(leaf) };
  }

  leaf(sequence: number): Hash | null {
    return hashOrNull((this.selectLeaf.get(sequence) as { leaf: unknown } | undefined)?.leaf);
  }

  /** Canonical form of an entry; null when it was dropped or is not there. */
  body(sequence: number): Uint8Array | null {
    const row = this.selectRow.get(sequence) as unknown as EntryRow | undefined;
    return row === undefined ? null : (entriesOf(row)?.[sequence - row.first]?.body ?? null);
  }

  /** The first entry from this one on that has a row; null when there is none. */
  nextHeld(sequence: number): number | null {
    const row = this.leaf(sequence) === null ? (this.selectNext.get(sequence) as { first: number } | undefined) : { first: sequence };
    return row?.first ?? null;
  }

  /** The rows that hold entries from the first to before the last; the outer ones may hold more. */
  rows(from: number, to: number): readonly EntryRow[] {
    return this.selectRows.all(from, to) as unknown as readonly EntryRow[];
  }

  /** The same, a row at a time; no other statement may write before it ends. */
  eachRow(from: number, to: number): Iterable<EntryRow> {
    return this.selectRows.iterate(from, to) as Iterable<unknown> as Iterable<EntryRow>;
  }

  /** Whether another row begins among these entries, the first of which begins one. */
  isRowWithin(first: number, end: number): boolean {
    return this.selectBetween.get(first, end) !== undefined;
  }

  /** Whether the row before this one goes on into it. */
  isRowOver(first: number): boolean {
    return ((this.selectEndBefore.get(first) as { end: number } | undefined)?.end ?? 0) > first;
  }

  /** As `KeptNodes.hashes`. */
  hashes(level: number, first: number, count: number): Uint8Array {
    const { hashes, end } = this.run(level, first, count);
    return hashes.subarray(0, end * HASH_BYTES);
  }

  /** Null when it, or what it is made of, is not there. */
  node(level: number, index: number): Hash | null {
    if (level === 0) return this.leaf(index);
    if (isStored(level)) return this.stored(level, index);
    const from = level < LOWEST_STORED ? 0 : level - (level % LEVEL_STEP);
    const count = 2 ** (level - from);
    const { hashes, found } = this.run(from, index * count, count);
    return found < count ? null : runRoot(hashes, { first: 0, count });
  }

  /** @returns as many hashes as were asked for, zeros where one is missing; where the last one ends, and how many there are */
  private run(level: number, first: number, count: number): { readonly hashes: Uint8Array; readonly end: number; readonly found: number } {
    const hashes = new Uint8Array(count * HASH_BYTES);
    let [end, found] = [0, 0];
    if (level === 0)
      for (const [start, leaves] of this.selectLeaves.iterate(first, first + count) as Iterable<unknown> as Iterable<[number, unknown]>) {
        // Whoever changes a value may change its type.
        if (!(leaves instanceof Uint8Array)) continue;
        const from = Math.max(first, start);
        const to = Math.min(first + count, start + Math.floor(leaves.length / HASH_BYTES));
        if (to <= from) continue;
        hashes.set(leaves.subarray((from - start) * HASH_BYTES, (to - start) * HASH_BYTES), (from - first) * HASH_BYTES);
        end = to - first;
        found += to - from;
      }
    else
      for (const [position, value] of this.selectNodes.all(level, first, first + count) as unknown as [number, unknown][]) {
        const hash = hashOrNull(value);
        if (hash === null) continue;
        hashes.set(hash, (position - first) * HASH_BYTES);
        end = position - first + 1;
        found++;
      }
    return { hashes, end, found };
  }

  insert({ first, leaves, bodies }: EntryRow): void {
    this.insertRow.run(first, leaves, bodies);
  }

  /** Stores it if its level is one that is stored. */
  keepNode(level: number, index: number, hash: HashText): void {
    if (isStored(level)) this.insertNode.run(level, index, bytesOf(hash));
  }

  stored(level: number, index: number): Hash | null {
    return hashOrNull((this.selectNode.get(level, index) as { hash: unknown } | undefined)?.hash);
  }
}

/** SQLite keeps a value of any type and length in any column. */
function hashOrNull(value: unknown): Hash | null {
  return value instanceof Uint8Array && value.length === HASH_BYTES ? value : null;
}

/** Whether nodes of this level have rows of their own; leaves lie with their entries. */
export function isStored(level: number): boolean {
  return level >= LOWEST_STORED && level % LEVEL_STEP === 0;
}
