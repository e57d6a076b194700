import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findMigrationFolder, takeSnapshot } from './index.ts';

describe('the migrations of a project', () => {
  let cwd: string;
  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), 'grace-project-'));
  });
  afterEach(() => rmSync(cwd, { recursive: true, force: true }));

  function write(files: Record<string, string>): void {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(cwd, path)), { recursive: true });
      writeFileSync(join(cwd, path), text);
    }
  }
  function dependsOn(name: string, scripts: Record<string, string> = {}): void {
    write({ 'package.json': JSON.stringify({ dependencies: { [name]: '1' }, scripts }), [`node_modules/.bin/${name}`]: '' });
    chmodSync(join(cwd, `node_modules/.bin/${name}`), 0o755);
  }
  async function look(sql: string) {
    const path = join(cwd, 'state.db');
    const database = new DatabaseSync(path);
    database.exec(sql);
    database.close();
    return findMigrationFolder(cwd, await takeSnapshot({ engine: 'sqlite', path }));
  }

  it('are compared with what Knex recorded', async () => {
    dependsOn('knex');
    write({
      'knexfile.js': `export default { migrations: { directory: './db/steps' } }`,
      'db/steps/1_a.ts': '',
      'db/steps/2_b.ts': '',
      'db/steps/2_b.d.ts': '',
    });
    const found = await look(
      `CREATE TABLE knex_migrations (id, name, batch, migration_time); INSERT INTO knex_migrations VALUES (1, '1_a.js', 1, 0)`,
    );
    expect(found).toEqual({
      isRecorded: true,
      isRecordUnknown: false,
      tool: 'knex',
      folder: 'db/steps',
      apply: ['node_modules/.bin/knex', 'migrate:latest'],
      pending: ['2_b'],
    });
  });

  it('are compared with what Sequelize recorded', async () => {
    dependsOn('sequelize-cli');
    write({
      '.sequelizerc': `module.exports = { 'migrations-path': path.resolve('db', 'migrations') }`,
      'db/migrations/1-a.js': '',
      'db/migrations/2-b.js': '',
    });
    const found = await look(`CREATE TABLE SequelizeMeta (name); INSERT INTO SequelizeMeta VALUES ('1-a.js')`);
    expect(found).toEqual({
      isRecorded: true,
      isRecordUnknown: false,
      tool: 'sequelize',
      folder: 'db/migrations',
      apply: ['node_modules/.bin/sequelize-cli', 'db:migrate'],
      pending: ['2-b'],
    });
  });

  it('are compared with what db-migrate recorded', async () => {
    dependsOn('db-migrate');
    write({ 'migrations/20240101-a.js': '', 'migrations/20240102-b.js': '', 'migrations/sqls/20240101-a-up.sql': '' });
    const found = await look(`CREATE TABLE migrations (id, name, run_on); INSERT INTO migrations VALUES (1, '/20240101-a', 0)`);
    expect(found).toMatchObject({ tool: 'db-migrate', apply: ['node_modules/.bin/db-migrate', 'up'], pending: ['20240102-b'] });
  });

  it('are compared with what TypeORM recorded', async () => {
    dependsOn('typeorm');
    write({ 'src/migrations/1700000000000-A.ts': '', 'src/migrations/1700000000001-B.ts': '', 'dist/data-source.js': '' });
    const found = await look(
      `CREATE TABLE migrations (id, timestamp, name); INSERT INTO migrations VALUES (1, 1700000000000, 'A1700000000000')`,
    );
    expect(found).toMatchObject({
      tool: 'typeorm',
      apply: ['node_modules/.bin/typeorm', 'migration:run', '-d', 'dist/data-source.js'],
      pending: ['1700000000001-B'],
    });
  });

  it('are compared with what Kysely recorded', async () => {
    dependsOn('kysely');
    write({
      'kysely.config.ts': `export default defineConfig({ migrations: { migrationFolder: "src/steps" } })`,
      'src/steps/1_a.ts': '',
      'src/steps/2_b.ts': '',
    });
    expect(await look(`CREATE TABLE kysely_migration (name, timestamp); INSERT INTO kysely_migration VALUES ('1_a', '')`)).toMatchObject({
      tool: 'kysely',
      folder: 'src/steps',
      pending: ['2_b'],
    });
  });

  it('are compared with what node-pg-migrate recorded', async () => {
    dependsOn('node-pg-migrate', { redo: 'node-pg-migrate -m db/steps redo' });
    write({ 'db/steps/1_a.sql': '', 'db/steps/2_b.js': '' });
    const found = await look(`CREATE TABLE pgmigrations (id, name, run_on); INSERT INTO pgmigrations VALUES (1, '1_a', 0)`);
    expect(found).toMatchObject({ tool: 'node-pg-migrate', folder: 'db/steps', pending: ['2_b'] });
  });

  it('count with Prisma only when they were finished and not rolled back', async () => {
    dependsOn('prisma');
    write({
      'prisma/schema.prisma': '',
      'prisma/migrations/1_a/migration.sql': '',
      'prisma/migrations/2_b/migration.sql': '',
      'prisma/migrations/migration_lock.toml': '',
    });
    const found = await look(`CREATE TABLE _prisma_migrations (id, checksum, finished_at, migration_name, logs, rolled_back_at, started_at);
      INSERT INTO _prisma_migrations VALUES ('a', '', 1, '1_a', NULL, NULL, 1), ('b', '', NULL, '2_b', 'failed', NULL, 2)`);
    expect(found).toEqual({
      isRecorded: true,
      isRecordUnknown: false,
      tool: 'prisma',
      folder: 'prisma/migrations',
      apply: ['node_modules/.bin/prisma', 'migrate', 'deploy'],
      pending: ['2_b'],
    });
  });

  it('are what Drizzle would apply: newer than its newest record', async () => {
    dependsOn('drizzle-kit');
    write({
      'drizzle.config.ts': `export default defineConfig({ out: './sql' })`,
      'sql/meta/_journal.json': JSON.stringify({
        entries: [
          { tag: '0000_a', when: 1 },
          { tag: '0001_b', when: 2 },
          { tag: '0002_c', when: 3 },
        ],
      }),
    });
    const found = await look(
      `CREATE TABLE __drizzle_migrations (id, hash, created_at); INSERT INTO __drizzle_migrations VALUES (1, 'x', 2)`,
    );
    expect(found).toEqual({
      isRecorded: true,
      isRecordUnknown: false,
      tool: 'drizzle',
      folder: 'sql',
      apply: ['node_modules/.bin/drizzle-kit', 'migrate'],
      pending: ['0002_c'],
    });
  });

  it('follow the graph of Alembic, not the names of its files', async () => {
    write({
      'alembic.ini': '[alembic]\nscript_location = %(here)s/alembic\n',
      'alembic/versions/z.py': `revision = 'aaa'\ndown_revision = None\n`,
      'alembic/versions/b.py': `revision: str = "bbb"\ndown_revision: Union[str, None] = "aaa"\n`,
      'alembic/versions/a.py': `revision = 'ddd'\ndown_revision = ('bbb', 'ccc')\n`,
      'alembic/versions/c.py': `revision = 'ccc'\ndown_revision = 'aaa'\n`,
      '.venv/bin/alembic': '',
    });
    expect(await look(`CREATE TABLE alembic_version (version_num); INSERT INTO alembic_version VALUES ('bbb')`)).toEqual({
      isRecorded: true,
      isRecordUnknown: false,
      tool: 'alembic',
      folder: 'alembic/versions',
      apply: ['.venv/bin/alembic', 'upgrade', 'head'],
      pending: ['ccc', 'ddd'],
    });
    expect(await look(`UPDATE alembic_version SET version_num = 'newer'`)).toMatchObject({ pending: [] });
  });

  it('are ordered by version for Flyway', async () => {
    write({ 'db/migration/V1__a.sql': '', 'db/migration/V10__c.sql': '', 'db/migration/V2_1__b.sql': '', 'db/migration/R__view.sql': '' });
    const found = await look(
      `CREATE TABLE flyway_schema_history (installed_rank, version, description, type, script, success); INSERT INTO flyway_schema_history VALUES (1, '1', 'a', 'SQL', 'V1__a.sql', 1)`,
    );
    expect(found).toEqual({
      isRecorded: true,
      isRecordUnknown: false,
      tool: 'flyway',
      folder: 'db/migration',
      apply: ['flyway', 'migrate'],
      pending: ['V2_1__b.sql', 'V10__c.sql'],
    });
  });

  it('are compared by number for Rails, goose, dbmate and golang-migrate', async () => {
    write({ 'db/migrate/20240101_a.rb': '', 'db/migrate/20240102_b.rb': '' });
    expect(await look(`CREATE TABLE schema_migrations (version); INSERT INTO schema_migrations VALUES ('20240101')`)).toMatchObject({
      tool: 'rails',
      pending: ['20240102_b'],
    });
    rmSync(join(cwd, 'db'), { recursive: true });
    write({ 'db/migrations/20240101_a.sql': '-- migrate:up\n', 'db/migrations/20240103_b.sql': '-- migrate:up\n' });
    expect(await look('SELECT 1')).toMatchObject({ tool: 'dbmate', pending: ['20240103_b'] });
    rmSync(join(cwd, 'db'), { recursive: true });
    write({ 'migrations/00001_a.sql': '-- +goose Up\n', 'migrations/00002_b.sql': '-- +goose Up\n' });
    expect(
      await look(
        `CREATE TABLE goose_db_version (id, version_id, is_applied); INSERT INTO goose_db_version VALUES (1, 1, 1), (2, 2, 1), (3, 2, 0)`,
      ),
    ).toMatchObject({
      tool: 'goose',
      pending: ['00002_b.sql'],
    });
    rmSync(join(cwd, 'migrations'), { recursive: true });
    write({ 'migrations/000001_a.up.sql': '', 'migrations/000001_a.down.sql': '', 'migrations/000002_b.up.sql': '' });
    expect(
      await look(
        `DROP TABLE schema_migrations; CREATE TABLE schema_migrations (version, dirty); INSERT INTO schema_migrations VALUES (1, 0)`,
      ),
    ).toMatchObject({
      tool: 'golang-migrate',
      apply: null,
      pending: ['000002_b.up.sql'],
    });
  });

  it('are compared with what Django recorded, app by app', async () => {
    write({ 'manage.py': '', 'shop/migrations/0001_initial.py': '', 'shop/migrations/0002_x.py': '', 'shop/migrations/__init__.py': '' });
    const found = await look(
      `CREATE TABLE django_migrations (id, app, name, applied); INSERT INTO django_migrations VALUES (1, 'shop', '0001_initial', 0)`,
    );
    expect(found).toMatchObject({ tool: 'django', apply: ['python', 'manage.py', 'migrate', '--noinput'], pending: ['shop.0002_x'] });
  });

  it('are numbered SQL files that the service applies itself', async () => {
    write({
      'package.json': JSON.stringify({ scripts: { migrate: 'node migrate.ts' } }),
      'migrate.ts': `'CREATE TABLE schema_migrations'`,
      'migrations/0001_a.sql': '',
      'migrations/0002_b.sql': '',
      'migrations/0002_b.down.sql': '',
    });
    expect(await look('CREATE TABLE other (id)')).toMatchObject({ pending: ['0001_a', '0002_b'] });
    expect(await look(`CREATE TABLE schema_migrations (name); INSERT INTO schema_migrations VALUES ('0001_a')`)).toEqual({
      isRecorded: true,
      isRecordUnknown: false,
      tool: 'sql',
      folder: 'migrations',
      apply: ['npm', 'run', 'migrate'],
      pending: ['0002_b'],
    });
    expect(await findMigrationFolder(cwd, null)).toMatchObject({ tool: 'sql', pending: [] });
  });

  it('are not counted where the record may be under another name', async () => {
    dependsOn('knex');
    write({ 'knexfile.js': `export default { migrations: { tableName: 'steps' } }`, 'migrations/1_a.js': '' });
    expect(await look('CREATE TABLE steps (id, name)')).toMatchObject({ tool: 'knex', pending: [] });
  });

  it.each([
    ['prisma migrate dev', null],
    ['drizzle-kit push', null],
    ['knex migrate:rollback --all && knex migrate:latest', null],
    ['npm run reset', null],
    ['knex migrate:latest --env production', ['yarn', 'run', 'migrate']],
  ])('are applied by the script of the project only when it goes forwards: %s', async (script, apply) => {
    write({
      'package.json': JSON.stringify({ dependencies: { knex: '1' }, scripts: { migrate: script, reset: 'dropdb x' } }),
      'yarn.lock': '',
      'knexfile.js': '',
      'migrations/1_a.js': '',
    });
    expect((await findMigrationFolder(cwd, null))?.apply).toEqual(apply);
  });

  it('are none in a project without a trace of them', async () => {
    write({ 'package.json': '{ not json' });
    expect(await findMigrationFolder(cwd, null)).toBeNull();
  });
});
