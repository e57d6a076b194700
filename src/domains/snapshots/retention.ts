import type { SnapshotRetention } from './ports.ts';
import { objectsOf, type Snapshot } from './snapshot.ts';

/**
 * Which snapshots the limits no longer keep. The newest always stays, and so does every snapshot of a run that is not
 * finished: it may be the only way back.
 * @param snapshots  newest first
 * @param stored     bytes on the disk of each object: what several snapshots name counts once
 */
export function expiredSnapshots(
  snapshots: readonly Snapshot[],
  keep: SnapshotRetention,
  nowMs: number,
  unfinishedRuns: ReadonlySet<string>,
  stored: ReadonlyMap<string, number>,
): readonly Snapshot[] {
  const counted = new Set<string>();
  let kept = 0;
  let bytes = 0;
  const expired: Snapshot[] = [];
  snapshots.forEach((snapshot, index) => {
    const added = [...new Set(objectsOf(snapshot))].filter((digest) => !counted.has(digest));
    const more = added.reduce((sum, digest) => sum + (stored.get(digest) ?? 0), 0);
    const isNeeded = index === 0 || (snapshot.runId !== null && unfinishedRuns.has(snapshot.runId));
    const isWithin = kept < keep.count && nowMs - snapshot.takenAtMs <= keep.ageMs && bytes + more <= keep.bytes;
    if (!isNeeded && !isWithin) {
      expired.push(snapshot);
      return;
    }
    kept += 1;
    bytes += more;
    for (const digest of added) counted.add(digest);
  });
  return expired;
}
