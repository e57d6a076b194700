import { appendLeaf, EMPTY_FRONTIER, frontierAt, leafHash, type Frontier, type Hash } from '../../../domains/audit/index.ts';
import type { StoredTree } from './stored-tree.ts';

/** Where the log ends: all that is needed to add to it. */
export interface LogHead {
  readonly frontier: Frontier;
  readonly lastLeaf: Hash | null;
}

export const EMPTY_HEAD: LogHead = { frontier: EMPTY_FRONTIER, lastLeaf: null };

/** From stored nodes: some dozens of reads, however long the log is. @throws AuditNodeMissing */
export async function storedHead(tree: StoredTree, size: number): Promise<LogHead> {
  if (size === 0) return EMPTY_HEAD;
  return { frontier: await frontierAt(size, (level, index) => tree.node(level, index)), lastLeaf: tree.leaf(size - 1) };
}

/** The head after the entry, which is stored with the nodes that it completes. */
export function appendEntry(tree: StoredTree, { frontier }: LogHead, entry: Uint8Array): LogHead {
  const lastLeaf = leafHash(entry);
  const { frontier: next, nodes } = appendLeaf(frontier, lastLeaf);
  tree.append(frontier.size, lastLeaf, entry, nodes);
  return { frontier: next, lastLeaf };
}

/**
 * The head once more, now that the lock is ours: another process may have added to the log.
 * @returns a text when the log no longer continues what it was
 */
export function caughtUp(tree: StoredTree, head: LogHead): LogHead | string {
  const { size } = head.frontier;
  const last = tree.last();
  if (last.size < size) return `it had ${size} entries, and ends after ${last.size} now`;
  if (last.size === size) return isSame(last.leaf, head.lastLeaf) ? head : `entry ${size - 1} is no longer the one it was`;
  if (size > 0 && !isSame(tree.leaf(size - 1), head.lastLeaf)) return `entry ${size - 1} is no longer the one it was`;
  let { frontier } = head;
  while (frontier.size < last.size) {
    const leaf = tree.leaf(frontier.size);
    if (leaf === null) return `entry ${frontier.size} is missing`;
    frontier = appendLeaf(frontier, leaf).frontier;
  }
  return { frontier, lastLeaf: last.leaf };
}

function isSame(a: Hash | null, b: Hash | null): boolean {
  return a === b || (a !== null && b !== null && Buffer.compare(a, b) === 0);
}
