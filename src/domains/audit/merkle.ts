import { invariant, sha256 } from '../../kernel/index.ts';
import { AuditNodeMissing } from './errors.ts';

// The tree of RFC 6962: leaves and nodes are hashed under different prefixes, no padding, no repeated last leaf.
// Node (level, index) is the root of the 2^level leaves from index * 2^level on; it never changes once they are there.

/** SHA-256, 32 bytes. */
export type Hash = Uint8Array;

/** The root of a complete subtree, and where it is. */
export interface TreeNode {
  readonly level: number;
  readonly index: number;
  readonly hash: Hash;
}

/** All one needs of a tree to let it grow: the roots of its complete subtrees, the largest first. */
export interface Frontier {
  /** Leaves so far. */
  readonly size: number;
  /** One for each bit that is set in `size`. */
  readonly peaks: readonly Hash[];
}

/** Reads the root of a complete subtree; null when it is not there. */
export type NodeAt = (level: number, index: number) => Promise<Hash | null> | Hash | null;

export const HASH_BYTES = 32;
export const EMPTY_FRONTIER: Frontier = { size: 0, peaks: [] };

/** `SHA-256(0x00 || entry)` */
export function leafHash(entry: Uint8Array): Hash {
  const input = new Uint8Array(entry.length + 1);
  input.set(entry, 1);
  return sha256(input);
}

/** Hashing is synchronous, so one piece of memory serves all nodes. */
const pair = new Uint8Array(1 + 2 * HASH_BYTES);
pair[0] = 1;

/** `SHA-256(0x01 || left || right)` */
export function nodeHash(left: Hash, right: Hash): Hash {
  invariant(left.length === HASH_BYTES && right.length === HASH_BYTES, 'nodes are made of SHA-256 hashes');
  pair.set(left, 1);
  pair.set(right, 1 + HASH_BYTES);
  return sha256(pair);
}

/** The root of a tree with these leaves. */
export function rootOf(leafHashes: readonly Hash[]): Hash {
  return frontierRoot(leafHashes.reduce((frontier, leaf) => appendLeaf(frontier, leaf).frontier, EMPTY_FRONTIER));
}

/**
 * The tree with one leaf more.
 * @returns `nodes`: the leaf and each subtree that it completes, lowest level first. Whoever keeps all of them can prove
 *          anything about any size later, reading a number of nodes that grows with the logarithm of the size.
 */
export function appendLeaf({ size, peaks }: Frontier, leaf: Hash): { readonly frontier: Frontier; readonly nodes: readonly TreeNode[] } {
  const nodes: TreeNode[] = [{ level: 0, index: size, hash: leaf }];
  let count = peaks.length;
  let hash = leaf;
  let level = 0;
  for (let index = size; index % 2 === 1;) {
    index = (index - 1) / 2;
    level++;
    hash = nodeHash(peaks[--count] as Hash, hash);
    nodes.push({ level, index, hash });
  }
  return { frontier: { size: size + 1, peaks: [...peaks.slice(0, count), hash] }, nodes };
}

/** `SHA-256("")` for the empty tree. */
export function frontierRoot({ peaks }: Frontier): Hash {
  if (peaks.length === 0) return sha256(new Uint8Array(0));
  return peaks.reduceRight((right, left) => nodeHash(left, right));
}

/** The frontier of the first `size` leaves, from stored nodes. */
export async function frontierAt(size: number, nodeAt: NodeAt): Promise<Frontier> {
  return { size, peaks: await Promise.all(subtreesOf(0, size).map((node) => read(node, nodeAt))) };
}

/**
 * What leads from leaf `index` to the root of the first `size` leaves: the leaf's sibling first, the root's child last.
 * @throws AuditNodeMissing
 * @see    RFC 6962, 2.1.1
 */
export async function inclusionProof(index: number, size: number, nodeAt: NodeAt): Promise<readonly Hash[]> {
  invariant(Number.isSafeInteger(index) && index >= 0 && index < size, 'a proof is for a leaf of the tree');
  const siblings: Range[] = [];
  let [from, to] = [0, size];
  while (to - from > 1) {
    const middle = from + splitOf(to - from);
    if (index < middle) {
      siblings.push([middle, to]);
      to = middle;
    } else {
      siblings.push([from, middle]);
      from = middle;
    }
  }
  return Promise.all(siblings.toReversed().map((range) => rangeRoot(range, nodeAt)));
}

/**
 * What shows that the tree of `newer` leaves begins with the one of `older` leaves. Empty when `older` is 0 or equal.
 * @throws AuditNodeMissing
 * @see    RFC 6962, 2.1.2
 */
export async function consistencyProof(older: number, newer: number, nodeAt: NodeAt): Promise<readonly Hash[]> {
  invariant(Number.isSafeInteger(older) && older >= 0 && older <= newer, 'a tree is only consistent with an older one');
  if (older === 0 || older === newer) return [];
  const ranges: Range[] = [];
  let [from, to] = [0, newer];
  while (older < to) {
    const middle = from + splitOf(to - from);
    if (older <= middle) {
      ranges.push([middle, to]);
      to = middle;
    } else {
      ranges.push([from, middle]);
      from = middle;
    }
  }
  // The verifier has the older root: where that is the subtree itself, the proof leaves it out.
  if (from > 0) ranges.push([from, to]);
  return Promise.all(ranges.toReversed().map((range) => rangeRoot(range, nodeAt)));
}

/** Whether the proof leads from this leaf to that root. @see RFC 9162, 2.1.3.2 */
export function verifyInclusion(leaf: Hash, index: number, size: number, proof: readonly Hash[], root: Hash): boolean {
  if (!isCount(index) || !isCount(size) || index >= size || !areHashes([leaf, root, ...proof])) return false;
  let [at, last] = [index, size - 1];
  let hash = leaf;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      hash = nodeHash(sibling, hash);
      while (at % 2 === 0 && at !== 0) [at, last] = [half(at), half(last)];
    } else hash = nodeHash(hash, sibling);
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && areEqual(hash, root);
}

/**
 * Whether the proof shows that the newer tree begins with the older one. Every tree begins with the empty one, so of that
 * there is no proof: false.
 * @see RFC 9162, 2.1.4.2
 */
export function verifyConsistency(
  older: { readonly size: number; readonly root: Hash },
  newer: { readonly size: number; readonly root: Hash },
  proof: readonly Hash[],
): boolean {
  if (!isCount(older.size) || !isCount(newer.size) || older.size > newer.size) return false;
  if (older.size === 0) return false;
  if (older.size === newer.size) return proof.length === 0 && areEqual(older.root, newer.root);
  if (!areHashes([older.root, newer.root, ...proof])) return false;
  let [at, last] = [older.size - 1, newer.size - 1];
  while (at % 2 === 1) [at, last] = [half(at), half(last)];
  // A complete subtree is the older tree itself, and left out of the proof.
  const path = at === 0 ? [older.root, ...proof] : proof;
  const [first, ...rest] = path;
  if (first === undefined) return false;
  let [olderHash, newerHash] = [first, first];
  for (const hash of rest) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      olderHash = nodeHash(hash, olderHash);
      newerHash = nodeHash(hash, newerHash);
      while (at % 2 === 0 && at !== 0) [at, last] = [half(at), half(last)];
    } else newerHash = nodeHash(newerHash, hash);
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && areEqual(olderHash, older.root) && areEqual(newerHash, newer.root);
}

export function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Leaves from the first to before the last. */
type Range = readonly [from: number, to: number];

async function rangeRoot([from, to]: Range, nodeAt: NodeAt): Promise<Hash> {
  const roots = await Promise.all(subtreesOf(from, to).map((node) => read(node, nodeAt)));
  return roots.reduceRight((right, left) => nodeHash(left, right));
}

/** The complete subtrees of a range that begins where a subtree of its size can, largest first. */
function subtreesOf(from: number, to: number): readonly Omit<TreeNode, 'hash'>[] {
  const subtrees: Omit<TreeNode, 'hash'>[] = [];
  for (let start = from; start < to;) {
    let [width, level] = [1, 0];
    while (width * 2 <= to - start) [width, level] = [width * 2, level + 1];
    subtrees.push({ level, index: start / width });
    start += width;
  }
  return subtrees;
}

async function read({ level, index }: Omit<TreeNode, 'hash'>, nodeAt: NodeAt): Promise<Hash> {
  const hash = await nodeAt(level, index);
  if (hash === null) throw new AuditNodeMissing(level, index);
  return hash;
}

/** The largest power of two smaller than n (n > 1). */
function splitOf(n: number): number {
  let split = 1;
  while (split * 2 < n) split *= 2;
  return split;
}

/** Sizes may be beyond 2^31, where shifting no longer works. */
function half(n: number): number {
  return Math.floor(n / 2);
}

function isCount(n: number): boolean {
  return Number.isSafeInteger(n) && n >= 0;
}

function areHashes(hashes: readonly Uint8Array[]): boolean {
  return hashes.every((hash) => hash.length === HASH_BYTES);
}
