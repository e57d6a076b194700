import { lstat, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Removes what a killed Grace has left in the temporary directory, known by its name and its age. Links in it are removed, and not
 * what they lead to; what cannot be removed stays for the next.
 * @param prefix  of names that only Grace gives
 * @param ageMs   longer than any run that makes one: a younger one may be in use
 */
export async function sweepLeftFolders(prefix: string, ageMs: number, nowMs: number): Promise<void> {
  for (const name of await readdir(tmpdir()).catch((): string[] => [])) {
    if (!name.startsWith(prefix)) continue;
    const path = join(tmpdir(), name);
    const found = await lstat(path).catch(() => null);
    // Another user's is not ours, whatever it is called; nor is what a link leads to.
    if (found?.isDirectory() && found.uid === process.getuid?.() && nowMs - found.mtimeMs > ageMs)
      await rm(path, { recursive: true, force: true }).catch(() => {});
  }
}
