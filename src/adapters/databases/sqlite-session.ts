import { statSync, type Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { codeOf, messageOf } from '../../kernel/index.ts';
import { DatabaseQueryFailed, DatabaseTimeout, DatabaseUnreachable } from './errors.ts';

/** node:sqlite waits for locks on the main thread: so each try is short, and the waiting is done between tries. */
const BUSY_WAIT_MS = 20;
const RETRY_WAIT_MS = 30;
const BUSY = 5;
const LOCKED = 6;

/**
 * A handle for the time of `work`, which runs in one transaction: it is committed for `read write` unless `work` throws
 * or `commit` says no. Never creates the file.
 * @throws DatabaseUnreachable, DatabaseTimeout when the lock is held for `timeoutMs`, DatabaseQueryFailed
 */
export async function inSqlite<T>(
  path: string,
  options: { readonly timeoutMs: number; readonly access: 'read only' | 'read write' },
  work: (database: DatabaseSync) => T,
  commit: (result: T) => boolean = () => true,
): Promise<T> {
  const name = `SQLite database ${path}`;
  const isFile = await stat(path).then(
    (found) => found.isFile(),
    (error: unknown) => codeOf(error) ?? 'it cannot be looked at',
  );
  if (isFile !== true)
    throw new DatabaseUnreachable(name, typeof isFile === 'string' ? isFile : 'it is not a file', 'check the path and who may read it');
  const deadline = performance.now() + options.timeoutMs;
  for (;;) {
    try {
      return once(path, options.access, work, commit);
    } catch (error) {
      const isBusy = [BUSY, LOCKED].includes((resultCodeOf(error) ?? 0) & 0xff);
      if (!isBusy) throw failureOf(error, name);
      if (performance.now() + RETRY_WAIT_MS >= deadline)
        throw new DatabaseTimeout(name, options.timeoutMs, 'another process holds its lock');
    }
    await delay(RETRY_WAIT_MS);
  }
}

/** SQLite's own number for what went wrong; null when the error is not SQLite's. */
export function resultCodeOf(error: unknown): number | null {
  const code = (error as { errcode?: unknown } | null | undefined)?.errcode;
  return typeof code === 'number' ? code : null;
}

function once<T>(path: string, access: 'read only' | 'read write', work: (database: DatabaseSync) => T, commit: (result: T) => boolean): T {
  if (access === 'read write') return inTransaction(open(path, access), 'BEGIN IMMEDIATE', work, commit);
  // A reader of a database in WAL mode makes -wal and -shm, and cannot remove them: made by another user than the
  // service's, they would lock the service out. Without a -wal nobody writes, so it can be read as a file at rest.
  if (isAtRest(path)) {
    const before = statSync(path);
    const url = pathToFileURL(path);
    url.search = '?immutable=1';
    try {
      const result = inTransaction(open(url, access), 'BEGIN', work, () => false);
      if (isAtRest(path) && isUnchanged(before, statSync(path))) return result;
    } catch (error) {
      if (isAtRest(path) && isUnchanged(before, statSync(path))) throw error;
    }
    // Somebody began to write under our eyes: then the files are theirs, and we look again as everybody does.
  }
  return inTransaction(open(path, access), 'BEGIN', work, () => false);
}

function open(path: string | URL, access: 'read only' | 'read write'): DatabaseSync {
  // Foreign keys are off: dropping a table would otherwise delete its rows first, and check those of others.
  return new DatabaseSync(path, { readOnly: access === 'read only', timeout: BUSY_WAIT_MS, enableForeignKeyConstraints: false });
}

function inTransaction<T>(database: DatabaseSync, begin: string, work: (database: DatabaseSync) => T, commit: (result: T) => boolean): T {
  try {
    database.exec(begin);
    const result = work(database);
    database.exec(commit(result) ? 'COMMIT' : 'ROLLBACK');
    return result;
  } finally {
    database.close(); // rolls back what was not committed
  }
}

/** Neither a write-ahead log nor a rollback journal: nobody has written and not finished. */
export function isAtRest(path: string): boolean {
  return ['-wal', '-journal'].every((suffix) => statSync(`${path}${suffix}`, { throwIfNoEntry: false }) === undefined);
}

export function isUnchanged(before: Stats, now: Stats): boolean {
  return before.ino === now.ino && before.size === now.size && before.mtimeMs === now.mtimeMs;
}

export function failureOf(error: unknown, name: string): unknown {
  const code = resultCodeOf(error);
  if (code === null) return error;
  const text = messageOf(error);
  if ((code & 0xff) === 14 || (code & 0xff) === 8 || (code & 0xff) === 3)
    return new DatabaseUnreachable(name, text, 'check who may read and write the file and its folder');
  if ((code & 0xff) === 26 || (code & 0xff) === 11)
    return new DatabaseUnreachable(name, text, 'the file is damaged or no database: bring back a copy that passes PRAGMA integrity_check');
  return new DatabaseQueryFailed(name, text, null);
}
