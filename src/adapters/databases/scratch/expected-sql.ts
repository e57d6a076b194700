import type { DetectedMigrations } from '../detected-migrations.ts';
import { MIGRATION_TOOLS } from '../migration-tools.ts';
import { openProject, type Project } from '../project-files.ts';
import type { DatabaseLocation } from '../locate.ts';
import { parsePostgresUrl } from '../postgres-url.ts';
import { addressOf, whyNotScratch } from './apply-migrations.ts';
import { openRelay } from './scratch-relay.ts';
import { no, runTool, type NotPossible, type ToolRun } from './run-tool.ts';

export interface SchemaOrder extends ToolRun {
  readonly tool: 'prisma' | 'drizzle';
  /** Only Prisma without native engines asks a PostgreSQL server for its version; without one it is then not possible. */
  readonly scratch: DatabaseLocation | null;
}

/** The schema that a project declares, as the statements that make it. */
export interface DeclaredSchema {
  readonly state: 'declared';
  readonly engine: 'postgres' | 'sqlite';
  readonly sql: string;
}

/** The spawner keeps the end of a longer output, and a schema without its beginning is none. */
const OUTPUT_CHARS_MAX = 65_000;

/**
 * The statements that make the schema in a Prisma or Drizzle schema file, by the tool's own command. It is given the scratch
 * database, or else an address that leads nowhere.
 * @throws the reason of the signal
 */
export async function declaredSchema(order: SchemaOrder): Promise<DeclaredSchema | NotPossible> {
  const project = await openProject(order.projectDir);
  const detected = await detect(project, order.tool);
  if (detected === null) return no(`there is no schema of ${order.tool} in ${order.projectDir}`);
  const asked = order.tool === 'prisma' ? await askPrisma(project) : await askDrizzle(project);
  if ('why' in asked) return asked;
  const { scratch } = order;
  const mixedUp = scratch === null ? null : await whyNotScratch({ ...order, scratch });
  if (mixedUp !== null) return no(mixedUp);
  const target = scratch?.engine === 'postgres' ? parsePostgresUrl(scratch.url) : null;
  const relay = target === null ? null : await openRelay(target);
  const address = scratch === null ? null : addressOf(scratch, target, relay);
  let ended: Awaited<ReturnType<typeof runTool>>;
  try {
    ended = await runTool({ ...order, detected, argv: asked.argv, engine: asked.engine, address });
  } finally {
    await relay?.close();
  }
  if (ended.state === 'not_possible') return ended;
  if (ended.stdout.length > OUTPUT_CHARS_MAX) return no(`the schema of ${order.tool} is longer than ${OUTPUT_CHARS_MAX} characters`);
  const sql = statementsIn(ended.stdout);
  return /\bcreate\s/i.test(sql)
    ? { state: 'declared', engine: asked.engine, sql }
    : no(`${order.tool} answered without a statement that makes anything`);
}

async function detect(project: Project, tool: SchemaOrder['tool']): Promise<DetectedMigrations | null> {
  for (const look of MIGRATION_TOOLS) {
    const found = await look(project);
    if (found?.tool === tool) return found;
  }
  return null;
}

interface Question {
  readonly argv: readonly string[];
  readonly engine: 'postgres' | 'sqlite';
}

async function askPrisma(project: Project): Promise<Question | NotPossible> {
  const config = await project.read(project.find(/^prisma\.config\.[cm]?[jt]s$/) ?? '');
  const folder = (await project.list('prisma/schema')).some((name) => name.endsWith('.prisma')) ? 'prisma/schema' : null;
  const path =
    /\bschema\s*:\s*['"]([^'"\n]{1,200})['"]/.exec(config)?.[1] ??
    folder ??
    (project.names.has('schema.prisma') ? 'schema.prisma' : 'prisma/schema.prisma');
  const text = path.endsWith('.prisma')
    ? await project.read(path)
    : (await Promise.all((await project.list(path)).map((name) => project.read(`${path}/${name}`)))).join('\n');
  const engine = engineOf(/\bdatasource\s+\w+\s*\{[^}]{0,2000}?\bprovider\s*=\s*"(\w+)"/.exec(text)?.[1]);
  if (engine === null) return no(`the datasource of ${path} is neither PostgreSQL nor SQLite`);
  const version = Number(/"version"\s*:\s*"(\d+)\./.exec(await project.read('node_modules/prisma/package.json'))?.[1]);
  if (Number.isNaN(version)) return no('the command of prisma is not in node_modules');
  const to = version >= 7 ? '--to-schema' : '--to-schema-datamodel';
  return { argv: ['node_modules/.bin/prisma', 'migrate', 'diff', '--from-empty', to, path, '--script'], engine };
}

async function askDrizzle(project: Project): Promise<Question | NotPossible> {
  const config = await project.read(project.find(/^drizzle\.config\.(?:[cm]?[jt]s|json)$/) ?? '');
  const engine = engineOf(/["']?\bdialect["']?\s*:\s*["'](\w+)["']/.exec(config)?.[1]);
  if (engine === null) return no('the dialect in the config of drizzle is neither PostgreSQL nor SQLite');
  const isThere = (await project.list('node_modules/.bin')).includes('drizzle-kit');
  return isThere
    ? { argv: ['node_modules/.bin/drizzle-kit', 'export', '--sql'], engine }
    : no('the command of drizzle-kit is not in node_modules');
}

function engineOf(name: string | undefined): 'postgres' | 'sqlite' | null {
  if (name === 'postgresql' || name === 'postgres') return 'postgres';
  return name === 'sqlite' || name === 'turso' ? 'sqlite' : null;
}

/** Both print SQL; what else they say stands before it, and never begins as a statement or a comment does. */
function statementsIn(output: string): string {
  const lines = output.split('\n');
  const first = lines.findIndex((line) => /^(?:--|\/\*|create|alter|pragma|do)\b|^--/i.test(line));
  return first === -1 ? '' : lines.slice(first).join('\n').trim();
}
