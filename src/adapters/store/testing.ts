import { DatabaseSync } from 'node:sqlite';
import { Kysely } from 'kysely';
import type { Pattern } from '../../domains/incidents/index.ts';
import { incidentId, signatureOf } from '../../kernel/index.ts';
import { MIGRATIONS } from './migrations.ts';
import { APPLICATION_ID } from './open-store.ts';
import { sqliteDialect } from './sqlite-dialect.ts';
import type { Tables } from './tables.ts';

/** A pattern that was seen once; a test says only what it is about. */
export function aPattern(parts: Partial<Pattern> = {}): Pattern {
  return {
    signature: signatureOf('aaaaaaaaaaaaaaaa'),
    incidentId: incidentId('runtime_aaaaaaaa'),
    family: 'f',
    component: 'api',
    stage: 'runtime',
    familyName: null,
    template: 't',
    rootCause: '',
    occurrences: 1,
    firstSeenMs: 1,
    lastSeenMs: 2,
    state: 'new',
    playbook: null,
    cleanBoots: 0,
    ...parts,
  };
}

/** A store file as a Grace of that version made it, to be looked at and migrated. */
export async function oldStore(path: string, version: number): Promise<DatabaseSync> {
  const database = new DatabaseSync(path);
  const db = new Kysely<Tables>({ dialect: sqliteDialect(database) });
  for (const step of MIGRATIONS.slice(0, version)) await step(db);
  database.exec(`pragma user_version = ${version}; pragma application_id = ${APPLICATION_ID};`);
  return database;
}
