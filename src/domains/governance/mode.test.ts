import { expect, test } from 'vitest';
import { fallbackFrom, modeInForce, type ModeChange } from './mode.ts';

const change = (parts: Partial<ModeChange> = {}): ModeChange => ({
  id: 'mo_1',
  mode: 'read_only',
  atMs: 100,
  by: 'ann',
  claimedName: null,
  reason: 'the disk',
  untilMs: null,
  fallback: 'normal',
  ...parts,
});

test('the mode is normal as long as nobody has changed it', () => {
  expect(modeInForce(null, 5)).toMatchObject({ mode: 'normal', sinceMs: null, change: null });
});

test('a mode without an end holds', () => {
  expect(modeInForce(change(), 1e12)).toMatchObject({ mode: 'read_only', sinceMs: 100, by: 'ann', untilMs: null });
});

test('a mode for a while ends at its last millisecond, by the clock alone', () => {
  const limited = change({ untilMs: 200, fallback: 'observation_only' });
  expect(modeInForce(limited, 199)).toMatchObject({ mode: 'read_only', untilMs: 200 });
  expect(modeInForce(limited, 200)).toMatchObject({ mode: 'observation_only', sinceMs: 200, by: 'Grace', untilMs: null });
});

test('a mode for a while never falls back to another that only holds for a while', () => {
  const limited = change({ untilMs: 200, fallback: 'observation_only' });
  expect(fallbackFrom(limited, 150)).toBe('observation_only');
  expect(fallbackFrom(limited, 300)).toBe('observation_only');
  expect(fallbackFrom(change(), 150)).toBe('read_only');
  expect(fallbackFrom(null, 150)).toBe('normal');
});
