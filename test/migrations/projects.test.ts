import { createHash } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
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
import { liveProjects, nameOf, type LiveProject, type LiveProjects } from './live-project.ts';
import { CASES, type ProjectCase } from './project-cases.ts';

let server: TestServer;
let projects: LiveProjects;
let one: LiveProject;
let cwd: string;
let live: DatabaseLocation;
/** Changed by some tests. */
let scratch: DatabaseLocation;
let env: Record<string, string>;

beforeAll(async () => {
  const [packages, started] = await Promise.all([installTools(), startPostgres()]);
  server = started;
  projects = liveProjects(packages, server);
}, 600_000);
afterAll(() => server?.stop());
afterEach(() => one.remove());

async function openDeployed(project: ProjectCase): Promise<void> {
  one = await projects.openDeployed(project);
  ({ cwd, live, scratch, env } = one);
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
    await one.run(`INSERT INTO users (email) VALUES ('somebody@example.org')`);
  });

  test('that is in order has no finding', async () => {
    expect(await state()).toMatchObject({ tool: project.tool, ...FINE });
  });

  test('whose next release brings a migration has it pending, until its own command has run', async () => {
    one.release();
    expect(await state()).toMatchObject({ ...FINE, pending: [later] });
    await one.deploy();
    expect(await state()).toMatchObject(FINE);
  });

  test('whose applied migration was edited is found by its checksum, where the tool keeps one', async () => {
    writeFileSync(join(cwd, firstFile), readFileSync(join(cwd, firstFile), 'utf8').replace('email', 'mail'));
    expect(await state()).toMatchObject({ ...FINE, edited: project.keepsChecksums ? [project.names[0]] : [] });
  });

  test('whose applied migration has no file is found, unless no file is there at all', async () => {
    unlinkSync(join(cwd, lastFile));
    expect((await state())?.missing).toHaveLength(1);
    unlinkSync(join(cwd, firstFile));
    expect(await state()).toMatchObject({ missing: [] });
  });

  test('whose record lost a migration has it unrecorded, and not pending', async () => {
    await one.run(project.forget);
    expect(await state()).toMatchObject({ ...FINE, unrecorded: [last] });
  });

  test('is applied to a scratch database, which is then what the live one is, and the live one and the files are untouched', async () => {
    const before = await one.imprint();
    const files = filesOf(cwd);
    const applied = await apply(project.tool);
    expect(applied).toMatchObject({ state: 'applied' });
    if (applied.state !== 'applied') return;
    expect(shape(applied.schema)).toEqual(shape(await takeSnapshot(live)));
    expect(applied.schema.history[0]?.rows.map(({ id }) => id)).toEqual((await takeSnapshot(live)).history[0]?.rows.map(({ id }) => id));
    expect(await one.imprint()).toBe(before);
    expect(filesOf(cwd)).toEqual(files);
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('grace-scratch-'))).toEqual([]);
  });

  test('is not applied to a database that has something in it', async () => {
    const before = await one.imprint();
    scratch = live;
    expect(await apply(project.tool)).toMatchObject({ state: 'not_possible' });
    env = { PATH: env['PATH']! };
    expect(await apply(project.tool)).toEqual({ state: 'not_possible', why: 'the scratch database is not empty' });
    expect(await one.imprint()).toBe(before);
  });
});

describe('a configuration that leads to the live database', () => {
  const KNEX = CASES.find(({ folder }) => folder === 'knex')!;
  const SQLITE = CASES.find(({ folder }) => folder === 'knex-sqlite')!;
  const config = (text: string) => writeFileSync(join(cwd, 'knexfile.js'), text);
  async function isLeftAlone(tool: MigrationTool): Promise<string> {
    const before = await one.imprint();
    // Nothing is pending in the live database; this would be, and would show.
    cpSync(join(import.meta.dirname, 'projects', 'knex', 'later'), cwd, { recursive: true });
    const result = await apply(tool);
    expect(await one.imprint()).toBe(before);
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
    const name = nameOf((live as { url: string }).url);
    config(`const url = new URL(process.env.DATABASE_URL); url.pathname = ['${name}'][0];
      module.exports = { client: 'pg', connection: url.href };`);
    expect(await isLeftAlone('knex')).toContain('it asked for another database than the scratch one, and did not get it');
  });

  test('does not get there through an env file that overrides the environment', async () => {
    await ready(KNEX);
    writeFileSync(join(cwd, '.env'), `DATABASE_URL=${(live as { url: string }).url}\n`);
    config(`try { Object.assign(process.env, require('node:util').parseEnv(require('node:fs').readFileSync('.env', 'utf8'))); } catch {}
      module.exports = { client: 'pg', connection: process.env.DATABASE_URL };`);
    const before = await one.imprint();
    expect(await apply('knex')).toMatchObject({ state: 'applied' });
    expect(await one.imprint()).toBe(before);
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
    config(
      `module.exports = { client: 'better-sqlite3', connection: { filename: [process.env.DATA_DIR, 'live.db'].join(String.fromCharCode(47)) } };`,
    );
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
      } else await server.query(nameOf(scratch.url), answer.sql);
      const tables = ({ tables: all }: SchemaSnapshot) =>
        all
          .filter(({ name }) => ['users', 'orders'].includes(name))
          .map(({ name, columns }) => [name, columns.map((column) => [column.name, column.type, column.notNull, column.default])]);
      expect(tables(await takeSnapshot(scratch))).toEqual(tables(await takeSnapshot(live)));
      expect(live.engine === 'sqlite' ? readFileSync(live.path).toString('base64') : (await takeSnapshot(live)).digest).toBe(before);
    },
  );
});
