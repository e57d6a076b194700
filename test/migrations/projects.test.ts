import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { takeSnapshot, type DatabaseLocation } from '../../src/adapters/databases/index.ts';
import { definitionOf, type SchemaSnapshot } from '../../src/adapters/databases/schema-snapshot.ts';
import { readMigrationState } from '../../src/adapters/databases/migration-state.ts';
import { applyMigrations } from '../../src/adapters/databases/scratch/apply-migrations.ts';
import { declaredSchema } from '../../src/adapters/databases/scratch/expected-sql.ts';
import { startPostgres, type TestServer } from '../../src/adapters/databases/testing/postgres-server.ts';
import type { MigrationTool } from '../../src/adapters/databases/index.ts';
import { nodeSpawner } from '../../src/adapters/node/spawner.ts';
import { installTools } from './installed-tools.ts';

interface ProjectCase {
  readonly folder: string;
  readonly tool: MigrationTool;
  readonly engine: 'postgres' | 'sqlite';
  /** What a person would type, below node_modules/.bin. */
  readonly deploy: readonly string[];
  /** The one that is already applied, the last one, and the one of the folder `later`. */
  readonly names: readonly [first: string, last: string, later: string];
  /** File of the first migration, and of the last one. */
  readonly files: readonly [first: string, last: string];
  readonly keepsChecksums: boolean;
  /** Takes the last row out of its record. */
  readonly forget: string;
}

const CASES: readonly ProjectCase[] = [
  ...(['prisma', 'prisma-sqlite'] as const).map((folder): ProjectCase => ({
    folder,
    tool: 'prisma',
    engine: folder === 'prisma' ? 'postgres' : 'sqlite',
    deploy: ['prisma', 'migrate', 'deploy'],
    names: ['20240101000000_users', '20240102000000_orders', '20240103000000_notes'],
    files: ['prisma/migrations/20240101000000_users/migration.sql', 'prisma/migrations/20240102000000_orders/migration.sql'],
    keepsChecksums: true,
    forget: `DELETE FROM _prisma_migrations WHERE migration_name LIKE '%orders'`,
  })),
  ...(['drizzle', 'drizzle-sqlite'] as const).map((folder): ProjectCase => ({
    folder,
    tool: 'drizzle',
    engine: folder === 'drizzle' ? 'postgres' : 'sqlite',
    deploy: ['drizzle-kit', 'migrate'],
    names: ['0000_users', '0001_orders', '0002_notes'],
    files: ['drizzle/0000_users.sql', 'drizzle/0001_orders.sql'],
    keepsChecksums: true,
    forget: `DELETE FROM ${folder === 'drizzle' ? 'drizzle.' : ''}__drizzle_migrations WHERE created_at = 1704153600000`,
  })),
  ...(['knex', 'knex-sqlite'] as const).map((folder): ProjectCase => ({
    folder,
    tool: 'knex',
    engine: folder === 'knex' ? 'postgres' : 'sqlite',
    deploy: ['knex', 'migrate:latest'],
    names: ['20240101000000_users', '20240102000000_orders', '20240103000000_notes'],
    files: ['migrations/20240101000000_users.js', 'migrations/20240102000000_orders.js'],
    keepsChecksums: false,
    forget: `DELETE FROM knex_migrations WHERE name LIKE '%orders.js'`,
  })),
  {
    folder: 'typeorm',
    tool: 'typeorm',
    engine: 'postgres',
    deploy: ['typeorm', 'migration:run', '-d', 'data-source.js'],
    names: ['1704067200000-Users', '1704153600000-Orders', '1704240000000-Notes'],
    files: ['migrations/1704067200000-Users.js', 'migrations/1704153600000-Orders.js'],
    keepsChecksums: false,
    forget: `DELETE FROM migrations WHERE timestamp = 1704153600000`,
  },
  {
    folder: 'sequelize',
    tool: 'sequelize',
    engine: 'postgres',
    deploy: ['sequelize-cli', 'db:migrate'],
    names: ['20240101000000-users', '20240102000000-orders', '20240103000000-notes'],
    files: ['migrations/20240101000000-users.js', 'migrations/20240102000000-orders.js'],
    keepsChecksums: false,
    forget: `DELETE FROM "SequelizeMeta" WHERE name LIKE '%orders.js'`,
  },
  {
    folder: 'node-pg-migrate',
    tool: 'node-pg-migrate',
    engine: 'postgres',
    deploy: ['node-pg-migrate', '-m', 'db/steps', 'up'],
    names: ['1704067200000_users', '1704153600000_orders', '1704240000000_notes'],
    files: ['db/steps/1704067200000_users.sql', 'db/steps/1704153600000_orders.sql'],
    keepsChecksums: false,
    forget: `DELETE FROM pgmigrations WHERE name LIKE '%orders'`,
  },
  {
    folder: 'kysely',
    tool: 'kysely',
    engine: 'postgres',
    deploy: ['kysely', 'migrate:latest'],
    names: ['1704067200000_users', '1704153600000_orders', '1704240000000_notes'],
    files: ['migrations/1704067200000_users.ts', 'migrations/1704153600000_orders.ts'],
    keepsChecksums: false,
    forget: `DELETE FROM kysely_migration WHERE name LIKE '%orders'`,
  },
];

const PATH = `${join(import.meta.dirname, '../../node_modules/node/bin')}:${process.env['PATH']}`;
let packages: string;
let server: TestServer;
let cwd: string;
let live: DatabaseLocation;
let scratch: DatabaseLocation;
let env: Record<string, string>;
let counter = 0;

beforeAll(async () => {
  [packages, server] = await Promise.all([installTools(), startPostgres()]);
}, 600_000);
afterAll(() => server?.stop());
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

async function open({ folder, engine }: Pick<ProjectCase, 'folder' | 'engine'>): Promise<void> {
  cwd = mkdtempSync(join(tmpdir(), 'grace-orm-'));
  cpSync(join(import.meta.dirname, 'projects', folder), cwd, { recursive: true, filter: (path) => !path.endsWith('/later') });
  symlinkSync(packages, join(cwd, 'node_modules'));
  if (engine === 'sqlite') {
    live = { engine, path: join(cwd, 'live.db') };
    scratch = { engine, path: join(mkdtempSync(join(cwd, 'data-')), 'scratch.db') };
    env = { PATH, DATABASE_URL: `file:${live.path}`, DATABASE_FILE: live.path };
    return;
  }
  counter += 1;
  for (const name of [`live_${counter}`, `scratch_${counter}`]) await server.query('postgres', `CREATE DATABASE ${name}`);
  live = { engine, url: server.url(`live_${counter}`) };
  scratch = { engine, url: server.url(`scratch_${counter}`) };
  env = {
    PATH,
    DATABASE_URL: live.url,
    DB_HOST: '127.0.0.1',
    DB_PORT: String(server.port),
    DB_USER: 'admin',
    DB_PASSWORD: server.password,
    DB_NAME: `live_${counter}`,
  };
}

async function deploy({ deploy: [program, ...words] }: ProjectCase): Promise<void> {
  const nothing = join(cwd, 'package.json'); // see `toolSettings`: Prisma wants its engines to be there
  const result = await nodeSpawner.run([`node_modules/.bin/${program}`, ...words], {
    cwd,
    env: { ...env, HOME: cwd, PRISMA_QUERY_ENGINE_LIBRARY: nothing, PRISMA_SCHEMA_ENGINE_BINARY: nothing, CHECKPOINT_DISABLE: '1' },
    timeoutMs: 60_000,
  });
  expect(result, result.stderr + result.stdout).toMatchObject({ exitCode: 0 });
}

/** Databases to which the tool has applied the migrations of a project, as a person would; each test has a copy of its own. */
const deployed = new Map<string, string>();

async function openDeployed(project: ProjectCase): Promise<void> {
  await open(project);
  const ready = deployed.get(project.folder);
  if (live.engine === 'sqlite') {
    if (ready !== undefined) return writeFileSync(live.path, Buffer.from(ready, 'base64'));
    await deploy(project);
    deployed.set(project.folder, readFileSync(live.path).toString('base64'));
    return;
  }
  const name = new URL(live.url).pathname.slice(1);
  if (ready === undefined) {
    await deploy(project);
    deployed.set(project.folder, `made_${counter}`);
    await server.query('postgres', `CREATE DATABASE made_${counter} TEMPLATE ${name}`);
  } else {
    await server.query('postgres', `DROP DATABASE ${name}`);
    await server.query('postgres', `CREATE DATABASE ${name} TEMPLATE ${ready}`);
  }
}

async function run(sql: string): Promise<void> {
  if (live.engine === 'postgres') return void (await server.query(new URL(live.url).pathname.slice(1), sql));
  const database = new DatabaseSync(live.path);
  database.exec(sql);
  database.close();
}

/** Everything of the live database that could have been changed. */
async function imprint(): Promise<string> {
  if (live.engine === 'sqlite') return createHash('sha256').update(readFileSync(live.path)).digest('hex');
  const name = new URL(live.url).pathname.slice(1);
  const { digest } = await takeSnapshot(live);
  const rows = await server.query(name, 'SELECT id, email, xmin::text FROM users ORDER BY id');
  const [stamp] = await server.query(name, `SELECT count(*) AS relations, max(xmin::text::bigint) AS newest FROM pg_class`);
  return JSON.stringify([digest, rows, stamp]);
}

function filesOf(dir: string): readonly string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.includes('node_modules') && !path.includes('scratch.db'))
    .toSorted()
    .map((path) => `${path} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`);
}

const state = async () => readMigrationState(cwd, await takeSnapshot(live));
const apply = (tool: MigrationTool, change: { timeLimitMs?: number } = {}) =>
  applyMigrations({
    projectDir: cwd,
    tool,
    scratch,
    env,
    spawner: nodeSpawner,
    signal: AbortSignal.timeout(60_000),
    timeLimitMs: 30_000,
    ...change,
  });
const shape = ({ tables, views, enums }: SchemaSnapshot) => ({ tables: tables.map(definitionOf), views, enums });
const FINE = { pending: [], unrecorded: [], edited: [], missing: [], failed: [] };

describe.each(CASES)('a project of $folder', (project) => {
  const [, last, later] = project.names;
  const [firstFile, lastFile] = project.files;
  beforeEach(async () => {
    await openDeployed(project);
    await run(`INSERT INTO users (email) VALUES ('somebody@example.org')`);
  });

  test('that is in order has no finding', async () => {
    expect(await state()).toMatchObject({ tool: project.tool, ...FINE });
  });

  test('whose next release brings a migration has it pending, until its own command has run', async () => {
    cpSync(join(import.meta.dirname, 'projects', project.folder, 'later'), cwd, { recursive: true });
    expect(await state()).toMatchObject({ ...FINE, pending: [later] });
    await deploy(project);
    expect(await state()).toMatchObject(FINE);
  });

  test('whose applied migration was edited is found by its checksum, where the tool keeps one', async () => {
    writeFileSync(join(cwd, firstFile), readFileSync(join(cwd, firstFile), 'utf8').replace('email', 'mail'));
    expect(await state()).toMatchObject({ ...FINE, edited: project.keepsChecksums ? [project.names[0]] : [] });
  });

  test('whose applied migration has no file is found, unless no file is there at all', async () => {
    unlinkSync(join(cwd, lastFile));
    const found = await state();
    // Drizzle goes by its journal: a file that is listed there and gone is for Drizzle to say.
    if (project.tool === 'drizzle') expect(found).toMatchObject(FINE);
    else if (project.tool === 'prisma') expect(found).toMatchObject({ ...FINE, pending: [] });
    else expect(found?.missing).toHaveLength(1);
    unlinkSync(join(cwd, firstFile));
    expect(await state()).toMatchObject({ missing: [] });
  });

  test('whose record lost a migration has it unrecorded, and not pending', async () => {
    await run(project.forget);
    expect(await state()).toMatchObject({ ...FINE, unrecorded: [last] });
  });

  test('is applied to a scratch database, which is then what the live one is, and the live one and the files are untouched', async () => {
    const before = await imprint();
    const files = filesOf(cwd);
    const applied = await apply(project.tool);
    expect(applied).toMatchObject({ state: 'applied' });
    if (applied.state !== 'applied') return;
    expect(shape(applied.schema)).toEqual(shape(await takeSnapshot(live)));
    expect(applied.schema.history[0]?.rows.map(({ id }) => id)).toEqual((await takeSnapshot(live)).history[0]?.rows.map(({ id }) => id));
    expect(await imprint()).toBe(before);
    expect(filesOf(cwd)).toEqual(files);
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('grace-scratch-'))).toEqual([]);
  });

  test('is not applied to a database that has something in it', async () => {
    const before = await imprint();
    scratch = live;
    expect(await apply(project.tool)).toMatchObject({ state: 'not_possible' });
    env = { PATH };
    expect(await apply(project.tool)).toEqual({ state: 'not_possible', why: 'the scratch database is not empty' });
    expect(await imprint()).toBe(before);
  });
});

describe('a configuration that leads to the live database', () => {
  const KNEX = CASES.find(({ folder }) => folder === 'knex')!;
  const SQLITE = CASES.find(({ folder }) => folder === 'knex-sqlite')!;
  const config = (text: string) => writeFileSync(join(cwd, 'knexfile.js'), text);
  async function isLeftAlone(tool: MigrationTool): Promise<string> {
    const before = await imprint();
    // Nothing is pending in the live database; this would be, and would show.
    cpSync(join(import.meta.dirname, 'projects', 'knex', 'later'), cwd, { recursive: true });
    const result = await apply(tool);
    expect(await imprint()).toBe(before);
    expect(result.state).toBe('not_possible');
    const why = result.state === 'not_possible' ? result.why : '';
    expect(why).not.toContain(server.password);
    return why;
  }
  async function ready(project: ProjectCase): Promise<void> {
    await openDeployed(project);
  }

  test('is not run when the address is written into it', async () => {
    await ready(KNEX);
    config(`module.exports = {\n  client: 'pg',\n  connection: '${(live as { url: string }).url}',\n};`);
    expect(await isLeftAlone('knex')).toBe(
      'knexfile.js:3 has the address of a database server written into it: it has to come from a variable of the environment',
    );
  });

  test('is not run when a host or a file is written into it', async () => {
    await ready(KNEX);
    config(`module.exports = { client: 'pg', connection: { host: '127.0.0.1', password: process.env.DB_PASSWORD } };`);
    expect(await isLeftAlone('knex')).toContain('part of a connection');
    await ready(SQLITE);
    config(`module.exports = { client: 'better-sqlite3', connection: { filename: '${(live as { path: string }).path}' } };`);
    expect(await isLeftAlone('knex')).toContain('a database written into it');
  });

  test('does not get there when it puts the address together in code', async () => {
    await ready(KNEX);
    const url = new URL((live as { url: string }).url);
    config(`const at = ['127', '0', '0', '1'].join('.');
      module.exports = { client: 'pg', connection: ['postgresql', '://admin:${url.password}@', at, ':${url.port}${url.pathname}'].join('') };`);
    expect(await isLeftAlone('knex')).toContain('it wanted to connect to something else than the scratch database, and was kept from it');
  });

  test('does not get there when it names another database of the same server', async () => {
    await ready(KNEX);
    const name = new URL((live as { url: string }).url).pathname.slice(1);
    config(`const url = new URL(process.env.DATABASE_URL); url.pathname = ['${name}'][0];
      module.exports = { client: 'pg', connection: url.href };`);
    expect(await isLeftAlone('knex')).toContain('it asked for another database than the scratch one, and did not get it');
  });

  test('does not get there through an env file that overrides the environment', async () => {
    await ready(KNEX);
    writeFileSync(join(cwd, '.env'), `DATABASE_URL=${(live as { url: string }).url}\n`);
    config(`try { Object.assign(process.env, require('node:util').parseEnv(require('node:fs').readFileSync('.env', 'utf8'))); } catch {}
      module.exports = { client: 'pg', connection: process.env.DATABASE_URL };`);
    const before = await imprint();
    expect(await apply('knex')).toMatchObject({ state: 'applied' });
    expect(await imprint()).toBe(before);
  });

  test('does not get there with a path that starts at the project', async () => {
    await ready(SQLITE);
    config(
      `module.exports = { client: 'better-sqlite3', connection: { filename: require('node:path').join(__dirname, ['live', 'db'].join('.')) }, useNullAsDefault: true };`,
    );
    expect(await isLeftAlone('knex')).toBe(
      'knex ended well, and the scratch database has no record of it: its configuration names another one',
    );
  });

  test('is not run when a variable holds the directory of a database file', async () => {
    await ready(SQLITE);
    env['DATA_DIR'] = cwd;
    config(`module.exports = { client: 'better-sqlite3', connection: { filename: [process.env.DATA_DIR, 'live.db'].join('/') } };`);
    expect(await isLeftAlone('knex')).toContain('reads DATA_DIR, which holds a path');
  });
});

describe('what a project declares', () => {
  const declared = (tool: 'prisma' | 'drizzle', withScratch: boolean) =>
    declaredSchema({
      projectDir: cwd,
      tool,
      scratch: withScratch ? scratch : null,
      env,
      spawner: nodeSpawner,
      signal: AbortSignal.timeout(60_000),
      timeLimitMs: 30_000,
    });

  test.each(CASES.filter(({ tool }) => tool === 'prisma' || tool === 'drizzle'))(
    'by its schema file is what its migrations make: $folder',
    async (project) => {
      await openDeployed(project);
      const before = live.engine === 'sqlite' ? readFileSync(live.path).toString('base64') : (await takeSnapshot(live)).digest;
      const answer = await declared(project.tool as 'prisma' | 'drizzle', project.folder === 'prisma');
      expect(answer).toMatchObject({ state: 'declared', engine: project.engine });
      if (answer.state !== 'declared') return;
      if (scratch.engine === 'sqlite') {
        const database = new DatabaseSync(scratch.path);
        database.exec(answer.sql);
        database.close();
      } else await server.query(new URL(scratch.url).pathname.slice(1), answer.sql);
      const tables = ({ tables: all }: SchemaSnapshot) =>
        all
          .filter(({ name }) => ['users', 'orders'].includes(name))
          .map(({ name, columns }) => [name, columns.map((column) => [column.name, column.type, column.notNull, column.default])]);
      expect(tables(await takeSnapshot(scratch))).toEqual(tables(await takeSnapshot(live)));
      expect(live.engine === 'sqlite' ? readFileSync(live.path).toString('base64') : (await takeSnapshot(live)).digest).toBe(before);
    },
  );
});
