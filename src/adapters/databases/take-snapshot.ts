import type { DatabaseLocation } from './locate.ts';
import { snapshotPostgres } from './postgres-catalog.ts';
import { sealSnapshot, type SchemaSnapshot } from './schema-snapshot.ts';
import { snapshotSqlite } from './sqlite-catalog.ts';

export interface SnapshotOptions {
  /** Of the connection and of each statement; connecting never takes 2 s. Default 2,000: more would delay a boot. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 2_000;

/**
 * Reads the schema: two round trips to PostgreSQL in one read-only transaction, or a read-only handle of a SQLite file.
 * @throws DatabaseUnreachable, DatabaseLoginRefused, DatabaseTimeout, DatabaseTooLarge, DatabaseQueryFailed, DatabaseDriverMissing
 */
export async function takeSnapshot(location: DatabaseLocation, options: SnapshotOptions = {}): Promise<SchemaSnapshot> {
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  return sealSnapshot(
    location.engine === 'postgres' ? await snapshotPostgres(location.url, timeoutMs) : await snapshotSqlite(location.path, timeoutMs),
  );
}
