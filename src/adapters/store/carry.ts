import type { CompiledQuery, Kysely } from 'kysely';
import type { Tables } from './tables.ts';

/**
 * Carries out statements that write, all or none. What decides or acts is carried out together with the entry of the audit log that tells
 * of it, on the log's connection.
 * @param about  what they write down
 */
export type Carry<T> = (statements: readonly CompiledQuery[], about: T) => Promise<void>;

/**
 * Somebody else was faster: one of the statements was written so that a column that must have a value would lose it then.
 * @see https://www.sqlite.org/rescode.html#constraint_notnull
 */
export function isLost(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_CONSTRAINT_NOTNULL;
}

const SQLITE_CONSTRAINT_NOTNULL = 1299;

/** Without any entry. */
export function plainly(db: Kysely<Tables>): Carry<unknown> {
  return async (statements) => {
    const [only] = statements;
    // One is a transaction by itself, and holds the lock for less.
    if (only !== undefined && statements.length === 1) await db.executeQuery(only);
    else
      await db.transaction().execute(async (transaction) => {
        for (const statement of statements) await transaction.executeQuery(statement);
      });
  };
}
