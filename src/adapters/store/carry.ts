import type { CompiledQuery, Kysely } from 'kysely';
import type { Tables } from './tables.ts';

/**
 * Carries out one statement that writes. What decides or acts is carried out together with the entry of the audit log that tells
 * of it, on the log's connection.
 * @param about  what the statement writes down
 */
export type Carry<T> = (statement: CompiledQuery, about: T) => Promise<void>;

/** Without any entry. */
export function plainly(db: Kysely<Tables>): Carry<unknown> {
  return async (statement) => void (await db.executeQuery(statement));
}
