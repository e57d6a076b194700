import type { CaseFile } from '../../domains/learning/index.ts';
import { absolutePath } from './places.ts';

/** Where the component's database is: the value, or that of the variable it names. */
function databaseOf(c: Pick<CaseFile, 'component' | 'env'>): string | null {
  const declared = c.component.database;
  if (declared === null) return null;
  const variable = /^\$\{?(\w+)\}?$/.exec(declared)?.[1];
  return variable === undefined ? declared : (c.env[variable] ?? null);
}

/** Path of a SQLite file; null for servers and databases in memory. */
export function sqlitePathOf(c: Pick<CaseFile, 'component' | 'env'>): string | null {
  const database = databaseOf(c);
  if (database === null || /:memory:/.test(database)) return null;
  if (/^\w+:\/\//.test(database) && !/^(?:sqlite3?|file):/.test(database)) return null;
  return absolutePath(c.component, database.replace(/^(?:sqlite3?:(?:\/\/)?|file:(?:\/\/)?)/, '').replace(/\?.*$/, ''));
}
