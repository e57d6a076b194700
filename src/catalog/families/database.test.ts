import { expect, test } from 'vitest';
import { migrationPending } from './migration-pending.ts';
import { schemaMissing } from './schema-missing.ts';
import { choose, drift, fact, guardAfter, stepsOf, type World } from './testing.ts';

test('applies pending migrations with the declared command, and only with that', async () => {
  const sick: World = { component: { migrate: ['node', 'migrate.js'] }, facts: [fact('migration_pending', '0003_add_priority')] };
  const { chosen } = await choose(sick);
  expect(chosen?.remedy).toMatchObject({ playbook: 'apply_pending_migrations', tier: 'tier_2' });
  expect(stepsOf(chosen)).toEqual(['run_migrations {}']);
  expect(await guardAfter(migrationPending, sick, { ...sick, schema: { pendingMigrations: ['0004'] } })).toContain('0004 is pending');
  const undeclared = await choose({ facts: sick.facts ?? [], disk: { 'package.json': '{"scripts":{"db:migrate":"knex"}}' } });
  expect(undeclared.chosen).toBeNull();
  expect(undeclared.best.advice[0]).toBe('run npm run db:migrate');
});

test('records a migration that is applied and no longer written down, instead of running it again', async () => {
  const { chosen } = await choose({
    component: { migrate: ['m'] },
    facts: [fact('relation_exists', 'features')],
    schema: { unrecordedMigrations: ['migrations/2024-features'], pendingMigrations: ['2024-features'] },
  });
  expect(stepsOf(chosen)).toEqual(['record_migrations {"migrations":["migrations/2024-features"]}']);
});

test('does not record migrations whose tables are gone', async () => {
  expect(
    (await choose({ facts: [fact('relation_exists', 'a')], schema: { unrecordedMigrations: ['m/1'], missingTables: ['b'] } })).chosen,
  ).toBeNull();
});

test('makes missing tables again, and says that their rows are gone', async () => {
  const { chosen } = await choose({
    symptom: 'smoke',
    facts: [fact('relation_missing', 'users', { details: { object: 'table' } })],
    schema: { missingTables: ['public.users'] },
  });
  expect(stepsOf(chosen)).toEqual(['restore_tables {"tables":["public.users"]}']);
  expect(chosen?.advice[0]).toContain('backup');
});

test('makes no tables in what may be another database', async () => {
  const { best, chosen } = await choose({
    symptom: 'smoke',
    drift: [drift('env_key_changed', 'DATABASE_URL')],
    schema: { missingTables: ['users'] },
  });
  expect(chosen).toBeNull();
  expect(best.cause).toContain('another database');
});

test('adds missing columns again, and says that their values are gone', async () => {
  const sick: World = { facts: [fact('relation_missing', 'email')], schema: { missingColumns: ['users.email'] } };
  const { chosen } = await choose(sick);
  expect(stepsOf(chosen)).toEqual(['restore_columns {"columns":["users.email"]}']);
  expect(chosen?.remedy).toMatchObject({ risk: 'medium', tier: 'tier_2' });
  expect(chosen?.advice[0]).toContain('backup');
  expect(await guardAfter(schemaMissing, sick, sick)).toContain('users.email is missing');
  expect(await guardAfter(schemaMissing, sick, { schema: {} })).toBeNull();
});

test('leaves columns away that a migration may have taken, unless one of them is complained about', async () => {
  const schema = { missingColumns: ['users.email'], recordedSince: ['migrations/7'] };
  expect((await choose({ symptom: 'smoke', schema })).chosen).toBeNull();
  expect((await choose({ facts: [fact('relation_missing', 'orders.total')], schema })).chosen).toBeNull();
  const named = await choose({ facts: [fact('relation_missing', 'u.email')], schema });
  expect(stepsOf(named.chosen)).toEqual(['restore_columns {"columns":["users.email"]}']);
  const behind = await choose({ facts: [fact('relation_missing', 'email')], schema: { ...schema, pendingMigrations: ['8'] } });
  expect(stepsOf(behind.chosen)).not.toEqual(['restore_columns {"columns":["users.email"]}']);
});

test('repairs the append-only file that Redis names, wherever it lies', async () => {
  const { chosen } = await choose({
    facts: [fact('data_corrupt', 'appendonly.aof.1.incr.aof', { runtime: 'redis', details: { engine: 'redis' } })],
    disk: { 'data/appendonlydir/appendonly.aof.1.incr.aof': 'x', 'data/appendonlydir/appendonly.aof.manifest': 'm' },
  });
  expect(stepsOf(chosen)).toEqual([
    'repair_append_only_file {"path":"data/appendonlydir/appendonly.aof.1.incr.aof","tool":"redis-check-aof"}',
  ]);
});

test('puts a truncated JSON file back, and recovers a damaged SQLite file', async () => {
  const json: World = {
    facts: [fact('data_corrupt', 'db.json')],
    disk: { 'db.json': '{"posts":' },
    lastGood: { 'db.json': '{}' },
    drift: [drift('changed', 'db.json', { isBroken: true })],
  };
  expect(stepsOf((await choose(json)).chosen)).toEqual(['restore_file {"path":"db.json"}']);
  const sqlite: World = {
    env: { DB: 'data/app.db' },
    component: { database: '$DB' },
    facts: [fact('data_corrupt', '', { runtime: 'sqlite', details: { engine: 'sqlite' } })],
  };
  expect(stepsOf((await choose({ ...sqlite, disk: { 'data/app.db': 'SQLite format 3\0...' } })).chosen)).toEqual([
    'recover_sqlite {"path":"data/app.db"}',
  ]);
  expect((await choose({ ...sqlite, disk: { 'data/app.db': 'garbage' } })).chosen).toBeNull();
});

test('stops a service that is up before its database is put back or recovered', async () => {
  const sqlite: World = {
    symptom: 'smoke',
    env: { DB: 'data/app.db' },
    component: { database: '$DB' },
    facts: [fact('data_corrupt', '', { runtime: 'sqlite', details: { engine: 'sqlite' } })],
  };
  const stop = 'restart_component {"reason":"its database has to be closed first"}';
  expect(stepsOf((await choose({ ...sqlite, disk: { 'data/app.db': 'SQLite format 3\0...' } })).chosen)).toEqual([
    stop,
    'recover_sqlite {"path":"data/app.db"}',
  ]);
  const lost: World = { ...sqlite, disk: { 'data/app.db': 'garbage' }, lastGood: { 'data/app.db': 'SQLite format 3\0' } };
  expect(stepsOf((await choose(lost)).chosen)).toEqual([stop, 'restore_file {"path":"data/app.db"}']);
});

test('leaves the damage of a database server to people', async () => {
  expect(
    (await choose({ facts: [fact('data_corrupt', 'pg_control', { runtime: 'postgres', details: { engine: 'postgres' } })] })).chosen,
  ).toBeNull();
});

test('waits for the writer of a locked database, and ends it when it is an old copy', async () => {
  const world: World = { component: { port: 3000 }, facts: [fact('database_locked', 'data/app.db')] };
  expect(stepsOf((await choose(world)).chosen)).toEqual(['restart_component {"reason":"its database was locked"}']);
  expect(stepsOf((await choose({ ...world, holders: { 3000: { relation: 'own_stale' } } })).chosen)[0]).toBe('free_port {"port":3000}');
});

test.each([
  ['database_missing', 'shop'],
  ['too_many_connections', 'postgres'],
  ['read_only_file_system', '/srv/app/data'],
] as const)('explains %s and does nothing', async (kind, subject) => {
  const { best, chosen } = await choose({ facts: [fact(kind, subject)], drift: [drift('changed', 'server.js')] });
  expect(chosen).toBeNull();
  expect(best.family).toBe(kind);
});
