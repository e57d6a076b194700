import {
  appendLeaf,
  EMPTY_FRONTIER,
  frontierAt,
  frontierRoot,
  handoverIn,
  isRotation,
  leafHash,
  type AuditEntry,
  type Frontier,
  type Hash,
  type VerifierKey,
} from '../../../domains/audit/index.ts';
import { entriesOf } from './entry-rows.ts';
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
 * Whether another process has added to the log, now that the lock is ours. What it added is looked at: the next head is over that, too.
 * @param key   that signs, as far as this process knows
 * @returns null when nothing was added, the head now, or a text when the log no longer continues what it was
 */
export function addedSince(
  tree: StoredTree,
  known: { readonly size: number; readonly lastLeaf: Hash | null; frontier(): Frontier },
  key: VerifierKey,
): LogHead | string | null {
  const { size, lastLeaf } = known;
  const last = tree.last();
  if (last.size < size) return `it had ${size} entries, and ends after ${last.size} now`;
  if (last.size === size) return isSame(last.leaf, lastLeaf) ? null : `entry ${size - 1} is no longer the one it was`;
  if (size > 0 && !isSame(tree.leaf(size - 1), lastLeaf)) return `entry ${size - 1} is no longer the one it was`;
  let [now, signer] = [known.frontier(), key];
  for (const row of tree.rows(size, last.size)) {
    const entries = entriesOf(row);
    if (entries === null || row.first > now.size) return `entry ${now.size} is missing`;
    for (const { leaf, body } of entries.slice(now.size - row.first)) {
      if (body !== null && !isSame(leafHash(body), leaf)) return `entry ${now.size} is not what its hash says`;
      if (body !== null && isRotation(body)) {
        const next = handoverOf(body, signer, now);
        if (next === null) return `entry ${now.size} hands over to another key, and the one that signs did not`;
        signer = next;
      }
      now = appendLeaf(now, leaf).frontier;
    }
  }
  return now.size === last.size ? { frontier: now, lastLeaf: last.leaf } : `entry ${now.size} is missing`;
}

function handoverOf(body: Uint8Array, signer: VerifierKey, before: Frontier): VerifierKey | null {
  try {
    const entry = JSON.parse(Buffer.from(body).toString()) as AuditEntry;
    return handoverIn(entry, signer, { size: before.size, root: frontierRoot(before) });
  } catch {
    // What is no entry hands over nothing.
    return null;
  }
}

function isSame(a: Hash | null, b: Hash | null): boolean {
  return a === b || (a !== null && b !== null && Buffer.compare(a, b) === 0);
}
