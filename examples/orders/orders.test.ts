import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Order, OrderState } from './orders.ts';
import { Orders, smokeCustomer } from './orders.ts';

const apiToken = 'a-token-for-the-tests';
const signingKey = 'a-signing-key-for-the-tests';
const migrationNames = ['0001_create_orders', '0002_create_outbox', '0003_add_priority'];

// Real processes on a busy machine; each wait has a limit of its own that says what it waited for.
vi.setConfig({ testTimeout: 60_000 });

describe('starting', () => {
  test('the API names every missing variable at once, and counts an empty one as missing', async () => {
    const env = { API_TOKEN: '', WEBHOOK_SIGNING_KEY: undefined, DATABASE_PATH: undefined };
    const { code, stderr } = await run(await newService(), 'api.ts', { env });
    expect(code).toBe(1);
    expect(stderr).toBe(
      'Error: missing required environment variable API_TOKEN\n' +
        'Error: missing required environment variable WEBHOOK_SIGNING_KEY\n' +
        'Error: missing required environment variable DATABASE_PATH\n',
    );
  });

  test('the API takes a token of 16 characters and refuses one of 15, and the placeholder', async () => {
    const service = await newMigratedService();
    const short = await run(service, 'api.ts', { env: { API_TOKEN: 'x'.repeat(15) } });
    expect(short).toMatchObject({ code: 1, stderr: 'Error: API_TOKEN must have at least 16 characters, it has 15\n' });
    const placeholder = await run(service, 'api.ts', { env: { API_TOKEN: 'changeme' } });
    expect(placeholder).toMatchObject({ code: 1, stderr: "Error: API_TOKEN must not be the placeholder 'changeme'\n" });
    await startApi(service, { API_TOKEN: 'x'.repeat(16) });
  });

  test('the API refuses a database with a pending migration', async () => {
    const service = await newMigratedService();
    withDatabase(service, (database) => {
      database.exec('DROP INDEX orders_by_state; ALTER TABLE orders DROP COLUMN priority');
      database.exec(`DELETE FROM schema_migrations WHERE name = '0003_add_priority'`);
    });
    const { code, stderr } = await run(service, 'api.ts');
    expect(code).toBe(1);
    expect(stderr).toBe('Error: 1 pending migration: 0003_add_priority (run: node migrate.ts)\n');
  });

  test('the API refuses a database that is not there, and does not create an empty one', async () => {
    const service = await newService();
    const { code, stderr } = await run(service, 'api.ts');
    expect(code).toBe(1);
    expect(stderr).toBe(`Error: 3 pending migrations: ${migrationNames.join(', ')} (run: node migrate.ts)\n`);
    expect(existsSync(service.databasePath)).toBe(false);
  });

  test('a taken port crashes the API with EADDRINUSE', async () => {
    const service = await newMigratedService();
    await startApi(service);
    const { code, stderr } = await run(service, 'api.ts');
    expect(code).toBe(1);
    expect(stderr).toContain(`EADDRINUSE: address already in use 127.0.0.1:${service.port}`);
  });

  test('the worker does not start without the API', async () => {
    const service = await newMigratedService();
    const { code, stderr } = await run(service, 'worker.ts');
    expect(code).toBe(1);
    expect(stderr).toContain(`Error: connect ECONNREFUSED 127.0.0.1:${service.port}`);
  });
});

describe('migrations', () => {
  test('apply once; a second run finds nothing to do', async () => {
    const service = await newService();
    expect(await run(service, 'migrate.ts', { args: ['--status'] })).toMatchObject({
      code: 1,
      stdout: migrationNames.map((name) => `pending ${name}\n`).join(''),
    });
    expect(existsSync(service.databasePath)).toBe(false);
    expect(await run(service, 'migrate.ts')).toMatchObject({
      code: 0,
      stdout: migrationNames.map((name) => `applied ${name}\n`).join(''),
    });
    expect(await run(service, 'migrate.ts')).toMatchObject({ code: 0, stdout: 'nothing to apply\n' });
    expect(await run(service, 'migrate.ts', { args: ['--status'] })).toMatchObject({ code: 0 });
  });

  test('each is applied by exactly one of several runs at once', async () => {
    const service = await newService();
    const runs = await Promise.all(Array.from({ length: 6 }, () => run(service, 'migrate.ts')));
    expect(runs.map(({ code, stderr }) => ({ code, stderr }))).toEqual(runs.map(() => ({ code: 0, stderr: '' })));
    const applied = runs.flatMap(({ stdout }) => stdout.match(/(?<=applied )\w+/g) ?? []);
    expect(applied.toSorted()).toEqual(migrationNames);
  });

  test('one that fails leaves no half of itself behind', async () => {
    const service = await newService();
    const broken = join(service.folder, 'migrations', '0004_broken.sql');
    writeFileSync(broken, 'CREATE TABLE half (id INTEGER); INSERT INTO no_such_table VALUES (1);');
    const { code, stderr } = await run(service, 'migrate.ts');
    expect(code).toBe(1);
    expect(stderr).toContain('no such table: no_such_table');
    withDatabase(service, (database) => {
      expect(database.prepare(`SELECT name FROM sqlite_schema WHERE name = 'half'`).all()).toEqual([]);
      expect(database.prepare('SELECT count(*) AS total FROM schema_migrations').get()).toEqual({ total: 3 });
    });
  });
});

describe('the HTTP API', () => {
  test('answers /orders only to the token, and probes to anyone', async () => {
    const service = await newMigratedService();
    await startApi(service);
    for (const authorization of [undefined, 'Bearer', 'Bearer wrong-token-wrong-token', `Basic ${apiToken}`]) {
      for (const path of ['/orders', '/orders/1', '/orders/1/events']) {
        const response = await request(service, 'GET', path, { authorization });
        expect(response.status).toBe(401);
        expect(response.headers.get('www-authenticate')).toBe('Bearer');
      }
    }
    expect((await request(service, 'GET', '/orders')).status).toBe(200);
    expect((await request(service, 'GET', '/health', { authorization: undefined })).status).toBe(200);
    expect((await request(service, 'GET', '/ready', { authorization: undefined })).status).toBe(200);
  });

  test('accepts a valid order and reads it back', async () => {
    const service = await newMigratedService();
    await startApi(service);
    const created = await request(service, 'POST', '/orders', { body: anOrder({ customer: 'Ada', quantity: 1000 }) });
    expect(created.status).toBe(201);
    const order = await created.json();
    expect(order).toMatchObject({ id: 1, customer: 'Ada', quantity: 1000, priority: 0, state: 'accepted' });
    expect(created.headers.get('location')).toBe('/orders/1');
    expect(await (await request(service, 'GET', '/orders/1')).json()).toEqual(order);
    expect(await (await request(service, 'GET', '/orders')).json()).toEqual({ orders: [order], total: 1 });
    const { events } = await bodyOf<{ events: unknown }>(await request(service, 'GET', '/orders/1/events'));
    expect(events).toMatchObject([{ state: 'accepted' }]);
  });

  test('reports every mistake of an order as problem+json, and stores nothing', async () => {
    const service = await newMigratedService();
    await startApi(service);
    const body = { customer: ' ', quantity: 1001, priority: 10, colour: 'red' };
    const response = await request(service, 'POST', '/orders', { body, requestId: 'trace-17' });
    expect(response.status).toBe(422);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(response.headers.get('x-request-id')).toBe('trace-17');
    const problem = await bodyOf<{ mistakes: unknown }>(response);
    expect(problem).toMatchObject({ title: 'Invalid order', status: 422, requestId: 'trace-17' });
    expect(problem.mistakes).toEqual([
      'colour is not a field of an order',
      'customer must be text of 1 to 200 characters',
      'item must be text of 1 to 200 characters',
      'quantity must be a whole number from 1 to 1000',
      'priority must be a whole number from 0 to 9',
    ]);
    expect(await (await request(service, 'GET', '/orders')).json()).toEqual({ orders: [], total: 0 });
  });

  test('says what is wrong with other requests', async () => {
    const service = await newMigratedService();
    await startApi(service);
    const status = async (method: string, path: string, body?: unknown) => (await request(service, method, path, { body })).status;
    expect(await status('POST', '/orders', '{"customer":')).toBe(400);
    expect(await status('POST', '/orders', `"${'x'.repeat(16 * 1024)}"`)).toBe(413);
    expect(await status('GET', '/orders?limit=501')).toBe(400);
    expect(await status('GET', '/orders/1')).toBe(404);
    expect(await status('GET', '/orders/1%20OR%201')).toBe(404);
    expect(await status('GET', '/elsewhere')).toBe(404);
    expect(await status('PUT', '/orders')).toBe(405);
    expect(await status('POST', '/health', '{}')).toBe(405);
    await request(service, 'POST', '/orders', { body: anOrder() });
    expect(await status('DELETE', '/orders/1')).toBe(409);
  });

  test('is alive but not ready when its database is no longer the one under its name', async () => {
    const service = await newMigratedService();
    await startApi(service);
    renameSync(service.databasePath, `${service.databasePath}.moved`);
    const response = await request(service, 'GET', '/ready');
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ detail: 'the database file was deleted or replaced' });
    expect((await request(service, 'GET', '/health')).status).toBe(200);
  });

  test('is not ready when a migration goes missing under it', async () => {
    const service = await newMigratedService();
    await startApi(service);
    withDatabase(service, (database) => {
      database.exec(`DELETE FROM schema_migrations WHERE name = '0003_add_priority'`);
    });
    const response = await request(service, 'GET', '/ready');
    expect(response.status).toBe(503);
    expect((await bodyOf<{ detail: string }>(response)).detail).toContain('1 pending migration: 0003_add_priority');
  });

  test('kill -9 loses no order that was acknowledged', async () => {
    const service = await newMigratedService();
    const api = await startApi(service);
    const acknowledged = new Map<number, string>();
    const clients = Array.from({ length: 8 }, async (_, client) => {
      for (let number = 0; ; number += 1) {
        const customer = `client-${client}-${number}`;
        try {
          const response = await request(service, 'POST', '/orders', { body: anOrder({ customer }) });
          if (response.status === 201) acknowledged.set((await bodyOf<Order>(response)).id, customer);
        } catch {
          return; // The API is dead: whatever was not acknowledged may be lost.
        }
        if (acknowledged.size >= 200) api.kill('SIGKILL');
      }
    });
    await Promise.all(clients);
    await exitOf(api);

    await startApi(service);
    const stored = await allOrders(service);
    expect(acknowledged.size).toBeGreaterThanOrEqual(200);
    for (const [id, customer] of acknowledged) expect(stored.get(id)).toBe(customer);
    withDatabase(service, (database) => {
      expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    });
  });

  test('SIGTERM lets a running request finish, and exits 0 within two seconds', async () => {
    const service = await newMigratedService();
    const api = await startApi(service);
    const body = JSON.stringify(anOrder({ customer: 'late' }));
    const socket = connect(service.port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    let received = '';
    socket.on('data', (chunk) => (received += chunk));
    // `expect: 100-continue` makes the server say when it has taken up the request, so nothing here guesses.
    socket.write(
      `POST /orders HTTP/1.1\r\nhost: orders\r\nauthorization: Bearer ${apiToken}\r\n` +
        `content-length: ${Buffer.byteLength(body)}\r\nexpect: 100-continue\r\n\r\n`,
    );
    await until('the request is taken up', () => received.includes('100 Continue'));

    const startedMs = performance.now();
    api.kill('SIGTERM');
    await until('the API takes no new connections', () => refusesConnections(service.port));
    socket.write(body);
    expect(await exitOf(api)).toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    expect(received).toContain('201 Created');
    withDatabase(service, (database) => {
      expect(database.prepare('SELECT customer FROM orders').all()).toEqual([{ customer: 'late' }]);
    });
  });

  test('SIGTERM cuts off a request that never ends, and still exits 0 within two seconds', async () => {
    const service = await newMigratedService();
    const api = await startApi(service);
    const socket = connect(service.port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    let received = '';
    socket.on('data', (chunk) => (received += chunk)).on('error', () => undefined);
    socket.write(
      `POST /orders HTTP/1.1\r\nhost: orders\r\nauthorization: Bearer ${apiToken}\r\n` +
        'content-length: 100\r\nexpect: 100-continue\r\n\r\n',
    );
    await until('the request is taken up', () => received.includes('100 Continue'));
    const startedMs = performance.now();
    api.kill('SIGTERM');
    expect(await exitOf(api)).toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  });
});

describe('an order', () => {
  test('takes each step once: the second attempt, a skipped step and a deleted order change nothing', async () => {
    const service = await newMigratedService();
    withDatabase(service, (database) => {
      const orders = new Orders(database, signingKey);
      const { id } = orders.accept({ ...anOrder({ customer: smokeCustomer }), priority: 0 });
      expect(orders.advance(id, 'packed')).toBe(false);
      expect(orders.advance(id, 'accepted')).toBe(true);
      expect(orders.advance(id, 'accepted')).toBe(false);
      expect(orders.advance(id, 'packed')).toBe(true);
      expect(orders.advance(id, 'packed')).toBe(false);
      expect(orders.eventsOf(id).map(({ state }) => state)).toEqual(['accepted', 'packed', 'shipped']);
      const gone = orders.accept({ ...anOrder({ customer: smokeCustomer }), priority: 0 });
      expect(orders.deleteSmokeOrder(gone.id)).toBe(true);
      expect(orders.advance(gone.id, 'accepted')).toBe(false);
      expect(orders.eventsOf(gone.id)).toEqual([]);
    });
  });

  test('is packed before ordinary ones when it is urgent', async () => {
    const service = await newMigratedService();
    withDatabase(service, (database) => {
      const orders = new Orders(database, signingKey);
      for (const priority of [0, 9, 0]) orders.accept({ ...anOrder(), priority });
      expect(orders.idsIn('accepted', 3)).toEqual([2, 1, 3]);
      expect(orders.idsIn('accepted', 1)).toEqual([2]);
    });
  });
});

describe('the worker', () => {
  test('two of them, one killed midway, take each order through each state exactly once', async () => {
    const service = await newMigratedService();
    await startApi(service);
    const total = 60;
    for (let number = 0; number < total; number += 1) {
      expect((await request(service, 'POST', '/orders', { body: anOrder() })).status).toBe(201);
    }
    const doomed = startProcess(service, 'worker.ts');
    const steady = startProcess(service, 'worker.ts');
    await until('some orders are packed', async () => (await countIn(service, 'packed')) > 0);
    doomed.kill('SIGKILL');
    await exitOf(doomed);
    startProcess(service, 'worker.ts');
    await until('all orders are shipped', async () => (await countIn(service, 'shipped')) === total);
    expect(steady.exitCode).toBe(null);

    withDatabase(service, (database) => {
      const events = database.prepare('SELECT state, count(*) AS total FROM order_events GROUP BY state').all();
      expect(events).toEqual(['accepted', 'packed', 'shipped'].map((state) => ({ state, total })));
      const steps = database.prepare('SELECT DISTINCT group_concat(state) AS steps FROM order_events GROUP BY order_id');
      expect(steps.all()).toEqual([{ steps: 'accepted,packed,shipped' }]);
      const webhooks = database.prepare('SELECT payload, signature FROM outbox').all();
      expect(webhooks).toHaveLength(3 * total);
      for (const { payload, signature } of webhooks) {
        expect(signature).toBe(`sha256=${createHmac('sha256', signingKey).update(String(payload)).digest('hex')}`);
      }
    });
  });

  test('beats each second beside the database, and on SIGTERM takes its heartbeat along and exits 0', async () => {
    const service = await newMigratedService();
    await startApi(service);
    const worker = startProcess(service, 'worker.ts');
    const path = join(service.folder, 'data', 'worker.heartbeat');
    await until('the first heartbeat', () => existsSync(path));
    const first = readFileSync(path, 'utf8');
    expect(JSON.parse(first)).toMatchObject({ pid: worker.pid });
    await until('a second heartbeat', () => readFileSync(path, 'utf8') !== first, 2_500);
    worker.kill('SIGTERM');
    expect(await exitOf(worker)).toBe(0);
    expect(existsSync(path)).toBe(false);
  });
});

describe('the smoke check', () => {
  test('passes on a working service and leaves no order behind', async () => {
    const service = await newMigratedService();
    await startApi(service);
    startProcess(service, 'worker.ts');
    const { code, stdout } = await run(service, 'smoke.ts');
    expect(stdout).toMatch(/^ok: order 1 was accepted, read back and packed in \d+ ms\n$/);
    expect(code).toBe(0);
    expect((await allOrders(service)).size).toBe(0);
  });

  test('fails without the worker, says so, and leaves no order behind', async () => {
    const service = await newMigratedService();
    await startApi(service);
    const { code, stderr } = await run(service, 'smoke.ts');
    expect(code).toBe(1);
    expect(stderr).toBe('Error: smoke check failed: order 1 was not packed within 3000 ms; is the worker running?\n');
    expect((await allOrders(service)).size).toBe(0);
  });

  test('fails without the API, and says so', async () => {
    const service = await newMigratedService();
    const { code, stderr } = await run(service, 'smoke.ts');
    expect(code).toBe(1);
    expect(stderr).toContain(`POST /orders got no answer: connect ECONNREFUSED 127.0.0.1:${service.port}`);
  });
});

// Whose process holds a port is read from /proc.
describe.runIf(process.platform === 'linux')('breaking it', () => {
  test('leaves no .env, a pending migration, seeded orders and an orphan; a second run changes nothing', async () => {
    const service = await newService();
    writeFileSync(join(service.folder, '.env'), 'API_TOKEN=kept\n');
    const first = await run(service, 'break.ts');
    const orphan = killedAtTheEnd(Number(/instance (\d+)/.exec(first.stdout)?.[1]));
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(existsSync(join(service.folder, '.env'))).toBe(false);
    expect(readFileSync(join(service.folder, '.env.before-demo'), 'utf8')).toBe('API_TOKEN=kept\n');
    expect(readFileSync(`/proc/${orphan}/cmdline`, 'utf8')).toBe(`${process.execPath}\0api.ts\0`);
    expect(readFileSync(`/proc/${orphan}/status`, 'utf8')).not.toMatch(new RegExp(`^PPid:\\s+${process.pid}$`, 'm'));

    const second = await run(service, 'break.ts');
    expect(second.code).toBe(0);
    expect(second.stdout).toContain(`held by the orphaned API instance ${orphan} from before`);
    withDatabase(service, (database) => {
      expect(database.prepare('SELECT count(*) AS total FROM orders').get()).toEqual({ total: 25 });
    });
    expect(await run(service, 'migrate.ts', { args: ['--status'] })).toMatchObject({
      code: 1,
      stdout: 'pending 0003_add_priority\n',
    });
    expect((await run(service, 'api.ts')).stderr).toContain('1 pending migration: 0003_add_priority');
    expect(await run(service, 'migrate.ts')).toMatchObject({ code: 0, stdout: 'applied 0003_add_priority\n' });
    expect((await run(service, 'api.ts')).stderr).toContain('EADDRINUSE');
  });

  test('keeps its hands off a service that Grace runs', async () => {
    const service = await newMigratedService();
    writeFileSync(join(service.folder, '.env'), '');
    const api = await startApi(service, { GRACE_MARK: 'api' });
    const { code, stderr } = await run(service, 'break.ts');
    expect(code).toBe(1);
    expect(stderr).toBe(`Error: Grace is running this service (pid ${api.pid}); stop it first; nothing was broken\n`);
    expect(existsSync(join(service.folder, '.env'))).toBe(true);
    expect(await run(service, 'migrate.ts', { args: ['--status'] })).toMatchObject({ code: 0 });
  });

  test('keeps its hands off when something else holds the port', async () => {
    const service = await newService();
    const stranger = createServer((socket) => socket.end('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello'));
    onTestFinished(() => void stranger.close());
    await once(stranger.listen(service.port, '127.0.0.1'), 'listening');
    const { code, stderr } = await run(service, 'break.ts');
    expect(code).toBe(1);
    expect(stderr).toContain(`port ${service.port} is held by something else`);
    expect(existsSync(service.databasePath)).toBe(false);
  });
});

/** A copy of the service in a folder of its own, with a port of its own. */
interface ServiceCopy {
  readonly folder: string;
  readonly databasePath: string;
  readonly port: number;
}

interface Page {
  readonly orders: readonly Order[];
}

type Variables = Readonly<Record<string, string | undefined>>;

async function newService(): Promise<ServiceCopy> {
  const folder = mkdtempSync(join(tmpdir(), 'orders-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const parts = readdirSync(import.meta.dirname).filter((name) => /^(migrations|package\.json|[\w-]+\.ts)$/.test(name));
  for (const part of parts) cpSync(join(import.meta.dirname, part), join(folder, part), { recursive: true });
  return { folder, databasePath: join(folder, 'data', 'orders.db'), port: await freePort() };
}

async function newMigratedService(): Promise<ServiceCopy> {
  const service = await newService();
  expect(await run(service, 'migrate.ts')).toMatchObject({ code: 0, stderr: '' });
  return service;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return address.port;
}

function startProcess(service: ServiceCopy, script: string, env: Variables = {}, args: readonly string[] = []) {
  const child = spawn(process.execPath, [script, ...args], {
    cwd: service.folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      // Node 22 and 24 call node:sqlite experimental on stderr, where these tests read what the service says.
      NODE_NO_WARNINGS: '1',
      API_TOKEN: apiToken,
      WEBHOOK_SIGNING_KEY: signingKey,
      DATABASE_PATH: service.databasePath,
      PORT: String(service.port),
      ...env,
    },
  });
  child.stdout.resume();
  child.stderr.resume();
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exitOf(child);
  });
  return child;
}

async function startApi(service: ServiceCopy, env: Variables = {}): Promise<ChildProcess> {
  const api = startProcess(service, 'api.ts', env);
  let stderr = '';
  api.stderr.on('data', (chunk) => (stderr += chunk));
  await until('the API is ready', async () => {
    if (api.exitCode !== null) throw new Error(`the API exited ${api.exitCode}: ${stderr}`);
    return await request(service, 'GET', '/ready').then(
      ({ ok }) => ok,
      () => false,
    );
  });
  return api;
}

async function run(
  service: ServiceCopy,
  script: string,
  { env = {}, args = [] }: { readonly env?: Variables; readonly args?: readonly string[] } = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = startProcess(service, script, env, args);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  await once(child, 'close');
  return { code: child.exitCode, stdout, stderr };
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode;
}

function killedAtTheEnd(pid: number): number {
  expect(pid).toBeGreaterThan(1);
  onTestFinished(() => void process.kill(pid, 'SIGKILL'));
  return pid;
}

async function request(
  { port }: ServiceCopy,
  method: string,
  path: string,
  options: { readonly authorization?: string | undefined; readonly body?: unknown; readonly requestId?: string } = {},
): Promise<Response> {
  const { body, requestId } = options;
  const authorization = 'authorization' in options ? options.authorization : `Bearer ${apiToken}`;
  return await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    headers: { ...(authorization && { authorization }), ...(requestId && { 'x-request-id': requestId }) },
    signal: AbortSignal.timeout(5_000),
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
}

async function bodyOf<Body>(response: Response): Promise<Body> {
  return (await response.json()) as Body;
}

function anOrder(parts: { readonly customer?: string; readonly quantity?: number } = {}) {
  return { customer: 'Grace', item: 'teapot', quantity: 1, ...parts };
}

async function allOrders(service: ServiceCopy): Promise<ReadonlyMap<number, string>> {
  const found = new Map<number, string>();
  for (let after = 0; ;) {
    const { orders } = await bodyOf<Page>(await request(service, 'GET', `/orders?after=${after}&limit=500`));
    if (orders.length === 0) return found;
    for (const { id, customer } of orders) {
      found.set(id, customer);
      after = id;
    }
  }
}

async function countIn(service: ServiceCopy, state: OrderState): Promise<number> {
  const { orders } = await bodyOf<Page>(await request(service, 'GET', '/orders?limit=500'));
  return orders.filter((order) => order.state === state).length;
}

async function refusesConnections(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return false;
  } catch {
    return true;
  } finally {
    socket.destroy();
  }
}

function withDatabase(service: ServiceCopy, look: (database: DatabaseSync) => void): void {
  const database = new DatabaseSync(service.databasePath, { timeout: 5_000 });
  try {
    look(database);
  } finally {
    database.close();
  }
}

async function until(what: string, isSo: () => boolean | Promise<boolean>, limitMs = 10_000): Promise<void> {
  const deadlineMs = performance.now() + limitMs;
  while (!(await isSo())) {
    if (performance.now() >= deadlineMs) throw new Error(`waited ${limitMs} ms in vain until ${what}`);
    await sleep(10);
  }
}
