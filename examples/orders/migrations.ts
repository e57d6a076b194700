import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { inTransaction } from './transaction.ts';

export interface Migration {
  readonly name: string;
  readonly sql: string;
}

const folder = join(import.meta.dirname, 'migrations');

/**
 * All migrations of this release, in the order they apply. Read once: a newer release that is laid into the folder
 * does not change what the running process needs.
 */
export const migrations: readonly Migration[] = readdirSync(folder)
  .filter((file) => /^\d{4}_\w+\.sql$/.test(file))
  .toSorted()
  .map((file) => ({ name: file.slice(0, -'.sql'.length), sql: readFileSync(join(folder, file), 'utf8') }));

/** Those of this release that the database has not seen; only reads. */
export function pendingMigrations(database: DatabaseSync): readonly Migration[] {
  const applied = appliedNames(database);
  return migrations.filter(({ name }) => !applied.has(name));
}

/**
 * Applies what is pending, each migration in one transaction together with its record.
 * Safe under two runs at once: the second waits for the first one's lock, looks again and finds it done.
 * @returns the names this run applied
 */
export function applyMigrations(database: DatabaseSync): readonly string[] {
  database.exec('CREATE TABLE IF NOT EXISTS schema_migrations (name TEXT PRIMARY KEY, applied_at TEXT NOT NULL) STRICT');
  return pendingMigrations(database)
    .filter((migration) => applyOnce(database, migration))
    .map(({ name }) => name);
}

function applyOnce(database: DatabaseSync, { name, sql }: Migration): boolean {
  return inTransaction(database, () => {
    if (appliedNames(database).has(name)) return false;
    database.exec(sql);
    database.prepare('INSERT INTO schema_migrations (name, applied_at) VALUES (?, ?)').run(name, new Date().toISOString());
    return true;
  });
}

function appliedNames(database: DatabaseSync): ReadonlySet<string> {
  const table = database.prepare(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema_migrations'`);
  if (table.get() === undefined) return new Set();
  const rows = database.prepare('SELECT name FROM schema_migrations').all() as unknown as readonly { name: string }[];
  return new Set(rows.map(({ name }) => name));
}
