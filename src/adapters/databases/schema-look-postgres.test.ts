import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { MigrationsOrder } from '../../domains/preflight/index.ts';
import { compareSchemas, tablesTwice } from '../../domains/schema/index.ts';
import { lookAtSchema, restoreTables, takeSnapshot, type SchemaLookOrder } from './index.ts';
import { onPostgres } from './postgres-session.ts';
import { POSTGRES_MISSING, startPostgres, type TestServer } from './testing/postgres-server.ts';
import { memory, testSpawner } from './testing/schema-ports.ts';

/** Everything that a schema file and a database can say in two ways. */
const SCHEMA = `
  CREATE TYPE mood AS ENUM ('sad', 'so-so', 'it''s fine');
  CREATE SCHEMA billing;
  CREATE TABLE users (
    id serial PRIMARY KEY,
    email varchar(255) NOT NULL UNIQUE,
    feeling mood NOT NULL DEFAULT 'so-so',
    made_at timestamptz DEFAULT now(),
    score numeric(10,2) DEFAULT 0 CHECK (score >= 0),
    double_score numeric GENERATED ALWAYS AS (score * 2) STORED,
    tags text[] DEFAULT '{}'
  );
  CREATE TABLE billing.invoices (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id int REFERENCES users (id) ON DELETE CASCADE);
  CREATE TABLE "we""ird; --" ("select" text, "日本語" int, "Ünï" text DEFAULT 'it''s \\ here');
  CREATE INDEX users_low ON users (lower(email)) WHERE score > 0;
  CREATE INDEX users_tags ON users USING gin (tags);
  CREATE TABLE events (at timestamptz NOT NULL, body jsonb) PARTITION BY RANGE (at);
  CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
  CREATE INDEX events_at ON events (at);
  CREATE VIEW happy AS SELECT id, email FROM users WHERE feeling <> 'sad';
  CREATE VIEW happier AS SELECT count(*) FROM happy;
`;

describe.skipIf(POSTGRES_MISSING !== null)(['the schema of a PostgreSQL database', POSTGRES_MISSING].filter(Boolean).join(': '), () => {
  let server: TestServer;
  let database: string;
  let count = 0;

  beforeAll(async () => {
    server = await startPostgres();
    await server.query('postgres', `CREATE ROLE plain LOGIN PASSWORD 'plain-1234'`);
  }, 60_000);
  afterAll(() => server?.stop());
  beforeEach(async () => {
    database = `live_${count++}`;
    await server.query('postgres', `CREATE DATABASE ${database}`);
  });

  function project(files: Readonly<Record<string, string>>): string {
    const dir = mkdtempSync(join(tmpdir(), 'grace-schema-'));
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(dir, name)), { recursive: true });
      writeFileSync(join(dir, name), text);
    }
    return dir;
  }

  async function look(dir: string, more: Partial<SchemaLookOrder> = {}, ports: Partial<Parameters<typeof lookAtSchema>[1]> = {}) {
    const order = {
      location: { engine: 'postgres', url: server.url(database) },
      cwd: dir,
      env: {},
      schemaFile: null,
      lastGood: null,
      nowMs: Date.now(),
      timeoutMs: 5000,
      ...more,
    } as const;
    const signal = AbortSignal.timeout(60_000);
    return lookAtSchema(order, { spawner: testSpawner, applyMigrations: null, mayMake: true, memory: memory(), signal, ...ports });
  }

  async function differences(dir: string, more: Partial<SchemaLookOrder> = {}): Promise<unknown> {
    const found = await look(dir, more);
    if (found.state !== 'looked') return found;
    if (found.expected === null) return found.leftOut;
    return compareSchemas(found.expected.schema, found.actual).map(
      ({ kind, table, part, statement }) => `${kind} ${table}${part === '' ? '' : `.${part}`}${statement === null ? '' : `: ${statement}`}`,
    );
  }

  const scratches = async () =>
    (await server.query('postgres', `SELECT datname AS name FROM pg_database WHERE datname LIKE 'grace_scratch_%'`)).map(
      ({ name }) => name,
    );

  test('is that of its schema file, whatever it is made of, and the database made for it is gone', async () => {
    await server.query(database, SCHEMA);
    expect(await differences(project({ 'schema.sql': SCHEMA }))).toEqual([]);
    expect(await scratches()).toEqual([]);
  });

  test('is told by name where it is another, and each statement mends what it stands for', async () => {
    await server.query(database, SCHEMA);
    await server.query(
      database,
      `DROP VIEW happy CASCADE; DROP INDEX users_low; ALTER TABLE users DROP COLUMN tags, ALTER COLUMN email TYPE varchar(100), ALTER COLUMN feeling DROP NOT NULL,
         ALTER COLUMN made_at DROP DEFAULT, ADD COLUMN nick text; DROP TABLE billing.invoices; DROP INDEX events_at; ALTER TABLE users DROP CONSTRAINT users_score_check`,
    );
    const dir = project({ 'schema.sql': SCHEMA });
    const told = (await differences(dir)) as readonly string[];
    expect(told.map((one) => one.split(':')[0])).toEqual([
      'table_missing billing.invoices',
      'index_missing events.events_at',
      'type_differs users.email',
      'nullability_differs users.feeling',
      'default_differs users.made_at',
      'column_missing users.tags',
      'rule_missing users.users_score_check',
      'index_missing users.users_low',
      'column_extra users.nick',
      'view_missing happier',
      'view_missing happy',
    ]);
    // `happier` stands on `happy`, which is told after it.
    const statements = told.map((one) => one.slice(one.indexOf(': ') + 2));
    for (const sql of [...statements.slice(0, -2), ...statements.slice(-2).toReversed()]) await server.query(database, sql);
    // What hung on the column is told once the column is there.
    const [rest, ...others] = (await differences(dir)) as readonly string[];
    expect([rest?.split(':')[0], others]).toEqual(['index_missing users.users_tags', []]);
    await server.query(database, rest!.slice(rest!.indexOf(': ') + 2));
    expect(await differences(dir)).toEqual([]);
  });

  test('is compared with migrations; several for one name are told, and the one that is meant', async () => {
    const dir = project({
      'migrations/001_users.sql': 'BEGIN; CREATE TABLE users (id int PRIMARY KEY); COMMIT;',
      'migrations/002_more.sql': `ALTER TABLE users ADD COLUMN "Odd Name" text DEFAULT 'x'`,
    });
    await server.query(
      database,
      `CREATE SCHEMA app; CREATE TABLE app.users (id int PRIMARY KEY); CREATE TABLE users (id int PRIMARY KEY, "Odd Name" character varying DEFAULT 'x');
       CREATE TABLE schema_migrations (name text PRIMARY KEY); INSERT INTO schema_migrations VALUES ('001_users'), ('002_more');
       ALTER ROLE admin IN DATABASE ${database} SET search_path = "$user", app, public`,
    );
    const found = await look(dir);
    if (found.state !== 'looked' || found.expected === null) throw new Error(JSON.stringify(found));
    expect(found.expected.name).toBe('the migrations in migrations');
    expect(compareSchemas(found.expected.schema, found.actual).map(({ kind, table }) => `${kind} ${table}`)).toEqual([
      // without a schema the migration made its tables in the first one there is, which is public where there is no app
      'type_differs users',
      'table_extra app.users',
    ]);
    expect(tablesTwice(found.actual)).toMatchObject([{ kind: 'table_twice', actual: 'app.users, public.users' }]);
  });

  test('is compared with the last good boot where the role may not create a database', async () => {
    await server.query(database, `CREATE TABLE t (a int, b int); GRANT SELECT ON t TO plain`);
    const dir = project({ 'schema.sql': 'CREATE TABLE t (a int)' });
    const location = { engine: 'postgres', url: server.url(database, { user: 'plain', password: 'plain-1234' }) } as const;
    const lastGood = await takeSnapshot(location);
    await server.query(database, 'ALTER TABLE t DROP COLUMN b');
    expect(await look(dir, { location, lastGood })).toMatchObject({
      expected: { source: 'last_good_boot' },
      leftOut: ['schema.sql cannot be applied to an empty database: the role "plain" may not create a database beside it'],
    });
    expect(await differences(dir, { location, lastGood })).toEqual(['column_missing t.b: ALTER TABLE "t" ADD COLUMN "b" integer']);
  });

  test('cannot be told where the catalog is closed, and nothing is thrown', async () => {
    await server.query(database, 'REVOKE SELECT ON pg_catalog.pg_class FROM PUBLIC');
    const location = { engine: 'postgres', url: server.url(database, { user: 'plain', password: 'plain-1234' }) } as const;
    expect(await look(project({}), { location })).toMatchObject({ state: 'unreadable', problem: expect.stringContaining('pg_class') });
    expect(await look(project({}), { location: { engine: 'postgres', url: server.url('nowhere') } })).toMatchObject({ state: 'absent' });
  });

  test('is not asked of statements that reach beyond the database', async () => {
    for (const sql of [
      'CREATE ROLE evil',
      `ALTER DATABASE ${database} SET work_mem = '1MB'`,
      `DO $$ BEGIN EXECUTE 'drop role plain'; END $$`,
      `COPY (SELECT 1) TO PROGRAM 'touch /tmp/x'`,
      'ALTER SYSTEM SET work_mem = 1',
      `GRANT CONNECT ON DATABASE ${database} TO plain`,
      '\\connect other',
    ])
      expect([sql, await differences(project({ 'schema.sql': sql }))]).toEqual([
        sql,
        [expect.stringMatching(/reaches beyond|commands of psql/)],
      ]);
    expect(await server.query('postgres', `SELECT 1 FROM pg_roles WHERE rolname = 'evil'`)).toEqual([]);
  });

  test('a migration that fails or hangs leaves no database behind', async () => {
    expect(await differences(project({ 'schema.sql': 'CREATE TABLE t (a int); SELECT 1/0' }))).toEqual([
      'schema.sql cannot be applied to an empty database: schema.sql: division by zero',
    ]);
    expect(await scratches()).toEqual([]);
    const sneaky = { ...memory(), recall: () => Promise.reject(new Error('the store is broken')) };
    await expect(look(project({ 'schema.sql': 'CREATE TABLE t (a int)' }), {}, { memory: sneaky })).rejects.toThrow('broken');
    expect(await scratches()).toEqual([]);
  });

  test('what a killed Grace has left is dropped by the next for the same database, and nothing else', async () => {
    const dir = project({ 'schema.sql': 'CREATE TABLE t (a int)' });
    let name = '';
    const watch = async (order: MigrationsOrder) => {
      name = new URL(order.scratchUrl).pathname.slice(1);
      return { state: 'not_possible', why: 'only looking' } as const;
    };
    writeFileSync(join(dir, 'knexfile.js'), '');
    mkdirSync(join(dir, 'migrations'));
    writeFileSync(join(dir, 'migrations/1_a.js'), '');
    await server.query(
      database,
      `CREATE TABLE knex_migrations (id int, name text, batch int, migration_time timestamptz); INSERT INTO knex_migrations VALUES (1, '1_a.js', 1, now())`,
    );
    expect(await look(dir, {}, { applyMigrations: watch })).toMatchObject({
      expected: { source: 'schema_file' },
      leftOut: ['the migrations in migrations cannot be applied to an empty database: only looking'],
    });
    const left = name.replace(/_[0-9a-z]+_([0-9a-f]{10})$/, `_${Math.floor(Date.now() / 1000 - 3600).toString(36)}_$1`);
    const others = [name, 'grace_scratch_0123456789_aaaaaa_0123456789', 'grace_scratch_mine'];
    for (const one of [left, ...others]) await onPostgres(server.url('postgres'), 5000, (client) => client.query(`CREATE DATABASE ${one}`));
    await look(dir);
    expect(new Set(await scratches())).toEqual(new Set(others));
    for (const one of others) await onPostgres(server.url('postgres'), 5000, (client) => client.query(`DROP DATABASE ${one}`));
  });

  test('500 tables are compared, and what is missing can be made from what the migrations say', async () => {
    const sql = Array.from(
      { length: 500 },
      (_, i) => `CREATE TABLE t${i} (id bigserial PRIMARY KEY, a text NOT NULL DEFAULT 'x', b int);`,
    ).join('\n');
    await server.query(database, sql);
    await server.query(database, 'DROP TABLE t77; ALTER TABLE t99 DROP COLUMN b');
    const kept: Awaited<ReturnType<typeof takeSnapshot>>[] = [];
    const remembers = {
      ...memory(),
      recall: async () => kept[0] ?? null,
      keep: async (_key: string, one: (typeof kept)[number]) => void kept.push(one),
    };
    const dir = project({ 'schema.sql': sql });
    const found = await look(dir, {}, { memory: remembers });
    if (found.state !== 'looked' || found.expected === null) throw new Error(JSON.stringify(found));
    expect(compareSchemas(found.expected.schema, found.actual).map(({ kind, table, part }) => `${kind} ${table}.${part}`)).toEqual([
      'table_missing t77.',
      'column_missing t99.b',
    ]);
    expect(await restoreTables({ engine: 'postgres', url: server.url(database) }, kept[0]!, ['t77'])).toMatchObject({ state: 'restored' });
    const again = await look(dir, {}, { memory: remembers });
    if (again.state !== 'looked' || again.expected === null) throw new Error(JSON.stringify(again));
    expect(compareSchemas(again.expected.schema, again.actual).map(({ statement }) => statement)).toEqual([
      'ALTER TABLE "t99" ADD COLUMN "b" integer',
    ]);
  });
});
