import { expect, test } from 'vitest';
import { releaseState, type PastRelease } from './release-state.ts';

const boot = (id: string, outcome: PastRelease['outcome'], isVerified = false): PastRelease => ({
  id,
  startedAtMs: Number(id),
  outcome,
  isVerified,
  commit: isVerified ? 'abc1234' : null,
});
const good = boot('1', 'success', true);

test('with the present boot as the third that failed, the verified one before them is the one to go back to', () => {
  const boots = [boot('4', 'running'), boot('3', 'failed'), boot('2', 'failed'), good];
  expect(releaseState(boots, '4', 3)).toEqual({ lastGoodBoot: '1', atMs: 1, commit: 'abc1234', failedBoots: 3 });
  expect(releaseState(boots.slice(1), '4', 3)).toMatchObject({ failedBoots: 3 });
  expect(releaseState(boots, '4', 4)).toBeNull();
});

test('boots that were interrupted, stopped or checked only do not count', () => {
  const others = [boot('5', 'interrupted'), boot('4', 'stopped'), boot('3', 'success'), boot('2', 'failed')];
  expect(releaseState([...others, good], '6', 3)).toBeNull();
  expect(releaseState([...others, good], '6', 2)).toMatchObject({ failedBoots: 2 });
});

test('without a verified boot, or when it is turned off, there is nothing to go back to', () => {
  const failed = [boot('4', 'failed'), boot('3', 'failed'), boot('2', 'failed')];
  expect(releaseState(failed, '5', 1)).toBeNull();
  expect(releaseState([...failed, good], '5', 0)).toBeNull();
});

test('a verified boot ends the row', () => {
  const newer = boot('4', 'success', true);
  expect(releaseState([boot('5', 'failed'), newer, boot('3', 'failed'), boot('2', 'failed'), good], '6', 3)).toBeNull();
});
