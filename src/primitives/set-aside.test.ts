import * as fs from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sha256Hex } from '../kernel/index.ts';
import { primitives } from './index.ts';
import { Sandbox } from './testing/sandbox.ts';

let box: Sandbox;
beforeEach(async () => {
  box = await new Sandbox().make();
  await box.write('conf.d/site.conf', 'listen 80;');
  for (const path of ['conf.d', 'conf.d/site.conf']) await box.remember(path);
});
afterEach(() => box.remove());

const name = 'set_aside';
const params = (path: string, content: string): { path: string; digest: string } => ({ path, digest: sha256Hex(content) });

it('moves a new file of a known folder to where Grace keeps things, and back', async () => {
  await box.write('conf.d/new.conf', 'locaton', 0o640, 1234);
  const before = await box.state();
  const wanted = params('conf.d/new.conf', 'locaton');
  expect(await box.undoneAfterEveryCut(name, wanted, before)).toMatchObject({ wrong: null });
  const record = await box.apply(name, wanted);
  expect(Object.keys(await box.state())).not.toContain('/conf.d/new.conf');
  const [kept] = await fs.readdir(box.backupDir);
  expect(await fs.readFile(`${box.backupDir}/${kept ?? ''}`, 'utf8')).toBe('locaton');
  await box.undo(name, record);
  expect(await box.state()).toEqual(before);
});

it('leaves a file alone once somebody has corrected it', async () => {
  await box.write('conf.d/new.conf', 'location / {}');
  expect(await box.plan(name, params('conf.d/new.conf', 'locaton'))).toMatchObject({ state: 'nothing_to_do' });
  expect(await box.plan(name, params('conf.d/gone.conf', 'locaton'))).toMatchObject({ state: 'nothing_to_do' });
});

it('refuses what was part of the last good boot, what nobody knows, and what the command names', async () => {
  expect(await box.refusal(name, params('conf.d/site.conf', 'listen 80;'))).toMatch(/was there at the last good boot/);
  await box.write('data/user.json', '{');
  expect(await box.refusal(name, params('data/user.json', '{'))).toMatch(/nobody knows what was in/);
  await box.write('conf.d/main.conf', 'x');
  box.component = { ...box.component, command: ['nginx', '-c', 'conf.d/main.conf'] };
  expect(await box.refusal(name, params('conf.d/main.conf', 'x'))).toMatch(/is told to read/);
  await expect(box.plan(name, params('../outside/x', 'x'))).rejects.toThrow(/outside the roots/);
});

it('keeps what may hold secrets sealed, and gives it back with owner and mode', async () => {
  await box.write('conf.d/.env', 'A=canary-5e1', 0o640, 1234);
  const before = await box.state();
  const wanted = params('conf.d/.env', 'A=canary-5e1');
  expect(await box.undoneAfterEveryCut(name, wanted, before)).toMatchObject({ wrong: null });
  const record = await box.apply(name, wanted);
  expect(Object.keys(await box.state())).not.toContain('/conf.d/.env');
  for (const file of await fs.readdir(box.backupDir))
    expect(await fs.readFile(`${box.backupDir}/${file}`, 'latin1')).not.toContain('canary');
  await box.undo(name, record);
  expect(await box.state()).toEqual(before);
});

describe('of a SQLite database', () => {
  beforeEach(async () => {
    await box.write('data/keep.txt', 'x');
    for (const path of ['data', 'data/keep.txt']) await box.remember(path);
  });

  const digestOf = async (path: string): Promise<string> => sha256Hex(await fs.readFile(box.path(path)));
  const path = 'data/app.db';

  /** With a row in the database and one in its log. */
  function opened(): DatabaseSync {
    const database = new DatabaseSync(box.path(path));
    database.exec('PRAGMA journal_mode=WAL; CREATE TABLE t (a); INSERT INTO t VALUES (1); PRAGMA wal_checkpoint(truncate)');
    database.exec('INSERT INTO t VALUES (2)');
    return database;
  }

  it('moves neither one that is open nor its live log: every row is still there afterwards', async () => {
    const service = opened();
    for (const part of [path, `${path}-wal`, `${path}-shm`]) {
      const reason = await box.refusal(name, { path: part, digest: await digestOf(part) });
      expect(reason, part).toMatch(/belongs to (?:the very database that is there|one database as that is now)/);
    }
    service.exec('INSERT INTO t VALUES (3)');
    service.close();
    const again = new DatabaseSync(box.path(path));
    expect(again.prepare('SELECT count(*) AS rows, max(a) AS last FROM t').get()).toMatchObject({ rows: 3, last: 3 });
    again.close();
  });

  it('leaves one alone that is whole, and any file that a process has open', async () => {
    opened().close();
    expect(await box.refusal(name, { path, digest: await digestOf(path) })).toMatch(/is a SQLite database: data is not put away/);
    await box.write('data/new.conf', 'bad');
    const held = await fs.open(box.path('data/new.conf'), 'a');
    try {
      const wanted = params('data/new.conf', 'bad');
      expect(await box.refusal(name, wanted)).toMatch(new RegExp(`process ${process.pid} has .*new.conf open`));
    } finally {
      await held.close();
    }
  });

  it('puts a cold one away whose header is damaged, and back, but not once a log lies where it stood', async () => {
    await box.write(path, Buffer.alloc(1024, 0x41));
    const before = await box.state();
    const wanted = { path, digest: await digestOf(path) };
    expect(await box.undoneAfterEveryCut(name, wanted, before)).toMatchObject({ wrong: null });
    const record = await box.apply(name, wanted);
    await box.write(`${path}-wal`, 'of another database');
    expect(await box.undo(name, record)).toEqual([
      expect.stringMatching(/app\.db stays away: .*app\.db-wal stands beside .* the one from before is /),
    ]);
    expect(Object.keys(await box.state())).not.toContain(`/${path}`);
  });

  it('is asked again before it acts, and before it is taken back: somebody may have opened it', async () => {
    await box.write(path, Buffer.alloc(1024, 0x41));
    const wanted = { path, digest: await digestOf(path) };
    const plan = await box.plan(name, wanted);
    if (plan.state !== 'ready') throw new Error(JSON.stringify(plan));
    await box.write(`${path}-journal`, '');
    const primitive = primitives.get(name);
    await expect(primitive?.apply(primitive.parse(wanted), box.context(), plan.undo)).rejects.toThrow(/app\.db-journal stands beside/);
    await fs.rm(box.path(`${path}-journal`));
    const record = await box.apply(name, wanted);
    const [kept] = await fs.readdir(box.backupDir);
    const held = await fs.open(`${box.backupDir}/${kept ?? ''}`, 'r+');
    try {
      expect(await box.undo(name, record)).toEqual([expect.stringMatching(/stays away: process \d+ has .* open/)]);
    } finally {
      await held.close();
    }
    expect(await box.undo(name, record)).toEqual([]);
    expect((await fs.readFile(box.path(path))).length).toBe(1024);
  });
});
