import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { nodeHash, type Hash, type TreeNode } from '../../../domains/audit/index.ts';

/**
 * Every fourth level of nodes is stored. That is one row in sixteen entries beside their leaves, where all levels would be one
 * for each entry; a node between is made of at most eight stored ones.
 */
const LEVEL_STEP = 4;

/** The tree as the tables hold it: leaves with their entries, and the nodes that are stored. Reads what was last committed. */
export class StoredTree {
  private readonly selectLast: StatementSync;
  private readonly selectLeaf: StatementSync;
  private readonly selectNode: StatementSync;
  private readonly insertEntry: StatementSync;
  private readonly insertNode: StatementSync;

  constructor(database: DatabaseSync) {
    this.selectLast = database.prepare('select sequence, leaf from audit_entries order by sequence desc limit 1');
    this.selectLeaf = database.prepare('select leaf from audit_entries where sequence = ?');
    this.selectNode = database.prepare('select hash from audit_nodes where level = ? and position = ?');
    this.insertEntry = database.prepare('insert into audit_entries (sequence, leaf, body) values (?, ?, ?)');
    this.insertNode = database.prepare('insert into audit_nodes (level, position, hash) values (?, ?, ?)');
  }

  /** How many entries there are, going by the last one, and its leaf. */
  last(): { readonly size: number; readonly leaf: Hash | null } {
    const row = this.selectLast.get() as { sequence: number; leaf: Hash } | undefined;
    return row === undefined ? { size: 0, leaf: null } : { size: row.sequence + 1, leaf: row.leaf };
  }

  leaf(sequence: number): Hash | null {
    return (this.selectLeaf.get(sequence) as { leaf: Hash } | undefined)?.leaf ?? null;
  }

  /** Null when it, or what it is made of, is not there. */
  node(level: number, index: number): Hash | null {
    if (level === 0) return this.leaf(index);
    if (isStored(level)) return this.stored(level, index);
    const left = this.node(level - 1, 2 * index);
    const right = left === null ? null : this.node(level - 1, 2 * index + 1);
    return left === null || right === null ? null : nodeHash(left, right);
  }

  append(sequence: number, leaf: Hash, entry: Uint8Array, nodes: readonly TreeNode[]): void {
    this.insertEntry.run(sequence, leaf, entry);
    for (const { level, index, hash } of nodes) if (isStored(level)) this.insertNode.run(level, index, hash);
  }

  stored(level: number, index: number): Hash | null {
    return (this.selectNode.get(level, index) as { hash: Hash } | undefined)?.hash ?? null;
  }
}

/** Whether nodes of this level have rows of their own; leaves lie with their entries. */
export function isStored(level: number): boolean {
  return level > 0 && level % LEVEL_STEP === 0;
}
