import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Findings } from './finding.ts';
import { SequenceCheck } from './sequence-check.ts';

const COUNT = 30;
const ORDER = Array.from({ length: COUNT }, (_, i) => i);

function found(order: readonly number[]): readonly { readonly kind: string; readonly from: number | null; readonly to: number | null }[] {
  const findings = new Findings();
  const check = new SequenceCheck(0);
  order.forEach((sequence, line) => check.see(sequence, line, Uint8Array.of(sequence), findings));
  check.end(findings);
  return findings.list;
}

/** Three cuts, in order: two neighbouring blocks. */
const cuts = fc
  .uniqueArray(fc.nat({ max: COUNT }), { minLength: 3, maxLength: 3 })
  .map((list) => list.toSorted((a, b) => a - b) as [number, number, number]);

test('of a block that was moved, it or what it passed over is named, and nothing is missing', () => {
  fc.assert(
    fc.property(cuts, ([a, b, c]) => {
      const order = [...ORDER.slice(0, a), ...ORDER.slice(b, c), ...ORDER.slice(a, b), ...ORDER.slice(c)];
      const list = found(order);
      expect(new Set(list.map(({ kind }) => kind))).toEqual(new Set(['reordered']));
      const named = list.flatMap(({ from, to }) => ORDER.slice(from ?? 0, (to ?? from ?? 0) + 1));
      // The smaller of the two, whole; more than 20 of them are not told one by one.
      if (c - b <= b - a) expect(named).toEqual(ORDER.slice(b, c));
      else expect(named).toEqual(ORDER.slice(a, b).slice(0, 20));
    }),
  );
});

test('of blocks of one size that changed places, both are named and nothing else', () => {
  fc.assert(
    fc.property(fc.nat({ max: 9 }), fc.nat({ max: 9 }), fc.integer({ min: 1, max: 5 }), (start, between, count) => {
      const [a, b] = [start, start + count + between];
      const order = [...ORDER];
      for (let i = 0; i < count; i++) [order[a + i], order[b + i]] = [b + i, a + i];
      const named = found(order).flatMap(({ kind, from, to }) => {
        expect(kind).toBe('reordered');
        return ORDER.slice(from ?? 0, (to ?? from ?? 0) + 1);
      });
      const first = ORDER.slice(b, b + count);
      expect(named).toEqual(between === 0 ? first : [...first, ...ORDER.slice(a, a + count)]);
    }),
  );
});

test('what was removed is named, wherever it was', () => {
  fc.assert(
    fc.property(cuts, fc.nat({ max: COUNT }), ([a, b, c], end) => {
      fc.pre(c < COUNT && end > c);
      const order = [...ORDER.slice(0, a), ...ORDER.slice(b, c), ...ORDER.slice(end)];
      fc.pre(end < COUNT);
      expect(found(order)).toMatchObject([
        { kind: 'removed', from: a, to: b - 1 },
        { kind: 'removed', from: c, to: end - 1 },
      ]);
    }),
  );
});

test('a copy of an entry, in front of it or behind it, is named, and nothing is missing', () => {
  fc.assert(
    fc.property(fc.nat({ max: COUNT - 1 }), fc.nat({ max: COUNT }), (entry, place) => {
      const list = found([...ORDER.slice(0, place), entry, ...ORDER.slice(place)]);
      expect(list.length).toBeGreaterThan(0);
      for (const { kind, from } of list) {
        expect(['reordered', 'duplicate', 'inserted']).toContain(kind);
        expect(from).toBe(entry);
      }
    }),
  );
});

test('of entries that fill every second place, backwards, a thousand gaps are remembered: each look at them stays as short', () => {
  const kinds: string[] = [];
  const findings = { add: (kind: string) => kinds.push(kind) } as unknown as Findings;
  const check = new SequenceCheck(0);
  const leaf = new Uint8Array(32);
  check.see(20_000, 0, leaf, findings);
  for (let i = 1; i < 5000; i++) check.see(10_000 - 2 * i, i, leaf, findings);
  check.end(findings);
  const counts = Object.fromEntries(['reordered', 'inserted', 'removed'].map((kind) => [kind, kinds.filter((one) => one === kind).length]));
  expect(counts).toEqual({ reordered: 4999, inserted: 0, removed: 1001 });
});
