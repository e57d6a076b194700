import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { DatabaseQueryFailed } from './errors.ts';
import type { Dropped, Recorded, Refused, Restored, RowsOfTable } from './repair-result.ts';
import { canonical, definitionOf, type HistoryRow, type SchemaSnapshot, type TableSnapshot } from './schema-snapshot.ts';
import { quoteSqlite, readSqliteCatalog, readSqliteHistory } from './sqlite-catalog.ts';
import { inSqlite } from './sqlite-session.ts';

/** Foreign keys of other tables are part of those tables here, and views stay: both come back to life by themselves. */
export function restoreSqliteTables(
  path: string,
  _snapshot: SchemaSnapshot,
  tables: readonly TableSnapshot[],
  timeoutMs: number,
): Promise<Restored | Refused> {
  return repairSqlite<Restored>(path, timeoutMs, (database) => {
    for (const { name } of tables.flatMap((table) => [table, ...table.indexes])) {
      // Names are compared as SQLite does: without regard to the case of ASCII letters.
      const found = database.prepare('SELECT 1 FROM sqlite_schema WHERE name = ? COLLATE NOCASE').get(name);
      if (found !== undefined) return refuse(`"${name}" exists`);
    }
    for (const table of tables) {
      define(database, table.sql ?? '', 'TABLE');
      for (const { lastValue } of table.sequences)
        if (lastValue !== null)
          database.prepare('INSERT INTO sqlite_sequence (name, seq) VALUES (?, CAST(? AS INTEGER))').run(table.name, lastValue);
    }
    for (const table of tables) for (const index of table.indexes) define(database, index.definition, '(?:UNIQUE\\s+)?INDEX');
    for (const table of tables) for (const trigger of table.triggers) define(database, trigger.definition, 'TRIGGER');
    const made = readSqliteCatalog(database, path).tables;
    const different = tables.find((table) => !isSameTable(table, made));
    if (different) return refuse(`table "${different.name}" would not be exactly what it was`);
    return { state: 'restored', tables: tables.map(({ name }) => name), foreignKeys: [], notValidated: [], views: [], enums: [] };
  });
}

export function dropSqliteTables(
  path: string,
  _snapshot: SchemaSnapshot,
  tables: readonly TableSnapshot[],
  timeoutMs: number,
): Promise<Dropped | Refused> {
  return repairSqlite<Dropped>(path, timeoutMs, (database) => {
    const live = readSqliteCatalog(database, path).tables;
    const present = tables.filter(({ name }) => live.some((table) => table.name === name));
    for (const table of present) {
      if (database.prepare(`SELECT 1 FROM ${quoteSqlite(table.name)} LIMIT 1`).get() !== undefined)
        return refuse(`table "${table.name}" has rows`);
      if (!isSameTable(table, live)) return refuse(`table "${table.name}" is no longer what it was`);
    }
    for (const { name } of present) database.exec(`DROP TABLE ${quoteSqlite(name)}`);
    return { state: 'dropped', tables: present.map(({ name }) => name) };
  });
}

export function recordSqliteMigrations(path: string, chosen: readonly RowsOfTable[], timeoutMs: number): Promise<Recorded | Refused> {
  return repairSqlite<Recorded>(path, timeoutMs, (database) => {
    const ids: string[] = [];
    const unchanged: string[] = [];
    for (const { label, table, history, rows } of chosen) {
      const live = readSqliteCatalog(database, path).tables.filter(({ name }) => name === table.name);
      if (live.length === 0) return refuse(`there is no table "${label}": restore it first`);
      const known = new Set(readSqliteHistory(database, live).flatMap((found) => found.rows.map(({ id }) => id)));
      if (history.kind === 'cursor' && known.size > 0 && !rows.every(({ id }) => known.has(id)))
        return refuse(`"${label}" stands at ${[...known].join(', ')}: it has moved on`);
      for (const row of rows) {
        (known.has(row.id) ? unchanged : ids).push(`${label}/${row.id}`);
        if (!known.has(row.id)) insertRow(database, table, row);
      }
    }
    return { state: 'recorded', ids, unchanged };
  });
}

export function unrecordSqliteMigrations(path: string, chosen: readonly RowsOfTable[], timeoutMs: number): Promise<Recorded | Refused> {
  return repairSqlite<Recorded>(path, timeoutMs, (database) => {
    const ids: string[] = [];
    const unchanged: string[] = [];
    for (const { label, table, rows } of chosen) {
      const exists = readSqliteCatalog(database, path).tables.some(({ name }) => name === table.name);
      for (const row of rows) {
        const names = Object.keys(row.cells);
        const where = names.map((name) => `${quoteSqlite(name)} IS ?`).join(' AND ');
        const statement = exists ? database.prepare(`DELETE FROM ${quoteSqlite(table.name)} WHERE ${where}`) : null;
        const gone = statement === null ? 0 : Number(statement.run(...names.map((name) => valueOf(row, name))).changes);
        (gone > 0 ? ids : unchanged).push(`${label}/${row.id}`);
      }
    }
    return { state: 'recorded', ids, unchanged };
  });
}

/** One transaction under the write lock. What SQLite will not do is a refusal: it was rolled back. */
export async function repairSqlite<T extends { readonly state: string }>(
  path: string,
  timeoutMs: number,
  work: (database: DatabaseSync) => T | Refused,
): Promise<T | Refused> {
  try {
    return await inSqlite<T | Refused>(path, { timeoutMs, access: 'read write' }, work, (result) => result.state !== 'refused');
  } catch (error) {
    if (error instanceof DatabaseQueryFailed) return refuse(error.message);
    throw error;
  }
}

export function refuse(reason: string): Refused {
  return { state: 'refused', reason };
}

/** `prepare` takes one statement and leaves what follows it: a stored definition cannot smuggle in a second. */
export function define(database: DatabaseSync, sql: string, kind: string): void {
  if (!new RegExp(`^CREATE\\s+${kind}\\b`, 'i').test(sql)) throw new TypeError(`not a definition of a ${kind}`);
  database.prepare(sql).run();
}

function isSameTable(table: TableSnapshot, tables: readonly TableSnapshot[]): boolean {
  const found = tables.find(({ name }) => name === table.name);
  return found !== undefined && canonical(definitionOf(found)) === canonical(definitionOf(table));
}

function insertRow(database: DatabaseSync, table: TableSnapshot, row: HistoryRow): void {
  const names = table.columns.filter(({ generated, name }) => generated === null && name in row.cells).map(({ name }) => name);
  const columns = names.map(quoteSqlite).join(', ');
  database
    .prepare(`INSERT INTO ${quoteSqlite(table.name)} (${columns}) VALUES (${names.map(() => '?').join(', ')})`)
    .run(...names.map((name) => valueOf(row, name)));
}

function valueOf(row: HistoryRow, name: string): SQLInputValue {
  const cell = row.cells[name] ?? null;
  if (cell === null) return null;
  const stored = row.storage[name];
  if (stored === 'integer') return BigInt(cell);
  if (stored === 'real') return Number(cell);
  return stored === 'blob' ? Buffer.from(cell, 'hex') : cell;
}
