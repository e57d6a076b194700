import { expect, it } from 'vitest';
import { BEAT_MS, beatAt } from './beat.ts';

it('lets everybody who wants about the same time look at the same moment', () => {
  const moments = new Set([9800, 9900, 10_000, 10_100, 10_200].map((wanted) => beatAt(wanted, 8000)));
  expect(moments.size).toBe(1);
});

it('never names a moment that is over', () => {
  for (let now = 0; now < 20_000; now += 37) expect(beatAt(now - 5000, now)).toBeGreaterThan(now);
});

it('is never in step with something that happens once a second', () => {
  const phases = Array.from({ length: 40 }, (_, n) => Math.round(beatAt((n + 1) * BEAT_MS, n * BEAT_MS)) % BEAT_MS);
  expect(new Set(phases).size).toBeGreaterThan(20);
});

it('meets all phases of something that happens once a second', () => {
  const moments = Array.from({ length: 200 }, (_, n) => ((beatAt((n + 1) * BEAT_MS, n * BEAT_MS) + BEAT_MS / 2) % BEAT_MS) / BEAT_MS);
  for (const phase of [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]) expect(moments.some((m) => Math.abs(m - phase) < 0.05)).toBe(true);
});
