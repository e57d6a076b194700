import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { POSTGRES_MISSING, startPostgres, type TestServer } from '../testing/postgres-server.ts';
import type { PostgresTarget } from '../postgres-url.ts';
import { openRelay } from './scratch-relay.ts';

const TARGET: PostgresTarget = {
  host: '127.0.0.1',
  port: 1,
  database: 'grace_scratch_real',
  user: 'app',
  password: null,
  sslMode: 'require',
  sslRootCert: null,
  sslCert: null,
  sslKey: null,
};

/** A StartupMessage of protocol 3.0. */
function startup(database: string): Buffer {
  const body = Buffer.from(`user\0app\0database\0${database}\0\0`);
  const head = Buffer.alloc(8);
  head.writeInt32BE(8 + body.length, 0);
  head.writeInt32BE(3 << 16, 4);
  return Buffer.concat([head, body]);
}

async function fakeServer(answer: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => answer(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as { port: number }).port;
}

/** Whatever comes until the end of the connection. */
async function say(port: number, message: Buffer): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port });
  const heard: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => heard.push(chunk)).on('error', () => {});
  socket.write(message);
  await new Promise((resolve) => socket.once('close', resolve));
  return Buffer.concat(heard).toString('latin1');
}

async function relayTo(target: Partial<PostgresTarget>) {
  const relay = await openRelay({ ...TARGET, ...target });
  onTestFinished(() => relay.close());
  return relay;
}

describe('the door of a scratch database', () => {
  test('outlives a server that agrees to encrypt and resets the connection at once', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'grace-relay-'));
    onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
    const sslRootCert = join(dir, 'ca.pem');
    writeFileSync(sslRootCert, 'x'.repeat(1024 * 1024)); // takes a moment to be read
    const uncaught: unknown[] = [];
    const note = (error: unknown): void => void uncaught.push(error);
    process.on('uncaughtException', note);
    onTestFinished(() => void process.off('uncaughtException', note));
    const port = await fakeServer((socket) => socket.write('S', () => socket.resetAndDestroy()));
    const relay = await relayTo({ port, sslRootCert });
    for (let n = 0; n < 20; n += 1) expect(await say(relay.port, startup(relay.alias))).toBe('');
    expect(uncaught).toEqual([]);
    expect(relay.passed()).toBe(20);
  });

  test('takes nothing for encrypted that came before the encryption', async () => {
    const port = await fakeServer((socket) => socket.write('Sstuffed'));
    const relay = await relayTo({ port });
    expect(await say(relay.port, startup(relay.alias))).toBe('');
  });

  test('does not open for the real name, and does not say which name opens it', async () => {
    const relay = await relayTo({});
    const answer = await say(relay.port, startup(TARGET.database));
    expect(answer).toContain('3D000');
    expect(answer).not.toContain(TARGET.database);
    expect(answer).not.toContain(relay.alias);
    expect([relay.passed(), relay.refused()]).toEqual([0, [TARGET.database]]);
  });

  test('has another key each time, of 128 bits', async () => {
    const [one, other] = [await relayTo({}), await relayTo({})];
    expect(one.alias).toMatch(/^s[0-9a-f]{32}$/);
    expect(one.alias).not.toBe(other.alias);
  });
});

describe.skipIf(POSTGRES_MISSING !== null)('behind the door', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startPostgres();
    await server.query('postgres', 'CREATE DATABASE "scratch ü"');
  }, 60_000);
  afterAll(() => server?.stop());

  test.each(['disable', 'prefer'])('is the scratch database, under its real name and for its own role (sslmode %s)', async (sslMode) => {
    const relay = await relayTo({ port: server.port, database: 'scratch ü', sslMode });
    const client = new Client({
      host: '127.0.0.1',
      port: relay.port,
      database: relay.alias,
      user: 'admin',
      password: server.password,
      application_name: 'a tool',
    });
    await client.connect();
    const { rows } = await client.query(
      `SELECT current_database() AS name, current_user AS role, current_setting('application_name') AS app`,
    );
    await client.end();
    expect(rows).toEqual([{ name: 'scratch ü', role: 'admin', app: 'a tool' }]);
  });
});
