import type { DatabaseSync } from 'node:sqlite';
import type { ColumnOfTable, DroppedColumns, MadeWithColumns, Refused, RestoredColumns } from './repair-result.ts';
import type { ColumnSnapshot } from './schema-snapshot.ts';
import { quoteSqlite, readSqliteCatalog } from './sqlite-catalog.ts';
import { define, refuse, repairSqlite } from './sqlite-repair.ts';

/** What a type may be made of: `VARCHAR(255)`, `DOUBLE PRECISION`, nothing at all. */
const TYPE = /^[\w ,()]{0,100}$/;
/** A default that may stand without parentheses. */
const LITERAL = /^(?:[-+]?[\d.]+|'(?:[^']|'')*'|NULL|TRUE|FALSE|CURRENT_(?:TIME|DATE|TIMESTAMP))$/i;

export function restoreSqliteColumns(
  path: string,
  chosen: readonly ColumnOfTable[],
  timeoutMs: number,
): Promise<RestoredColumns | Refused> {
  return repairSqlite<RestoredColumns>(path, timeoutMs, (database) => {
    const live = new Map(readSqliteCatalog(database, path).tables.map((table) => [table.name, table]));
    const columns: string[] = [];
    const leftOut: string[] = [];
    for (const { label, table, column } of chosen) {
      const found = live.get(table.name);
      if (found === undefined) return refuse(`there is no table "${table.name}": restore it first`);
      // Its expression is in the text of the table only.
      if (column.generated !== null) return refuse(`"${label}" is a generated column`);
      if (!TYPE.test(column.type)) return refuse(`"${label}" has a type that Grace does not write: ${column.type}`);
      if (found.columns.some(({ name }) => name === column.name)) continue;
      if (!addAsMuchAsAllowed(database, table.name, column)) leftOut.push(label);
      columns.push(label);
    }
    const made: MadeWithColumns[] = [];
    for (const table of new Set(chosen.map((one) => one.table)))
      for (const index of table.indexes) {
        if (live.get(table.name)?.indexes.some(({ name }) => name === index.name)) continue;
        if (tried(database, () => define(database, index.definition, '(?:UNIQUE\\s+)?INDEX')))
          made.push({ kind: 'index', schema: 'main', name: index.name });
        else leftOut.push(`${table.name}/${index.name}`);
      }
    return { state: 'restored', columns, made, leftOut };
  });
}

export function dropSqliteColumns(
  path: string,
  chosen: readonly ColumnOfTable[],
  made: readonly MadeWithColumns[],
  timeoutMs: number,
): Promise<DroppedColumns | Refused> {
  return repairSqlite<DroppedColumns>(path, timeoutMs, (database) => {
    const live = new Map(readSqliteCatalog(database, path).tables.map((table) => [table.name, table]));
    const present = chosen.filter(({ table, column }) => live.get(table.name)?.columns.some(({ name }) => name === column.name));
    for (const { label, table, column } of present) {
      const name = quoteSqlite(column.name);
      const isOther = column.default === null ? '1' : `${name} IS NOT (${column.default})`;
      const sql = `SELECT 1 FROM ${quoteSqlite(table.name)} WHERE ${name} IS NOT NULL AND ${isOther} LIMIT 1`;
      if (database.prepare(sql).get() !== undefined) return refuse(`"${label}" has values by now`);
    }
    for (const { name } of made) database.prepare(`DROP INDEX IF EXISTS ${quoteSqlite(name)}`).run();
    for (const { table, column } of present)
      database.prepare(`ALTER TABLE ${quoteSqlite(table.name)} DROP COLUMN ${quoteSqlite(column.name)}`).run();
    return { state: 'dropped', columns: present.map(({ label }) => label) };
  });
}

/** SQLite wants a constant default where there are rows, and one that is not null for NOT NULL. @returns whether it is whole */
function addAsMuchAsAllowed(database: DatabaseSync, table: string, column: ColumnSnapshot): boolean {
  const fallback = column.default === null ? '' : ` DEFAULT ${LITERAL.test(column.default) ? column.default : `(${column.default})`}`;
  const forms = [`${fallback}${column.notNull ? ' NOT NULL' : ''}`, fallback, ''];
  const add = (form: string): boolean =>
    tried(database, () =>
      database.prepare(`ALTER TABLE ${quoteSqlite(table)} ADD COLUMN ${quoteSqlite(column.name)} ${column.type}${form}`).run(),
    );
  const worked = forms.findIndex(add);
  if (worked < 0) throw new TypeError(`the column ${column.name} cannot be added in any form`);
  return forms[worked] === forms[0];
}

/** Whether it worked; what did not left nothing behind. */
function tried(database: DatabaseSync, work: () => unknown): boolean {
  database.exec('SAVEPOINT part');
  try {
    work();
    database.exec('RELEASE part');
    return true;
  } catch {
    // It is said in what is left out.
    database.exec('ROLLBACK TO part; RELEASE part');
    return false;
  }
}
