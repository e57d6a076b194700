import { expect, it } from 'vitest';
import { expiredSnapshots } from './retention.ts';
import type { Snapshot } from './snapshot.ts';

const KEEP = { count: 10, ageMs: 1000, bytes: 100 };
const STORED = new Map([
  ['a', 60],
  ['b', 60],
]);

function snapshot(id: string, takenAtMs: number, digests: readonly string[], runId: string | null = null): Snapshot {
  const items = digests.map((digest) => ({
    kind: 'file' as const,
    path: `/${id}`,
    mode: 0,
    uid: 0,
    gid: 0,
    mtimeMs: 0,
    sizeBytes: 1,
    digest,
  }));
  const rest = { component: 'api', reason: 'pre_heal' as const, bootId: null, signature: null, playbook: null, sizeBytes: 1, leftOut: [] };
  return { ...rest, id, folder: id, runId, takenAtMs, items };
}

const expired = (snapshots: readonly Snapshot[], unfinished: readonly string[] = [], keep = KEEP): readonly string[] =>
  expiredSnapshots(snapshots, keep, 10_000, new Set(unfinished), STORED).map(({ id }) => id);

it('lets go of what is older than the limit, and keeps what is exactly as old', () => {
  expect(expired([snapshot('new', 10_000, []), snapshot('edge', 9_000, []), snapshot('old', 8_999, [])])).toEqual(['old']);
});

it('keeps the newest, however old and large', () => {
  expect(expired([snapshot('only', 0, ['a', 'b'])])).toEqual([]);
});

it('keeps that of a run which is not finished, and counts it', () => {
  const snapshots = [snapshot('new', 10_000, []), snapshot('open', 0, [], 'run'), snapshot('third', 9_999, [])];
  expect(expired(snapshots, ['run'], { ...KEEP, count: 2 })).toEqual(['third']);
  expect(expired(snapshots, [])).toEqual(['open']);
});

it('counts a content once that several have, and another one beyond the limit not at all', () => {
  const snapshots = [
    snapshot('1', 10_000, ['a']),
    snapshot('2', 10_000, ['a']),
    snapshot('3', 10_000, ['b']),
    snapshot('4', 10_000, ['a']),
  ];
  expect(expired(snapshots)).toEqual(['3']);
});
