import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { nodeSpawner } from '../adapters/node/spawner.ts';
import { POSTGRES_MISSING, startPostgres, type TestServer } from '../adapters/databases/testing/postgres-server.ts';
import { Redactor } from '../domains/incidents/index.ts';
import type { SnapshotRequest, Snapshots } from '../domains/snapshots/index.ts';
import type { ComponentSpec } from '../domains/supervisor/index.ts';
import type { Spawner } from '../kernel/index.ts';
import { loadConfig } from './config/index.ts';
import { openSnapshots } from './snapshots.ts';

const never = new AbortController().signal;
const REQUEST: SnapshotRequest = {
  reason: 'pre_heal',
  runId: 'run_1',
  bootId: null,
  signature: 'abc',
  playbook: 'migrate',
  paths: [],
  databases: true,
};

if (POSTGRES_MISSING !== null) console.warn(POSTGRES_MISSING);

describe.skipIf(POSTGRES_MISSING !== null)('a snapshot of a PostgreSQL database', () => {
  let server: TestServer;
  let database: string;
  let project: string;
  let commands: { readonly argv: readonly string[]; readonly env: Readonly<Record<string, string>> }[];
  let count = 0;
  beforeAll(async () => {
    server = await startPostgres();
  }, 60_000);
  afterAll(() => server?.stop());
  beforeEach(async () => {
    database = `shop_${++count}`;
    commands = [];
    project = mkdtempSync(join(tmpdir(), 'grace-snapshots-pg-'));
    mkdirSync(join(project, 'src'));
    writeFileSync(join(project, 'server.js'), '// nothing');
    await server.query('postgres', `CREATE DATABASE ${database}`);
    await query(`
      CREATE SCHEMA billing;
      CREATE TYPE mood AS ENUM ('sad', 'it''s fine');
      CREATE TABLE accounts (id integer PRIMARY KEY, cents integer NOT NULL);
      CREATE TABLE notes (id bigserial PRIMARY KEY, text text, feeling mood DEFAULT 'sad', at timestamptz DEFAULT now(), tags jsonb);
      CREATE INDEX notes_text ON notes (lower(text));
      CREATE TABLE billing.invoices (id serial PRIMARY KEY, account integer REFERENCES accounts (id) ON DELETE CASCADE, raw bytea);
      CREATE VIEW rich AS SELECT id FROM accounts WHERE cents > 500000;
      INSERT INTO accounts VALUES (1, 1000000), (2, 0);
      INSERT INTO notes (text, tags) SELECT md5(i::text), '{"a": 1}' FROM generate_series(1, 5000) AS i;
      INSERT INTO billing.invoices (account, raw) VALUES (1, '\\x00ff');`);
  });
  afterEach(() => rmSync(project, { recursive: true, force: true }));

  const query = (sql: string): Promise<readonly Record<string, unknown>[]> => server.query(database, sql);

  async function open(): Promise<{ snapshots: Snapshots; api: ComponentSpec }> {
    writeFileSync(join(project, 'grace.config.json'), JSON.stringify({ components: { api: { command: 'node server.js' } } }));
    const config = await loadConfig({ directory: project, environment: {} });
    const spawner: Spawner = {
      run(argv, options) {
        commands.push({ argv, env: options.env });
        return nodeSpawner.run(argv, options);
      },
    };
    const snapshots = await openSnapshots({
      config,
      spawner,
      redactor: new Redactor(),
      playbooks: { runsIn: async () => [] },
      environmentOf: async () => ({ PATH: process.env['PATH'] ?? '', DATABASE_URL: server.url(database) }),
      isRunning: () => false,
    });
    return { snapshots, api: config.components[0]! };
  }

  it('holds one state while others write, and is put back equal to it', async () => {
    const { snapshots, api } = await open();
    const enough = new AbortController();
    const writer = new Client({ connectionString: server.url(database) });
    await writer.connect();
    const writing = (async () => {
      while (!enough.signal.aborted)
        await writer.query(
          `BEGIN; UPDATE accounts SET cents = cents - 1 WHERE id = 1; UPDATE accounts SET cents = cents + 1 WHERE id = 2;
           INSERT INTO notes (text) VALUES ('moved'); COMMIT`,
        );
    })();
    const taken = await snapshots.take(api, REQUEST, never);
    enough.abort();
    await writing;
    await writer.end();
    expect(taken.leftOut).toEqual([]);
    expect(taken.items).toContainEqual(
      expect.objectContaining({ kind: 'postgres', name: `PostgreSQL database "${database}" at 127.0.0.1:${server.port}` }),
    );
    await query(
      `DROP VIEW rich; ALTER TABLE accounts ADD COLUMN extra text; DELETE FROM notes WHERE id < 100; UPDATE accounts SET cents = 5`,
    );
    const result = await snapshots.restore(taken.id, never);
    expect(result).toMatchObject({ verified: true, left: [] });
    const [sums] = await query(
      `SELECT sum(cents)::int AS sum, (SELECT count(*)::int FROM notes) - 5000 AS moved, max(cents) FILTER (WHERE id = 2) AS second FROM accounts`,
    );
    expect(sums).toMatchObject({ sum: 1_000_000 });
    expect(sums?.['moved']).toBe(sums?.['second']);
    expect(await query('SELECT raw FROM billing.invoices')).toEqual([{ raw: Buffer.from([0, 255]) }]);
    expect(await query('SELECT id FROM rich')).toEqual([{ id: 1 }]);
    // Ids go on where they were.
    const [next] = await query(`INSERT INTO notes (text) VALUES ('next') RETURNING id::int`);
    const [most] = await query('SELECT max(id)::int AS id FROM notes');
    expect(next).toEqual(most);
    // What was overwritten can be had back, once nothing leans on it that it did not have.
    await query('DROP VIEW rich');
    expect((await snapshots.restore(result.before!.id, never)).verified).toBe(true);
    expect(await query('SELECT DISTINCT cents FROM accounts')).toEqual([{ cents: 5 }]);
  });

  it('shows the password to nobody: not in arguments, not in what is stored', async () => {
    const { snapshots, api } = await open();
    const taken = await snapshots.take(api, REQUEST, never);
    await query('DELETE FROM notes');
    await snapshots.restore(taken.id, never);
    expect(commands.map(({ argv }) => argv[0]?.split('/').at(-1))).toEqual(['pg_dump', 'pg_dump', 'pg_restore']);
    for (const { argv, env } of commands) {
      expect(argv.join(' ')).not.toContain(server.password);
      expect(argv.join(' ')).not.toContain(encodeURIComponent(server.password));
      expect(env['PGPASSWORD']).toBe(server.password);
      expect(Object.keys(env)).not.toContain('DATABASE_URL');
    }
    const below = readdirSync(join(project, '.grace'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(below.length).toBeGreaterThan(3);
    for (const entry of below) expect(readFileSync(join(entry.parentPath, entry.name)).includes(server.password), entry.name).toBe(false);
  });

  it('leaves a table that was made since, and says so', async () => {
    const { snapshots, api } = await open();
    const taken = await snapshots.take(api, REQUEST, never);
    await query('CREATE TABLE later (x integer); INSERT INTO later VALUES (1); DELETE FROM notes');
    const result = await snapshots.restore(taken.id, never);
    expect(result.verified).toBe(true);
    expect(result.left).toEqual([{ what: expect.stringMatching(/, table later$/) as string, why: 'it was made since, and is left there' }]);
    expect(await query('SELECT x FROM later')).toEqual([{ x: 1 }]);
  });

  it('changes nothing where a table that was made since leans on what would be replaced', async () => {
    const { snapshots, api } = await open();
    const taken = await snapshots.take(api, REQUEST, never);
    await query('CREATE TABLE later (account integer REFERENCES accounts (id)); INSERT INTO later VALUES (1); DELETE FROM notes');
    const result = await snapshots.restore(taken.id, never);
    expect(result).toMatchObject({ verified: false, restored: [] });
    expect(result.left[0]?.why).toMatch(/is left as it is: .*depend/);
    expect(await query('SELECT (SELECT count(*)::int FROM notes) AS notes, (SELECT count(*)::int FROM later) AS later')).toEqual([
      { notes: 0, later: 1 },
    ]);
  });

  it('is not put into another database that the component uses now', async () => {
    const { snapshots, api } = await open();
    const taken = await snapshots.take(api, REQUEST, never);
    const first = database;
    database = 'postgres';
    await expect(snapshots.restore(taken.id, never)).rejects.toThrow(/uses PostgreSQL database "postgres"/);
    database = first;
    expect(await snapshots.list()).toHaveLength(1);
  });

  it('names a server that cannot be reached as left out', async () => {
    const { snapshots, api } = await open();
    database = 'gone';
    const taken = await snapshots.take(api, REQUEST, never);
    expect(taken.leftOut).toEqual([
      { what: expect.stringContaining('"gone"') as string, why: expect.stringMatching(/no database of this name/) as string },
    ]);
  });
});
