import { DatabaseSync } from 'node:sqlite';
import type { SchemaColumn, SchemaRule, SchemaTable } from '../../domains/schema/index.ts';
import type { TableSnapshot } from './schema-snapshot.ts';
import { quoteSqlite } from './sqlite-catalog.ts';
import { define } from './sqlite-repair.ts';

type Row = Readonly<Record<string, unknown>>;

/**
 * Keys and conditions of SQLite tables stand in their statements alone. So the tables are made in memory, empty, and SQLite is asked:
 * it reads its own language best, and neither the file nor its rows are touched.
 */
export function sqliteTablesOf(tables: readonly TableSnapshot[]): readonly SchemaTable[] {
  const database = new DatabaseSync(':memory:', { enableForeignKeyConstraints: false });
  try {
    return tables.map((table) => tableOf(database, table));
  } finally {
    database.close();
  }
}

function tableOf(database: DatabaseSync, table: TableSnapshot): SchemaTable {
  const indexes = table.indexes.map(({ name, definition }) => ({
    name,
    isUnique: /^\s*CREATE\s+UNIQUE\b/i.test(definition),
    sql: definition,
  }));
  const base = { schema: table.schema, name: table.name, indexes, sql: table.sql, unsupported: table.unsupported };
  const plain = (): readonly SchemaColumn[] =>
    table.columns.map(({ name, type, notNull, default: fallback, generated }) => ({
      name,
      type,
      isNullable: !notNull,
      default: fallback,
      generated,
      identity: null,
    }));
  if (table.unsupported !== null || table.sql === null) return { ...base, columns: plain(), rules: [], isStrict: false };
  try {
    define(database, table.sql, 'TABLE');
  } catch (error) {
    // It needs what only the service's own connection has: a function, a collation.
    return {
      ...base,
      columns: plain(),
      rules: [],
      isStrict: false,
      unsupported: `SQLite alone cannot make it: ${(error as Error).message}`,
    };
  }
  const [found] = all(database, `SELECT strict, wr FROM pragma_table_list WHERE schema = 'main' AND name = ?`, table.name);
  return {
    ...base,
    columns: columnsOf(database, table, found?.['wr'] === 1),
    rules: [...keysOf(database, table.name), ...foreignKeysOf(database, table.name), ...checksOf(table.sql)],
    isStrict: found?.['strict'] === 1,
  };
}

function columnsOf(database: DatabaseSync, table: TableSnapshot, hasNoRowid: boolean): readonly SchemaColumn[] {
  const rows = all(
    database,
    'SELECT name, type, "notnull" AS required, dflt_value AS fallback, hidden, pk FROM pragma_table_xinfo(?) ORDER BY cid',
    table.name,
  );
  const keys = rows.filter((row) => Number(row['pk']) > 0);
  return rows.map((row) => {
    const type = String(row['type']);
    // INTEGER PRIMARY KEY, in these words, is the number of the row, which is never null.
    const isRowNumber = keys.length === 1 && keys[0] === row && type.toUpperCase() === 'INTEGER' && !hasNoRowid;
    const isNullable = row['required'] !== 1 && !isRowNumber && !(hasNoRowid && Number(row['pk']) > 0);
    return {
      name: String(row['name']),
      type,
      isNullable,
      default: typeof row['fallback'] === 'string' ? row['fallback'] : null,
      generated: row['hidden'] === 2 ? 'virtual' : row['hidden'] === 3 ? 'stored' : null,
      identity: isRowNumber ? 'by default' : null,
    };
  });
}

function keysOf(database: DatabaseSync, table: string): readonly SchemaRule[] {
  const primary = all(database, 'SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk', table);
  const unique = all(database, `SELECT name FROM pragma_index_list(?) WHERE origin = 'u' ORDER BY seq DESC`, table);
  const list = (rows: readonly Row[]): string => rows.map((row) => quoteSqlite(String(row['name']))).join(', ');
  return [
    ...(primary.length === 0 ? [] : [{ kind: 'primary key', name: '', definition: `PRIMARY KEY (${list(primary)})` } as const]),
    ...unique.map(({ name }) => {
      const columns = list(all(database, 'SELECT name FROM pragma_index_info(?) ORDER BY seqno', String(name)));
      return { kind: 'unique', name: '', definition: `UNIQUE (${columns})` } as const;
    }),
  ];
}

function foreignKeysOf(database: DatabaseSync, table: string): readonly SchemaRule[] {
  const rows = all(
    database,
    `SELECT id, "table" AS target, "from" AS source, "to" AS points, on_update, on_delete FROM pragma_foreign_key_list(?) ORDER BY id, seq`,
    table,
  );
  return [...Map.groupBy(rows, ({ id }) => id).values()].map((parts): SchemaRule => {
    const [first] = parts;
    const columns = parts.map(({ source }) => quoteSqlite(String(source))).join(', ');
    // Without columns it points at the primary key.
    const named = parts.every(({ points }) => points === null)
      ? ''
      : ` (${parts.map(({ points }) => quoteSqlite(String(points))).join(', ')})`;
    const act = (what: string, value: unknown): string => (value === 'NO ACTION' ? '' : ` ON ${what} ${String(value)}`);
    const acts = `${act('UPDATE', first?.['on_update'])}${act('DELETE', first?.['on_delete'])}`;
    const definition = `FOREIGN KEY (${columns}) REFERENCES ${quoteSqlite(String(first?.['target']))}${named}${acts}`;
    return { kind: 'foreign key', name: '', definition };
  });
}

/**
 * SQLite tells nothing of them: the text in parentheses behind the word, outside of quotes and comments. A quote without an end goes to
 * the end of the text, so that no text is walked twice.
 */
function checksOf(sql: string): readonly SchemaRule[] {
  const rules: SchemaRule[] = [];
  const text = sql.slice(0, 100_000);
  let depth = 0;
  let from: { readonly at: number; readonly depth: number } | null = null;
  for (const found of text.matchAll(
    /'(?:[^']|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)|`[^`]*(?:`|$)|\[[^\]]*(?:\]|$)|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|[()]|\bCHECK(?=\s*\()/gi,
  )) {
    const [piece] = found;
    if (piece === ')') {
      depth -= 1;
      if (from !== null && depth === from.depth) {
        rules.push({ kind: 'check', name: '', definition: `CHECK ${text.slice(from.at, found.index + 1).trim()}` });
        from = null;
      }
    } else if (piece === '(') depth += 1;
    else if (piece.toUpperCase() === 'CHECK' && from === null) from = { at: found.index + piece.length, depth };
  }
  return rules;
}

function all(database: DatabaseSync, sql: string, ...values: readonly string[]): readonly Row[] {
  return database.prepare(sql).all(...values);
}
