import { randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { codeOf } from '../../../kernel/index.ts';
import { AuditKeyUnusable } from './errors.ts';

const OTHERS = 0o077;
/** A key is one line of about a hundred characters. */
const BYTES_MAX = 4096;
const UNFINISHED_MS = 60_000;

/** Where the key that signs now is, and where the one that is about to follow it waits. */
export function keyPaths(dir: string): { readonly current: string; readonly next: string } {
  return { current: join(dir, 'audit.key'), next: join(dir, 'audit.key.next') };
}

/** Whether it is private to another user, as it should be; this one may not read it. */
export function isOthers(path: string): boolean {
  const user = process.geteuid?.();
  const stat = statSync(path, { throwIfNoEntry: false });
  return user !== undefined && user !== 0 && stat !== undefined && stat.uid !== user && (stat.mode & OTHERS) === 0;
}

/**
 * @returns what the file holds, without the line's end; null when there is none
 * @throws AuditKeyUnusable when anybody but its owner may read or write it, when it is somebody else's, or when it is no file
 */
export function readKeyFile(path: string): string | null {
  let file: number;
  try {
    // A pipe that lies there would be waited for, for ever; of what is opened is asked below what it is.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw new AuditKeyUnusable(path, 'it cannot be read', 'give this user read access to it', error);
  }
  try {
    // Asked of what was opened: the name may lead elsewhere a moment later.
    const { mode, uid, size } = fstatSync(file);
    if ((mode & 0o170000) !== 0o100000 || size > BYTES_MAX)
      throw new AuditKeyUnusable(path, 'it is no key file', 'put the key back from a backup');
    if ((mode & OTHERS) !== 0)
      throw new AuditKeyUnusable(
        path,
        `others than its owner have rights on it (mode ${(mode & 0o777).toString(8).padStart(4, '0')})`,
        `chmod 600 the file; when somebody else may have read it, rotate the key`,
      );
    const user = process.geteuid?.();
    if (user !== undefined && user !== 0 && uid !== user)
      throw new AuditKeyUnusable(path, `it belongs to user ${uid}`, 'run Grace as the user who made it');
    return readFileSync(file, 'utf8').trimEnd();
  } finally {
    closeSync(file);
  }
}

/**
 * Makes the file with its content, readable by its owner from its first moment, and never over one that is there.
 * @returns false when there is one already
 */
export function createKeyFile(path: string, text: string): boolean {
  return withUnnamed(path, text, (unnamed) => {
    try {
      linkSync(unnamed, path);
      return true;
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false;
      throw error;
    }
  });
}

/** Puts another key in the place of the one that is there, at once or not at all. */
export function replaceKeyFile(path: string, text: string): void {
  withUnnamed(path, text, (unnamed) => renameSync(unnamed, path));
}

function withUnnamed<T>(path: string, text: string, place: (unnamed: string) => T): T {
  const unnamed = `${path}.${process.pid}-${randomBytes(6).toString('hex')}`;
  const file = openSync(unnamed, 'wx', 0o600);
  try {
    fchmodSync(file, 0o600); // whatever the umask took away
    giveToOwner(file, dirname(path));
    writeSync(file, `${text}\n`);
    fsyncSync(file);
    const placed = place(unnamed);
    syncFolder(path);
    return placed;
  } finally {
    closeSync(file);
    rmSync(unnamed, { force: true });
  }
}

/** The administrator may rotate the key of a Grace that runs as another user, which then has to be able to read it. */
function giveToOwner(file: number, dir: string): void {
  if (process.geteuid?.() !== 0) return;
  const { uid, gid } = statSync(keyPaths(dir).current, { throwIfNoEntry: false }) ?? statSync(dir);
  fchownSync(file, uid, gid);
}

/** Keys, and heads, that a killed process was about to put in their place. */
export function removeUnfinishedKeyFiles(dir: string): void {
  for (const name of readdirSync(dir)) {
    if (!/^audit\.(?:key(?:\.next)?|head)\.\d{1,10}-[0-9a-f]{12}$/.test(name)) continue;
    const path = join(dir, name);
    // A young one may be about to be placed.
    if (Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Infinity) > UNFINISHED_MS) rmSync(path, { force: true });
  }
}

export function removeKeyFile(path: string): void {
  rmSync(path, { force: true });
}

function syncFolder(path: string): void {
  const dir = openSync(dirname(path), 'r');
  try {
    fsyncSync(dir);
  } finally {
    closeSync(dir);
  }
}
