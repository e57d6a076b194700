import { basename } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { HISTORY_ROW_BYTES_LIMIT, HISTORY_ROWS_LIMIT, historyTableOf } from './migration-history.ts';
import type { ColumnSnapshot, HistoryRow, HistorySnapshot, SchemaContent, TableSnapshot } from './schema-snapshot.ts';
import { inSqlite } from './sqlite-session.ts';

type Row = Readonly<Record<string, unknown>>;

export function snapshotSqlite(path: string, timeoutMs: number): Promise<SchemaContent> {
  return inSqlite(path, { timeoutMs, access: 'read only' }, (database) => {
    const content = readSqliteCatalog(database, path);
    return { ...content, history: readSqliteHistory(database, content.tables) };
  });
}

/** The schema as this transaction sees it, without migration records. */
export function readSqliteCatalog(database: DatabaseSync, path: string): SchemaContent {
  const schema = database.prepare(`SELECT type, name, tbl_name AS "table", sql FROM sqlite_schema ORDER BY name`).all() as readonly Row[];
  const kinds = new Map(
    (database.prepare(`SELECT name, type FROM pragma_table_list WHERE schema = 'main'`).all() as readonly Row[]).map((row) => [
      row['name'],
      row['type'],
    ]),
  );
  const counters = schema.some((row) => row['name'] === 'sqlite_sequence')
    ? new Map(
        (database.prepare('SELECT name, CAST(seq AS TEXT) AS seq FROM sqlite_sequence').all() as readonly Row[]).map((row) => [
          row['name'],
          row['seq'],
        ]),
      )
    : new Map<unknown, unknown>();
  const belonging = (type: string, table: unknown) =>
    schema
      .filter((row) => row['type'] === type && row['table'] === table)
      .map((row) => ({ name: String(row['name']), definition: row['sql'] as string | null }));
  return {
    format: 1,
    engine: 'sqlite',
    database: basename(path),
    tables: schema
      // Shadow tables belong to their virtual table; sqlite_% to SQLite.
      .filter((row) => row['type'] === 'table' && kinds.get(row['name']) !== 'shadow' && !String(row['name']).startsWith('sqlite_'))
      .map((row): TableSnapshot => {
        const name = String(row['name']);
        const counter = counters.get(name);
        return {
          schema: 'main',
          name,
          columns: readColumns(database, name),
          // They are inside `sql`, and cannot be lost without it.
          constraints: [],
          indexes: belonging('index', name).flatMap(({ name: index, definition }) =>
            definition === null ? [] : [{ name: index, definition, constraint: null, isReplicaIdentity: false }],
          ),
          sequences: /\bAUTOINCREMENT\b/i.test(String(row['sql']))
            ? [autoincrement(name, typeof counter === 'string' ? counter : null)]
            : [],
          triggers: belonging('trigger', name).map(({ name: trigger, definition }) => ({
            name: trigger,
            definition: definition ?? '',
            enabled: 'origin',
          })),
          policies: [],
          rowSecurity: 'off',
          owner: null,
          grants: [],
          isUnlogged: false,
          options: [],
          tablespace: null,
          replicaIdentity: 'd',
          comment: null,
          sql: String(row['sql']),
          unsupported: kinds.get(row['name']) === 'virtual' ? 'it is a virtual table' : null,
        };
      }),
    views: schema
      .filter((row) => row['type'] === 'view')
      .map((row) => ({
        schema: 'main',
        name: String(row['name']),
        isMaterialized: false,
        definition: String(row['sql']),
        options: [],
        owner: null,
        grants: [],
        indexes: [],
        dependsOn: [], // SQLite keeps views when a table goes
      })),
    enums: [],
    history: [],
  };
}

/** The rows of the tables that are shaped like a migration tool's record. */
export function readSqliteHistory(database: DatabaseSync, tables: readonly TableSnapshot[]): readonly HistorySnapshot[] {
  return tables.flatMap((table) => {
    const history =
      table.unsupported === null
        ? historyTableOf(
            table.name,
            table.columns.map(({ name }) => name),
          )
        : null;
    if (history === null) return [];
    const cells = table.columns.map(({ name }, index) => {
      const column = quoteSqlite(name);
      return `CASE typeof(${column}) WHEN 'blob' THEN hex(${column}) WHEN 'real' THEN format('%!.17g', ${column}) ELSE CAST(${column} AS TEXT) END AS v${index}, typeof(${column}) AS t${index}`;
    });
    const rows = database
      .prepare(
        `SELECT ${cells.join(', ')} FROM ${quoteSqlite(table.name)} ORDER BY ${quoteSqlite(history.orderBy)} DESC, 1 DESC LIMIT ${HISTORY_ROWS_LIMIT + 1}`,
      )
      .all() as readonly Row[];
    const kept = rows
      .slice(0, HISTORY_ROWS_LIMIT)
      .map((row) => toHistoryRow(row, table.columns, history.id))
      .filter((row) => Object.values(row.cells).reduce((sum, cell) => sum + Buffer.byteLength(cell ?? ''), 0) <= HISTORY_ROW_BYTES_LIMIT);
    return [{ schema: 'main', table: table.name, kind: history.kind, rows: kept.toReversed(), isTruncated: kept.length < rows.length }];
  });
}

export function quoteSqlite(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function readColumns(database: DatabaseSync, table: string): readonly ColumnSnapshot[] {
  const rows = database
    .prepare('SELECT name, type, "notnull" AS required, dflt_value AS fallback, hidden FROM pragma_table_xinfo(?)')
    .all(table) as readonly Row[];
  return rows
    .filter((row) => row['hidden'] !== 1) // 1: the hidden columns of virtual tables; 2 and 3: generated
    .map((row) => ({
      name: String(row['name']),
      type: String(row['type']),
      notNull: row['required'] === 1,
      default: typeof row['fallback'] === 'string' ? row['fallback'] : null,
      identity: null,
      generated: row['hidden'] === 2 ? 'virtual' : row['hidden'] === 3 ? 'stored' : null,
      collation: null,
      comment: null,
      grants: [],
    }));
}

function autoincrement(table: string, lastValue: string | null): TableSnapshot['sequences'][number] {
  return {
    schema: 'main',
    name: table,
    column: 'rowid',
    isIdentity: true,
    type: 'INTEGER',
    start: '1',
    increment: '1',
    min: '1',
    max: '9223372036854775807',
    cache: '1',
    cycles: false,
    owner: null,
    grants: [],
    lastValue,
  };
}

function toHistoryRow(row: Row, columns: readonly ColumnSnapshot[], id: readonly string[]): HistoryRow {
  const cells: Record<string, string | null> = {};
  const storage: Record<string, 'integer' | 'real' | 'blob'> = {};
  for (const [index, { name }] of columns.entries()) {
    const value = row[`v${index}`];
    const kind = row[`t${index}`];
    cells[name] = typeof value === 'string' ? value : null;
    if (kind === 'integer' || kind === 'real' || kind === 'blob') storage[name] = kind;
  }
  return { id: id.map((column) => cells[column] ?? '').join(':'), cells, storage };
}
