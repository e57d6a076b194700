import type { Client } from 'pg';
import { DatabaseTooLarge } from './errors.ts';
import { HISTORY_ROW_BYTES_LIMIT, HISTORY_ROWS_LIMIT, historyTableOf } from './migration-history.ts';
import { executeAll, inPostgres, quoteIdentifier, quoteLiteral } from './postgres-session.ts';
import {
  tableLabel,
  type ColumnSnapshot,
  type ConstraintSnapshot,
  type Grant,
  type HistorySnapshot,
  type IndexSnapshot,
  type PolicySnapshot,
  type SchemaContent,
  type TableSnapshot,
  type TriggerSnapshot,
} from './schema-snapshot.ts';

type Row = Readonly<Record<string, unknown>>;

/** The largest schema we were shown had some 1,500; beyond this a snapshot would weigh on every boot. */
const TABLES_LIMIT = 5_000;

/** The schema and the migration records, read in one read-only transaction. */
export function snapshotPostgres(url: string, timeoutMs: number): Promise<SchemaContent> {
  return inPostgres(
    url,
    { timeoutMs, lockTimeoutMs: timeoutMs, access: 'read only' },
    async (client) => {
      const catalog = await readPostgresCatalog(client);
      return { ...catalog.content, history: await readHistory(client, catalog.content.tables, catalog.readable) };
    },
    () => false,
  );
}

/** What a connection of this role to this database is like, before anybody changes it. */
export async function readSession(
  url: string,
  timeoutMs: number,
): Promise<{ readonly searchPath: readonly string[]; readonly serverVersion: string }> {
  return inPostgres(
    url,
    { timeoutMs, lockTimeoutMs: timeoutMs, access: 'read only' },
    async (client) => {
      const [rows] = await executeAll(client, [
        `SELECT reset_val AS path, current_user AS role, current_setting('server_version_num') AS version FROM pg_settings WHERE name = 'search_path'`,
      ]);
      const row = rows?.[0] ?? {};
      // `"$user", public`: quoted where a name needs it
      const searchPath = [...text(row['path']).matchAll(/"((?:[^"]|"")*)"|([^\s,"]+)/g)].map(([, quoted, bare]) => {
        const name = quoted === undefined ? (bare ?? '').toLowerCase() : quoted.replaceAll('""', '"');
        return name === '$user' ? text(row['role']) : name;
      });
      return { searchPath, serverVersion: text(row['version']) };
    },
    () => false,
  );
}

/**
 * The schema as this transaction sees it, without migration records. The search path must be empty.
 * @throws DatabaseTooLarge
 */
export async function readPostgresCatalog(
  client: Client,
): Promise<{ readonly content: SchemaContent; readonly readable: ReadonlySet<string> }> {
  const [database, tables, columns, constraints, indexes, sequences, enums, triggers, policies, views, viewUses] = await executeAll(
    client,
    STATEMENTS,
  );
  const name = text(database?.[0]?.['name']);
  if ((tables ?? []).length > TABLES_LIMIT) throw new DatabaseTooLarge(`PostgreSQL database "${name}"`, TABLES_LIMIT);
  const of = (rows: readonly Row[] | undefined) => {
    const groups = Map.groupBy(rows ?? [], (row) => text(row['relation']));
    return (oid: unknown) => groups.get(text(oid)) ?? [];
  };
  const columnsOf = of(columns);
  const constraintsOf = of(constraints);
  const indexesOf = of(indexes);
  const sequencesOf = of(sequences);
  const triggersOf = of(triggers);
  const policiesOf = of(policies);
  const usesOf = of(viewUses);
  const labels = new Map(
    [...(tables ?? []), ...(views ?? [])].map((row) => [
      text(row['oid']),
      tableLabel({ schema: text(row['schema']), name: text(row['name']) }),
    ]),
  );
  const content: SchemaContent = {
    format: 1,
    engine: 'postgres',
    database: name,
    tables: sorted(
      (tables ?? []).map((row): TableSnapshot => ({
        schema: text(row['schema']),
        name: text(row['name']),
        columns: columnsOf(row['oid']).map(toColumn),
        constraints: byName(constraintsOf(row['oid']).map(toConstraint)),
        indexes: byName(indexesOf(row['oid']).map(toIndex)),
        sequences: byName(
          sequencesOf(row['oid']).map((sequence) => ({
            schema: text(sequence['schema']),
            name: text(sequence['name']),
            column: text(sequence['column']),
            isIdentity: sequence['deptype'] === 'i',
            type: text(sequence['type']),
            start: text(sequence['start']),
            increment: text(sequence['increment']),
            min: text(sequence['min']),
            max: text(sequence['max']),
            cache: text(sequence['cache']),
            cycles: sequence['cycles'] === true,
            owner: text(sequence['owner']),
            grants: toGrants(sequence['grants']),
            lastValue: optional(sequence['last_value']),
          })),
        ),
        triggers: byName(triggersOf(row['oid']).map(toTrigger)),
        policies: byName(policiesOf(row['oid']).map(toPolicy)),
        rowSecurity: row['row_security'] === true ? (row['force_row_security'] === true ? 'forced' : 'on') : 'off',
        owner: text(row['owner']),
        grants: toGrants(row['grants']),
        isUnlogged: row['persistence'] === 'u',
        options: strings(row['options']),
        tablespace: optional(row['tablespace']),
        replicaIdentity: text(row['replica_identity']),
        comment: optional(row['comment']),
        sql: null,
        unsupported: unsupportedReason(row),
      })),
    ),
    views: sorted(
      (views ?? []).map((row) => ({
        schema: text(row['schema']),
        name: text(row['name']),
        isMaterialized: row['kind'] === 'm',
        definition: text(row['definition']),
        options: strings(row['options']),
        owner: text(row['owner']),
        grants: toGrants(row['grants']),
        indexes: byName(indexesOf(row['oid']).map(toIndex)),
        dependsOn: usesOf(row['oid'])
          .flatMap((use) => labels.get(text(use['uses'])) ?? [])
          .toSorted(),
      })),
    ),
    enums: sorted((enums ?? []).map((row) => ({ schema: text(row['schema']), name: text(row['name']), labels: strings(row['labels']) }))),
    history: [],
  };
  const readable = (tables ?? []).filter((row) => row['is_readable'] === true && row['row_security'] !== true);
  return { content, readable: new Set(readable.map((row) => labels.get(text(row['oid']))!)) };
}

/** The rows of the tables that are shaped like a migration tool's record. */
async function readHistory(
  client: Client,
  tables: readonly TableSnapshot[],
  readable: ReadonlySet<string>,
): Promise<readonly HistorySnapshot[]> {
  const found = tables.flatMap((table) => {
    const history = readable.has(tableLabel(table))
      ? historyTableOf(
          table.name,
          table.columns.map((column) => column.name),
        )
      : null;
    return history === null ? [] : [{ table, history }];
  });
  const results = await executeAll(
    client,
    found.map(({ table, history }) => {
      const cells = table.columns.map(({ name }) => `${quoteLiteral(name)}, h.${quoteIdentifier(name)}::text`).join(', ');
      return `SELECT CASE WHEN octet_length(h::text) <= ${HISTORY_ROW_BYTES_LIMIT} THEN json_build_object(${cells}) END AS cells
        FROM ${qualified(table)} h ORDER BY h.${quoteIdentifier(history.orderBy)} DESC LIMIT ${HISTORY_ROWS_LIMIT + 1}`;
    }),
  );
  return found.map(({ table, history }, index) => {
    const rows = results[index] ?? [];
    const kept = rows
      .slice(0, HISTORY_ROWS_LIMIT)
      .flatMap((row) => (row['cells'] === null ? [] : [row['cells'] as Record<string, string | null>]));
    return {
      schema: table.schema,
      table: table.name,
      kind: history.kind,
      rows: kept.toReversed().map((cells) => ({ id: history.id.map((column) => cells[column] ?? '').join(':'), cells, storage: {} })),
      isTruncated: kept.length < rows.length,
    };
  });
}

export function qualified(relation: { readonly schema: string; readonly name: string }): string {
  return `${quoteIdentifier(relation.schema)}.${quoteIdentifier(relation.name)}`;
}

/** Of this service: no system schema, no table that an extension keeps, no chunk of a time-series store. */
const OURS = `n.nspname !~ '^(pg_|_timescaledb)' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT 1 FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')`;
/** Partitions come and go by a schedule: their parent stands for them. */
const OUR_TABLES = `c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't' AND ${OURS}`;

/** Without a list of its own, an object has the privileges of its kind: spelled out, so that both compare as equal. */
const grantsOf = (acl: string) =>
  `(SELECT json_agg(json_build_object('grantee', CASE WHEN x.grantee <> 0 THEN pg_get_userbyid(x.grantee) END,
     'privilege', x.privilege_type, 'isGrantable', x.is_grantable)) FROM aclexplode(${acl}) x)`;

const STATEMENTS = [
  `SELECT current_database() AS name`,
  `SELECT c.oid::text AS oid, n.nspname AS schema, c.relname AS name, c.relkind::text AS kind, c.relpersistence::text AS persistence,
     pg_get_userbyid(c.relowner) AS owner, to_json(c.reloptions) AS options, c.relrowsecurity AS row_security,
     c.relforcerowsecurity AS force_row_security, c.relreplident::text AS replica_identity,
     obj_description(c.oid, 'pg_class') AS comment, c.reloftype <> 0 AS is_typed,
     (SELECT t.spcname FROM pg_tablespace t WHERE t.oid = c.reltablespace) AS tablespace,
     (SELECT m.amname FROM pg_am m WHERE m.oid = c.relam) AS access_method,
     EXISTS (SELECT 1 FROM pg_inherits i WHERE i.inhrelid = c.oid OR (i.inhparent = c.oid AND c.relkind = 'r')) AS inherits,
     EXISTS (SELECT 1 FROM pg_rewrite w WHERE w.ev_class = c.oid) AS has_rules,
     has_table_privilege(c.oid, 'SELECT') AS is_readable,
     ${grantsOf(`coalesce(c.relacl, acldefault('r', c.relowner))`)} AS grants
   FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${OUR_TABLES} LIMIT ${TABLES_LIMIT + 1}`,
  `SELECT a.attrelid::text AS relation, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS not_null,
     pg_get_expr(d.adbin, d.adrelid) AS default, a.attidentity::text AS identity, a.attgenerated::text AS generated,
     CASE WHEN a.attcollation <> 0 AND a.attcollation <> t.typcollation
       THEN quote_ident(cn.nspname) || '.' || quote_ident(co.collname) END AS collation,
     col_description(a.attrelid, a.attnum) AS comment, ${grantsOf('a.attacl')} AS grants
   FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     LEFT JOIN pg_collation co ON co.oid = a.attcollation LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
   WHERE a.attnum > 0 AND NOT a.attisdropped AND ${OUR_TABLES} ORDER BY a.attrelid, a.attnum`,
  `SELECT k.conrelid::text AS relation, k.conname AS name, k.contype::text AS kind, pg_get_constraintdef(k.oid) AS definition,
     fn.nspname AS references_schema, fc.relname AS references_name
   FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     LEFT JOIN pg_class fc ON fc.oid = k.confrelid LEFT JOIN pg_namespace fn ON fn.oid = fc.relnamespace
   WHERE k.contype IN ('c', 'f', 'p', 'u', 'x') AND k.conparentid = 0 AND ${OUR_TABLES}`,
  `SELECT i.indrelid::text AS relation, ic.relname AS name, pg_get_indexdef(i.indexrelid) AS definition, i.indisreplident AS is_replica_identity,
     (SELECT k.conname FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.conrelid = i.indrelid AND k.contype IN ('p', 'u', 'x')) AS constraint
   FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE i.indisvalid AND ((${OUR_TABLES}) OR (c.relkind = 'm' AND ${OURS}))`,
  `SELECT d.refobjid::text AS relation, a.attname AS column, d.deptype::text AS deptype, sn.nspname AS schema, s.relname AS name,
     format_type(q.seqtypid, NULL) AS type, q.seqstart::text AS start, q.seqincrement::text AS increment, q.seqmin::text AS min,
     q.seqmax::text AS max, q.seqcache::text AS cache, q.seqcycle AS cycles, pg_get_userbyid(s.relowner) AS owner,
     ${grantsOf(`coalesce(s.relacl, acldefault('s', s.relowner))`)} AS grants,
     CASE WHEN has_sequence_privilege(s.oid, 'SELECT,USAGE') THEN pg_sequence_last_value(s.oid)::text END AS last_value
   FROM pg_sequence q JOIN pg_class s ON s.oid = q.seqrelid JOIN pg_namespace sn ON sn.oid = s.relnamespace
     JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.oid AND d.refclassid = 'pg_class'::regclass
       AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
     JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
     JOIN pg_class c ON c.oid = d.refobjid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${OUR_TABLES}`,
  `SELECT n.nspname AS schema, c.typname AS name,
     (SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = c.oid) AS labels
   FROM pg_type c JOIN pg_namespace n ON n.oid = c.typnamespace
   WHERE c.typtype = 'e' AND n.nspname !~ '^(pg_|_timescaledb)' AND n.nspname <> 'information_schema'
     AND NOT EXISTS (SELECT 1 FROM pg_depend e WHERE e.classid = 'pg_type'::regclass AND e.objid = c.oid AND e.deptype = 'e')`,
  `SELECT t.tgrelid::text AS relation, t.tgname AS name, pg_get_triggerdef(t.oid) AS definition, t.tgenabled::text AS enabled
   FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE NOT t.tgisinternal AND ${OUR_TABLES}`,
  `SELECT p.polrelid::text AS relation, p.polname AS name, p.polcmd::text AS command, p.polpermissive AS is_permissive,
     (SELECT json_agg(CASE WHEN r <> 0 THEN pg_get_userbyid(r) END) FROM unnest(p.polroles) r) AS roles,
     pg_get_expr(p.polqual, p.polrelid) AS using, pg_get_expr(p.polwithcheck, p.polrelid) AS check
   FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${OUR_TABLES}`,
  `SELECT c.oid::text AS oid, n.nspname AS schema, c.relname AS name, c.relkind::text AS kind, pg_get_viewdef(c.oid) AS definition,
     to_json(c.reloptions) AS options, pg_get_userbyid(c.relowner) AS owner,
     ${grantsOf(`coalesce(c.relacl, acldefault('r', c.relowner))`)} AS grants
   FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('v', 'm') AND c.relpersistence <> 't' AND ${OURS}`,
  `SELECT DISTINCT w.ev_class::text AS relation, d.refobjid::text AS uses
   FROM pg_rewrite w JOIN pg_class c ON c.oid = w.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
     JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> w.ev_class
   WHERE c.relkind IN ('v', 'm') AND ${OURS}`,
] as const;

const CONSTRAINT_KINDS: Readonly<Record<string, ConstraintSnapshot['kind']>> = {
  c: 'check',
  f: 'foreign key',
  p: 'primary key',
  u: 'unique',
  x: 'exclusion',
};
const TRIGGER_STATES: Readonly<Record<string, TriggerSnapshot['enabled']>> = { O: 'origin', D: 'disabled', R: 'replica', A: 'always' };
const POLICY_COMMANDS: Readonly<Record<string, PolicySnapshot['command']>> = {
  '*': 'ALL',
  r: 'SELECT',
  a: 'INSERT',
  w: 'UPDATE',
  d: 'DELETE',
};

function toColumn(row: Row): ColumnSnapshot {
  return {
    name: text(row['name']),
    type: text(row['type']),
    notNull: row['not_null'] === true,
    default: optional(row['default']),
    identity: row['identity'] === 'a' ? 'always' : row['identity'] === 'd' ? 'by default' : null,
    generated: row['generated'] === 's' ? 'stored' : row['generated'] === 'v' ? 'virtual' : null,
    collation: optional(row['collation']),
    comment: optional(row['comment']),
    grants: toGrants(row['grants']),
  };
}

function toConstraint(row: Row): ConstraintSnapshot {
  const schema = optional(row['references_schema']);
  return {
    name: text(row['name']),
    kind: CONSTRAINT_KINDS[text(row['kind'])]!,
    definition: text(row['definition']),
    references: schema === null ? null : { schema, name: text(row['references_name']) },
  };
}

function toIndex(row: Row): IndexSnapshot {
  return {
    name: text(row['name']),
    definition: text(row['definition']),
    constraint: optional(row['constraint']),
    isReplicaIdentity: row['is_replica_identity'] === true,
  };
}

function toTrigger(row: Row): TriggerSnapshot {
  return { name: text(row['name']), definition: text(row['definition']), enabled: TRIGGER_STATES[text(row['enabled'])] ?? 'origin' };
}

function toPolicy(row: Row): PolicySnapshot {
  return {
    name: text(row['name']),
    command: POLICY_COMMANDS[text(row['command'])] ?? 'ALL',
    isPermissive: row['is_permissive'] === true,
    roles: ((row['roles'] as (string | null)[] | null) ?? []).toSorted((a, b) => compareText(a ?? '', b ?? '')),
    using: optional(row['using']),
    check: optional(row['check']),
  };
}

function toGrants(value: unknown): readonly Grant[] {
  const key = ({ grantee, privilege }: Grant) => `${grantee ?? ''}\0${privilege}`;
  // jsonb stores may reorder keys; building each anew keeps one order.
  return ((value as Grant[] | null) ?? [])
    .map(({ grantee, privilege, isGrantable }) => ({ grantee, privilege, isGrantable }))
    .toSorted((a, b) => compareText(key(a), key(b)));
}

function unsupportedReason(row: Row): string | null {
  if (row['kind'] === 'p') return 'it is partitioned';
  if (row['inherits'] === true) return 'it inherits from another table, or another one from it';
  if (row['is_typed'] === true) return 'it is made of a composite type';
  if (row['has_rules'] === true) return 'it has rewrite rules';
  if (row['access_method'] !== 'heap') return `it is stored by "${text(row['access_method'])}" rather than by heap`;
  return null;
}

function text(value: unknown): string {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

function optional(value: unknown): string | null {
  return value === null || value === undefined ? null : text(value);
}

function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(text) : [];
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function byName<T extends { readonly name: string }>(items: readonly T[]): readonly T[] {
  return items.toSorted((a, b) => compareText(a.name, b.name));
}

function sorted<T extends { readonly schema: string; readonly name: string }>(items: readonly T[]): readonly T[] {
  return items.toSorted((a, b) => compareText(a.schema, b.schema) || compareText(a.name, b.name));
}
