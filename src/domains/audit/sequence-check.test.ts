import { expect, test } from 'vitest';
import type { Findings } from './finding.ts';
import { SequenceCheck } from './sequence-check.ts';

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
