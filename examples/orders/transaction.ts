import type { DatabaseSync } from 'node:sqlite';

/**
 * Runs `work` in one write transaction: all of it happens, or none.
 * IMMEDIATE takes the write lock at once, so what `work` reads cannot change before it writes.
 */
export function inTransaction<Result>(database: DatabaseSync, work: () => Result): Result {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}
