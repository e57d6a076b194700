import type {
  ColumnOfTable,
  Dropped,
  DroppedColumns,
  MadeWithColumns,
  Recorded,
  Refused,
  Restored,
  RestoredColumns,
  RowsOfTable,
} from './repair-result.ts';
import { describeLocation, type DatabaseLocation } from './locate.ts';
import { dropPostgresTables, recordPostgresMigrations, restorePostgresTables, unrecordPostgresMigrations } from './postgres-repair.ts';
import { dropPostgresColumns, restorePostgresColumns } from './postgres-columns.ts';
import { historyLabel } from './schema-drift.ts';
import { isIntact, tableLabel, type SchemaSnapshot, type TableSnapshot } from './schema-snapshot.ts';
import { dropSqliteTables, recordSqliteMigrations, restoreSqliteTables, unrecordSqliteMigrations } from './sqlite-repair.ts';
import { dropSqliteColumns, restoreSqliteColumns } from './sqlite-columns.ts';

// Every repair is one transaction under a lock that only repairs take (PostgreSQL: an advisory lock; SQLite: the write
// lock): it happens whole or not at all, and the second of two finds the first one's work done.

export interface RepairOptions {
  /** Of each statement, and of waiting for locks. Default 10,000: a foreign key is checked against all rows there are. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;

/**
 * Makes tables again exactly as the snapshot has them: types, defaults, sequences (which go on from where they were),
 * keys, checks, indexes, triggers, row policies, owner and grants; and what a CASCADE took along: foreign keys of other
 * tables, and views. They come back empty. Before it commits it compares the result with the snapshot.
 * @param tables  labels, as in `SchemaDrift.missingTables`
 * @returns       refused when one of them exists, is not in the snapshot, or cannot be made exactly; then nothing changed
 * @throws        DatabaseUnreachable, DatabaseLoginRefused, DatabaseTimeout
 */
export async function restoreTables(
  location: DatabaseLocation,
  snapshot: SchemaSnapshot,
  tables: readonly string[],
  options: RepairOptions = {},
): Promise<Restored | Refused> {
  return repair(location, chooseTables(location, snapshot, tables), options, {
    postgres: (url, chosen, timeoutMs) => restorePostgresTables(url, snapshot, chosen, timeoutMs),
    sqlite: (path, chosen, timeoutMs) => restoreSqliteTables(path, snapshot, chosen, timeoutMs),
  });
}

/**
 * Takes `restoreTables` back: drops those of the tables that are there, are empty, and look as in the snapshot; together
 * with the snapshot's foreign keys and views that hang on them. Safe to call twice.
 * @returns refused, and nothing dropped, when one has rows, looks different, or something else depends on it
 */
export async function dropEmptyTables(
  location: DatabaseLocation,
  snapshot: SchemaSnapshot,
  tables: readonly string[],
  options: RepairOptions = {},
): Promise<Dropped | Refused> {
  return repair(location, chooseTables(location, snapshot, tables), options, {
    postgres: (url, chosen, timeoutMs) => dropPostgresTables(url, snapshot, chosen, timeoutMs),
    sqlite: (path, chosen, timeoutMs) => dropSqliteTables(path, snapshot, chosen, timeoutMs),
  });
}

/**
 * Writes back rows that a migration tool's table had and has no more, every column as it was. It says that a migration
 * was applied; whether the schema shows that it was is for the caller to know.
 * @param ids  `table/name`, as in `SchemaDrift.unrecordedMigrations`
 */
export async function recordMigrations(
  location: DatabaseLocation,
  snapshot: SchemaSnapshot,
  ids: readonly string[],
  options: RepairOptions = {},
): Promise<Recorded | Refused> {
  return repair(location, chooseRows(location, snapshot, ids), options, {
    postgres: recordPostgresMigrations,
    sqlite: recordSqliteMigrations,
  });
}

/** Takes `recordMigrations` back: removes those rows that are exactly the snapshot's. Safe to call twice. */
export async function unrecordMigrations(
  location: DatabaseLocation,
  snapshot: SchemaSnapshot,
  ids: readonly string[],
  options: RepairOptions = {},
): Promise<Recorded | Refused> {
  return repair(location, chooseRows(location, snapshot, ids), options, {
    postgres: unrecordPostgresMigrations,
    sqlite: unrecordSqliteMigrations,
  });
}

/**
 * Adds columns again that tables had, with type, default and what a CASCADE took along: constraints, indexes and views.
 * Their values do not come back: a column that must not be null is added without that rule where there are rows.
 * @param columns  `table.column`, as in `SchemaDrift.missingColumns`
 * @returns        refused when a table is gone, or a column numbered its rows or was their key; then nothing changed
 */
export async function restoreColumns(
  location: DatabaseLocation,
  snapshot: SchemaSnapshot,
  columns: readonly string[],
  options: RepairOptions = {},
): Promise<RestoredColumns | Refused> {
  return repair(location, chooseColumns(location, snapshot, columns), options, {
    postgres: (url, chosen, timeoutMs) => restorePostgresColumns(url, snapshot, chosen, timeoutMs),
    sqlite: (path, chosen, timeoutMs) => restoreSqliteColumns(path, chosen, timeoutMs),
  });
}

/**
 * Takes `restoreColumns` back: drops those of the columns that hold nothing but their default, after what was made with
 * them. Safe to call twice.
 * @returns refused, and nothing dropped, when one has values by now
 */
export async function dropEmptyColumns(
  location: DatabaseLocation,
  snapshot: SchemaSnapshot,
  columns: readonly string[],
  made: readonly MadeWithColumns[],
  options: RepairOptions = {},
): Promise<DroppedColumns | Refused> {
  return repair(location, chooseColumns(location, snapshot, columns), options, {
    postgres: (url, chosen, timeoutMs) => dropPostgresColumns(url, snapshot, chosen, made, timeoutMs),
    sqlite: (path, chosen, timeoutMs) => dropSqliteColumns(path, chosen, made, timeoutMs),
  });
}

/** All that is named is looked up before anything is done: one that the snapshot does not have refuses the whole. */
async function repair<Chosen, Result>(
  location: DatabaseLocation,
  chosen: readonly Chosen[] | Refused,
  options: RepairOptions,
  by: {
    postgres(url: string, chosen: readonly Chosen[], timeoutMs: number): Promise<Result>;
    sqlite(path: string, chosen: readonly Chosen[], timeoutMs: number): Promise<Result>;
  },
): Promise<Result | Refused> {
  if ('state' in chosen) return chosen;
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  return location.engine === 'postgres' ? by.postgres(location.url, chosen, timeoutMs) : by.sqlite(location.path, chosen, timeoutMs);
}

function refuse(reason: string): Refused {
  return { state: 'refused', reason };
}

function checkSnapshot(location: DatabaseLocation, snapshot: SchemaSnapshot): Refused | null {
  if (snapshot.engine !== location.engine)
    return refuse(`the snapshot is of ${snapshot.engine}, and this is ${describeLocation(location)}`);
  // Its definitions are about to be run as statements: only as they were read from the database.
  if (!isIntact(snapshot)) return refuse('the snapshot is not what it was when it was taken: its digest differs');
  return null;
}

function chooseTables(location: DatabaseLocation, snapshot: SchemaSnapshot, labels: readonly string[]): readonly TableSnapshot[] | Refused {
  const refused = checkSnapshot(location, snapshot);
  if (refused) return refused;
  const known = new Map(snapshot.tables.map((table) => [tableLabel(table), table]));
  const unknown = labels.find((label) => !known.has(label));
  if (unknown !== undefined) return refuse(`the snapshot has no table "${unknown}"`);
  const chosen = [...new Set(labels)].map((label) => known.get(label)!);
  const unsupported = chosen.find((table) => table.unsupported !== null);
  if (unsupported) return refuse(`table "${tableLabel(unsupported)}" is none that Grace makes or drops: ${unsupported.unsupported}`);
  return chosen;
}

function chooseColumns(
  location: DatabaseLocation,
  snapshot: SchemaSnapshot,
  labels: readonly string[],
): readonly ColumnOfTable[] | Refused {
  const refused = checkSnapshot(location, snapshot);
  if (refused) return refused;
  const known = new Map(
    snapshot.tables.flatMap((table) =>
      table.columns.map((column): [string, ColumnOfTable] => {
        const label = `${tableLabel(table)}.${column.name}`;
        return [label, { label, table, column }];
      }),
    ),
  );
  const unknown = labels.find((label) => !known.has(label));
  if (unknown !== undefined) return refuse(`the snapshot has no column "${unknown}"`);
  const chosen = [...new Set(labels)].map((label) => known.get(label)!);
  for (const { label, table, column } of chosen) {
    if (table.unsupported !== null) return refuse(`table "${tableLabel(table)}" is none that Grace changes: ${table.unsupported}`);
    // Other numbers than before would point at other things.
    if (column.identity !== null || table.sequences.some((sequence) => sequence.column === column.name))
      return refuse(`"${label}" numbered the rows: new numbers would not be the old ones`);
  }
  return chosen;
}

function chooseRows(location: DatabaseLocation, snapshot: SchemaSnapshot, ids: readonly string[]): readonly RowsOfTable[] | Refused {
  const refused = checkSnapshot(location, snapshot);
  if (refused) return refused;
  const wanted = new Set(ids);
  const chosen = snapshot.history.map((history): RowsOfTable => {
    const label = historyLabel(history);
    const table = snapshot.tables.find((candidate) => candidate.schema === history.schema && candidate.name === history.table)!;
    return { label, table, history, rows: history.rows.filter(({ id }) => wanted.has(`${label}/${id}`)) };
  });
  for (const { label, rows } of chosen) for (const { id } of rows) wanted.delete(`${label}/${id}`);
  const [unknown] = wanted;
  if (unknown !== undefined) return refuse(`the snapshot has no record "${unknown}"`);
  return chosen.filter(({ rows }) => rows.length > 0);
}
