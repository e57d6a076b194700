import type { DatabaseLocation } from '../adapters/databases/index.ts';
import type { SnapshotStore } from '../adapters/store/index.ts';
import type { MigrationLooks } from '../domains/preflight/index.ts';
import type { DatabaseRepair, SchemaDrift } from '../domains/playbooks/index.ts';
import type { ComponentSpec } from '../domains/supervisor/index.ts';
import { GraceError, messageOf, sha256Hex, type Logger } from '../kernel/index.ts';

export interface ServiceDatabasesOptions {
  readonly snapshots: SnapshotStore;
  readonly logger: Logger;
  component(name: string): ComponentSpec | null;
  environmentOf(spec: ComponentSpec): Promise<Readonly<Record<string, string>>>;
}

/** The databases of the service's components: their schema now, at the last verified boot, and what brings it back. */
export interface ServiceDatabases extends DatabaseRepair {
  drift(component: string): Promise<SchemaDrift | null>;
  pendingMigrations(spec: ComponentSpec): Promise<readonly string[]>;
  /** Tables with digests, columns with types, and pending migrations; null when no database can be looked at. */
  outline(component: string): Promise<Readonly<Record<string, string>> | null>;
  readonly migrations: MigrationLooks;
  /** Keeps the present schema as good. */
  keep(spec: ComponentSpec, bootId: string): Promise<boolean>;
}

const LOOK_MS = 3000;
/** Of larger databases the tables are told, and not each column. */
const TABLES_TOLD_MAX = 200;

/** The adapter is loaded when a database is first looked at: most boots never need it. */
const adapter = () => import('../adapters/databases/index.ts');

export function serviceDatabases(options: ServiceDatabasesOptions): ServiceDatabases {
  const { snapshots, logger } = options;

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
      return { ...found, location: found.location, databases, now: await databases.takeSnapshot(found.location, { timeoutMs: LOOK_MS }) };
    } catch (error) {
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

  async function forRepair(name: string) {
    const found = await locationOf(name);
    const snapshot = await kept(name);
    if (found === null || found.location === null || snapshot === null)
      throw new GraceError({
        code: 'GRACE_PLAYBOOKS_NO_SCHEMA_COPY',
        message: `there is no copy of the schema of ${name} to go by`,
        hint: 'a boot of the service has to be verified once before its schema can be put back',
      });
    return { location: found.location, snapshot, databases: await adapter() };
  }

  return {
    async drift(component) {
      const before = await kept(component);
      const look = await lookNow(component);
      if (look === null) return null;
      const folder = await look.databases.findMigrationFolder(look.spec.cwd, look.now);
      const pending = folder?.pending ?? [];
      if (before === null)
        return pending.length === 0
          ? null
          : { engine: look.now.engine, missingTables: [], missingColumns: [], unrecordedMigrations: [], pendingMigrations: pending };
      return look.databases.compareSchema(before, look.now, pending);
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
        return look === null ? null : readMigrationState(spec.cwd, look.now);
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
      const { databases, location, snapshot } = await forRepair(component);
      const result = await databases.restoreTables(location, snapshot, tables);
      if (result.state === 'refused') throw new GraceError({ code: 'GRACE_PLAYBOOKS_REPAIR_REFUSED', message: result.reason });
      return { created: result.tables };
    },
    async restoreColumns(component, columns) {
      const { databases, location, snapshot } = await forRepair(component);
      const result = await databases.restoreColumns(location, snapshot, columns);
      if (result.state === 'refused') throw new GraceError({ code: 'GRACE_PLAYBOOKS_REPAIR_REFUSED', message: result.reason });
      return { added: result.columns, made: result.made.map((part) => ({ ...part })), leftOut: result.leftOut };
    },
    async dropEmptyColumns(component, columns, made) {
      const { databases, location, snapshot } = await forRepair(component);
      // Written by ourselves, in the note of the same repair.
      const parts = made as readonly unknown[] as Parameters<typeof databases.dropEmptyColumns>[3];
      const result = await databases.dropEmptyColumns(location, snapshot, columns, parts);
      return { kept: result.state === 'refused' ? columns : [] };
    },
    async dropEmptyTables(component, tables) {
      const { databases, location, snapshot } = await forRepair(component);
      const result = await databases.dropEmptyTables(location, snapshot, tables);
      if (result.state === 'refused') return { dropped: [], kept: tables };
      return { dropped: result.tables, kept: [] };
    },
  };
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
  const { readFile } = await import('node:fs/promises');
  const { parseEnv } = await import('node:util');
  const out: Record<string, string> = {};
  for (const file of spec.envFiles) Object.assign(out, parseEnv(await readFile(file, 'utf8').catch(() => '')));
  return out;
}
