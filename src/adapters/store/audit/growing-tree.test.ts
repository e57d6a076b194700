import fc from 'fast-check';
import { expect, test } from 'vitest';
import { appendLeaf, leafHash, type TreeNode } from '../../../domains/audit/index.ts';
import { GrowingTree } from './growing-tree.ts';
import { bytesOf } from './hash-text.ts';
import { EMPTY_HEAD } from './log-head.ts';

test('it grows as the tree of the domain does, also after going back', () => {
  const runs = fc.array(
    fc.record({ entries: fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }), { maxLength: 20 }), isKept: fc.boolean() }),
  );
  fc.assert(
    fc.property(runs, (batches) => {
      const tree = new GrowingTree(EMPTY_HEAD);
      let { frontier } = EMPTY_HEAD;
      for (const { entries, isKept } of batches) {
        const [mark, before] = [tree.mark(), frontier];
        for (const entry of entries) {
          const completed: TreeNode[] = [];
          const leaf = tree.append(`\0${entry}`, (level, index, hash) => completed.push({ level, index, hash: bytesOf(hash) }));
          const expected = appendLeaf(frontier, leafHash(Buffer.from(entry)));
          frontier = expected.frontier;
          expect(bytesOf(leaf)).toEqual(Buffer.from(leafHash(Buffer.from(entry))));
          expect(tree.lastLeaf).toEqual(bytesOf(leaf));
          expect(completed.map(({ hash, ...at }) => ({ ...at, hash: Buffer.from(hash) }))).toEqual(
            expected.nodes.slice(1).map(({ hash, ...at }) => ({ ...at, hash: Buffer.from(hash) })),
          );
        }
        if (!isKept) {
          tree.reset(mark);
          frontier = before;
        }
        expect(tree.frontier().size).toBe(frontier.size);
        expect(tree.frontier().peaks.map((peak) => Buffer.from(peak))).toEqual(frontier.peaks.map((peak) => Buffer.from(peak)));
      }
    }),
  );
});
