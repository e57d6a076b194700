import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  appendLeaf,
  AuditNodeMissing,
  consistencyProof,
  EMPTY_FRONTIER,
  frontierAt,
  frontierRoot,
  inclusionProof,
  leafHash,
  rootOf,
  verifyConsistency,
  verifyInclusion,
  type Hash,
} from './index.ts';

const sha = (...parts: readonly Uint8Array[]): Hash => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
};

/** RFC 6962, 2.1, word for word: slow, and plainly right. */
function plainRoot(leaves: readonly Hash[]): Hash {
  if (leaves.length === 0) return sha();
  if (leaves.length === 1) return leaves[0] as Hash;
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return sha(Uint8Array.of(1), plainRoot(leaves.slice(0, k)), plainRoot(leaves.slice(k)));
}

function grow(size: number) {
  const leaves = Array.from({ length: size }, (_, i) => leafHash(Buffer.from(`entry ${i}`)));
  const nodes = new Map<string, Hash>();
  const roots = [frontierRoot(EMPTY_FRONTIER)];
  let frontier = EMPTY_FRONTIER;
  for (const leaf of leaves) {
    const step = appendLeaf(frontier, leaf);
    for (const { level, index, hash } of step.nodes) nodes.set(`${level}/${index}`, hash);
    frontier = step.frontier;
    roots.push(frontierRoot(frontier));
  }
  let reads = 0;
  const nodeAt = (level: number, index: number): Hash | null => {
    reads++;
    return nodes.get(`${level}/${index}`) ?? null;
  };
  return { leaves, nodes, roots, nodeAt, reads: () => reads };
}

const TREE = grow(130);
const at = <T>(list: readonly T[], index: number): T => list[index] as T;

describe('the tree', () => {
  test('is that of RFC 6962', () => {
    // The eight-leaf reference tree of the Certificate Transparency code: its first leaf, and its roots of 0 and 1 leaves.
    expect(Buffer.from(leafHash(new Uint8Array(0))).toString('hex')).toBe(
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    );
    const inputs = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
    expect(Buffer.from(rootOf(inputs.map((hex) => leafHash(Buffer.from(hex, 'hex'))))).toString('hex')).toBe(
      '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
    );
    TREE.roots.forEach((root, size) => expect(root).toEqual(Buffer.from(plainRoot(TREE.leaves.slice(0, size)))));
  });

  test('hands over each complete subtree once', () => {
    // n leaves and n - (number of set bits) complete inner nodes
    expect(TREE.nodes.size).toBe(130 + 128);
    expect(appendLeaf(EMPTY_FRONTIER, at(TREE.leaves, 0)).nodes).toEqual([{ level: 0, index: 0, hash: at(TREE.leaves, 0) }]);
  });

  test('grows on from what is stored', async () => {
    for (const size of [0, 1, 7, 64, 129]) expect(frontierRoot(await frontierAt(size, TREE.nodeAt))).toEqual(at(TREE.roots, size));
    const frontier = await frontierAt(101, TREE.nodeAt);
    expect(frontierRoot(appendLeaf(frontier, at(TREE.leaves, 101)).frontier)).toEqual(at(TREE.roots, 102));
  });
});

const pairOfSizes = fc.tuple(fc.nat({ max: 130 }), fc.nat({ max: 130 })).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);

describe('a proof', () => {
  test('of inclusion holds for each leaf of each size, and for no other place', async () => {
    await fc.assert(
      fc.asyncProperty(pairOfSizes, fc.nat({ max: 200 }), async ([index, last], other) => {
        const size = last + 1 > 130 ? 130 : last + 1;
        if (index >= size) return;
        const proof = await inclusionProof(index, size, TREE.nodeAt);
        const [leaf, root] = [at(TREE.leaves, index), at(TREE.roots, size)];
        expect(proof.length).toBeLessThanOrEqual(Math.ceil(Math.log2(size)));
        expect(verifyInclusion(leaf, index, size, proof, root)).toBe(true);
        if (other !== index) expect(verifyInclusion(leaf, other, size, proof, root)).toBe(false);
      }),
    );
  });

  test('of consistency holds for each pair of sizes', async () => {
    await fc.assert(
      fc.asyncProperty(pairOfSizes, async ([a, b]) => {
        const proof = await consistencyProof(a, b, TREE.nodeAt);
        const [older, newer] = [
          { size: a, root: at(TREE.roots, a) },
          { size: b, root: at(TREE.roots, b) },
        ];
        expect(verifyConsistency(older, newer, proof)).toBe(a > 0);
        if (a !== b) expect(verifyConsistency(newer, older, proof)).toBe(false);
      }),
    );
  });

  test('holds no longer when any bit of it changes, or a hash is added or taken away', async () => {
    await fc.assert(
      fc.asyncProperty(pairOfSizes, fc.nat(), fc.nat({ max: 255 }), async ([a, b], which, bit) => {
        fc.pre(a > 0 && a < b);
        const older = { size: a, root: at(TREE.roots, a) };
        const newer = { size: b, root: at(TREE.roots, b) };
        for (const [proof, verify] of [
          [await inclusionProof(a, b, TREE.nodeAt), (p: readonly Hash[]) => verifyInclusion(at(TREE.leaves, a), a, b, p, newer.root)],
          [await consistencyProof(a, b, TREE.nodeAt), (p: readonly Hash[]) => verifyConsistency(older, newer, p)],
        ] as const) {
          expect(verify(proof)).toBe(true);
          expect(verify([...proof, at(TREE.leaves, 0)])).toBe(false);
          expect(verify(proof.slice(0, -1))).toBe(false);
          const damaged = proof.map((hash) => Uint8Array.from(hash));
          const hash = at(damaged, which % proof.length);
          hash[bit >> 3] = at([...hash], bit >> 3) ^ (1 << (bit & 7));
          expect(verify(damaged)).toBe(false);
          expect(verify(proof.map((h) => h.subarray(1)))).toBe(false);
        }
      }),
    );
  });

  test('reads no more nodes than the logarithm squared', async () => {
    const before = TREE.reads();
    await inclusionProof(64, 127, TREE.nodeAt);
    await consistencyProof(63, 127, TREE.nodeAt);
    expect(TREE.reads() - before).toBeLessThanOrEqual(2 * 7 * 2);
  });

  test('is not made up when a node is missing', async () => {
    await expect(inclusionProof(3, 7, () => null)).rejects.toThrow(AuditNodeMissing);
  });
});

test('numbers beyond 32 bits are places like any other', async () => {
  const nothing = new Uint8Array(32);
  const [index, size] = [2 ** 40 + 5, 2 ** 41];
  const proof = await inclusionProof(index, size, () => nothing);
  expect(proof).toHaveLength(41);
  expect(verifyInclusion(nothing, index, size, proof, nothing)).toBe(false);
});
