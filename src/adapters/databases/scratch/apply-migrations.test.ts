import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { nodeSpawner } from '../../node/spawner.ts';
import { takeSnapshot } from '../index.ts';
import { POSTGRES_MISSING, startPostgres, type TestServer } from '../testing/postgres-server.ts';
import { applyMigrations } from './apply-migrations.ts';
import { confinedTo } from './read-only-system.ts';

// The real tools are asked in test/migrations. Here a program of ten lines stands in for one, so that what keeps a tool away from
// the live database is tried on every run.
const PATH = `${dirname(createRequire(import.meta.url).resolve('node/bin/node'))}:${process.env['PATH']}`;
const STAND_IN = `#!/usr/bin/env node
const { connection } = require(process.cwd() + '/knexfile.js');
const { Client } = require('pg');
(async () => {
  const client = new Client({ connectionString: connection });
  await client.connect();
  await client.query('CREATE TABLE a (id int); CREATE TABLE knex_migrations (id int, name text, batch int, migration_time timestamptz)');
  await client.query("INSERT INTO knex_migrations VALUES (1, '1_a.js', 1, now())");
  require('node:fs').writeFileSync('was-here.txt', '');
  await client.end();
})().catch((error) => { console.error('Error: ' + error.message + ' ' + connection); process.exit(1); });
`;

function project(config: string, files: Readonly<Record<string, string>> = {}): string {
  const dir = mkdtempSync(join(tmpdir(), 'grace-apply-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const all = { 'package.json': '{"dependencies":{"knex":"3"}}', 'knexfile.js': config, 'migrations/1_a.js': '', ...files };
  for (const [path, text] of Object.entries({ ...all, 'node_modules/.bin/knex': STAND_IN })) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
  chmodSync(join(dir, 'node_modules/.bin/knex'), 0o755);
  for (const name of readdirSync(PACKAGES).filter((entry) => /^(?:pg|postgres|xtend|split2)/.test(entry)))
    symlinkSync(join(PACKAGES, name), join(dir, 'node_modules', name));
  return dir;
}
const PACKAGES = join(dirname(createRequire(import.meta.url).resolve('pg/package.json')), '..');

describe.skipIf(POSTGRES_MISSING !== null)('migrations on trial', () => {
  let server: TestServer;
  let counter = 0;
  beforeAll(async () => {
    server = await startPostgres();
    await server.query('postgres', 'CREATE DATABASE live');
  }, 60_000);
  afterAll(() => server?.stop());

  async function apply(dir: string, env: Readonly<Record<string, string>> = { DATABASE_URL: server.url('live') }) {
    counter += 1;
    const name = `scratch_${counter}`;
    await server.query('postgres', `CREATE DATABASE ${name}`);
    const result = await applyMigrations({
      projectDir: dir,
      tool: 'knex',
      scratch: { engine: 'postgres', url: server.url(name) },
      env: { PATH, ...env },
      spawner: nodeSpawner,
      signal: AbortSignal.timeout(60_000),
      timeLimitMs: 30_000,
    });
    expect((await takeSnapshot({ engine: 'postgres', url: server.url('live') })).tables).toEqual([]);
    expect(existsSync(join(dir, 'was-here.txt'))).toBe(false);
    expect(JSON.stringify(result)).not.toContain(encodeURIComponent(server.password));
    return result;
  }
  const READS = 'module.exports = { connection: process.env.DATABASE_URL }';

  test('go to the scratch database, through a variable', async () => {
    const result = await apply(project(READS));
    expect(result).toMatchObject({ state: 'applied', tool: 'knex' });
    expect(result.state === 'applied' ? result.schema.tables.map(({ name }) => name) : []).toEqual(['a', 'knex_migrations']);
  });

  test('do not go to an address that code puts together', async () => {
    const url = server.url('live');
    const config = `module.exports = { connection: [${JSON.stringify(url.slice(0, 5))}, ${JSON.stringify(url.slice(5))}].join('') }`;
    expect(await apply(project(config))).toEqual({
      state: 'not_possible',
      why: `knex ended with exit code 1: Error: kept from connecting to 127.0.0.1:${server.port} …; it wanted to connect to something else than the scratch database, and was kept from it`,
    });
  });

  test('do not go to another database through the door of the scratch one', async () => {
    const config = `const url = new URL(process.env.DATABASE_URL); url.pathname = '/live'; module.exports = { connection: url.href }`;
    expect(await apply(project(config))).toMatchObject({
      state: 'not_possible',
      why: expect.stringContaining('it asked for another database than the scratch one, and did not get it') as string,
    });
  });

  test('are not run with an address in the config, in what it imports, or in a connection of parts', async () => {
    const written = (file: string, what: string) => ({
      state: 'not_possible',
      why: `${file} has ${what} written into it: it has to come from a variable of the environment`,
    });
    const server_ = 'the address of a database server';
    expect(await apply(project(`module.exports = {\n  connection: 'postgres://app@db/app' }`))).toEqual(written('knexfile.js:2', server_));
    expect(
      await apply(project(`module.exports = require('./config/db')`, { 'config/db.js': `exports.connection = "postgresql://db/app"` })),
    ).toEqual(written('config/db.js:1', server_));
    expect(await apply(project(`module.exports = { connection: { host: process.env.H, database: 'app' } }`))).toEqual(
      written('knexfile.js:1', 'part of a connection'),
    );
  });

  test('are not run with an address in a config that only the script names', async () => {
    const files = {
      'package.json': JSON.stringify({ scripts: { migrate: 'knex migrate:latest --knexfile=./db/other.js' }, dependencies: { knex: '3' } }),
      'db/other.js': `module.exports = { connection: 'postgres://app@db/app' }`,
    };
    expect(await apply(project(READS, files))).toMatchObject({ why: expect.stringContaining('db/other.js:1') as string });
  });

  test('are run where an address is only a comment or a fallback', async () => {
    const config = `// connection: 'postgres://app@db/app'\nmodule.exports = { connection: process.env.DATABASE_URL ?? 'postgres://localhost/dev' }`;
    expect(await apply(project(config))).toMatchObject({ state: 'applied' });
  });

  test('are not run when a variable holds an address in a form that cannot be replaced', async () => {
    const config = `module.exports = { connection: process.env.DATABASE_URL || process.env.MY_CLUSTER }`;
    expect(await apply(project(config), { MY_CLUSTER: 'cockroachdb://db/app' })).toEqual({
      state: 'not_possible',
      why: 'its configuration reads MY_CLUSTER, which holds an address that cannot be replaced',
    });
  });

  test('are not run when their text reaches beyond the database, starts programs or writes files', async () => {
    const tried = (text: string, file = 'migrations/1_a.js') => apply(project(READS, { [file]: text }));
    expect(await tried(`exports.up = (knex) => knex.raw('CREATE ROLE reporting')`)).toEqual({
      state: 'not_possible',
      why: 'migrations/1_a.js has a statement that reaches beyond its database: CREATE ROLE',
    });
    expect(await tried('GRANT admin TO app', 'migrations/sql/grants.sql')).toMatchObject({
      why: 'migrations/sql/grants.sql has a statement that reaches beyond its database: GRANT admin TO',
    });
    expect(await tried(`require('node:child_process').execSync('psql')`)).toMatchObject({ why: 'migrations/1_a.js starts programs' });
    expect(await tried(`require('fs').rmSync('/var/lib/app')`)).toMatchObject({ why: 'migrations/1_a.js writes files' });
    expect(await tried(`// CREATE ROLE reporting\nrequire('fs').readFileSync(__dirname + '/a.sql')`)).toMatchObject({ state: 'applied' });
  });

  test.each([
    [`client.query('CREATE ' + 'ROLE sneaky')`, 'CREATE ROLE'],
    [`client.query({ name: 'a', text: 'CREATE ' + 'ROLE sneaky' })`, 'CREATE ROLE'],
    [`client.query('SELECT 1; GRANT ' + 'pg_monitor TO admin')`, 'GRANT pg_monitor TO'],
  ])('do not get a statement through the door that reaches beyond the database: %s', async (call, words) => {
    const dir = project(READS);
    const tool = STAND_IN.replace('await client.connect();', `await client.connect(); try { await ${call}; } catch { process.exit(0); }`);
    writeFileSync(join(dir, 'node_modules/.bin/knex'), tool);
    expect(await apply(dir)).toEqual({
      state: 'not_possible',
      why: `knex was kept from a statement that reaches beyond its database: ${words}`,
    });
    expect(await server.query('postgres', `SELECT 1 FROM pg_roles WHERE rolname = 'sneaky'`)).toEqual([]);
    expect(await server.query('postgres', `SELECT 1 FROM pg_auth_members WHERE member = 'admin'::regrole`)).toEqual([]);
  });

  test('are not run by a tool that is no Node program', async () => {
    const dir = project(READS, { 'db/migration/V1__a.sql': '' });
    const order = { projectDir: dir, env: { PATH }, spawner: nodeSpawner, signal: AbortSignal.timeout(9_000), timeLimitMs: 9_000 };
    expect(await applyMigrations({ ...order, tool: 'flyway', scratch: { engine: 'postgres', url: server.url('live') } })).toEqual({
      state: 'not_possible',
      why: 'a process of flyway cannot be kept from the live database',
    });
  });
});

const FILE_STAND_IN = `#!/usr/bin/env node
const { connection } = require(process.cwd() + '/knexfile.js');
const { DatabaseSync } = require('node:sqlite');
const database = new DatabaseSync(connection.filename);
database.exec("CREATE TABLE mine (id, name, batch, migration_time); DROP TABLE IF EXISTS rows_; CREATE TABLE knex_migrations (id, name, batch, migration_time); INSERT INTO knex_migrations VALUES (1, '1_a.js', 1, 0)");
`;

const probe = mkdtempSync(join(tmpdir(), 'grace-apply-probe-'));
const CONFINED = (await confinedTo([probe], ['true'], { spawner: nodeSpawner, cwd: probe, signal: AbortSignal.timeout(20_000) })) !== null;
rmSync(probe, { recursive: true });

describe('migrations on trial in a file', () => {
  async function apply(config: (liveDir: string) => string, more: Readonly<Record<string, string>> = {}) {
    const dir = project('');
    const [liveDir, scratchDir] = ['live', 'scratch'].map((name) => mkdtempSync(join(tmpdir(), `grace-apply-${name}-`))) as [
      string,
      string,
    ];
    onTestFinished(() => [liveDir, scratchDir].forEach((path) => rmSync(path, { recursive: true, force: true })));
    writeFileSync(join(dir, 'node_modules/.bin/knex'), FILE_STAND_IN);
    writeFileSync(join(dir, 'knexfile.js'), config(liveDir));
    const live = join(liveDir, 'app.sqlite3');
    const database = new DatabaseSync(live);
    database.exec('CREATE TABLE rows_ (a); INSERT INTO rows_ VALUES (1)');
    database.close();
    const before = readFileSync(live);
    const result = await applyMigrations({
      projectDir: dir,
      tool: 'knex',
      scratch: { engine: 'sqlite', path: join(scratchDir, 'scratch.db') },
      env: { PATH, DATABASE_FILE: live, ...more },
      spawner: nodeSpawner,
      signal: AbortSignal.timeout(60_000),
      timeLimitMs: 30_000,
    });
    expect(readFileSync(live).equals(before)).toBe(true);
    expect(readdirSync(liveDir)).toEqual(['app.sqlite3']);
    return result;
  }
  const literal = (line: number) => ({
    state: 'not_possible',
    why: `knexfile.js:${line} has a file written into it: it has to come from a variable of the environment`,
  });

  test.skipIf(!CONFINED)('go to the scratch file, through a variable', async () => {
    expect(
      await apply(() => `module.exports = { connection: { filename: process.env.DATABASE_FILE || '/var/lib/app/x.db' } }`),
    ).toMatchObject({
      state: 'applied',
    });
  });

  test('are not run where a path that leads out of the project is put together from parts', async () => {
    const joined = (dir: string) =>
      `const path = require('path');\nconst dir = '${dir}';\nmodule.exports = { connection: { filename: path.join(dir, 'app.sqlite3') }, migrations: { tableName: 'mine' } };`;
    expect(await apply(joined)).toEqual(literal(2));
    const through = (file: string) => apply(() => `module.exports = { connection: { filename: ${file} } }`);
    expect(await through(`require('path').join(__dirname, '..', 'live', 'app.db')`)).toEqual(literal(1));
    expect(await through(`['', 'var', 'app.db'].join('/')`)).toEqual(literal(1));
    expect(await through(`require('os').homedir() + process.env.DATABASE_FILE`)).toEqual(literal(1));
    expect(await through(`require('fs').readFileSync(process.env.DATABASE_FILE)`)).toEqual(literal(1));
    expect(await through(`process.env.SOME_PLACE || '/var/lib/app/app.db'`)).toEqual(literal(1));
  });

  test('are not run where nothing tells what the file is taken from', async () => {
    expect(await apply(() => `module.exports = { connection: { filename: somewhere } }`)).toEqual({
      state: 'not_possible',
      why: 'what its configuration takes the file of its database from cannot be told',
    });
  });

  // A knexfile like this made the tool migrate the live file and drop its rows.
  test('cannot write into another file, whatever the configuration makes of it', async () => {
    const hidden = (dir: string) =>
      `const at = ${JSON.stringify(`${dir}/app.sqlite3`.split('/'))}.join(String.fromCharCode(47));
       module.exports = { connection: { filename: process.env.NODE_ENV === 'x' ? process.env.DATABASE_FILE : at }, migrations: { tableName: 'mine' } };`;
    expect(await apply(hidden)).toEqual({
      state: 'not_possible',
      why: expect.stringMatching(
        CONFINED ? /^knex ended with exit code 1: Error: attempt to write a readonly database/ : /unshare/,
      ) as string,
    });
  });
});
