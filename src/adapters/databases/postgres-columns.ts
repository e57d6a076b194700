import type { Client } from 'pg';
import { qualified, readPostgresCatalog } from './postgres-catalog.ts';
import {
  addConstraint,
  columnDefinition,
  createMissingEnums,
  createMissingViews,
  findTable,
  grantStatement,
  isSame,
  refuse,
  repairPostgres,
  whyEnumsDiffer,
} from './postgres-repair.ts';
import { execute, quoteIdentifier, quoteLiteral } from './postgres-session.ts';
import type { ColumnOfTable, DroppedColumns, MadeWithColumns, Refused, RestoredColumns } from './repair-result.ts';
import { tableLabel, type SchemaContent, type SchemaSnapshot, type TableSnapshot } from './schema-snapshot.ts';
import { DatabaseQueryFailed } from './errors.ts';

export function restorePostgresColumns(
  url: string,
  snapshot: SchemaSnapshot,
  chosen: readonly ColumnOfTable[],
  timeoutMs: number,
): Promise<RestoredColumns | Refused> {
  return repairPostgres<RestoredColumns>(url, timeoutMs, async (client) => {
    const { content: live } = await readPostgresCatalog(client);
    const tables = [...new Set(chosen.map(({ table }) => table))];
    const reason = whyNot(snapshot, live, tables) ?? whyEnumsDiffer(snapshot, live, tables);
    if (reason !== null) return refuse(reason);

    const leftOut: string[] = [];
    const columns: string[] = [];
    await createMissingEnums(client, snapshot, live, tables);
    for (const { label, table, column } of chosen) {
      if (findTable(live, table)?.columns.some(({ name }) => name === column.name)) continue;
      const isFree = !column.notNull || column.default !== null || column.generated !== null || !(await hasRows(client, table));
      if (!isFree) leftOut.push(label);
      const definition = columnDefinition(table, isFree ? column : { ...column, notNull: false });
      const at = `${qualified(table)}.${quoteIdentifier(column.name)}`;
      await execute(client, `ALTER TABLE ${qualified(table)} ADD COLUMN ${definition}`);
      if (column.comment !== null) await execute(client, `COMMENT ON COLUMN ${at} IS ${quoteLiteral(column.comment)}`);
      for (const grant of column.grants) await execute(client, grantStatement(grant, `TABLE ${qualified(table)}`, column.name));
      columns.push(label);
    }
    const made: MadeWithColumns[] = [];
    for (const table of tables) leftOut.push(...(await addPartsAgain(client, table, live)));
    const views = new Set(await createMissingViews(client, snapshot, live, tables));
    for (const view of snapshot.views)
      if (views.has(tableLabel(view)))
        made.push({ kind: view.isMaterialized ? 'materialized view' : 'view', schema: view.schema, name: view.name });
    // A view that stands on another was made after it.
    made.sort((a, b) => [...views].indexOf(tableLabel(a)) - [...views].indexOf(tableLabel(b)));
    return { state: 'restored', columns, made, leftOut };
  });
}

/** Indexes and constraints go with their column: so only views are dropped first. */
export function dropPostgresColumns(
  url: string,
  snapshot: SchemaSnapshot,
  chosen: readonly ColumnOfTable[],
  made: readonly MadeWithColumns[],
  timeoutMs: number,
): Promise<DroppedColumns | Refused> {
  return repairPostgres<DroppedColumns>(url, timeoutMs, async (client) => {
    const { content: live } = await readPostgresCatalog(client);
    if (live.database !== snapshot.database) return refuse(`the snapshot is of database "${snapshot.database}", not of "${live.database}"`);
    const present = chosen.filter(({ table, column }) => findTable(live, table)?.columns.some(({ name }) => name === column.name));
    for (const { label, table, column } of present) {
      if (column.generated !== null) continue;
      await execute(client, `LOCK TABLE ${qualified(table)} IN ACCESS EXCLUSIVE MODE`);
      const name = quoteIdentifier(column.name);
      const isOther = column.default === null ? 'true' : `${name}::text IS DISTINCT FROM (${column.default})::text`;
      const [found] = await execute(
        client,
        `SELECT EXISTS (SELECT 1 FROM ${qualified(table)} WHERE ${name} IS NOT NULL AND ${isOther}) AS has_values`,
      );
      if (found?.['has_values'] !== false) return refuse(`"${label}" has values by now`);
    }
    for (const { kind, ...view } of made.toReversed()) {
      if (kind === 'index' || !live.views.some((candidate) => isSame(candidate, view))) continue;
      await execute(client, `DROP ${kind === 'view' ? 'VIEW' : 'MATERIALIZED VIEW'} ${qualified(view)}`);
    }
    // Without CASCADE: whatever else depends on them came later, and stops us.
    for (const { table, column } of present)
      await execute(client, `ALTER TABLE ${qualified(table)} DROP COLUMN ${quoteIdentifier(column.name)}`);
    return { state: 'dropped', columns: present.map(({ label }) => label) };
  });
}

function whyNot(snapshot: SchemaSnapshot, live: SchemaContent, tables: readonly TableSnapshot[]): string | null {
  if (live.database !== snapshot.database) return `the snapshot is of database "${snapshot.database}", not of "${live.database}"`;
  const gone = tables.find((table) => findTable(live, table) === undefined);
  return gone === undefined ? null : `there is no table "${tableLabel(gone)}": restore it first`;
}

async function hasRows(client: Client, table: TableSnapshot): Promise<boolean> {
  const [found] = await execute(client, `SELECT EXISTS (SELECT 1 FROM ${qualified(table)}) AS has_rows`);
  return found?.['has_rows'] !== false;
}

/** Constraints and indexes that went with a column. @returns `table/name` of those that the present rows do not allow */
async function addPartsAgain(client: Client, table: TableSnapshot, live: SchemaContent): Promise<readonly string[]> {
  const found = findTable(live, table);
  if (found === undefined) return [];
  const order = (kind: string): number => (kind === 'foreign key' ? 1 : 0);
  const constraints = table.constraints
    .filter(({ name }) => !found.constraints.some((other) => other.name === name))
    .toSorted((a, b) => order(a.kind) - order(b.kind));
  const indexes = table.indexes.filter(
    ({ name, constraint }) => constraint === null && !found.indexes.some((other) => other.name === name),
  );
  const leftOut: string[] = [];
  const tries = [
    ...constraints.map((constraint) => ({ name: constraint.name, sql: addConstraint(table, constraint) })),
    ...indexes.map(({ name, definition }) => ({ name, sql: definition })),
  ];
  for (const { name, sql } of tries) {
    await execute(client, 'SAVEPOINT part');
    try {
      await execute(client, sql);
    } catch (error) {
      if (!(error instanceof DatabaseQueryFailed)) throw error;
      await execute(client, 'ROLLBACK TO SAVEPOINT part');
      leftOut.push(`${tableLabel(table)}/${name}`);
    }
    await execute(client, 'RELEASE SAVEPOINT part');
  }
  return leftOut;
}
