import { expect, test } from 'vitest';
import { CommitPace } from './commit-pace.ts';

/** 64 requests need 0.64 ms. */
function paceOf(syncMs: number): CommitPace {
  const pace = new CommitPace();
  for (let i = 0; i < 50; i++) {
    pace.synced(syncMs);
    pace.committed(64, 0.32);
  }
  return pace;
}

test('one sync is for all where it takes longer than the work for all', () => {
  expect(paceOf(0.7).isTogether(64)).toBe(true);
  expect(paceOf(0.6).isTogether(64)).toBe(false);
  expect(paceOf(0.6).isTogether(32)).toBe(true);
});

test('nothing known yet: one sync is for all', () => {
  expect(new CommitPace().isTogether(1)).toBe(true);
});

test('one stall, or one transaction with a checkpoint in it, changes nothing', () => {
  const fast = paceOf(0.2);
  fast.synced(1500);
  expect(fast.isTogether(64)).toBe(false);
  const slow = paceOf(1);
  slow.committed(64, 40);
  expect(slow.isTogether(64)).toBe(true);
});

test('a disk that changes its pace is noticed, from no time at all, too', () => {
  const pace = paceOf(0);
  expect(pace.isTogether(64)).toBe(false);
  for (let i = 0; i < 100; i++) pace.synced(2);
  expect(pace.isTogether(64)).toBe(true);
});
