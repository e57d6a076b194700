import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { POSTGRES_MISSING, startPostgres, type TestServer } from '../adapters/databases/testing/postgres-server.ts';
import { nodeClock } from '../adapters/node/clock.ts';
import { nodeSpawner } from '../adapters/node/spawner.ts';
import { askServer } from '../adapters/protocols/index.ts';
import { openStore, snapshotStore } from '../adapters/store/index.ts';
import { readServerUrl } from '../catalog/checks/server-url.ts';
import type { ServerQuestion } from '../domains/preflight/index.ts';
import type { ComponentSpec } from '../domains/supervisor/index.ts';
import { component } from '../domains/supervisor/testing.ts';
import { bootId, type Logger } from '../kernel/index.ts';
import { askOnce, refusedLogins } from './refused-logins.ts';
import { serviceDatabases } from './service-databases.ts';

const QUIET: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const SIGNAL = AbortSignal.timeout(60_000);

/** Three components with one database and migrations. */
async function world(url: string) {
  const dir = mkdtempSync(join(tmpdir(), 'grace-logins-'));
  const store = await openStore(join(dir, 'grace.db'));
  onTestFinished(() => {
    store.close();
    rmSync(dir, { recursive: true, force: true });
  });
  mkdirSync(join(dir, 'migrations'));
  writeFileSync(join(dir, 'migrations', '001_users.sql'), 'CREATE TABLE users (id INT PRIMARY KEY);');
  const specs = ['api', 'web', 'jobs'].map((name) =>
    component({ name, cwd: dir, envFiles: [], env: {}, migrate: ['true'], database: url }),
  );
  const logins = refusedLogins((text) => text);
  const databases = serviceDatabases({
    snapshots: snapshotStore(store.db),
    logger: QUIET,
    component: (name) => specs.find((spec) => spec.name === name) ?? null,
    environmentOf: async () => ({}),
    schemaFile: () => null,
    triesMigrations: false,
    redact: (text) => text,
    spawner: nodeSpawner,
    clock: nodeClock,
    bootId: bootId('boot_20260101_000000'),
    triesAgain: false,
    logins,
  });
  return { dir, specs, logins, databases };
}

/** Passes connections on to the server, and counts those that end with its refusal. */
async function countRefusals(to: number): Promise<{ readonly port: number; refusals(): number }> {
  let refusals = 0;
  const relay = createServer((from) => {
    const server = connect(to, '127.0.0.1');
    server.on('data', (data) => (refusals += data.includes('C28P01') ? 1 : 0));
    for (const socket of [from, server]) socket.on('error', () => undefined);
    from.pipe(server).pipe(from);
  });
  await once(relay.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void relay.close());
  return { port: (relay.address() as AddressInfo).port, refusals: () => refusals };
}

describe.skipIf(POSTGRES_MISSING !== null)('a PostgreSQL server that lets nobody in', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startPostgres();
    await server.query('postgres', 'CREATE USER app');
  }, 60_000);
  afterAll(() => server?.stop());

  test('is asked once with a password that was changed, whatever looks at the databases of three components', async () => {
    const counted = await countRefusals(server.port);
    const url = server.url('postgres', { user: 'app', password: 'the old one' }).replace(`:${server.port}/`, `:${counted.port}/`);
    const { dir, specs, logins, databases } = await world(url);
    const ask = askOnce(logins, askServer);
    const validate = async () => {
      for (const spec of specs) {
        await databases.pendingMigrations(spec);
        await databases.lacks(spec, true, SIGNAL);
        await databases.drift(spec.name);
      }
      const checks = specs.map((spec) => Promise.all([databases.migrations.look(spec), databases.look(spec, SIGNAL)]));
      const [answer] = await Promise.all([ask(readServerUrl(url, {}, dir) as ServerQuestion, SIGNAL), ...checks]);
      return answer;
    };
    expect(await validate()).toMatchObject({ state: 'failed', failure: 'login_refused', problem: 'it refused the login (28P01)' });
    expect(await validate()).toMatchObject({ state: 'failed', failure: 'login_refused', problem: 'it refused the login (28P01)' });
    expect(counted.refusals()).toBe(1);
    expect(databases.failedLooks('api')).toBeGreaterThan(0);
  });

  test('one that takes no more connections was not looked at, and is when it takes them again', async () => {
    await server.query('postgres', `CREATE USER busy PASSWORD 'right' CONNECTION LIMIT 0`);
    const { specs, databases } = await world(server.url('postgres', { user: 'busy', password: 'right' }));
    const [api] = specs as [ComponentSpec];
    expect(await databases.pendingMigrations(api)).toEqual([]);
    expect(databases.failedLooks('api')).toBe(1);
    expect(await databases.migrations.look(api)).toBe('unseen');
    expect(await databases.look(api, SIGNAL)).toMatchObject({ state: 'absent' });
    expect(databases.failedLooks('api')).toBe(3);
    await server.query('postgres', `ALTER USER busy CONNECTION LIMIT 5`);
    expect(await databases.migrations.look(api)).not.toBe('unseen');
    expect(databases.failedLooks('api')).toBe(3);
  });
});
