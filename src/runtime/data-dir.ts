import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const OTHERS = 0o007;

/**
 * Makes Grace's folder, for its user alone: captured output, settings and the store are in it.
 * @throws when it cannot be made
 */
export function makeDataDir(dir: string): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
}

/**
 * Closes a folder that everybody may look into, and the store in it, once it is known to be Grace's: what else lies there is left as it is.
 * Who gave it to a group on purpose keeps that.
 */
export function keepFromOthers(dir: string): void {
  closeToOthers(dir, 0o700);
  for (const name of ['grace.db', 'grace.db-wal', 'grace.db-shm']) closeToOthers(join(dir, name), 0o600);
}

/** Does nothing where it is another user's, or is not there. */
function closeToOthers(path: string, mode: number): void {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined || (stat.mode & OTHERS) === 0 || stat.uid !== process.getuid?.()) return;
  try {
    chmodSync(path, mode);
  } catch {
    // a file system without permissions, or one that may not be changed
  }
}
