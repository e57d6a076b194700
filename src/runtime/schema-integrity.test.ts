import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { askHttp } from '../adapters/node/ask-http.ts';
import { checkModules } from '../adapters/node/check-module.ts';
import { nodeClock } from '../adapters/node/clock.ts';
import { nodeFiles } from '../adapters/node/files.ts';
import { lintInThread } from '../adapters/node/lint-in-thread.ts';
import { nodeSpawner } from '../adapters/node/spawner.ts';
import { openStore, snapshotStore } from '../adapters/store/index.ts';
import { schemaIntegrity } from '../catalog/checks/schema-integrity.ts';
import { ask, serviceFolder } from '../catalog/checks/testing.ts';
import type { Finding } from '../domains/preflight/index.ts';
import { component } from '../domains/supervisor/testing.ts';
import { bootId, type Logger } from '../kernel/index.ts';
import { refusedLogins } from './refused-logins.ts';
import { serviceDatabases, type ServiceDatabases } from './service-databases.ts';

const QUIET: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const MIGRATIONS = {
  'migrations/001_users.sql': 'CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE);',
  'migrations/002_orders.sql': `CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INT REFERENCES users (id), note TEXT DEFAULT 'x'); CREATE INDEX by_user ON orders (user_id);`,
};
const RECORDS = `CREATE TABLE schema_migrations (name TEXT PRIMARY KEY); INSERT INTO schema_migrations VALUES ('001_users'), ('002_orders');`;

interface World {
  readonly dir: string;
  readonly databases: ServiceDatabases;
  /** What the store keeps of failed attempts. */
  failures(): Promise<string | null>;
  readonly spec: ReturnType<typeof component>;
  change(sql: string): void;
  ask(): Promise<readonly Finding[]>;
}

async function world(
  files: Readonly<Record<string, string>>,
  live: string,
  schemaFile: string | null = null,
  envFiles: readonly string[] | null = null,
): Promise<World> {
  const dir = serviceFolder(files);
  const home = mkdtempSync(join(tmpdir(), 'grace-schema-store-'));
  const store = await openStore(join(home, 'grace.db'));
  onTestFinished(() => {
    store.close();
    rmSync(home, { recursive: true, force: true });
  });
  // Without env files the config names it.
  const whence = envFiles === null ? { envFiles: [], database: join(dir, 'live.db') } : { envFiles: [...envFiles], database: null };
  const spec = component({ name: 'api', cwd: dir, command: ['node', 'server.js'], env: {}, ...whence });
  const snapshots = snapshotStore(store.db);
  const databases = serviceDatabases({
    snapshots,
    logger: QUIET,
    component: () => spec,
    environmentOf: async () => ({}),
    schemaFile: () => (schemaFile === null ? null : join(dir, schemaFile)),
    triesMigrations: false,
    redact: (text) => text.replaceAll('hunter2', '…'),
    spawner: nodeSpawner,
    clock: nodeClock,
    bootId: bootId('boot_20260101_000000'),
    triesAgain: false,
    logins: refusedLogins((text) => text),
  });
  const change = (sql: string): void => {
    const database = new DatabaseSync(join(dir, 'live.db'));
    database.exec(sql);
    database.close();
  };
  change(live);
  const ports = {
    clock: nodeClock,
    files: nodeFiles,
    spawner: nodeSpawner,
    lint: lintInThread,
    runModule: checkModules(nodeSpawner),
    ask: askHttp,
    schemas: { isThere: databases.isThere, look: databases.look },
  };
  return {
    dir,
    databases,
    spec,
    change,
    failures: () => snapshots.get('api', 'failed_schemas'),
    ask: () => ask(schemaIntegrity('beside_start'), dir, ports, { spec }),
  };
}

const short = (findings: readonly Finding[]): readonly string[] =>
  findings.map(({ severity, code, message }) => `${severity} ${code} ${message}`);
const SIGNAL = AbortSignal.timeout(60_000);

describe('the schema of a database', () => {
  test('is silent where all is as the migrations make it', async () => {
    const { ask: asked } = await world(MIGRATIONS, Object.values(MIGRATIONS).join('') + RECORDS);
    expect(await asked()).toEqual([]);
  });

  test('is an error where the service misses a table of its own, with the statement that makes it', async () => {
    const { ask: asked } = await world(MIGRATIONS, MIGRATIONS['migrations/001_users.sql'] + RECORDS);
    const findings = await asked();
    expect(short(findings)).toEqual([
      'error schema_table_missing the table orders is missing; it is in the schema of the migrations in migrations',
    ]);
    expect(findings[0]).toMatchObject({
      hint: expect.stringContaining('loses nothing: CREATE TABLE orders'),
      evidence: [expect.stringMatching(/^CREATE TABLE orders/)],
    });
  });

  test('is found by an env file, and one that is a pipe is not waited for', async () => {
    const home = mkdtempSync(join(tmpdir(), 'grace-env-'));
    const [pipe, plain] = [join(home, '.env'), join(serviceFolder({ '.env.local': 'DATABASE_PATH=live.db' }), '.env.local')];
    execFileSync('mkfifo', [pipe]);
    onTestFinished(() => {
      // Whoever waits for a writer all the same is let go: the test fails, and does not hang.
      closeSync(openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK));
      rmSync(home, { recursive: true });
    });
    const { databases, spec } = await world({}, 'CREATE TABLE a (x)', null, [pipe, plain]);
    expect(await databases.isThere(spec)).toBe(true);
  });

  test('is no error of a file that merely lies there, nor of what is there beside', async () => {
    const live = 'CREATE TABLE b (x INT NOT NULL, y TEXT); CREATE TABLE c (z);';
    const lying = await world({ 'schema.sql': 'CREATE TABLE a (x INT); CREATE TABLE b (y TEXT);' }, live);
    expect(short(await lying.ask())).toEqual([
      'warn schema_table_missing the table a is missing; it is in schema.sql',
      'warn schema_column_extra the column b.x is not in schema.sql, must have a value and has no default: inserts that do not know it fail',
      'info schema_table_extra the table c is not in schema.sql',
    ]);
    const named = await world({ 'my.sql': 'CREATE TABLE a (x INT);' }, live, 'my.sql');
    expect(short(await named.ask())[0]).toBe('error schema_table_missing the table a is missing; it is in my.sql');
  });

  test('is not had from migrations that only a tool can apply, unless the config says that it may be run', async () => {
    const files = {
      'package.json': '{"dependencies":{"knex":"3"}}',
      'knexfile.js': 'module.exports = { connection: process.env.DATABASE_FILE }',
      'migrations/1_a.js': '',
      'node_modules/.bin/knex': '',
      'schema.sql': 'CREATE TABLE a (x INT);',
    };
    const record = `CREATE TABLE knex_migrations (id, name, batch, migration_time); INSERT INTO knex_migrations VALUES (1, '1_a.js', 1, 0)`;
    const { ask: asked } = await world(files, record);
    expect(short(await asked())).toEqual([
      'info schema_empty the database has none of the 1 table in schema.sql',
      'info schema_source_left_out the migrations in migrations cannot be applied to an empty database: only knex can do it, and it is run only where preflight.tryMigrations is set',
    ]);
  });

  test('leaves no secret in the store where an attempt failed', async () => {
    const broken = await world({ 'schema.sql': 'CREATE TABLE hunter2 (a); CREATE TABLE hunter2 (a);' }, 'CREATE TABLE b (x)');
    await broken.ask();
    const kept = await broken.failures();
    expect(kept).toContain('already exists');
    expect(kept).not.toContain('hunter2');
  });

  test('is not asked for where migrations are pending, nor where nothing was made yet', async () => {
    const pending = await world(
      MIGRATIONS,
      `CREATE TABLE schema_migrations (name TEXT PRIMARY KEY); INSERT INTO schema_migrations VALUES ('001_users')`,
    );
    expect(short(await pending.ask())).toEqual(['info schema_not_compared 1 migration not applied yet: 002_orders']);
    const empty = await world({ 'schema.sql': 'CREATE TABLE a (x INT)' }, '');
    expect(short(await empty.ask())).toEqual(['info schema_empty the database has none of the 1 table in schema.sql']);
  });

  test('is no error where nobody records which migrations were applied, and is not added to', async () => {
    const {
      ask: asked,
      databases,
      spec,
    } = await world(
      MIGRATIONS,
      'CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE); CREATE TABLE migrations (bird TEXT)',
    );
    expect(short(await asked())).toEqual([
      expect.stringMatching(/^warn schema_table_missing the table orders /),
      expect.stringMatching(/^info schema_table_extra the table migrations /),
    ]);
    expect(await databases.lacks(spec, true, SIGNAL)).toBe(null);
  });
});

describe('what the release wants and the database lacks', () => {
  test('is found out once, added by the repairs, and taken back by their undo', async () => {
    const { databases, spec, change, ask: asked } = await world(MIGRATIONS, MIGRATIONS['migrations/001_users.sql'] + RECORDS);
    expect(await databases.lacks(spec, false, SIGNAL), 'nothing is known yet').toBe(null);
    await asked();
    expect(await databases.lacks(spec, false, SIGNAL)).toEqual({
      wantedBy: 'the migrations in migrations',
      tables: ['orders'],
      columns: [],
    });
    expect(await databases.drift('api')).toMatchObject({ missingTables: ['orders'], pendingMigrations: [] });
    expect(await databases.restoreTables('api', ['orders'])).toEqual({ created: ['orders'] });
    expect([await asked(), await databases.lacks(spec, false, SIGNAL)]).toEqual([[], null]);
    expect(await databases.dropEmptyTables('api', ['orders'])).toEqual({ dropped: ['orders'], kept: [] });
    change(`CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INT REFERENCES users (id)); CREATE INDEX by_user ON orders (user_id)`);
    expect(await databases.lacks(spec, false, SIGNAL)).toMatchObject({ tables: [], columns: ['orders.note'] });
    expect(await databases.restoreColumns('api', ['orders.note'])).toMatchObject({ added: ['orders.note'], leftOut: [] });
    expect(await asked()).toEqual([]);
  });

  test('is never what could lose or refuse something: types, rules, columns that must have a value, what is too much', async () => {
    const live = `CREATE TABLE users (id INTEGER PRIMARY KEY, other TEXT); CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id TEXT, note TEXT DEFAULT 'x'); CREATE TABLE more (a);`;
    const { databases, spec, ask: asked } = await world(MIGRATIONS, live + RECORDS);
    expect(await databases.lacks(spec, true, SIGNAL)).toBe(null);
    expect((await asked()).map(({ code }) => code)).toEqual(
      expect.arrayContaining([
        'schema_column_missing',
        'schema_column_differs',
        'schema_rule_differs',
        'schema_index_differs',
        'schema_table_extra',
      ]),
    );
  });
});
