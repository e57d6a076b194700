import type { DatabaseLocation, FailedAttempt, SchemaSnapshot, SnapshotOptions } from '../adapters/databases/index.ts';
import { nodeFiles } from '../adapters/node/files.ts';
import type { SnapshotStore } from '../adapters/store/index.ts';
import { readServerUrl } from '../catalog/checks/server-url.ts';
import type { MigrationLooks } from '../domains/preflight/index.ts';
import type { DatabaseRepair, SchemaDrift } from '../domains/playbooks/index.ts';
import type { SchemaLooks } from '../domains/preflight/index.ts';
import { compareSchemas, labelOf, type DatabaseSchema, type SchemaTable } from '../domains/schema/index.ts';
import type { ComponentSpec } from '../domains/supervisor/index.ts';
import { GraceError, messageOf, sha256Hex, type BootId, type Clock, type Logger, type Spawner } from '../kernel/index.ts';
import type { RefusedLogins } from './refused-logins.ts';

export interface ServiceDatabasesOptions {
  readonly snapshots: SnapshotStore;
  readonly logger: Logger;
  component(name: string): ComponentSpec | null;
  environmentOf(spec: ComponentSpec): Promise<Readonly<Record<string, string>>>;
  /** The file with the whole schema that the config names for a component. */
  schemaFile(name: string): string | null;
  /** Whether a migration tool of the project may be run in an empty database. */
  readonly triesMigrations: boolean;
  /** What tools and servers say goes into the store without the secrets in it. */
  redact(text: string): string;
  readonly spawner: Spawner;
  readonly clock: Clock;
  readonly bootId: BootId;
  /** Tries also what failed a short time ago: somebody asked for it, and may have mended what no file tells of. */
  readonly triesAgain: boolean;
  /** Shared with whatever else logs in to the same servers. */
  readonly logins: RefusedLogins;
}

/** The databases of the service's components: their schema now, at the last verified boot, and what brings it back. */
export interface ServiceDatabases extends DatabaseRepair, SchemaLooks {
  /** How many looks at the database of a component have failed so far: what they would have found, nobody knows. */
  failedLooks(component: string): number;
  drift(component: string): Promise<SchemaDrift | null>;
  pendingMigrations(spec: ComponentSpec): Promise<readonly string[]>;
  /** Tables with digests, columns with types, and pending migrations; null when no database can be looked at. */
  outline(component: string): Promise<Readonly<Record<string, string>> | null>;
  readonly migrations: MigrationLooks;
  /** Keeps the present schema as good. */
  keep(spec: ComponentSpec, bootId: string): Promise<boolean>;
  /**
   * What the release itself wants and the database lacks, as far as it can be added without losing anything: `orders`, `orders.total`.
   * From then on `drift` and the repairs know of it.
   * @param mayMake  whether a database may be made to find out what the release wants; else only what was found out earlier counts
   */
  lacks(spec: ComponentSpec, mayMake: boolean, signal: AbortSignal): Promise<Lacking | null>;
}

export interface Lacking {
  /** `the migrations in migrations`. */
  readonly wantedBy: string;
  readonly tables: readonly string[];
  readonly columns: readonly string[];
}

interface Remembered {
  readonly key: string;
  readonly snapshot: SchemaSnapshot;
}

interface Failure extends FailedAttempt {
  readonly key: string;
}

/** Of each source one, and those of the release before. */
const FAILURES_MAX = 4;
const LOOK_MS = 3000;
/** Of larger databases the tables are told, and not each column. */
const TABLES_TOLD_MAX = 200;

/** The adapter is loaded when a database is first looked at: most boots never need it. */
const adapter = () => import('../adapters/databases/index.ts');

export function serviceDatabases(options: ServiceDatabasesOptions): ServiceDatabases {
  const { snapshots, logger } = options;
  const lacking = new Map<string, Lacking>();
  const failed = new Map<string, number>();
  const noteFailure = (name: string): void => void failed.set(name, (failed.get(name) ?? 0) + 1);

  /** The schema as it is; a login that was refused before is not tried again. */
  async function snapshotOf(location: DatabaseLocation, limits: SnapshotOptions = {}): Promise<SchemaSnapshot> {
    const { DatabaseLoginRefused, describeLocation, takeSnapshot } = await adapter();
    const login = location.engine === 'postgres' ? readServerUrl(location.url, {}, '/') : null;
    if (login === null) return takeSnapshot(location, limits);
    const attempt = await options.logins.attempt(login, async () => {
      try {
        return { state: 'accepted', value: await takeSnapshot(location, limits) } as const;
      } catch (error) {
        if (!(error instanceof DatabaseLoginRefused)) throw error;
        const code = error.details['sqlState'];
        return { state: 'refused', code: typeof code === 'string' ? code : null } as const;
      }
    });
    if (attempt.state !== 'refused') return attempt.value;
    const problem = attempt.code === null ? 'it is not tried again' : `SQLSTATE ${attempt.code}`;
    throw new DatabaseLoginRefused(describeLocation(location), problem, attempt.code);
  }

  async function locationOf(name: string) {
    const spec = options.component(name);
    if (spec === null || spec.kind !== 'process') return null;
    return { spec, location: await databaseOf(spec, await options.environmentOf(spec)) };
  }

  async function lookNow(name: string) {
    const found = await locationOf(name);
    if (found === null || found.location === null) return null;
    const databases = await adapter();
    try {
      return { ...found, location: found.location, databases, now: await snapshotOf(found.location, { timeoutMs: LOOK_MS }) };
    } catch (error) {
      noteFailure(name);
      logger.info('the database of a component could not be looked at', { component: name, error: messageOf(error) });
      return null;
    }
  }

  async function kept(name: string) {
    const body = await snapshots.get(name, 'schema');
    if (body === null) return null;
    const { isIntact } = await adapter();
    const snapshot = JSON.parse(body) as Parameters<typeof isIntact>[0];
    return isIntact(snapshot) ? snapshot : null;
  }

  /** The schema to go by: that of the last good boot, which knows how far ids had counted, unless the release wants these otherwise. */
  async function copyFor(name: string, labels: readonly string[]) {
    const [lastGood, release] = [await kept(name), await releaseOf(name)];
    if (release === null || lastGood === null) return lastGood ?? release?.snapshot ?? null;
    const { tableLabel } = await adapter();
    const outline = ({ tables }: SchemaSnapshot) =>
      tables
        .map((table) => [tableLabel(table), table.columns.map((column) => column.name)] as const)
        .filter(([table]) => labels.some((label) => label === table || label.startsWith(`${table}.`)));
    return JSON.stringify(outline(lastGood)) === JSON.stringify(outline(release.snapshot)) ? lastGood : release.snapshot;
  }

  async function releaseOf(name: string): Promise<Remembered | null> {
    const known = JSON.parse((await snapshots.get(name, 'release_schema')) ?? 'null') as Remembered | null;
    return known !== null && (await adapter()).isIntact(known.snapshot) ? known : null;
  }

  async function forRepair(name: string, labels: readonly string[] = []) {
    const found = await locationOf(name);
    const snapshot = labels.length === 0 ? await kept(name) : await copyFor(name, labels);
    if (found === null || found.location === null || snapshot === null)
      throw new GraceError({
        code: 'GRACE_PLAYBOOKS_NO_SCHEMA_COPY',
        message: `there is no copy of the schema of ${name} to go by`,
        hint: 'a boot of the service has to be verified once before its schema can be put back',
      });
    return { location: found.location, snapshot, databases: await adapter() };
  }

  async function failuresOf(name: string): Promise<readonly Failure[]> {
    return JSON.parse((await snapshots.get(name, 'failed_schemas')) ?? '[]') as readonly Failure[];
  }

  /** What migrations or a schema file make, by what it was made of: made once, for as long as they stay as they are. */
  function releaseMemory(name: string) {
    return {
      async recall(key: string) {
        const known = await releaseOf(name);
        return known?.key === key ? known.snapshot : null;
      },
      keep: (key: string, snapshot: SchemaSnapshot) =>
        snapshots.put(name, 'release_schema', options.bootId, JSON.stringify({ key, snapshot } satisfies Remembered)),
      async recallFailure(key: string) {
        return options.triesAgain ? null : ((await failuresOf(name)).find((failure) => failure.key === key) ?? null);
      },
      async keepFailure(key: string, attempt: FailedAttempt) {
        const others = (await failuresOf(name)).filter((failure) => failure.key !== key);
        const body = JSON.stringify([{ key, atMs: attempt.atMs, why: options.redact(attempt.why) }, ...others].slice(0, FAILURES_MAX));
        await snapshots.put(name, 'failed_schemas', options.bootId, body);
      },
    };
  }

  async function look(spec: ComponentSpec, mayMake: boolean, signal: AbortSignal) {
    const found = await locationOf(spec.name);
    if (found === null || found.location === null) return null;
    const { lookAtSchema, migrationsApplier } = await adapter();
    const env = await options.environmentOf(spec);
    const order = {
      location: found.location,
      cwd: spec.cwd,
      env,
      schemaFile: options.schemaFile(spec.name),
      lastGood: await kept(spec.name),
      nowMs: options.clock.nowMs(),
      timeoutMs: LOOK_MS,
    };
    const applyMigrations = options.triesMigrations ? migrationsApplier(options.spawner) : null;
    const { spawner, logger } = options;
    const ports = { spawner, logger, applyMigrations, memory: releaseMemory(spec.name), snapshotOf, mayMake, signal };
    const seen = await lookAtSchema(order, ports);
    if (seen.state !== 'looked') noteFailure(spec.name);
    return seen;
  }

  return {
    failedLooks: (component) => failed.get(component) ?? 0,
    async isThere(spec) {
      return (await locationOf(spec.name))?.location != null;
    },
    look: (spec, signal) => look(spec, true, signal),
    async lacks(spec, mayMake, signal) {
      lacking.delete(spec.name);
      // Most services have none: then no adapter is loaded.
      if (!mayMake && (await snapshots.get(spec.name, 'release_schema')) === null) return null;
      const found = await look(spec, mayMake, signal);
      if (found?.state !== 'looked' || found.expected === null || found.actual.tables.length === 0) return null;
      const { source, name: wantedBy, schema } = found.expected;
      if (source !== 'migrations' && source !== 'named_file') return null;
      const additions = compareSchemas(schema, found.actual).filter(({ care, statement }) => care === 'adds' && statement !== null);
      const tables = additions.filter(({ kind, actual }) => kind === 'table_missing' && actual === null).map(({ table }) => table);
      const addable = new Set(schema.tables.flatMap((table) => addableColumns(table, schema.engine)));
      const columns = additions
        .filter(({ kind, table, part }) => kind === 'column_missing' && addable.has(`${table}.${part}`))
        .map(({ table, part }) => `${table}.${part}`);
      if (tables.length + columns.length === 0) return null;
      const lacks = { wantedBy, tables, columns };
      lacking.set(spec.name, lacks);
      return lacks;
    },
    async drift(component) {
      const before = await kept(component);
      const look = await lookNow(component);
      if (look === null) return null;
      const folder = await look.databases.findMigrationFolder(look.spec.cwd, look.now);
      const pending = folder?.pending ?? [];
      const none = { engine: look.now.engine, missingTables: [], missingColumns: [], unrecordedMigrations: [], pendingMigrations: pending };
      const drift = before === null ? null : look.databases.compareSchema(before, look.now, pending);
      const wanted = lacking.get(component);
      if (wanted === undefined) return drift ?? (before === null && pending.length > 0 ? none : null);
      const tables = new Map(look.now.tables.map((table) => [look.databases.tableLabel(table), table]));
      const columns = new Set([...tables].flatMap(([label, table]) => table.columns.map(({ name }) => `${label}.${name}`)));
      // What the release does not want any more is not missing.
      return {
        ...(drift ?? none),
        wantedBy: wanted.wantedBy,
        missingTables: wanted.tables.filter((table) => !tables.has(table)),
        missingColumns: wanted.columns.filter((column) => !columns.has(column)),
        recordedSince: [],
      };
    },
    async pendingMigrations(spec) {
      if (spec.migrate.length === 0) return [];
      const databases = await adapter();
      const look = await lookNow(spec.name);
      if (look === null) return [];
      return (await databases.findMigrationFolder(spec.cwd, look.now))?.pending ?? [];
    },
    async outline(component) {
      const look = await lookNow(component);
      if (look === null) return null;
      const { tables } = look.now;
      const found: Record<string, string> = {};
      for (const table of tables) {
        const label = look.databases.tableLabel(table);
        const columns = table.columns.map((c) => [c.name, c.type, c.notNull, c.default, c.generated]);
        const others = [table.constraints.map((c) => c.definition), table.indexes.map((i) => i.definition)];
        found[`table ${label}`] = sha256Hex(JSON.stringify([columns, others])).slice(0, 12);
        if (tables.length <= TABLES_TOLD_MAX) for (const column of table.columns) found[`column ${label}.${column.name}`] = column.type;
      }
      const pending = (await look.databases.findMigrationFolder(look.spec.cwd, look.now))?.pending ?? [];
      if (pending.length > 0) found['pending migrations'] = pending.slice(0, 20).join(', ');
      return found;
    },
    migrations: {
      async isThere(spec) {
        const { findMigrationFolder } = await adapter();
        return (await findMigrationFolder(spec.cwd, null)) !== null && (await locationOf(spec.name))?.location != null;
      },
      async look(spec) {
        const { readMigrationState } = await adapter();
        const look = await lookNow(spec.name);
        if (look === null) return (await locationOf(spec.name))?.location == null ? null : 'unseen';
        return readMigrationState(spec.cwd, look.now);
      },
    },
    async keep(spec, bootId) {
      const look = await lookNow(spec.name);
      if (look === null) return false;
      await snapshots.put(spec.name, 'schema', bootId, JSON.stringify(look.now));
      return true;
    },
    async recordMigrations(component, migrations) {
      const { databases, location, snapshot } = await forRepair(component);
      const result = await databases.recordMigrations(location, snapshot, migrations);
      if (result.state === 'refused') throw new GraceError({ code: 'GRACE_PLAYBOOKS_REPAIR_REFUSED', message: result.reason });
      return { recorded: result.ids };
    },
    async unrecordMigrations(component, migrations) {
      const { databases, location, snapshot } = await forRepair(component);
      await databases.unrecordMigrations(location, snapshot, migrations);
    },
    async restoreTables(component, tables) {
      const { databases, location, snapshot } = await forRepair(component, tables);
      const result = await databases.restoreTables(location, snapshot, tables);
      if (result.state === 'refused') throw new GraceError({ code: 'GRACE_PLAYBOOKS_REPAIR_REFUSED', message: result.reason });
      return { created: result.tables };
    },
    async restoreColumns(component, columns) {
      const { databases, location, snapshot } = await forRepair(component, columns);
      const result = await databases.restoreColumns(location, snapshot, columns);
      if (result.state === 'refused') throw new GraceError({ code: 'GRACE_PLAYBOOKS_REPAIR_REFUSED', message: result.reason });
      return { added: result.columns, made: result.made.map((part) => ({ ...part })), leftOut: result.leftOut };
    },
    async dropEmptyColumns(component, columns, made) {
      const { databases, location, snapshot } = await forRepair(component, columns);
      // Written by ourselves, in the note of the same repair.
      const parts = made as readonly unknown[] as Parameters<typeof databases.dropEmptyColumns>[3];
      const result = await databases.dropEmptyColumns(location, snapshot, columns, parts);
      return { kept: result.state === 'refused' ? columns : [] };
    },
    async dropEmptyTables(component, tables) {
      const { databases, location, snapshot } = await forRepair(component, tables);
      const result = await databases.dropEmptyTables(location, snapshot, tables);
      if (result.state === 'refused') return { dropped: [], kept: tables };
      return { dropped: result.tables, kept: [] };
    },
  };
}

/** Numbers that are given out anew would point at other rows, and SQLite keeps the expression of a column in its table alone. */
function addableColumns(table: SchemaTable, engine: DatabaseSchema['engine']): readonly string[] {
  if (table.unsupported !== null) return [];
  return table.columns
    .filter((column) => column.identity === null && !/^nextval\(/i.test(column.default ?? ''))
    .filter((column) => engine === 'postgres' || column.generated === null)
    .map(({ name }) => `${labelOf(table)}.${name}`);
}

/** Where the database of a component is, as its configuration and its environment say, or else the only one in its directories. */
export async function databaseOf(spec: ComponentSpec, environment: Readonly<Record<string, string>>): Promise<DatabaseLocation | null> {
  const env = { ...(await readEnvFiles(spec)), ...environment };
  const { locateDatabase, findOnlySqlite } = await adapter();
  const named = locateDatabase(env, spec.database, spec.cwd);
  if (named !== null || spec.database !== null) return named;
  const path = await findOnlySqlite(spec.roots);
  return path === null ? null : { engine: 'sqlite', path };
}

/** An env file that the command reads by itself still says where the database is. */
async function readEnvFiles(spec: ComponentSpec): Promise<Record<string, string>> {
  const { parseEnv } = await import('node:util');
  const out: Record<string, string> = {};
  for (const file of spec.envFiles) Object.assign(out, parseEnv((await nodeFiles.readText(file).catch(() => null)) ?? ''));
  return out;
}
