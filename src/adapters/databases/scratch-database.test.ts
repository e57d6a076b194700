import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { DatabaseLocation } from './locate.ts';
import { withScratch } from './scratch-database.ts';
import { POSTGRES_MISSING, startPostgres, type TestServer } from './testing/postgres-server.ts';

/** What a client says on its way to a server: each pair of the same length, so that the lengths in the messages stay true. */
type Rewritten = readonly (readonly [said: string, instead: string])[];

/** `WITH (FORCE)` came with 13; a server before it says "syntax error". */
const BEFORE_13: Rewritten = [
  [`current_setting('server_version_num')`, `'120022'`.padEnd(37)],
  ['WITH (FORCE)', 'WITH (FROCE)'],
];

describe.skipIf(POSTGRES_MISSING !== null)('a scratch database on a server', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startPostgres();
    await server.query('postgres', 'CREATE DATABASE live');
  }, 60_000);
  afterAll(() => server?.stop());
  afterEach(async () => {
    for (const name of await left()) await server.query('postgres', `DROP DATABASE "${name}" WITH (FORCE)`);
  });

  const left = async () =>
    (await server.query('postgres', `SELECT datname AS name FROM pg_database WHERE datname LIKE 'grace_scratch_%'`)).map(({ name }) =>
      String(name),
    );

  /** The server behind a door that changes what is said to it, and may change its mind. */
  async function behind(rewritten: { now: Rewritten }): Promise<DatabaseLocation> {
    const door = createServer((client) => {
      const upstream = connect({ host: '127.0.0.1', port: server.port });
      client.on('data', (chunk: Buffer) => {
        let text = chunk.toString('latin1');
        for (const [said, instead] of rewritten.now) text = text.replaceAll(said, instead);
        upstream.write(text, 'latin1');
      });
      upstream.pipe(client);
      client.on('error', () => {}).once('close', () => upstream.destroy());
      upstream.on('error', () => {}).once('close', () => client.destroy());
    });
    door.listen(0, '127.0.0.1');
    await once(door, 'listening');
    onTestFinished(() => void door.close());
    const url = new URL(server.url('live'));
    url.port = String((door.address() as { port: number }).port);
    return { engine: 'postgres', url: url.href };
  }

  test.each([
    ['before 13', BEFORE_13],
    ['of today', []],
  ] as const)('is gone afterwards on one %s, also while somebody is connected to it', async (_, now) => {
    const seen = await withScratch(await behind({ now }), Date.now(), async (scratch) => {
      const stays = new Client({ connectionString: scratch.engine === 'postgres' ? scratch.url : '' });
      stays.on('error', () => {});
      await stays.connect();
      return left();
    });
    expect(seen).toHaveLength(1);
    expect(await left()).toEqual([]);
  });

  test('that cannot be dropped is told to the log; the result stays, and no second one is made until it is gone', async () => {
    const rewritten: { now: Rewritten } = { now: [['DROP DATABASE', 'DRAP DATABASE']] };
    const location = await behind(rewritten);
    const told: unknown[] = [];
    const note = (...words: readonly unknown[]): void => void told.push(words);
    const logger = { debug: note, info: note, warn: note, error: note };
    expect(await withScratch(location, Date.now(), async () => 'found out', logger)).toBe('found out');
    const [name] = await left();
    expect(told).toEqual([
      ['a scratch database could not be dropped', { database: name, error: expect.stringContaining('syntax error') as string }],
    ]);
    expect(await withScratch(location, Date.now(), async () => 'not reached')).toEqual({
      state: 'not_possible',
      why: expect.stringContaining(`${name}, which an earlier run has left, cannot be dropped: syntax error`) as string,
    });
    expect(await left()).toEqual([name]);
    rewritten.now = [];
    expect(await withScratch(location, Date.now(), left)).toHaveLength(1);
    expect(await left()).toEqual([]);
  });

  test('that cannot be dropped does not hide why the work failed', async () => {
    const location = await behind({ now: [['DROP DATABASE', 'DRAP DATABASE']] });
    const work = withScratch(location, Date.now(), () => Promise.reject(new Error('the work failed')));
    await expect(work).rejects.toThrow('the work failed');
  });
});
