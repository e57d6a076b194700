import { accessSync, chmodSync, constants, existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { Kysely } from 'kysely';
import { StoreForeign, StoreTooNew, StoreUnwritable } from './errors.ts';
import { MIGRATIONS, SCHEMA_VERSION } from './migrations.ts';
import { sqliteDialect } from './sqlite-dialect.ts';
import type { Tables } from './tables.ts';

/** 'GRAC' in ASCII, in SQLite's header: tells our files from others. @see https://www.sqlite.org/fileformat.html#application_id */
export const APPLICATION_ID = 0x47_52_41_43;
/** How long a statement waits for another process of ours (`grace status` beside `grace up`) before it fails. */
const BUSY_TIMEOUT_MS = 5000;

export interface OpenedStore {
  readonly db: Kysely<Tables>;
  /** True when it did not exist before. */
  readonly isNew: boolean;
  /** Schema version before migrations were applied. */
  readonly versionBefore: number;
  /** Schema version now. */
  version(): number;
  close(): void;
}

/**
 * Opens the store, creating and migrating it. Durable: WAL with a sync at every commit, so that what was acknowledged
 * survives kill -9 and power loss.
 * @param isKept   false for a copy that is thrown away: nothing then waits for the disk
 * @throws StoreForeign, StoreTooNew, StoreUnwritable; the file is then as it was
 */
export async function openStore(path: string, isKept = true): Promise<OpenedStore> {
  const isNew = !existsSync(path);
  let database: DatabaseSync | undefined;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    if (!isNew) lookAt(path);
    database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    // What SQLite makes beside it gets the same.
    if (isNew) chmodSync(path, 0o600);
    const versionBefore = recogniseFile(database, path, isNew);
    database.exec(`pragma journal_mode = wal; pragma synchronous = ${isKept ? 'full' : 'off'}; pragma foreign_keys = on;`);
    const db = new Kysely<Tables>({ dialect: sqliteDialect(database) });
    if (versionBefore < SCHEMA_VERSION) await migrate(db, database);
    const opened = database;
    return { db, isNew, versionBefore, version: () => pragma(opened, 'user_version'), close: () => opened.close() };
  } catch (error) {
    database?.close();
    if (error instanceof StoreForeign || error instanceof StoreTooNew) throw error;
    throw new StoreUnwritable(path, error);
  }
}

/** Whether this user may write the store, and the files that SQLite makes beside it. */
export function isStoreWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    accessSync(dirname(path), constants.W_OK);
    return true;
  } catch {
    return false; // permissions, or a file system that is mounted so
  }
}

/**
 * For a user who may only read it: it can not be brought to this version, so it has to have it.
 * @throws StoreForeign, StoreTooNew, StoreUnwritable
 */
export function recogniseUnwritable(path: string): void {
  try {
    accessSync(path, constants.R_OK);
  } catch (error) {
    throw new StoreUnwritable(path, error);
  }
  const version = lookAt(path);
  if (version !== SCHEMA_VERSION)
    throw new StoreUnwritable(
      path,
      version === null
        ? 'it can not be read as it lies there'
        : `it has layout ${version} and this Grace needs ${SCHEMA_VERSION}, which takes a user who may write it`,
    );
}

/**
 * What to open a store by, for looking only. Even to read a file in WAL mode SQLite makes two more beside it, unless it is told that
 * nobody writes: so is it where there is no WAL, and where none can be made.
 */
export function placeToRead(path: string, mayMakeFiles: boolean): URL {
  const place = pathToFileURL(path);
  if (!mayMakeFiles && !existsSync(`${path}-wal`)) place.searchParams.set('immutable', '1');
  return place;
}

/**
 * Looks before anything can be written: merely closing a connection that may write merges into the file what a killed
 * program has left beside it.
 * @returns its schema version; null when something else is wrong
 * @throws StoreForeign, StoreTooNew
 */
function lookAt(path: string): number | null {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(placeToRead(path, false), { readOnly: true, timeout: BUSY_TIMEOUT_MS });
    return recogniseFile(database, path, false);
  } catch (error) {
    // Whatever else is wrong will show when it is opened for writing.
    if (error instanceof StoreForeign || error instanceof StoreTooNew) throw error;
    return null;
  } finally {
    database?.close();
  }
}

/** @returns its schema version; 0 for a new or empty file */
function recogniseFile(database: DatabaseSync, path: string, isNew: boolean): number {
  let applicationId: number;
  let tables: number;
  let version: number;
  try {
    applicationId = pragma(database, 'application_id');
    version = pragma(database, 'user_version');
    tables = (database.prepare('select count(*) as n from sqlite_master').get() as { n: number }).n;
  } catch (error) {
    if (isNew) throw error;
    if (/not a database|malformed/.test(String(error))) throw new StoreForeign(path, 'it is damaged or no SQLite database at all', error);
    throw error;
  }
  if (applicationId !== APPLICATION_ID && (tables > 0 || applicationId !== 0))
    throw new StoreForeign(path, 'it is a database of another program');
  if (version > SCHEMA_VERSION) throw new StoreTooNew(path, version, SCHEMA_VERSION);
  return version;
}

function pragma(database: DatabaseSync, name: string): number {
  return Number(Object.values(database.prepare(`pragma ${name}`).get() ?? {})[0] ?? 0);
}

/** All or nothing, and once: a second process that opens at the same moment waits for the lock and finds it done. */
async function migrate(db: Kysely<Tables>, database: DatabaseSync): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    for (const step of MIGRATIONS.slice(pragma(database, 'user_version'))) await step(transaction);
    database.exec(`pragma user_version = ${SCHEMA_VERSION}; pragma application_id = ${APPLICATION_ID};`);
  });
}
