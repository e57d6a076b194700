import type { CompiledQuery, Kysely } from 'kysely';
import type { Tables } from './tables.ts';

/**
 * Carries out statements that write, all or none. What decides or acts is carried out together with the entry of the audit log that tells
 * of it, on the log's connection.
 * @param about  what they write down
 */
export type Carry<T> = (statements: readonly CompiledQuery[], about: T) => Promise<void>;

/** Without any entry. */
export function plainly(db: Kysely<Tables>): Carry<unknown> {
  return (statements) =>
    db.transaction().execute(async (transaction) => {
      for (const statement of statements) await transaction.executeQuery(statement);
    });
}
