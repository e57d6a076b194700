import { dirname, isAbsolute } from 'node:path';
import type { Files } from '../../kernel/index.ts';
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
  for (const directory of new Set([beside, ...paths.flatMap((path) => [dirname(path), path])])) {
    if ((await files.stat(directory))?.kind !== 'directory') continue;
    for (const name of await files.list(directory)) {
      if (!HALF.test(name)) continue;
      const half = `${directory}/${name}`;
      const stat = await files.stat(half);
      if (stat?.kind === 'file' && stat.mtimeMs >= sinceMs) await files.remove(half);
    }
  }
}
