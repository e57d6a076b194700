import type { SchemaDrift } from '../../domains/playbooks/index.ts';
import { canonical, tableLabel, type HistorySnapshot, type SchemaSnapshot, type TableSnapshot } from './schema-snapshot.ts';

/** The drift, and what helps to judge it. */
export interface SchemaComparison extends SchemaDrift {
  /** `table.column` of columns that have another type, nullability, default or generation. */
  readonly changedColumns: readonly string[];
  /** `table/name`; of tables that are there. */
  readonly missingConstraints: readonly string[];
  readonly missingIndexes: readonly string[];
  readonly missingViews: readonly string[];
  /**
   * `table/name` of migrations recorded since. When there are any, a missing table or column may well be what they were
   * for: then it is for people to say, not for a repair.
   */
  readonly recordedSince: readonly string[];
}

/**
 * What the last verified schema had and the present one lacks. Tables, columns and indexes that were added are fine.
 * @param pendingMigrations  from `findMigrationFolder`, when there is one
 * @returns                  null when the two are of different databases: there is nothing to compare
 */
export function compareSchema(
  before: SchemaSnapshot,
  now: SchemaSnapshot,
  pendingMigrations: readonly string[] = [],
): SchemaComparison | null {
  if (before.engine !== now.engine || before.database !== now.database) return null;
  const present = new Map(now.tables.map((table) => [tableLabel(table), table]));
  const kept = before.tables.flatMap((table) => {
    const found = present.get(tableLabel(table));
    return found === undefined ? [] : [{ before: table, now: found }];
  });
  const views = new Set(now.views.map(tableLabel));
  return {
    engine: before.engine,
    missingTables: before.tables.map(tableLabel).filter((label) => !present.has(label)),
    missingColumns: kept.flatMap((pair) => missing(pair, ({ columns }) => columns, '.')),
    unrecordedMigrations: rowsWithout(before, now, ({ kind, rows }) => kind === 'list' || rows.length === 0),
    pendingMigrations,
    changedColumns: kept.flatMap(changedColumns),
    missingConstraints: kept.flatMap((pair) => missing(pair, ({ constraints }) => constraints, '/')),
    missingIndexes: kept.flatMap((pair) => missing(pair, ({ indexes }) => indexes.filter(({ constraint }) => constraint === null), '/')),
    missingViews: before.views.map(tableLabel).filter((label) => !views.has(label)),
    recordedSince: rowsWithout(now, before, () => true),
  };
}

/** True when something is gone, or waits to be applied. What was only added or altered does not count. */
export function hasDrifted(drift: SchemaDrift): boolean {
  return drift.missingTables.length + drift.missingColumns.length + drift.unrecordedMigrations.length + drift.pendingMigrations.length > 0;
}

export function historyLabel(history: HistorySnapshot): string {
  return tableLabel({ schema: history.schema, name: history.table });
}

interface Pair {
  readonly before: TableSnapshot;
  readonly now: TableSnapshot;
}

function missing(pair: Pair, parts: (table: TableSnapshot) => readonly { readonly name: string }[], separator: string): readonly string[] {
  const names = new Set(parts(pair.now).map(({ name }) => name));
  return parts(pair.before).flatMap(({ name }) => (names.has(name) ? [] : [`${tableLabel(pair.before)}${separator}${name}`]));
}

function changedColumns({ before, now }: Pair): readonly string[] {
  const columns = new Map(now.columns.map((column) => [column.name, column]));
  return before.columns.flatMap((column) => {
    const found = columns.get(column.name);
    const isSame =
      found === undefined || canonical({ ...found, comment: null, grants: [] }) === canonical({ ...column, comment: null, grants: [] });
    return isSame ? [] : [`${tableLabel(before)}.${column.name}`];
  });
}

/**
 * Rows that `from` has and `to` lacks; none where `to` is incomplete.
 * @param isComparable  told the table as `to` has it. A cursor that moved on has lost nothing; one that is empty has
 */
function rowsWithout(from: SchemaSnapshot, to: SchemaSnapshot, isComparable: (other: HistorySnapshot) => boolean): readonly string[] {
  const others = new Map(to.history.map((history) => [historyLabel(history), history]));
  const tables = new Set(to.tables.map(tableLabel));
  return from.history.flatMap((history) => {
    const label = historyLabel(history);
    const other = others.get(label);
    // There, yet not read: we lost the right to, or it changed its shape. That says nothing about its rows.
    if (other === undefined && tables.has(label)) return [];
    if (other !== undefined && (other.isTruncated || !isComparable({ ...other, kind: history.kind }))) return [];
    const known = new Set(other?.rows.map(({ id }) => id));
    return [...new Set(history.rows.map(({ id }) => id))].filter((id) => !known.has(id)).map((id) => `${label}/${id}`);
  });
}
