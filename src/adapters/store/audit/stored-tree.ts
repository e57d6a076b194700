import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { HASH_BYTES, nodeHash, type Hash } from '../../../domains/audit/index.ts';
import { entriesOf, type EntryRow } from './entry-rows.ts';

/**
 * Every fourth level of nodes is stored. That is one row in sixteen entries beside their leaves, where all levels would be one
 * for each entry; a node between is made of at most eight stored ones.
 */
const LEVEL_STEP = 4;

/** The tree as the tables hold it: leaves with their entries, and the nodes that are stored. Reads what was last committed. */
export class StoredTree {
  private readonly selectLast: StatementSync;
  private readonly selectLeaf: StatementSync;
  private readonly selectRow: StatementSync;
  private readonly selectRows: StatementSync;
  private readonly selectNode: StatementSync;
  private readonly insertRow: StatementSync;
  private readonly insertNode: StatementSync;

  constructor(database: DatabaseSync) {
    this.selectLast = database.prepare(
      `select first + length(leaves) / ${HASH_BYTES} as size, substr(leaves, -${HASH_BYTES}) as leaf from audit_entries order by first desc limit 1`,
    );
    // Of a row only what is before the bodies is read.
    this.selectLeaf = database.prepare(
      `select substr(leaves, (?1 - first) * ${HASH_BYTES} + 1, ${HASH_BYTES}) as leaf from audit_entries where first <= ?1 order by first desc limit 1`,
    );
    this.selectRow = database.prepare('select first, leaves, bodies from audit_entries where first <= ? order by first desc limit 1');
    this.selectRows = database.prepare(
      `select first, leaves, bodies from audit_entries where first >= coalesce((select max(first) from audit_entries where first <= ?1), ?1)
        and first < ?2 order by first`,
    );
    this.selectNode = database.prepare('select hash from audit_nodes where level = ? and position = ?');
    this.insertRow = database.prepare('insert into audit_entries (first, leaves, bodies) values (?, ?, ?)');
    this.insertNode = database.prepare('insert into audit_nodes (level, position, hash) values (?, ?, ?)');
  }

  /** How many entries there are, going by the last row, and the last one's leaf. */
  last(): { readonly size: number; readonly leaf: Hash | null } {
    return (this.selectLast.get() as { size: number; leaf: Hash } | undefined) ?? { size: 0, leaf: null };
  }

  leaf(sequence: number): Hash | null {
    const row = this.selectLeaf.get(sequence) as { leaf: Hash } | undefined;
    return row?.leaf.length === HASH_BYTES ? row.leaf : null;
  }

  /** Canonical form of an entry; null when it was dropped or is not there. */
  body(sequence: number): Uint8Array | null {
    const row = this.selectRow.get(sequence) as unknown as EntryRow | undefined;
    return row === undefined ? null : (entriesOf(row)?.[sequence - row.first]?.body ?? null);
  }

  /** The rows that hold entries from the first to before the last; the outer ones may hold more. */
  rows(from: number, to: number): readonly EntryRow[] {
    return this.selectRows.all(from, to) as unknown as readonly EntryRow[];
  }

  /** Null when it, or what it is made of, is not there. */
  node(level: number, index: number): Hash | null {
    if (level === 0) return this.leaf(index);
    if (isStored(level)) return this.stored(level, index);
    const left = this.node(level - 1, 2 * index);
    const right = left === null ? null : this.node(level - 1, 2 * index + 1);
    return left === null || right === null ? null : nodeHash(left, right);
  }

  insert({ first, leaves, bodies }: EntryRow): void {
    this.insertRow.run(first, leaves, bodies);
  }

  /** Stores it if its level is one that is stored. */
  keepNode(level: number, index: number, hash: Hash): void {
    if (isStored(level)) this.insertNode.run(level, index, hash);
  }

  stored(level: number, index: number): Hash | null {
    return (this.selectNode.get(level, index) as { hash: Hash } | undefined)?.hash ?? null;
  }
}

/** Whether nodes of this level have rows of their own; leaves lie with their entries. */
export function isStored(level: number): boolean {
  return level > 0 && level % LEVEL_STEP === 0;
}
