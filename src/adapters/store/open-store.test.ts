import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StoreForeign, StoreTooNew, StoreUnwritable } from './errors.ts';
import { REQUIRED_TABLES, SCHEMA_VERSION } from './migrations.ts';
import { openStore, type OpenedStore } from './open-store.ts';

let dir = '';
let path = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'grace-store-'));
  path = join(dir, 'data', 'grace.db');
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function tablesOf(store: OpenedStore): Promise<readonly string[]> {
  const { rows } = await sql<{ name: string }>`select name from sqlite_master where type = 'table'`.execute(store.db);
  return rows.map((r) => r.name);
}

function foreign(statements: string): Buffer {
  path = join(dir, 'grace.db');
  const database = new DatabaseSync(path);
  database.exec(statements);
  database.close();
  return readFileSync(path);
}

/** Runs source in a process of its own that has the store at hand. */
function child(source: string) {
  const process_ = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { openStore, snapshotStore } from ${JSON.stringify(join(import.meta.dirname, 'index.ts'))};\n${source}`,
      path,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  return { process: process_, lines: createInterface({ input: process_.stdout }) };
}

describe('a new store', () => {
  test('has all tables, its own mark and the version of this Grace', async () => {
    const store = await openStore(path);
    expect(store).toMatchObject({ isNew: true, versionBefore: 0 });
    expect(await tablesOf(store)).toEqual(expect.arrayContaining([...REQUIRED_TABLES]));
    store.close();
    const header = readFileSync(path);
    expect(header.subarray(68, 72).toString()).toBe('GRAC');
    expect(header.readUInt32BE(60)).toBe(SCHEMA_VERSION);
  });

  test('lies in a directory that only its owner may enter', async () => {
    (await openStore(path)).close();
    expect(statSync(join(dir, 'data')).mode & 0o777).toBe(0o700);
  });

  test('syncs at every commit: what was acknowledged survives a power loss', async () => {
    const store = await openStore(path);
    const { rows } = await sql<{ synchronous: number }>`pragma synchronous`.execute(store.db);
    expect(rows).toEqual([{ synchronous: 2 }]);
    expect((await sql<{ journal_mode: string }>`pragma journal_mode`.execute(store.db)).rows).toEqual([{ journal_mode: 'wal' }]);
    store.close();
  });

  test('is opened again as it was', async () => {
    (await openStore(path)).close();
    const again = await openStore(path);
    expect(again).toMatchObject({ isNew: false, versionBefore: SCHEMA_VERSION });
    again.close();
  });

  test('an empty file, as a full disk leaves behind, becomes a store', async () => {
    path = join(dir, 'grace.db');
    writeFileSync(path, '');
    const store = await openStore(path);
    expect(await tablesOf(store)).toContain('patterns');
    store.close();
  });
});

describe('what is not ours stays untouched, byte for byte:', () => {
  test('a database of another program', async () => {
    const before = foreign('create table customers (id integer); insert into customers values (1)');
    await expect(openStore(path)).rejects.toThrow(StoreForeign);
    expect(readFileSync(path)).toEqual(before);
  });

  test('a database of another program that has no table yet', async () => {
    const before = foreign('pragma application_id = 1196444487; pragma user_version = 1');
    await expect(openStore(path)).rejects.toThrow(StoreForeign);
    expect(readFileSync(path)).toEqual(before);
  });

  test('a store of a newer Grace', async () => {
    const store = await openStore(path);
    await sql.raw(`pragma user_version = ${SCHEMA_VERSION + 1}`).execute(store.db);
    store.close();
    const before = readFileSync(path);
    await expect(openStore(path)).rejects.toThrow(StoreTooNew);
    expect(readFileSync(path)).toEqual(before);
  });

  test('a store of a newer Grace that was killed, with what it had not yet merged', async () => {
    const ours = await openStore(path);
    ours.close();
    const { process: newer, lines } = child(`
      const { DatabaseSync } = await import('node:sqlite');
      const database = new DatabaseSync(process.argv[1]);
      database.exec('pragma wal_autocheckpoint = 0; pragma user_version = ${SCHEMA_VERSION + 1}; create table newer (a); insert into newer values (1)');
      console.log('written');
      setInterval(() => database, 1000); // still held: collected, it would be closed, and merged
    `);
    await once(lines, 'line');
    newer.kill('SIGKILL');
    await once(newer, 'exit');
    const before = [readFileSync(path), readFileSync(`${path}-wal`)];
    await expect(openStore(path)).rejects.toThrow(StoreTooNew);
    expect([readFileSync(path), readFileSync(`${path}-wal`)]).toEqual(before);
  });

  test.each([
    ['text', 'this is no database, though it is longer than a header of a hundred bytes has to be; more text, more text'],
    ['a header with nothing behind it', `SQLite format 3\0${'\xff'.repeat(200)}`],
  ])('%s in the place of the store', async (_what, text) => {
    path = join(dir, 'grace.db');
    writeFileSync(path, text, 'latin1');
    await expect(openStore(path)).rejects.toThrow(StoreForeign);
    expect(readFileSync(path, 'latin1')).toBe(text);
  });

  test('the error says what to do', async () => {
    foreign('create table t (a)');
    await expect(openStore(path)).rejects.toMatchObject({ code: 'GRACE_STORE_FOREIGN', hint: expect.stringContaining('GRACE_DATA_DIR') });
  });
});

test('a place where nothing can be written is an error with a name, not a crash', async () => {
  writeFileSync(join(dir, 'data'), 'a file where the directory should be');
  await expect(openStore(path)).rejects.toThrow(StoreUnwritable);
});

test('of several who open it at the same moment one makes the tables and all can work', async () => {
  const openers = Array.from({ length: 6 }, (_, i) =>
    child(`
      const store = await openStore(process.argv[1]);
      await snapshotStore(store.db).put('c${i}', 'port', 'b', 'x');
      console.log(JSON.stringify(store.versionBefore));
      store.close();
    `),
  );
  const codes = await Promise.all(openers.map(async ({ process: opener }) => (await once(opener, 'exit'))[0] as number));
  expect(codes).toEqual([0, 0, 0, 0, 0, 0]);
  const store = await openStore(path);
  expect(await store.db.selectFrom('snapshots').select('component').execute()).toHaveLength(6);
  store.close();
});

test('what a transaction that fails has written is gone, and the next one works', async () => {
  const store = await openStore(path);
  await expect(
    store.db.transaction().execute(async (t) => {
      await t.insertInto('snapshots').values({ component: 'a', kind: 'port', boot_id: 'b', body: 'x' }).execute();
      throw new Error('half way');
    }),
  ).rejects.toThrow('half way');
  expect(await store.db.selectFrom('snapshots').selectAll().execute()).toEqual([]);
  await store.db.insertInto('snapshots').values({ component: 'a', kind: 'port', boot_id: 'b', body: 'y' }).execute();
  expect(await store.db.selectFrom('snapshots').select('body').execute()).toEqual([{ body: 'y' }]);
  store.close();
});

test('nothing that asks meanwhile ends up inside somebody else’s transaction', async () => {
  const store = await openStore(path);
  const row = (component: string) => ({ component, kind: 'port', boot_id: 'b', body: 'x' });
  const { promise: isOpen, resolve: opened } = Promise.withResolvers<void>();
  const { promise: mayFail, resolve: fail } = Promise.withResolvers<void>();
  const failing = store.db.transaction().execute(async (t) => {
    await t.insertInto('snapshots').values(row('inside')).execute();
    opened();
    await mayFail;
    throw new Error('rolled back');
  });
  await isOpen;
  const beside = store.db.insertInto('snapshots').values(row('beside')).execute();
  fail();
  await expect(failing).rejects.toThrow('rolled back');
  await beside;
  expect(await store.db.selectFrom('snapshots').select('component').execute()).toEqual([{ component: 'beside' }]);
  store.close();
});

test('every write that was acknowledged before a kill -9 is there, and the file is whole', async () => {
  const { process: writer, lines } = child(`
    const store = await openStore(process.argv[1]);
    const snapshots = snapshotStore(store.db);
    for (let i = 0; ; i++) {
      await snapshots.put('c' + i, 'port', 'b', 'x'.repeat(5000));
      console.log(i);
    }
  `);
  let acknowledged = -1;
  for await (const line of lines) {
    acknowledged = Number(line);
    if (acknowledged === 40) writer.kill('SIGKILL');
  }
  expect(acknowledged).toBeGreaterThanOrEqual(40);
  const store = await openStore(path);
  expect((await sql<{ integrity_check: string }>`pragma integrity_check`.execute(store.db)).rows).toEqual([{ integrity_check: 'ok' }]);
  const rows = await store.db.selectFrom('snapshots').select('component').execute();
  const there = new Set(rows.map((r) => r.component));
  for (let i = 0; i <= acknowledged; i++) expect(there).toContain(`c${i}`);
  // At most the one that was under way is there beyond what was acknowledged.
  expect(there.size).toBeLessThanOrEqual(acknowledged + 2);
  store.close();
});
