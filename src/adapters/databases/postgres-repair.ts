import type { Client } from 'pg';
import { DatabaseQueryFailed } from './errors.ts';
import { historyTableOf } from './migration-history.ts';
import { qualified, readPostgresCatalog } from './postgres-catalog.ts';
import { execute, inPostgres, quoteIdentifier, quoteLiteral, sqlStateOf } from './postgres-session.ts';
import type { Dropped, Recorded, Refused, Restored, RowsOfTable } from './repair-result.ts';
import {
  canonical,
  definitionOf,
  tableLabel,
  type ColumnSnapshot,
  type Grant,
  type PolicySnapshot,
  type SchemaContent,
  type SchemaSnapshot,
  type SequenceSnapshot,
  type TableSnapshot,
  type ViewSnapshot,
} from './schema-snapshot.ts';

/** "grace" and "heal" in ASCII: a pair that no migration tool we know of uses. */
const LOCK = [0x67726163, 0x6865616c] as const;
const FOREIGN_KEY_VIOLATION = '23503';

export function restorePostgresTables(
  url: string,
  snapshot: SchemaSnapshot,
  tables: readonly TableSnapshot[],
  timeoutMs: number,
): Promise<Restored | Refused> {
  return repairPostgres<Restored>(url, timeoutMs, async (client) => {
    const { content: live } = await readPostgresCatalog(client);
    const reason = (await whyNotRestore(client, snapshot, tables)) ?? whyEnumsDiffer(snapshot, live, tables);
    if (reason !== null) return refuse(reason);

    const enums = await createMissingEnums(client, snapshot, live, tables);
    for (const sequence of tables.flatMap(serialSequences)) await execute(client, createSequence(sequence));
    for (const table of tables) await execute(client, createTable(table));
    for (const table of tables) await finishSequences(client, table);
    for (const table of tables) await addKeysAndIndexes(client, table);
    for (const table of tables) for (const constraint of foreignKeysOf(table)) await execute(client, addConstraint(table, constraint));
    const inbound = await addInboundForeignKeys(client, snapshot, live, tables);
    for (const table of tables) await addRules(client, table);
    const views = await createMissingViews(client, snapshot, live, tables);

    const { content: made } = await readPostgresCatalog(client);
    const different = tables.find((table) => !isSameTable(table, made));
    if (different) return refuse(`table "${tableLabel(different)}" would not be exactly what it was: ${differenceOf(different, made)}`);
    return { state: 'restored', tables: tables.map(tableLabel), ...inbound, views, enums };
  });
}

export function dropPostgresTables(
  url: string,
  snapshot: SchemaSnapshot,
  tables: readonly TableSnapshot[],
  timeoutMs: number,
): Promise<Dropped | Refused> {
  return repairPostgres<Dropped>(url, timeoutMs, async (client) => {
    const { content: before } = await readPostgresCatalog(client);
    const present = tables.filter((table) => findTable(before, table) !== undefined);
    if (before.database !== snapshot.database)
      return refuse(`the snapshot is of database "${snapshot.database}", and this is "${before.database}"`);
    if (present.length === 0) return { state: 'dropped', tables: [] };
    await execute(client, `LOCK TABLE ${present.map(qualified).join(', ')} IN ACCESS EXCLUSIVE MODE`);
    const { content: live } = await readPostgresCatalog(client);
    for (const table of present) {
      const [found] = await execute(client, `SELECT EXISTS (SELECT 1 FROM ${qualified(table)}) AS has_rows`);
      if (found?.['has_rows'] !== false) return refuse(`table "${tableLabel(table)}" has rows`);
      if (!isSameTable(table, live)) return refuse(`table "${tableLabel(table)}" is no longer what it was: ${differenceOf(table, live)}`);
    }
    for (const view of dependentViews(snapshot, present).toReversed()) {
      if (!live.views.some((candidate) => isSame(candidate, view))) continue;
      await execute(client, `DROP ${view.isMaterialized ? 'MATERIALIZED VIEW' : 'VIEW'} ${qualified(view)}`);
    }
    for (const { table, constraint } of inboundForeignKeys(snapshot, present)) {
      if (!findTable(live, table)?.constraints.some(({ name }) => name === constraint.name)) continue;
      await execute(client, `ALTER TABLE ${qualified(table)} DROP CONSTRAINT ${quoteIdentifier(constraint.name)}`);
    }
    // Without CASCADE: whatever else depends on them came later, and stops us.
    await execute(client, `DROP TABLE ${present.map(qualified).join(', ')}`);
    return { state: 'dropped', tables: present.map(tableLabel) };
  });
}

export function recordPostgresMigrations(url: string, chosen: readonly RowsOfTable[], timeoutMs: number): Promise<Recorded | Refused> {
  return repairPostgres<Recorded>(url, timeoutMs, async (client) => {
    const ids: string[] = [];
    const unchanged: string[] = [];
    for (const { label, table, history, rows } of chosen) {
      if (!(await lockHistory(client, table))) return refuse(`there is no table "${label}": restore it first`);
      const known = await idsPresent(client, table);
      if (history.kind === 'cursor' && known.size > 0 && !rows.every(({ id }) => known.has(id)))
        return refuse(`"${label}" stands at ${[...known].join(', ')}: it has moved on`);
      for (const row of rows) {
        (known.has(row.id) ? unchanged : ids).push(`${label}/${row.id}`);
        if (!known.has(row.id)) await insertRow(client, table, row.cells);
      }
    }
    return { state: 'recorded', ids, unchanged };
  });
}

export function unrecordPostgresMigrations(url: string, chosen: readonly RowsOfTable[], timeoutMs: number): Promise<Recorded | Refused> {
  return repairPostgres<Recorded>(url, timeoutMs, async (client) => {
    const ids: string[] = [];
    const unchanged: string[] = [];
    for (const { label, table, rows } of chosen) {
      const exists = await lockHistory(client, table);
      for (const row of rows) {
        const names = Object.keys(row.cells);
        const where = names.map((name, index) => `h.${quoteIdentifier(name)}::text IS NOT DISTINCT FROM $${index + 1}::text`).join(' AND ');
        const gone = exists
          ? await execute(
              client,
              `DELETE FROM ${qualified(table)} h WHERE ${where} RETURNING 1`,
              names.map((name) => row.cells[name]),
            )
          : [];
        (gone.length > 0 ? ids : unchanged).push(`${label}/${row.id}`);
      }
    }
    return { state: 'recorded', ids, unchanged };
  });
}

/** One transaction under the lock of repairs. What the server will not do is a refusal: it was rolled back. */
export async function repairPostgres<T extends { readonly state: string }>(
  url: string,
  timeoutMs: number,
  work: (client: Client) => Promise<T | Refused>,
): Promise<T | Refused> {
  try {
    return await inPostgres<T | Refused>(
      url,
      { timeoutMs, lockTimeoutMs: timeoutMs, access: 'read write' },
      async (client) => {
        await execute(client, 'SELECT pg_advisory_xact_lock($1::int, $2::int)', LOCK);
        return await work(client);
      },
      (result) => result.state !== 'refused',
    );
  } catch (error) {
    if (error instanceof DatabaseQueryFailed) return refuse(error.message);
    throw error;
  }
}

export function refuse(reason: string): Refused {
  return { state: 'refused', reason };
}

async function whyNotRestore(client: Client, snapshot: SchemaSnapshot, tables: readonly TableSnapshot[]): Promise<string | null> {
  const [database] = await execute(client, 'SELECT current_database() AS name');
  if (database?.['name'] !== snapshot.database)
    return `the snapshot is of database "${snapshot.database}", and this is "${String(database?.['name'])}"`;
  const schemas = [...new Set(tables.map(({ schema }) => schema))];
  const known = await execute(client, 'SELECT nspname AS name FROM pg_namespace WHERE nspname = ANY ($1::text[])', [schemas]);
  const gone = schemas.find((schema) => !known.some(({ name }) => name === schema));
  if (gone !== undefined) return `there is no schema "${gone}"`;
  // Sequences of identity columns are made with their table, and the names of tables, sequences and indexes are shared.
  for (const relation of [...tables, ...tables.flatMap(({ sequences }) => sequences)]) {
    const found = await execute(
      client,
      'SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2',
      [relation.schema, relation.name],
    );
    if (found.length > 0) return `"${tableLabel(relation)}" exists`;
  }
  return null;
}

/** Enums that columns of these tables are of. */
function enumsOf(snapshot: SchemaSnapshot, tables: readonly TableSnapshot[]): SchemaSnapshot['enums'] {
  const types = new Set(tables.flatMap(({ columns }) => columns.map(({ type }) => type.replace(/(?:\[\])+$/, ''))));
  return snapshot.enums.filter((candidate) =>
    // format_type quotes only the names that need it.
    [quoteIdentifier(candidate.schema), candidate.schema].some((schema) =>
      [quoteIdentifier(candidate.name), candidate.name].some((name) => types.has(`${schema}.${name}`)),
    ),
  );
}

export function whyEnumsDiffer(snapshot: SchemaSnapshot, live: SchemaContent, tables: readonly TableSnapshot[]): string | null {
  for (const wanted of enumsOf(snapshot, tables)) {
    const found = live.enums.find((candidate) => isSame(candidate, wanted));
    const lost = found === undefined ? undefined : wanted.labels.find((label) => !found.labels.includes(label));
    if (lost !== undefined) return `enum "${tableLabel(wanted)}" has no "${lost}" any more`;
  }
  return null;
}

export async function createMissingEnums(
  client: Client,
  snapshot: SchemaSnapshot,
  live: SchemaContent,
  tables: readonly TableSnapshot[],
): Promise<readonly string[]> {
  const gone = enumsOf(snapshot, tables).filter((wanted) => !live.enums.some((candidate) => isSame(candidate, wanted)));
  for (const type of gone) await execute(client, `CREATE TYPE ${qualified(type)} AS ENUM (${type.labels.map(quoteLiteral).join(', ')})`);
  return gone.map(tableLabel);
}

function serialSequences(table: TableSnapshot): readonly SequenceSnapshot[] {
  return table.sequences.filter(({ isIdentity }) => !isIdentity);
}

function createSequence(sequence: SequenceSnapshot): string {
  return `CREATE SEQUENCE ${qualified(sequence)} AS ${sequence.type} ${sequenceOptions(sequence)}`;
}

function sequenceOptions({ start, increment, min, max, cache, cycles }: SequenceSnapshot): string {
  const number = (text: string) => BigInt(text).toString();
  return `START WITH ${number(start)} INCREMENT BY ${number(increment)} MINVALUE ${number(min)} MAXVALUE ${number(max)} CACHE ${number(cache)} ${cycles ? 'CYCLE' : 'NO CYCLE'}`;
}

function createTable(table: TableSnapshot): string {
  const columns = table.columns.map((column) => `  ${columnDefinition(table, column)}`);
  const options = table.options.length === 0 ? '' : ` WITH (${table.options.map(storageOption).join(', ')})`;
  const tablespace = table.tablespace === null ? '' : ` TABLESPACE ${quoteIdentifier(table.tablespace)}`;
  return `CREATE ${table.isUnlogged ? 'UNLOGGED ' : ''}TABLE ${qualified(table)} (\n${columns.join(',\n')}\n)${options}${tablespace}`;
}

export function columnDefinition(table: TableSnapshot, column: ColumnSnapshot): string {
  const parts = [quoteIdentifier(column.name), column.type];
  if (column.collation !== null) parts.push(`COLLATE ${column.collation}`);
  if (column.generated !== null) parts.push(`GENERATED ALWAYS AS (${column.default ?? 'NULL'}) ${column.generated.toUpperCase()}`);
  else if (column.default !== null) parts.push(`DEFAULT ${column.default}`);
  if (column.identity !== null) {
    const sequence = table.sequences.find((candidate) => candidate.isIdentity && candidate.column === column.name);
    const options = sequence === undefined ? '' : ` (SEQUENCE NAME ${qualified(sequence)} ${sequenceOptions(sequence)})`;
    parts.push(`GENERATED ${column.identity.toUpperCase()} AS IDENTITY${options}`);
  }
  if (column.notNull) parts.push('NOT NULL');
  return parts.join(' ');
}

function storageOption(option: string): string {
  const [name = '', ...value] = option.split('=');
  return `${quoteIdentifier(name)} = ${quoteLiteral(value.join('='))}`;
}

async function finishSequences(client: Client, table: TableSnapshot): Promise<void> {
  for (const sequence of table.sequences) {
    if (!sequence.isIdentity)
      await execute(client, `ALTER SEQUENCE ${qualified(sequence)} OWNED BY ${qualified(table)}.${quoteIdentifier(sequence.column)}`);
    if (sequence.lastValue !== null)
      await execute(client, 'SELECT setval($1::regclass, $2::bigint, true)', [qualified(sequence), sequence.lastValue]);
  }
}

async function addKeysAndIndexes(client: Client, table: TableSnapshot): Promise<void> {
  for (const constraint of table.constraints) {
    if (constraint.kind === 'foreign key') continue;
    const index = table.indexes.find((candidate) => candidate.constraint === constraint.name);
    // The definition of a key leaves out the storage parameters of its index: then the index comes first.
    const isTuned = index !== undefined && constraint.kind !== 'exclusion' && / WITH \(/.test(index.definition);
    if (isTuned) await execute(client, index.definition);
    await execute(
      client,
      isTuned
        ? addConstraint(table, { name: constraint.name, definition: usingIndex(constraint, index.name) })
        : addConstraint(table, constraint),
    );
  }
  for (const index of table.indexes) {
    if (index.constraint === null) await execute(client, index.definition);
    if (index.isReplicaIdentity && table.replicaIdentity === 'i')
      await execute(client, `ALTER TABLE ${qualified(table)} REPLICA IDENTITY USING INDEX ${quoteIdentifier(index.name)}`);
  }
  if (table.replicaIdentity === 'f' || table.replicaIdentity === 'n')
    await execute(client, `ALTER TABLE ${qualified(table)} REPLICA IDENTITY ${table.replicaIdentity === 'f' ? 'FULL' : 'NOTHING'}`);
}

export function addConstraint(table: TableSnapshot, constraint: { readonly name: string; readonly definition: string }): string {
  return `ALTER TABLE ${qualified(table)} ADD CONSTRAINT ${quoteIdentifier(constraint.name)} ${constraint.definition}`;
}

function usingIndex({ kind, definition }: TableSnapshot['constraints'][number], index: string): string {
  const timing = / (?:DEFERRABLE|INITIALLY DEFERRED)[A-Z ]*$/.exec(definition)?.[0] ?? '';
  return `${kind.toUpperCase()} USING INDEX ${quoteIdentifier(index)}${timing}`;
}

function foreignKeysOf(table: TableSnapshot): TableSnapshot['constraints'] {
  return table.constraints.filter(({ kind }) => kind === 'foreign key');
}

/** Foreign keys that tables outside of these have to them. */
function inboundForeignKeys(snapshot: SchemaSnapshot, tables: readonly TableSnapshot[]) {
  return snapshot.tables
    .filter((table) => !tables.some((chosen) => isSame(chosen, table)))
    .flatMap((table) =>
      foreignKeysOf(table)
        .filter(({ references }) => references !== null && tables.some((chosen) => isSame(chosen, references)))
        .map((constraint) => ({ table, constraint })),
    );
}

async function addInboundForeignKeys(client: Client, snapshot: SchemaSnapshot, live: SchemaContent, tables: readonly TableSnapshot[]) {
  const foreignKeys: string[] = [];
  const notValidated: string[] = [];
  for (const { table, constraint } of inboundForeignKeys(snapshot, tables)) {
    const found = findTable(live, table);
    if (found === undefined || found.constraints.some(({ name }) => name === constraint.name)) continue;
    const label = `${tableLabel(table)}/${constraint.name}`;
    await execute(client, 'SAVEPOINT inbound');
    try {
      await execute(client, addConstraint(table, constraint));
    } catch (error) {
      if (sqlStateOf(error) !== FOREIGN_KEY_VIOLATION) throw error;
      await execute(client, 'ROLLBACK TO SAVEPOINT inbound');
      await execute(client, `${addConstraint(table, constraint)} NOT VALID`);
      notValidated.push(label);
    }
    await execute(client, 'RELEASE SAVEPOINT inbound');
    foreignKeys.push(label);
  }
  return { foreignKeys, notValidated };
}

/** Triggers, row policies, comments, then owner and grants: after those we may not be allowed to do the others. */
async function addRules(client: Client, table: TableSnapshot): Promise<void> {
  const name = qualified(table);
  for (const trigger of table.triggers) {
    await execute(client, trigger.definition);
    const state = { origin: null, disabled: 'DISABLE', replica: 'ENABLE REPLICA', always: 'ENABLE ALWAYS' }[trigger.enabled];
    if (state !== null) await execute(client, `ALTER TABLE ${name} ${state} TRIGGER ${quoteIdentifier(trigger.name)}`);
  }
  for (const policy of table.policies) await execute(client, createPolicy(table, policy));
  if (table.rowSecurity !== 'off') await execute(client, `ALTER TABLE ${name} ENABLE ROW LEVEL SECURITY`);
  if (table.rowSecurity === 'forced') await execute(client, `ALTER TABLE ${name} FORCE ROW LEVEL SECURITY`);
  if (table.comment !== null) await execute(client, `COMMENT ON TABLE ${name} IS ${quoteLiteral(table.comment)}`);
  for (const column of table.columns)
    if (column.comment !== null)
      await execute(client, `COMMENT ON COLUMN ${name}.${quoteIdentifier(column.name)} IS ${quoteLiteral(column.comment)}`);
  await giveAway(client, 'TABLE', name, table.owner);
  await setGrants(client, 'TABLE', name, table.grants);
  for (const column of table.columns)
    for (const grant of column.grants) await execute(client, grantStatement(grant, `TABLE ${name}`, column.name));
  for (const sequence of table.sequences) await setGrants(client, 'SEQUENCE', qualified(sequence), sequence.grants);
}

function createPolicy(table: TableSnapshot, policy: PolicySnapshot): string {
  const roles = policy.roles.length === 0 ? 'PUBLIC' : policy.roles.map(roleName).join(', ');
  const using = policy.using === null ? '' : ` USING (${policy.using})`;
  const check = policy.check === null ? '' : ` WITH CHECK (${policy.check})`;
  return `CREATE POLICY ${quoteIdentifier(policy.name)} ON ${qualified(table)} AS ${policy.isPermissive ? 'PERMISSIVE' : 'RESTRICTIVE'} FOR ${policy.command} TO ${roles}${using}${check}`;
}

async function giveAway(client: Client, kind: 'TABLE' | 'VIEW' | 'MATERIALIZED VIEW', name: string, owner: string | null): Promise<void> {
  const [me] = await execute(client, 'SELECT current_user::text AS name');
  if (owner !== null && owner !== me?.['name']) await execute(client, `ALTER ${kind} ${name} OWNER TO ${quoteIdentifier(owner)}`);
}

/** Default privileges may have given a new table more than the old one had: so first what is there goes. */
async function setGrants(client: Client, kind: 'TABLE' | 'SEQUENCE', name: string, grants: readonly Grant[]): Promise<void> {
  const present = await execute(
    client,
    `SELECT DISTINCT CASE WHEN x.grantee <> 0 THEN pg_get_userbyid(x.grantee) END AS grantee
     FROM pg_class c, aclexplode(coalesce(c.relacl, acldefault($2::"char", c.relowner))) x WHERE c.oid = $1::regclass`,
    [name, kind === 'TABLE' ? 'r' : 's'],
  );
  for (const { grantee } of present) await execute(client, `REVOKE ALL ON ${kind} ${name} FROM ${roleName(grantee as string | null)}`);
  for (const grant of grants) await execute(client, grantStatement(grant, `${kind} ${name}`, null));
}

export function grantStatement(grant: Grant, on: string, column: string | null): string {
  if (!/^[A-Z ]{1,30}$/.test(grant.privilege)) throw new TypeError('a privilege is made of capital letters');
  const what = column === null ? grant.privilege : `${grant.privilege} (${quoteIdentifier(column)})`;
  return `GRANT ${what} ON ${on} TO ${roleName(grant.grantee)}${grant.isGrantable ? ' WITH GRANT OPTION' : ''}`;
}

function roleName(role: string | null): string {
  return role === null ? 'PUBLIC' : quoteIdentifier(role);
}

/** Views that select from these tables, directly or through one another; what a view needs comes before it. */
function dependentViews(snapshot: SchemaSnapshot, tables: readonly TableSnapshot[]): readonly ViewSnapshot[] {
  const affected = new Set(tables.map(tableLabel));
  const ordered: ViewSnapshot[] = [];
  for (let isGrowing = true; isGrowing;) {
    isGrowing = false;
    for (const view of snapshot.views) {
      if (affected.has(tableLabel(view)) || !view.dependsOn.some((label) => affected.has(label))) continue;
      affected.add(tableLabel(view));
      ordered.push(view);
      isGrowing = true;
    }
  }
  const needs = (view: ViewSnapshot) => new Set(view.dependsOn);
  const placed: ViewSnapshot[] = [];
  const place = (view: ViewSnapshot, above: readonly ViewSnapshot[]): void => {
    if (placed.includes(view) || above.includes(view)) return;
    for (const other of ordered) if (needs(view).has(tableLabel(other))) place(other, [...above, view]);
    placed.push(view);
  };
  for (const view of ordered) place(view, []);
  return placed;
}

export async function createMissingViews(
  client: Client,
  snapshot: SchemaSnapshot,
  live: SchemaContent,
  tables: readonly TableSnapshot[],
): Promise<readonly string[]> {
  const gone = dependentViews(snapshot, tables).filter((view) => !live.views.some((candidate) => isSame(candidate, view)));
  for (const view of gone) {
    const kind = view.isMaterialized ? 'MATERIALIZED VIEW' : 'VIEW';
    const options = view.options.length === 0 ? '' : ` WITH (${view.options.map(storageOption).join(', ')})`;
    await execute(client, `CREATE ${kind} ${qualified(view)}${options} AS ${view.definition.replace(/;\s*$/, '')}`);
    for (const index of view.indexes) await execute(client, index.definition);
    await giveAway(client, kind, qualified(view), view.owner);
    await setGrants(client, 'TABLE', qualified(view), view.grants);
  }
  return gone.map(tableLabel);
}

interface Named {
  readonly schema: string;
  readonly name: string;
}

export function isSame(a: Named, b: Named): boolean {
  return a.schema === b.schema && a.name === b.name;
}

export function findTable(content: SchemaContent, table: Named): TableSnapshot | undefined {
  return content.tables.find((candidate) => isSame(candidate, table));
}

function isSameTable(table: TableSnapshot, content: SchemaContent): boolean {
  const found = findTable(content, table);
  return found !== undefined && canonical(definitionOf(found)) === canonical(definitionOf(table));
}

/** The first part that differs, for people. */
function differenceOf(table: TableSnapshot, content: SchemaContent): string {
  const found = findTable(content, table);
  if (found === undefined) return 'it is not there';
  const before = definitionOf(table);
  const now = definitionOf(found);
  const keys = (Object.keys(before) as (keyof TableSnapshot)[]).filter((key) => canonical(before[key]) !== canonical(now[key]));
  return keys.length === 0 ? 'nothing differs' : `its ${keys.join(', ')} differ${keys.length === 1 && !keys[0]!.endsWith('s') ? 's' : ''}`;
}

/** Keeps migration tools out until we are done. */
async function lockHistory(client: Client, table: TableSnapshot): Promise<boolean> {
  const found = await execute(
    client,
    `SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')`,
    [table.schema, table.name],
  );
  if (found.length > 0) await execute(client, `LOCK TABLE ${qualified(table)} IN SHARE ROW EXCLUSIVE MODE`);
  return found.length > 0;
}

async function idsPresent(client: Client, table: TableSnapshot): Promise<ReadonlySet<string>> {
  const columns =
    historyTableOf(
      table.name,
      table.columns.map(({ name }) => name),
    )?.id ?? [];
  const cells = columns.map((name) => `coalesce(h.${quoteIdentifier(name)}::text, '')`);
  const rows = await execute(client, `SELECT ${cells.join(` || ':' || `)} AS id FROM ${qualified(table)} h`);
  return new Set(rows.map(({ id }) => String(id)));
}

async function insertRow(client: Client, table: TableSnapshot, cells: Readonly<Record<string, string | null>>): Promise<void> {
  const columns = table.columns.filter(({ generated, name }) => generated === null && name in cells);
  const names = columns.map(({ name }) => quoteIdentifier(name)).join(', ');
  const values = columns.map(({ type }, index) => `$${index + 1}::text::${type}`).join(', ');
  await execute(
    client,
    `INSERT INTO ${qualified(table)} (${names}) OVERRIDING SYSTEM VALUE SELECT ${values}`,
    columns.map(({ name }) => cells[name]),
  );
}
