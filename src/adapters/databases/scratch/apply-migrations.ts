import { stat } from 'node:fs/promises';
import { messageOf, type Spawner } from '../../../kernel/index.ts';
import { toolCommand } from '../deploy-command.ts';
import { locateDatabase, type DatabaseLocation } from '../locate.ts';
import { historyOf, pendingOf } from '../migration-folder.ts';
import type { DetectedMigrations, MigrationTool } from '../detected-migrations.ts';
import { MIGRATION_TOOLS } from '../migration-tools.ts';
import { parsePostgresUrl, type PostgresTarget } from '../postgres-url.ts';
import { openProject, type Project } from '../project-files.ts';
import type { SchemaSnapshot } from '../schema-snapshot.ts';
import { takeSnapshot } from '../take-snapshot.ts';
import { no, runTool, type NotPossible, type ToolRun } from './run-tool.ts';
import { whyNotTried } from './migration-text.ts';
import { commandOfScript } from './script-command.ts';
import { openRelay, type ScratchRelay } from './scratch-relay.ts';
import type { ScratchAddress } from './scratch-environment.ts';

export interface ApplyOrder extends ToolRun {
  readonly tool: MigrationTool;
  /** Empty, and nobody else's. A SQLite file need not exist. */
  readonly scratch: DatabaseLocation;
}

export interface Applied {
  readonly state: 'applied';
  readonly tool: MigrationTool;
  /** What the scratch database is now. */
  readonly schema: SchemaSnapshot;
}

/**
 * Those whose commands are Node programs from the start to the connection: the guard is in all of them. Prisma's native engine is
 * the exception; it connects only to the address that its configuration gives, which is known to be no literal.
 */
const GUARDED: readonly MigrationTool[] = ['prisma', 'drizzle', 'knex', 'sequelize', 'typeorm', 'kysely', 'node-pg-migrate'];
const LOOK_MS = 5_000;

/**
 * Applies the migrations of a project to an empty scratch database, with the tool's own command. The live database cannot be met:
 * - the scratch database has to be empty, so that a mix-up ends before anything is run;
 * - a configuration that has a connection written into it is not run;
 * - it is run in a copy of the project, without its env files and database files, and every variable that leads to a
 *   database leads to the scratch one;
 * - a PostgreSQL scratch database is behind a door of its own that turns other database names away, and the tool's processes are
 *   kept from every other address;
 * - afterwards the scratch database has to hold the tool's record of every migration.
 * @throws the reason of the signal, and what `takeSnapshot` throws about the scratch database
 */
export async function applyMigrations(order: ApplyOrder): Promise<Applied | NotPossible> {
  const project = await openProject(order.projectDir);
  const detected = await detect(project, order.tool);
  if (detected === null) return no(`no migrations of ${order.tool} are in ${order.projectDir}`);
  if (!GUARDED.includes(order.tool)) return no(`a process of ${order.tool} cannot be kept from the live database`);
  const argv = (await commandOfScript(project, detected)) ?? (await toolCommand(project, detected));
  if (argv === null) return no(`the command of ${order.tool} is not in node_modules, or needs settings that only the project knows`);
  if (detected.pending({ rows: [] }).length === 0) return no(`there are no migrations in ${detected.folder}`);
  const reaching = await whyNotTried(project, detected.folder);
  if (reaching !== null) return no(reaching);
  const mixedUp = await whyNotScratch(order);
  if (mixedUp !== null) return no(mixedUp);

  const { scratch } = order;
  const target = scratch.engine === 'postgres' ? parsePostgresUrl(scratch.url) : null;
  const relay = target === null ? null : await openRelay(target);
  try {
    const ended = await runTool({ ...order, detected, argv, engine: scratch.engine, address: addressOf(scratch, target, relay) });
    const stopped = relay?.stopped() ?? null;
    // Also when the tool went on without it: what it made is not what the migrations make.
    if (stopped !== null) return no(`${order.tool} was kept from ${stopped}`);
    if (ended.state === 'not_possible')
      return relay !== null && relay.refused().length > 0
        ? no(`${ended.why}; it asked for another database than the scratch one, and did not get it`)
        : ended;
    if (relay !== null && relay.passed() === 0) return no(`${order.tool} ended well and never connected to the scratch database`);
  } finally {
    await relay?.close();
  }
  return proven(detected, scratch);
}

/** `applyMigrations` in the shape in which pre-flight asks for it. */
export function migrationsApplier(spawner: Spawner) {
  return (
    order: Omit<ApplyOrder, 'tool' | 'scratch' | 'spawner' | 'signal'> & {
      readonly tool: string;
      readonly engine: DatabaseLocation['engine'];
      /** A PostgreSQL URL, or the path of a SQLite file. */
      readonly scratchUrl: string;
    },
    signal: AbortSignal,
  ): Promise<Applied | NotPossible> => {
    const { tool, engine, scratchUrl, ...rest } = order;
    const scratch: DatabaseLocation = engine === 'sqlite' ? { engine, path: scratchUrl } : { engine, url: scratchUrl };
    return applyMigrations({ ...rest, tool: tool as MigrationTool, scratch, spawner, signal });
  };
}

async function detect(project: Project, tool: MigrationTool): Promise<DetectedMigrations | null> {
  for (const look of MIGRATION_TOOLS) {
    const found = await look(project);
    if (found?.tool === tool) return found;
  }
  return null;
}

/** A mix-up of databases, in plain words; null when this one is nobody's. */
export async function whyNotScratch({
  scratch,
  env,
  projectDir,
}: Pick<ApplyOrder, 'scratch' | 'env' | 'projectDir'>): Promise<string | null> {
  const live = locateDatabase(env, null, projectDir);
  if (live !== null && isSame(live, scratch)) return 'the scratch database is the one that the service uses';
  if (scratch.engine === 'sqlite' && !(await stat(scratch.path).catch(() => null))) return null;
  const { tables } = await takeSnapshot(scratch, { timeoutMs: LOOK_MS });
  return tables.length === 0 ? null : 'the scratch database is not empty';
}

function isSame(a: DatabaseLocation, b: DatabaseLocation): boolean {
  if (a.engine === 'sqlite' || b.engine === 'sqlite') return a.engine === 'sqlite' && b.engine === 'sqlite' && a.path === b.path;
  const [one, other] = [parsePostgresUrl(a.url), parsePostgresUrl(b.url)];
  return one !== null && other !== null && one.host === other.host && one.port === other.port && one.database === other.database;
}

/** What a tool is told: the door in place of the server. */
export function addressOf(scratch: DatabaseLocation, target: PostgresTarget | null, relay: ScratchRelay | null): ScratchAddress | null {
  if (scratch.engine === 'sqlite') return scratch;
  return target === null || relay === null
    ? null
    : {
        engine: 'postgres',
        target: {
          ...target,
          host: '127.0.0.1',
          port: relay.port,
          database: relay.alias,
          sslMode: 'disable',
          sslRootCert: null,
          sslCert: null,
          sslKey: null,
        },
      };
}

/** That it went where it should, by what the scratch database holds. */
async function proven(detected: DetectedMigrations, scratch: DatabaseLocation): Promise<Applied | NotPossible> {
  const { tool } = detected;
  const elsewhere = no(`${tool} ended well, and the scratch database has no record of it: its configuration names another one`);
  if (scratch.engine === 'sqlite' && !(await stat(scratch.path).catch(() => null))) return elsewhere;
  let schema: SchemaSnapshot;
  try {
    schema = await takeSnapshot(scratch, { timeoutMs: LOOK_MS });
  } catch (error) {
    return no(`the scratch database cannot be looked at: ${messageOf(error)}`);
  }
  if (historyOf(detected, schema) === null && !(detected.hasCustomTable && schema.tables.length > 0)) return elsewhere;
  const left = pendingOf(detected, schema);
  return left.length === 0
    ? { state: 'applied', tool, schema }
    : no(`${tool} left ${left.length} of its migrations: ${left.slice(0, 5).join(', ')}`);
}
