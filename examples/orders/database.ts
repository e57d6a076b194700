import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { migrations, pendingMigrations } from './migrations.ts';
import { StartupError } from './startup-error.ts';

/** How long a statement waits for another process's write lock before it fails, in milliseconds. */
const busyTimeoutMs = 5_000;

/**
 * Opens the database, creating file and folder when they are not there.
 * With WAL, readers never wait for the writer; with synchronous=FULL a commit is on disk when it returns.
 */
export function openDatabase(path: string): DatabaseSync {
  mkdirSync(dirname(path), { recursive: true });
  const database = new DatabaseSync(path, { timeout: busyTimeoutMs, enableForeignKeyConstraints: true });
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  return database;
}

/**
 * Opens the database for a process that serves, and leaves no empty file behind when there is none.
 * @throws StartupError when migrations are pending
 */
export function openMigratedDatabase(path: string): DatabaseSync {
  if (!existsSync(path)) throw new StartupError(describePending(migrations.map(({ name }) => name)));
  const database = openDatabase(path);
  const pending = pendingMigrations(database);
  if (pending.length === 0) return database;
  database.close();
  throw new StartupError(describePending(pending.map(({ name }) => name)));
}

export function describePending(names: readonly string[]): string {
  return `${names.length} pending migration${names.length === 1 ? '' : 's'}: ${names.join(', ')} (run: node migrate.ts)`;
}
