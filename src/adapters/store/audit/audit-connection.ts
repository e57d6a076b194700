import { DatabaseSync } from 'node:sqlite';
import { StoreUnwritable } from '../errors.ts';

/**
 * A connection of the log's own to the store, so that an entry never falls into the middle of another transaction.
 *
 * It does not wait for locks itself (`timeout` 0): the lock it would wait for may be held by a transaction of this very
 * process, which goes on only when the event loop does. Who asks waits outside and asks again.
 * @param path of a store that `openStore` has opened before: recognised and migrated
 * @throws StoreUnwritable
 */
export function auditConnection(path: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: 0 });
    database.exec(`pragma journal_mode = wal; pragma synchronous = full; pragma cache_size = -${CACHE_KIB};`);
    // What retention drops does not lie about in free pages.
    database.exec('pragma secure_delete = on');
    // Reading once makes the WAL a file.
    database.prepare('select count(*) from audit_state').get();
    return database;
  } catch (error) {
    database?.close();
    throw new StoreUnwritable(path, error);
  }
}

/** Appends touch the last pages only. */
const CACHE_KIB = 512;

/** What SQLite says when another connection has the lock. @see https://www.sqlite.org/rescode.html#busy */
export function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && ((error.errcode as number) & 0xff) === SQLITE_BUSY;
}

const SQLITE_BUSY = 5;
