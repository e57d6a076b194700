import { dirname, isAbsolute } from 'node:path';
import type { Files, FileStat } from '../../kernel/index.ts';
import type { JournalEntry } from '../playbooks/index.ts';

/** What a file is called while it is being written, before it is renamed into its place. */
const HALF = /^\.[\da-f]{12}\.grace-tmp$/;

/**
 * Removes what a killed Grace was writing beside its targets: half a file, maybe with a secret in it, that nothing refers to.
 * @param beside   another directory in which it wrote
 * @param sinceMs  when it began: what is older is not its
 */
export async function sweepHalves(files: Files, entries: readonly JournalEntry[], beside: string, sinceMs: number): Promise<void> {
  const paths = entries.flatMap((entry) => entry.targets).filter((target) => isAbsolute(target));
  for (const directory of new Set([beside, ...paths.flatMap((path) => [dirname(path), path])]))
    await sweep(files, directory, 0, (stat) => stat.mtimeMs >= sinceMs);
}

/**
 * The same below directories of Grace's own, at a start: whoever was writing there before is gone.
 * @param beforeMs  when this Grace was started: what is younger somebody may be writing now
 */
export async function sweepOwnHalves(files: Files, directories: readonly string[], beforeMs: number): Promise<void> {
  for (const directory of directories) await sweep(files, directory, DEPTH_MAX, (stat) => stat.mtimeMs < beforeMs);
}

/** `storage/snapshots/objects/ab`, and the recorded failures below `playbooks/`, are no deeper. */
const DEPTH_MAX = 5;
/** Files by their names: reports, logs, sources, contents by digest. There may be thousands, and none is looked at. */
const NO_DIRECTORY = /\.|^[\da-f]{32,}$/;
/** What was moved aside is somebody's data, whatever it is called. */
const NOT_OURS = new Set(['aside', 'node_modules']);

/** Regular files of that name only; links are not followed, and what cannot be looked at is left. */
async function sweep(files: Files, directory: string, depth: number, isLeft: (stat: FileStat) => boolean): Promise<void> {
  if ((await files.stat(directory))?.kind !== 'directory') return;
  for (const name of await files.list(directory)) {
    if (!HALF.test(name) && (depth === 0 || NO_DIRECTORY.test(name) || NOT_OURS.has(name))) continue;
    const at = `${directory}/${name}`;
    const stat = await files.stat(at);
    if (stat?.kind === 'directory' && depth > 0 && !HALF.test(name)) await sweep(files, at, depth - 1, isLeft);
    else if (stat?.kind === 'file' && HALF.test(name) && isLeft(stat)) await files.remove(at);
  }
}
