import { appendLeaf, EMPTY_FRONTIER, frontierAt, type Frontier, type Hash } from '../../../domains/audit/index.ts';
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

/**
 * Whether another process has added to the log, now that the lock is ours.
 * @returns null when nothing was added, the head now, or a text when the log no longer continues what it was
 */
export function addedSince(
  tree: StoredTree,
  known: { readonly size: number; readonly lastLeaf: Hash | null; frontier(): Frontier },
): LogHead | string | null {
  const { size, lastLeaf } = known;
  const last = tree.last();
  if (last.size < size) return `it had ${size} entries, and ends after ${last.size} now`;
  if (last.size === size) return isSame(last.leaf, lastLeaf) ? null : `entry ${size - 1} is no longer the one it was`;
  if (size > 0 && !isSame(tree.leaf(size - 1), lastLeaf)) return `entry ${size - 1} is no longer the one it was`;
  let now = known.frontier();
  while (now.size < last.size) {
    const leaf = tree.leaf(now.size);
    if (leaf === null) return `entry ${now.size} is missing`;
    now = appendLeaf(now, leaf).frontier;
  }
  return { frontier: now, lastLeaf: last.leaf };
}

function isSame(a: Hash | null, b: Hash | null): boolean {
  return a === b || (a !== null && b !== null && Buffer.compare(a, b) === 0);
}
