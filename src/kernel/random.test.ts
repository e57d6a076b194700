import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededRandom } from './random.ts';

function take(seed: number, count: number): readonly number[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => random.next());
}

test('the same seed gives the same run, another seed another', () => {
  expect(take(42, 50)).toEqual(take(42, 50));
  expect(take(42, 50)).not.toEqual(take(43, 50));
});

test('stays at or above 0 and below 1, whatever the seed', () => {
  fc.assert(
    fc.property(fc.double(), (seed) => {
      for (const value of take(seed, 20)) {
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThan(1);
      }
    }),
  );
});

test('fills the range evenly enough for jitter', () => {
  const buckets = Array.from({ length: 10 }, () => 0);
  for (const value of take(7, 10_000)) buckets[Math.floor(value * 10)] = (buckets[Math.floor(value * 10)] ?? 0) + 1;
  expect(Math.min(...buckets)).toBeGreaterThan(850);
  expect(Math.max(...buckets)).toBeLessThan(1150);
});
