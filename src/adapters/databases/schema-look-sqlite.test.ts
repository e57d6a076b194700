import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { compareSchemas } from '../../domains/schema/index.ts';
import { lookAtSchema, takeSnapshot, type SchemaLookOrder } from './index.ts';
import { memory, testSpawner } from './testing/schema-ports.ts';

type Change = Partial<SchemaLookOrder>;

function project(files: Readonly<Record<string, string>>, live = ''): string {
  const dir = mkdtempSync(join(tmpdir(), 'grace-schema-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), text);
  }
  change(dir, live);
  return dir;
}

function change(dir: string, sql: string): void {
  const database = new DatabaseSync(join(dir, 'live.db'));
  database.exec('PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY');
  database.exec(sql);
  database.close();
}

async function look(dir: string, more: Change = {}, ports: Partial<Parameters<typeof lookAtSchema>[1]> = {}) {
  const order = {
    location: { engine: 'sqlite', path: join(dir, 'live.db') },
    cwd: dir,
    env: {},
    schemaFile: null,
    lastGood: null,
    nowMs: Date.now(),
    timeoutMs: 5000,
    ...more,
  } as const;
  return lookAtSchema(order, {
    spawner: testSpawner,
    applyMigrations: null,
    mayMake: true,
    memory: memory(),
    signal: AbortSignal.timeout(30_000),
    ...ports,
  });
}

/** Kind and name of each difference, or why there is nothing to compare with. */
async function differences(dir: string, more: Change = {}): Promise<unknown> {
  const found = await look(dir, more);
  if (found.state !== 'looked') return found.state;
  if (found.pending.length > 0) return { pending: found.pending };
  if (found.expected === null) return found.leftOut;
  return compareSchemas(found.expected.schema, found.actual).map(
    ({ kind, table, part }) => `${kind} ${table}${part === '' ? '' : `.${part}`}`,
  );
}

const RECORDS = `CREATE TABLE schema_migrations (name TEXT PRIMARY KEY);
  INSERT INTO schema_migrations VALUES ('001_users'), ('002_orders');`;
const MIGRATIONS = {
  'migrations/001_users.sql': `CREATE TABLE users (id INTEGER PRIMARY KEY, email VARCHAR(255) NOT NULL UNIQUE);`,
  'migrations/002_orders.sql': `CREATE TABLE orders (
      id INTEGER PRIMARY KEY AUTOINCREMENT,
      user_id INT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
      total REAL DEFAULT 0 CHECK (total >= 0),
      cents INTEGER GENERATED ALWAYS AS (total * 100) STORED
    );
    CREATE INDEX by_user ON orders (user_id);
    CREATE VIEW big AS SELECT * FROM orders WHERE total > 100;`,
};
const SAME = Object.values(MIGRATIONS).join('\n');

describe('migrations in plain SQL, applied to an empty database', () => {
  test('say that all is as it should be', async () => {
    expect(await differences(project(MIGRATIONS, SAME + RECORDS))).toEqual([]);
  });

  test('say by name what is missing and what differs', async () => {
    const live = `CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT);
      CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id TEXT NOT NULL, total REAL DEFAULT 1, tenant TEXT NOT NULL);
      CREATE TABLE extra (a);`;
    expect(await differences(project(MIGRATIONS, live + RECORDS))).toEqual([
      'type_differs orders.user_id',
      'default_differs orders.total',
      'column_missing orders.cents',
      'rule_missing orders.FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON DELETE CASCADE',
      'rule_missing orders.CHECK (total >= 0)',
      'index_missing orders.by_user',
      'column_extra orders.tenant',
      'nullability_differs users.email',
      'rule_missing users.UNIQUE ("email")',
      'view_missing big',
      'table_extra extra',
    ]);
  });

  test('are told as pending while they are', async () => {
    const live = `CREATE TABLE schema_migrations (name TEXT PRIMARY KEY); INSERT INTO schema_migrations VALUES ('001_users')`;
    expect(await differences(project(MIGRATIONS, live))).toEqual({ pending: ['002_orders'] });
  });

  test('do not touch the live database, leave nothing behind, and are applied once', async () => {
    const dir = project(MIGRATIONS, SAME + RECORDS);
    const before = readFileSync(join(dir, 'live.db'));
    const at = statSync(join(dir, 'live.db')).mtimeMs;
    // One of its own: others on this machine make such folders too.
    const temporary = mkdtempSync(join(tmpdir(), 'grace-temporary-'));
    vi.stubEnv('TMPDIR', temporary);
    onTestFinished(() => {
      vi.unstubAllEnvs();
      rmSync(temporary, { recursive: true });
    });
    let runs = 0;
    const counting = { run: (...args: Parameters<typeof testSpawner.run>) => (runs++, testSpawner.run(...args)) };
    const ports = { memory: memory(), spawner: counting };
    const [first, second] = [await look(dir, {}, ports), await look(dir, {}, ports)];
    expect(second).toEqual(first);
    expect(runs).toBe(1);
    writeFileSync(join(dir, 'migrations/002_orders.sql'), `${MIGRATIONS['migrations/002_orders.sql']} CREATE TABLE more (a);`);
    await look(dir, {}, ports);
    expect(runs).toBe(2);
    expect(readFileSync(join(dir, 'live.db')).equals(before)).toBe(true);
    expect(statSync(join(dir, 'live.db')).mtimeMs).toBe(at);
    expect(readdirSync(temporary)).toEqual([]);
    expect(readdirSync(dir).toSorted()).toEqual(['live.db', 'migrations']);
  });

  test('that reach for another file are not run, and the next source is asked', async () => {
    const dir = project(
      { 'migrations/001_a.sql': `ATTACH 'other.db' AS o; CREATE TABLE o.t (a)` },
      `${RECORDS} INSERT INTO schema_migrations VALUES ('001_a')`,
    );
    expect(await differences(dir)).toEqual([expect.stringContaining('reaches beyond its database: ATTACH')]);
    expect(existsSync(join(dir, 'other.db'))).toBe(false);
  });

  test('are never run by a tool whose record has a name of its own and is not found', async () => {
    const files = {
      'package.json': '{"dependencies":{"knex":"3"}}',
      'knexfile.js': `module.exports = { migrations: { tableName: 'mine' } }`,
      'migrations/1_a.js': '',
    };
    let runs = 0;
    const applyMigrations = async () => ({ state: 'not_possible', why: `run ${++runs}` }) as const;
    const live = `CREATE TABLE mine (id, name, batch, migration_time); INSERT INTO mine VALUES (1, '1_a.js', 1, 0)`;
    expect(await look(project(files, live), {}, { applyMigrations })).toMatchObject({
      leftOut: [expect.stringContaining('knex keeps its record in a table that was not found')],
    });
    expect(runs).toBe(0);
  });

  test('that fail are not tried again for an hour, unless they change', async () => {
    const live = `${RECORDS} INSERT INTO schema_migrations VALUES ('001_a')`;
    const dir = project({ 'migrations/001_a.sql': 'CREATE TABLE t (a,)' }, live);
    let runs = 0;
    const counting = { run: (...args: Parameters<typeof testSpawner.run>) => (runs++, testSpawner.run(...args)) };
    const ports = { memory: memory(), spawner: counting };
    const at = async (nowMs: number) => ((await look(dir, { nowMs }, ports)) as { leftOut: readonly string[] }).leftOut;
    expect(await at(1_000)).toEqual([expect.stringMatching(/: syntax error$/)]);
    expect(await at(3_600_999)).toEqual([expect.stringMatching(/: syntax error; it is tried again an hour after that, or when/)]);
    expect(runs).toBe(1);
    await at(3_601_000);
    expect(runs).toBe(2);
    await at(1_000); // the clock was set back: nobody knows how long ago that was
    expect(runs).toBe(3);
    writeFileSync(join(dir, 'migrations/001_a.sql'), 'CREATE TABLE t (b c d)');
    await at(1_000);
    expect(runs).toBe(4);
  });

  test('that lost a file since it was applied are compared with the last good boot', async () => {
    const dir = project(
      { 'package.json': '{"dependencies":{"knex":"3"}}', 'migrations/001_users.js': '', 'migrations/002_orders.js': '' },
      `${SAME} CREATE TABLE knex_migrations (id INTEGER, name TEXT, batch INT, migration_time TEXT);
      INSERT INTO knex_migrations (name) VALUES ('001_users.js'), ('002_orders.js')`,
    );
    const lastGood = await takeSnapshot({ engine: 'sqlite', path: join(dir, 'live.db') });
    rmSync(join(dir, 'migrations/002_orders.js'));
    expect(await look(dir, { lastGood })).toMatchObject({
      expected: { source: 'last_good_boot' },
      leftOut: ['not compared with the migrations: 002_orders was applied and has no file in migrations'],
    });
  });

  test('that somebody ended are tried the next time', async () => {
    const dir = project(MIGRATIONS, SAME + RECORDS);
    const ended = new AbortController();
    const spawner = { run: () => (ended.abort(new Error('the boot was ended')), Promise.reject(new Error('killed'))) };
    const remembers = memory();
    await expect(look(dir, {}, { memory: remembers, spawner, signal: ended.signal })).rejects.toThrow('the boot was ended');
    expect(await look(dir, {}, { memory: remembers })).toMatchObject({ expected: { source: 'migrations' }, leftOut: [] });
  });

  test('that are wrong or never end are given up', async () => {
    const wrong = project({ 'migrations/001_a.sql': 'CREATE TABLE t (a,)' }, `${RECORDS} INSERT INTO schema_migrations VALUES ('001_a')`);
    expect(await differences(wrong)).toEqual([expect.stringContaining('001_a.sql: near ")": syntax error')]);
    const endless = project(
      { 'migrations/001_a.sql': 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n' },
      `${RECORDS} INSERT INTO schema_migrations VALUES ('001_a')`,
    );
    const impatient = {
      run: (argv: readonly string[], options: Parameters<typeof testSpawner.run>[1]) =>
        testSpawner.run(argv, { ...options, timeoutMs: 300 }),
    };
    expect(await look(endless, {}, { spawner: impatient })).toMatchObject({
      expected: null,
      leftOut: [expect.stringContaining('took more than')],
    });
  });

  test('go forward only: what stands below "down" is not run', async () => {
    const dir = project(
      { 'migrations/001_a.sql': '-- migrate:up\nCREATE TABLE t (a);\n-- migrate:down\nDROP TABLE t;' },
      `CREATE TABLE t (a); CREATE TABLE schema_migrations (version TEXT PRIMARY KEY); INSERT INTO schema_migrations VALUES ('001')`,
    );
    expect(await differences(dir)).toEqual([]);
  });
});

describe('without migrations', () => {
  test('a schema file counts, and one that the config names comes first', async () => {
    const dir = project({ ...MIGRATIONS, 'db/schema.sql': 'CREATE TABLE other (a);', 'my.sql': 'CREATE TABLE mine (a);' }, SAME + RECORDS);
    expect(await look(dir, { schemaFile: join(dir, 'my.sql') })).toMatchObject({ expected: { source: 'named_file', name: 'my.sql' } });
    rmSync(join(dir, 'migrations'), { recursive: true });
    expect(await look(dir)).toMatchObject({ expected: { source: 'schema_file', name: 'db/schema.sql' } });
  });

  test('the last good boot counts, until migrations were recorded since', async () => {
    const dir = project({}, SAME + RECORDS);
    const lastGood = await takeSnapshot({ engine: 'sqlite', path: join(dir, 'live.db') });
    change(dir, 'DROP VIEW big; DROP TABLE orders');
    expect(await differences(dir, { lastGood })).toEqual(['table_missing orders', 'view_missing big']);
    change(dir, `INSERT INTO schema_migrations VALUES ('003_drop')`);
    expect(await differences(dir, { lastGood })).toEqual(['the last good boot was before schema_migrations/003_drop']);
  });

  test('a file that does not exist is absent, and one that is no database cannot be read', async () => {
    const dir = project({ 'junk.db': 'x'.repeat(5000) });
    expect(await look(dir, { location: { engine: 'sqlite', path: join(dir, 'none.db') } })).toMatchObject({ state: 'absent' });
    expect((await look(dir, { location: { engine: 'sqlite', path: join(dir, 'junk.db') } })).state).not.toBe('looked');
  });
});

describe('tables of every kind', () => {
  test('with hostile names, STRICT, WITHOUT ROWID, generated, virtual, with comments and odd quotes: no false difference', async () => {
    const sql = `
      CREATE TABLE "we""ird; DROP TABLE users" ("sel""ect" TEXT DEFAULT 'it''s', [a b] INT, \`c\` BLOB, "日本語" TEXT CHECK ("日本語" <> ')'));
      CREATE TABLE "order" ("group" INTEGER PRIMARY KEY, "select" REAL) STRICT;
      CREATE TABLE kv (k TEXT PRIMARY KEY, v ANY) STRICT, WITHOUT ROWID;
      CREATE TABLE g (a INT, b INT GENERATED ALWAYS AS (a * 2) VIRTUAL, c INT AS (a + b) STORED, CHECK (a > 0 /* ) */), -- ' (
        CHECK (b IN (1, (2))));
      CREATE VIRTUAL TABLE docs USING fts5 (body);
      CREATE TABLE f (a REFERENCES g, b, c, FOREIGN KEY (b, c) REFERENCES kv (k, v) ON UPDATE SET NULL DEFERRABLE INITIALLY DEFERRED, UNIQUE (b, c));
      CREATE UNIQUE INDEX "i""x" ON f (b COLLATE NOCASE DESC, lower(c)) WHERE a IS NOT NULL;`;
    const dir = project({ 'schema.sql': sql }, sql);
    expect(await differences(dir)).toEqual([]);
    change(
      dir,
      `DROP TABLE kv; CREATE TABLE kv (k TEXT PRIMARY KEY, v INT) STRICT; DROP INDEX "i""x"; DROP TABLE docs; DROP TABLE "we""ird; DROP TABLE users"`,
    );
    expect(await differences(dir)).toEqual(
      expect.arrayContaining(['table_missing we"ird; DROP TABLE users', 'type_differs kv.v', 'index_missing f.i"x', 'table_missing docs']),
    );
  });

  test('one that needs a function of the service is compared as far as it goes', async () => {
    const sql = 'CREATE TABLE t (a TEXT NOT NULL, b TEXT AS (mine(a)))';
    const dir = project({}, '');
    const database = new DatabaseSync(join(dir, 'live.db'));
    database.function('mine', { deterministic: true }, (a) => a);
    database.exec(sql);
    database.close();
    const lastGood = await takeSnapshot({ engine: 'sqlite', path: join(dir, 'live.db') });
    change(dir, 'CREATE TABLE u (a)');
    expect(await differences(dir, { lastGood })).toEqual(['table_extra u']);
    writeFileSync(join(dir, 'schema.sql'), sql);
    expect(await look(dir)).toMatchObject({ leftOut: [expect.stringContaining('no such function: mine')] });
  });

  test('500 of them', async () => {
    const sql = Array.from(
      { length: 500 },
      (_, i) => `CREATE TABLE t${i} (id INTEGER PRIMARY KEY, a TEXT NOT NULL, b REFERENCES t0 (id));`,
    ).join('\n');
    const dir = project({ 'schema.sql': sql }, `${sql} DROP TABLE t250; ALTER TABLE t400 RENAME COLUMN a TO c;`);
    expect(await differences(dir)).toEqual(['table_missing t250', 'column_missing t400.a', 'column_extra t400.c']);
  });
});

test('what a killed Grace has left is removed by the next, and nothing younger', async () => {
  const old = mkdtempSync(join(tmpdir(), 'grace_scratch_'));
  const young = mkdtempSync(join(tmpdir(), 'grace_scratch_'));
  onTestFinished(() => rmSync(young, { recursive: true, force: true }));
  utimesSync(old, new Date(0), new Date(0));
  await look(project({ 'schema.sql': 'CREATE TABLE t (a)' }, 'CREATE TABLE t (a)'));
  expect([existsSync(old), existsSync(young)]).toEqual([false, true]);
});
