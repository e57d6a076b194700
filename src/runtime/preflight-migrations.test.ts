import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findMigrationFolder, readMigrationState, takeSnapshot } from '../adapters/databases/index.ts';
import { checkModules } from '../adapters/node/check-module.ts';
import { askHttp } from '../adapters/node/ask-http.ts';
import { nodeClock } from '../adapters/node/clock.ts';
import { nodeFiles } from '../adapters/node/files.ts';
import { lintInThread } from '../adapters/node/lint-in-thread.ts';
import { nodeSpawner } from '../adapters/node/spawner.ts';
import { migrations } from '../catalog/checks/migrations.ts';
import { ask, serviceFolder } from '../catalog/checks/testing.ts';
import type { Finding } from '../domains/preflight/index.ts';
import { sha256Hex } from '../kernel/index.ts';

/** A Knex project with the SQL given in its database; the looks are those of Grace. */
async function look(sql: string, files: Readonly<Record<string, string>>, migrate: readonly string[] = []) {
  const dir = serviceFolder({ 'knexfile.js': 'module.exports = {}', ...files });
  const path = join(dir, 'app.db');
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
  const ports = {
    clock: nodeClock,
    files: nodeFiles,
    spawner: nodeSpawner,
    lint: lintInThread,
    runModule: checkModules(nodeSpawner),
    ask: askHttp,
    migrations: {
      isThere: async () => (await findMigrationFolder(dir, null)) !== null,
      look: async () => readMigrationState(dir, await takeSnapshot({ engine: 'sqlite', path })),
    },
  };
  return ask(migrations, dir, ports, { spec: { migrate } });
}
const said = (findings: readonly Finding[]) => findings.map(({ severity, code, message }) => `${severity} ${code}: ${message}`);
const RECORD = 'CREATE TABLE knex_migrations (id, name, batch, migration_time);';
const creates = (table: string) => `exports.up = (knex) => knex.schema.createTable('${table}', () => {});`;

test('migrations and record that agree are no finding', async () => {
  expect(await look(`${RECORD} INSERT INTO knex_migrations VALUES (1, '1_a.js', 1, 0)`, { 'migrations/1_a.js': creates('a') })).toEqual([]);
  expect(await look('SELECT 1', {})).toEqual([]);
});

test('pending ones are named with the command that applies them, unless Grace is to apply them itself', async () => {
  const files = {
    'migrations/1_a.js': creates('a'),
    'migrations/2_b.js': creates('b'),
    'package.json': JSON.stringify({ scripts: { migrate: 'knex migrate:latest' } }),
  };
  const sql = `${RECORD} CREATE TABLE a (id); INSERT INTO knex_migrations VALUES (1, '1_a.js', 1, 0)`;
  expect(await look(sql, files)).toMatchObject([
    {
      severity: 'warn',
      code: 'migrations_pending',
      message: 'one migration of knex is not applied: 2_b',
      hint: '`npm run migrate`; with components.api.migrate Grace does it before each start',
    },
  ]);
  expect(await look(sql, files, ['npm', 'run', 'migrate'])).toEqual([]);
});

test('one whose table is there is unrecorded, and not pending', async () => {
  const files = {
    'migrations/1_a.js': creates('a'),
    'migrations/2_b.js': creates('b'),
    // going back is no creating
    'migrations/3_c.js': `exports.up = (knex) => knex.schema.dropTable('a');\nexports.down = (knex) => knex.schema.createTable('a', () => {});`,
  };
  expect(said(await look(`${RECORD} CREATE TABLE a (id)`, files))).toEqual([
    'warn migrations_pending: 2 migrations of knex are not applied: 2_b, 3_c',
    'warn migrations_unrecorded: one migration of knex is not recorded, although the tables are there: 1_a',
  ]);
});

test('a recorded one without a file is named, as long as others have theirs', async () => {
  const sql = `${RECORD} INSERT INTO knex_migrations VALUES (1, '1_a.js', 1, 0), (2, '2_b.js', 1, 0)`;
  expect(said(await look(sql, { 'migrations/1_a.js': creates('a') }))).toEqual([
    'warn migration_missing: one migration of knex is recorded and without a file in migrations: 2_b',
  ]);
  expect(said(await look(sql, { 'migrations/3_c.js': creates('c') }))).toEqual([
    'warn migrations_pending: one migration of knex is not applied: 3_c',
  ]);
});

test('an edited one of Prisma and one that broke halfway are told apart, and line endings are no edit', async () => {
  const text = 'CREATE TABLE a (id int);\nSELECT 1;\n';
  const files = {
    'prisma/schema.prisma': '',
    'prisma/migrations/1_a/migration.sql': text,
    'prisma/migrations/2_b/migration.sql': 'SELECT 2;\n',
  };
  const table = 'CREATE TABLE _prisma_migrations (id, checksum, finished_at, migration_name, logs, rolled_back_at, started_at);';
  const row = (name: string, sum: string, finished: string) => `('${name}', '${sum}', ${finished}, '${name}', NULL, NULL, 1)`;
  const appliedAs = async (first: string) => {
    const rows = [row('1_a', sha256Hex(first), '1'), row('2_b', sha256Hex('SELECT 2;\n'), 'NULL')];
    return said(await look(`${table} INSERT INTO _prisma_migrations VALUES ${rows.join(', ')}`, files));
  };
  const unfinished = 'warn migration_unfinished: one migration of prisma is recorded as begun and not as done: 2_b';
  expect(await appliedAs(text.replace('int', 'text'))).toEqual([
    'warn migration_edited: one migration of prisma is not what was applied: 1_a',
    unfinished,
  ]);
  expect(await appliedAs(text.replaceAll('\n', '\r\n'))).toEqual([unfinished]);
});

test('a checksum of Flyway is that of the lines', async () => {
  const sql = `CREATE TABLE flyway_schema_history (installed_rank, version, description, type, script, checksum, success);
    INSERT INTO flyway_schema_history VALUES (1, '1', 'a', 'SQL', 'V1__a.sql', ${FLYWAY_SUM}, 1)`;
  const codes = async (text: string) => (await look(sql, { 'db/migration/V1__a.sql': text })).map(({ code }) => code);
  expect(await codes('SELECT 1;\nSELECT 2;\n')).toEqual([]);
  expect(await codes('\uFEFFSELECT 1;\r\nSELECT 2;')).toEqual([]);
  expect(await codes('SELECT 1;\nSELECT 3;\n')).toEqual(['migration_edited']);
});
/** CRC-32 of `SELECT 1;SELECT 2;` as a signed number. */
const FLYWAY_SUM = -1665099012;
