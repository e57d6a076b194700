import { close, fdatasync, fsync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { codeOf } from '../../../kernel/index.ts';

const sync = promisify(fdatasync);
const syncAll = promisify(fsync);
const closeFile = promisify(close);

/** Makes durable what was committed to a WAL database, while the event loop goes on. */
export interface WalSync {
  /**
   * Resolves when every commit made before the call is on the disk.
   * @throws when the disk says it failed: what is on it is then unknown, and asking again proves nothing (the kernel
   *         forgets the failed pages). @see https://wiki.postgresql.org/wiki/Fsync_Errors
   */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/**
 * @param path of the database; a connection to it is open, has read it once, and stays open for longer than this does: so its
 *        WAL is there and stays the same file. SQLite holds no lock on the WAL itself, so closing our descriptor takes none away.
 */
export async function walSync(path: string): Promise<WalSync> {
  const wal = openSync(`${path}-wal`, 'r+');
  // A file is only as durable as its name; SQLite would do this at its first sync of a new WAL.
  const dir = openSync(dirname(path), 'r');
  try {
    await syncAll(dir);
  } finally {
    await closeFile(dir);
  }
  return { sync: () => sync(wal), close: () => closeFile(wal) };
}

/**
 * Makes durable what a reader has seen. The log's connection commits before it syncs, so others can see for some milliseconds what a
 * power cut would still take away; a head from there, handed out, would later prove that history was cut off.
 * @throws as `WalSync.sync` does
 */
export async function syncSeen(path: string): Promise<void> {
  let wal: number;
  try {
    wal = openSync(`${path}-wal`, 'r');
  } catch (error) {
    // No WAL: all is in the database, and synced.
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  try {
    await sync(wal);
  } finally {
    await closeFile(wal);
  }
}
