import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeSpawner } from '../adapters/node/spawner.ts';
import { Redactor } from '../domains/incidents/index.ts';
import type { PlaybookRun } from '../domains/playbooks/index.ts';
import type { SnapshotRequest, Snapshots } from '../domains/snapshots/index.ts';
import type { ComponentSpec } from '../domains/supervisor/index.ts';
import { loadConfig, type GraceConfig } from './config/index.ts';
import { openSnapshots, type SnapshotParts } from './snapshots.ts';

const SECRET = 'canary-7f3a91c2e8';
const never = new AbortController().signal;

let project: string;
let running: boolean;
let runs: PlaybookRun[];
beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), 'grace-snapshots-'));
  running = false;
  runs = [];
  write('.env', `DB_PASSWORD=${SECRET}\n`);
  write('server.js', '// nothing');
});
afterEach(() => rmSync(project, { recursive: true, force: true }));

function write(path: string, content: string | Uint8Array): string {
  const at = join(project, path);
  mkdirSync(join(at, '..'), { recursive: true });
  writeFileSync(at, content);
  return at;
}

const read = (path: string): string => readFileSync(join(project, path), 'utf8');
const storage = (): string => join(project, '.grace', 'storage', 'snapshots');

async function open(healing: object = {}, parts: Partial<SnapshotParts> = {}): Promise<{ snapshots: Snapshots; api: ComponentSpec }> {
  write('grace.config.json', JSON.stringify({ components: { api: { command: 'node server.js' } }, healing: { snapshots: healing } }));
  const config: GraceConfig = await loadConfig({ directory: project, environment: {} });
  const snapshots = await openSnapshots({
    config,
    spawner: nodeSpawner,
    redactor: redactorThatKnows(SECRET),
    playbooks: { runsIn: async (...states) => runs.filter((run) => states.includes(run.state)) },
    environmentOf: async () => ({ PATH: process.env['PATH'] ?? '' }),
    isRunning: () => running,
    ...parts,
  });
  return { snapshots, api: config.components[0]! };
}

function redactorThatKnows(secret: string): Redactor {
  const redactor = new Redactor();
  redactor.learn([secret]);
  return redactor;
}

function request(paths: readonly string[], more: Partial<SnapshotRequest> = {}): SnapshotRequest {
  return {
    reason: 'pre_heal',
    runId: 'run_1',
    bootId: 'boot_1',
    signature: '0123456789abcdef',
    playbook: 'fix_it',
    paths,
    databases: false,
    ...more,
  };
}

/** Every file below a folder. */
function filesBelow(dir: string): readonly string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

describe('a snapshot of files', () => {
  it('names a database that is not there yet once, also when it is the file that is about to be made', async () => {
    const { snapshots, api } = await open();
    const withDatabase = { ...api, database: join(project, 'data.db') };
    const taken = await snapshots.take(withDatabase, request(['data.db'], { databases: true }), never);
    expect(taken.items.filter((item) => item.kind === 'absent')).toEqual([{ kind: 'absent', path: join(project, 'data.db') }]);
  });

  it('brings back content, mode, time, links and what was not there, and says that it did', async () => {
    write('conf/app.json', '{"a":1}');
    write('conf/run.sh', 'echo hi');
    chmodSync(join(project, 'conf/run.sh'), 0o750);
    utimesSync(join(project, 'conf/app.json'), 1_700_000_000, 1_700_000_000);
    symlinkSync('app.json', join(project, 'conf/current'));
    const { snapshots, api } = await open();
    const taken = await snapshots.take(api, request(['conf', 'made-later.txt']), never);
    expect(taken).toMatchObject({ component: 'api', reason: 'pre_heal', leftOut: [] });

    write('conf/app.json', '{"a":2}');
    chmodSync(join(project, 'conf/run.sh'), 0o600);
    rmSync(join(project, 'conf/current'));
    symlinkSync('elsewhere', join(project, 'conf/current'));
    write('made-later.txt', 'new');
    const compared = await snapshots.compare(taken.id, never);
    expect(
      Object.fromEntries(compared.map(({ item, state }) => ['path' in item ? item.path.slice(project.length + 1) : '', state])),
    ).toEqual({
      conf: 'same',
      '.env': 'same',
      'server.js': 'same',
      'conf/app.json': 'differs',
      'conf/run.sh': 'differs',
      'conf/current': 'differs',
      'made-later.txt': 'new',
    });

    const result = await snapshots.restore(taken.id, never);
    expect(result).toMatchObject({ verified: true, left: [] });
    expect(result.restored.toSorted()).toEqual(
      ['conf/app.json', 'conf/current', 'conf/run.sh', 'made-later.txt'].map((p) => join(project, p)),
    );
    expect(read('conf/app.json')).toBe('{"a":1}');
    expect(statSync(join(project, 'conf/app.json')).mtimeMs).toBe(1_700_000_000_000);
    expect(statSync(join(project, 'conf/run.sh')).mode & 0o777).toBe(0o750);
    expect(readlinkSync(join(project, 'conf/current'))).toBe('app.json');
    expect(existsSync(join(project, 'made-later.txt'))).toBe(false);
    // What it overwrote can be had back in the same way.
    expect((await snapshots.restore(result.before!.id, never)).verified).toBe(true);
    expect([read('conf/app.json'), read('made-later.txt')]).toEqual(['{"a":2}', 'new']);
  });

  it('has the env file in it without being asked, and no secret can be read in what lies on the disk', async () => {
    const { snapshots, api } = await open();
    const taken = await snapshots.take(api, request([], { anomaly: { message: `login failed for ${SECRET}` } }), never);
    expect(taken.items.map((item) => ('path' in item ? item.path : ''))).toContain(join(project, '.env'));
    const folder = join(storage(), taken.folder);
    expect(taken.folder).toMatch(/^pre_heal_0123456789abcdef_\d{8}_\d{6}$/);
    expect(readdirSync(folder)).toEqual(['anomaly.json', 'metadata.json']);
    expect(JSON.parse(readFileSync(join(folder, 'anomaly.json'), 'utf8'))).toMatchObject({
      snapshot: taken.id,
      run_id: 'run_1',
      message: 'login failed for [redacted]',
    });
    for (const file of filesBelow(storage())) {
      expect(readFileSync(file).includes(SECRET), file).toBe(false);
      expect(statSync(file).mode & 0o077, file).toBe(0);
    }
    expect(statSync(storage()).mode & 0o077).toBe(0);
  });

  it('keeps one content once, however many snapshots name it', async () => {
    write('big.txt', 'x'.repeat(300_000));
    const { snapshots, api } = await open();
    await snapshots.take(api, request(['big.txt']), never);
    const before = filesBelow(join(storage(), 'objects')).length;
    write('copy.txt', 'x'.repeat(300_000));
    await snapshots.take(api, request(['big.txt', 'copy.txt']), never);
    expect(filesBelow(join(storage(), 'objects'))).toHaveLength(before);
  });

  it('takes nothing from outside the directories of the component, and puts nothing there', async () => {
    symlinkSync('/etc', join(project, 'out'));
    const { snapshots, api } = await open();
    const taken = await snapshots.take(api, request(['/etc/hostname', '../x', 'out/hostname']), never);
    expect(taken.leftOut.map(({ what }) => what)).toEqual(['/etc/hostname', '../x', 'out/hostname']);
    write('dir/a.txt', 'one');
    const inside = await snapshots.take(api, request(['dir/a.txt']), never);
    const elsewhere = mkdtempSync(join(tmpdir(), 'grace-elsewhere-'));
    try {
      rmSync(join(project, 'dir'), { recursive: true });
      symlinkSync(elsewhere, join(project, 'dir'));
      await expect(snapshots.restore(inside.id, never)).rejects.toThrow(/outside the directories of api/);
      expect(readdirSync(elsewhere)).toEqual([]);
    } finally {
      rmSync(elsewhere, { recursive: true });
    }
  });

  it('follows no link that takes the place of a folder while it is restored or taken', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'grace-elsewhere-'));
    const swap = (): void => {
      renameSync(join(project, 'data'), join(project, 'data.real'));
      symlinkSync(elsewhere, join(project, 'data'));
    };
    try {
      writeFileSync(join(elsewhere, 'passwd'), 'the real one');
      write('data/passwd', 'root::0:0:owned');
      const { snapshots, api } = await open();
      const taken = await snapshots.take(api, request(['data/passwd']), never);
      write('data/passwd', 'changed');
      const progress = (text: string): void => {
        if (text.startsWith('putting back')) swap();
      };
      const result = await snapshots.restore(taken.id, never, { progress });
      expect(result).toMatchObject({ restored: [], verified: false });
      expect(result.left[0]?.why).toMatch(/outside the directories of api/);
      expect(readFileSync(join(elsewhere, 'passwd'), 'utf8')).toBe('the real one');
      expect(read('data.real/passwd')).toBe('changed');
    } finally {
      rmSync(elsewhere, { recursive: true });
    }
  });

  it('leaves what was made since within its directories, and says so', async () => {
    write('data/old.txt', 'old');
    const { snapshots, api } = await open();
    const taken = await snapshots.take(api, request(['data']), never);
    write('data/old.txt', 'changed');
    write('data/new.txt', 'new');
    const result = await snapshots.restore(taken.id, never);
    expect(result).toMatchObject({ verified: true, restored: [join(project, 'data/old.txt')] });
    expect(result.left).toEqual([{ what: join(project, 'data/new.txt'), why: 'it was made since, and is left there' }]);
    expect(read('data/new.txt')).toBe('new');
  });

  it('restores what is asked for alone', async () => {
    write('a/one.txt', '1');
    write('b/two.txt', '2');
    const { snapshots, api } = await open();
    const taken = await snapshots.take(api, request(['a', 'b']), never);
    write('a/one.txt', 'x');
    write('b/two.txt', 'x');
    await snapshots.restore(taken.id, never, { only: [join(project, 'a')] });
    expect([read('a/one.txt'), read('b/two.txt')]).toEqual(['1', 'x']);
    await expect(snapshots.restore(taken.id, never, { only: ['/nowhere'] })).rejects.toThrow(/is not in snapshot/);
  });

  it('is not restored under a component that runs, unless that was said', async () => {
    write('a.txt', 'one');
    const { snapshots, api } = await open();
    const taken = await snapshots.take(api, request(['a.txt']), never);
    write('a.txt', 'two');
    running = true;
    await expect(snapshots.restore(taken.id, never)).rejects.toMatchObject({ code: 'GRACE_SNAPSHOTS_COMPONENT_RUNS' });
    expect(read('a.txt')).toBe('two');
    expect((await snapshots.restore(taken.id, never, { whileRunning: true })).verified).toBe(true);
    expect(read('a.txt')).toBe('one');
  });
});

describe('when something is wrong', () => {
  it.each(['damaged', 'cut off', 'gone', 'another'] as const)('refuses a content that is %s before anything is touched', async (how) => {
    write('a.txt', 'first content');
    write('b.txt', 'second content');
    const { snapshots, api } = await open();
    const taken = await snapshots.take(api, request(['a.txt', 'b.txt']), never);
    write('a.txt', 'changed');
    write('b.txt', 'changed');
    const objectOf = (name: string): string => {
      const item = taken.items.find((i) => 'path' in i && i.path.endsWith(name));
      const digest = item !== undefined && 'digest' in item ? item.digest : '';
      return join(storage(), 'objects', digest.slice(0, 2), digest);
    };
    const object = objectOf('b.txt');
    const bytes = readFileSync(object);
    if (how === 'damaged') writeFileSync(object, bytes.with(30, bytes[30]! ^ 1));
    else if (how === 'cut off') writeFileSync(object, bytes.subarray(0, 20));
    else if (how === 'gone') rmSync(object);
    else writeFileSync(object, readFileSync(objectOf('a.txt')));
    await expect(snapshots.restore(taken.id, never)).rejects.toMatchObject({ code: 'GRACE_SNAPSHOTS_DAMAGED' });
    expect([read('a.txt'), read('b.txt')]).toEqual(['changed', 'changed']);
    expect(await snapshots.list()).toHaveLength(1);
    // The whole part of it can still be had.
    expect((await snapshots.restore(taken.id, never, { only: [join(project, 'a.txt')] })).verified).toBe(true);
  });

  it('writes a damaged content anew when it is kept again', async () => {
    write('a.txt', 'content');
    const { snapshots, api } = await open();
    const first = await snapshots.take(api, request(['a.txt']), never);
    for (const file of filesBelow(join(storage(), 'objects'))) writeFileSync(file, 'garbage');
    await snapshots.take(api, request(['a.txt']), never);
    write('a.txt', 'changed');
    expect((await snapshots.restore(first.id, never)).verified).toBe(true);
  });

  it('does not rely on a description that was changed', async () => {
    write('a.txt', 'content');
    const { snapshots, api } = await open();
    const taken = await snapshots.take(api, request(['a.txt']), never);
    const file = join(storage(), taken.folder, 'metadata.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace('a.txt', 'b.txt'));
    expect(await snapshots.list()).toEqual([]);
    await expect(snapshots.restore(taken.folder, never)).rejects.toMatchObject({ code: 'GRACE_SNAPSHOTS_DAMAGED' });
    await snapshots.prune();
    expect(filesBelow(join(storage(), 'objects')).length).toBeGreaterThan(0);
  });

  it('leaves nothing of a snapshot that was stopped, and clears away what a killed Grace left', async () => {
    write('a.txt', 'content');
    const { snapshots, api } = await open();
    const stop = new AbortController();
    write('data.db', '');
    const asked = snapshots.take(api, request(['a.txt'], { progress: () => undefined }), stop.signal);
    stop.abort(new Error('stopped'));
    await expect(asked).rejects.toThrow('stopped');
    expect(await snapshots.list()).toEqual([]);
    mkdirSync(join(storage(), '.work', 'folder'), { recursive: true });
    writeFileSync(join(storage(), '.work', 'folder', 'metadata.json'), '{');
    mkdirSync(join(storage(), 'objects', 'ab'), { recursive: true });
    writeFileSync(join(storage(), 'objects', 'ab', `ab${'0'.repeat(62)}`), 'nobody names it');
    writeFileSync(join(storage(), 'objects', 'ab', '.x.grace-tmp'), 'half');
    await snapshots.prune();
    expect(existsSync(join(storage(), '.work'))).toBe(false);
    expect(filesBelow(join(storage(), 'objects'))).toEqual([]);
  });

  it('waits for a Grace that is at work, and is not held up by one that was killed at it', async () => {
    const { snapshots, api } = await open();
    await snapshots.take(api, request([]), never);
    const sleeper = spawn('sleep', ['0']);
    await once(sleeper, 'exit');
    writeFileSync(join(storage(), 'grace.lock'), JSON.stringify({ pid: sleeper.pid, startTicks: 1, machineBootId: 'x' }));
    await snapshots.take(api, request([]), never);
    expect(await snapshots.list()).toHaveLength(2);
  });
});

describe('how long snapshots are kept', () => {
  it('as many as configured, the newest always, and those of runs that are not finished', async () => {
    const { snapshots, api } = await open({ keep: { count: 2 } });
    runs = [{ id: 'run_open', state: 'applied' } as PlaybookRun];
    write('a.txt', 'of the open run');
    const open_ = await snapshots.take(api, request(['a.txt'], { runId: 'run_open' }), never);
    const ids: string[] = [];
    for (const content of ['one', 'two', 'three']) {
      write('a.txt', content);
      ids.push((await snapshots.take(api, request(['a.txt']), never)).id);
    }
    expect((await snapshots.list()).map(({ id }) => id)).toEqual(expect.arrayContaining([open_.id, ids[1], ids[2]]));
    // Contents that only the removed one named are gone; those of the others are there.
    expect((await snapshots.restore(open_.id, never)).verified).toBe(true);
    expect(read('a.txt')).toBe('of the open run');
    runs = [];
    await snapshots.prune();
    expect((await snapshots.list()).map(({ id }) => id)).not.toContain(open_.id);
  });
});

describe('a snapshot of a SQLite database', () => {
  function makeDatabase(mode: 'wal' | 'delete'): string {
    const path = join(project, 'shop.db');
    const database = new DatabaseSync(path);
    database.exec(`PRAGMA journal_mode = ${mode};
      CREATE TABLE accounts (id INTEGER PRIMARY KEY, cents INTEGER NOT NULL);
      CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);
      INSERT INTO accounts VALUES (1, 1000000), (2, 0);
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO notes SELECT i, hex(randomblob(40)) FROM n`);
    database.close();
    return path;
  }

  /** Moves money between two accounts, and adds a row each time: a torn copy has another sum. */
  const WRITER = `
    const { DatabaseSync } = require('node:sqlite');
    const database = new DatabaseSync(process.argv[1], { timeout: 5000 });
    const move = () => { database.exec('BEGIN IMMEDIATE; UPDATE accounts SET cents = cents - 1 WHERE id = 1; UPDATE accounts SET cents = cents + 1 WHERE id = 2; INSERT INTO notes (text) VALUES (hex(randomblob(40))); COMMIT'); };
    move();
    console.log('writing');
    setInterval(move, 0);
    process.on('SIGTERM', () => { database.close(); process.exit(0); });`;

  const OPENER = `require('node:fs').openSync(process.argv[1], 'r'); console.log('open'); setInterval(() => undefined, 1000);`;

  function rows(path: string, sql: string): readonly unknown[] {
    const database = new DatabaseSync(path);
    try {
      return database
        .prepare(sql)
        .all()
        .map((row) => ({ ...row }));
    } finally {
      database.close();
    }
  }

  it.each(['wal', 'delete'] as const)('is whole although another process writes all the time (journal mode %s)', async (mode) => {
    const path = makeDatabase(mode);
    const { snapshots, api } = await open();
    const writer = spawn(process.execPath, ['-e', WRITER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      await once(writer.stdout, 'data');
      const taken = await snapshots.take(api, request([], { databases: true }), never);
      expect(taken.leftOut).toEqual([]);
      const item = taken.items.find(({ kind }) => kind === 'sqlite');
      expect(item).toMatchObject({ path, proof: { parts: [{ name: 'table accounts', rows: 2 }, { name: 'table notes' }] } });
      writer.kill('SIGTERM');
      await once(writer, 'exit');
      expect((await snapshots.compare(taken.id, never)).find((c) => c.item.kind === 'sqlite')).toMatchObject({ state: 'differs' });
      expect(await snapshots.restore(taken.id, never)).toMatchObject({ verified: true, restored: [path], left: [] });
      expect(rows(path, 'SELECT sum(cents) AS sum FROM accounts')).toEqual([{ sum: 1_000_000 }]);
      const [moved] = rows(
        path,
        'SELECT (SELECT cents FROM accounts WHERE id = 2) AS cents, (SELECT count(*) - 20000 FROM notes) AS notes',
      );
      expect((moved as { cents: number }).cents).toBe((moved as { notes: number }).notes);
    } finally {
      writer.kill('SIGKILL');
    }
  });

  it('is put back under the locks of a process that has it open, which then sees it', async () => {
    const path = makeDatabase('wal');
    const { snapshots, api } = await open();
    const taken = await snapshots.take(api, request([path], {}), never);
    const user = new DatabaseSync(path);
    user.exec('DELETE FROM notes; DROP TABLE accounts; CREATE TABLE later (x)');
    expect(existsSync(`${path}-wal`)).toBe(true);
    const inode = statSync(path).ino;
    running = true;
    const result = await snapshots.restore(taken.id, never, { whileRunning: true });
    expect(result).toMatchObject({ verified: true, restored: [path] });
    expect(statSync(path).ino).toBe(inode);
    expect(user.prepare('SELECT count(*) AS n FROM notes').get()).toMatchObject({ n: 20_000 });
    expect(user.prepare('SELECT count(*) AS n FROM accounts').get()).toMatchObject({ n: 2 });
    user.close();
    // What was there is in the snapshot before.
    expect((await snapshots.restore(result.before!.id, never, { whileRunning: true })).verified).toBe(true);
    expect(rows(path, `SELECT name FROM sqlite_schema ORDER BY name`)).toEqual([{ name: 'later' }, { name: 'notes' }]);
  });

  it('sees that a value changed where the number of rows did not', async () => {
    const path = makeDatabase('delete');
    const { snapshots, api } = await open();
    const taken = await snapshots.take(api, request([path]), never);
    rows(path, 'UPDATE accounts SET cents = 7 WHERE id = 2 RETURNING id');
    expect((await snapshots.compare(taken.id, never)).find((c) => c.item.kind === 'sqlite')).toMatchObject({
      how: 'rows of table accounts have other values',
    });
    expect((await snapshots.restore(taken.id, never)).verified).toBe(true);
    expect(rows(path, 'SELECT cents FROM accounts WHERE id = 2')).toEqual([{ cents: 0 }]);
  });

  it('waits for a lock only so long, and then leaves everything as it is', async () => {
    const path = makeDatabase('delete');
    write('a.txt', 'one');
    const { snapshots, api } = await open();
    const taken = await snapshots.take(api, request([path, 'a.txt']), never);
    rows(path, 'DELETE FROM accounts RETURNING id');
    write('a.txt', 'two');
    const user = new DatabaseSync(path);
    user.exec('BEGIN IMMEDIATE');
    const result = await snapshots.restore(taken.id, never);
    expect(result.verified).toBe(false);
    expect(result.restored).toEqual([]);
    expect(result.left[0]?.why).toMatch(/another process holds its lock/);
    user.exec('ROLLBACK');
    user.close();
    expect(rows(path, 'SELECT * FROM accounts')).toEqual([]);
    expect(read('a.txt')).toBe('two');
  });

  it('takes the place of one that is damaged, which goes aside together with its log', async () => {
    const path = makeDatabase('wal');
    chmodSync(path, 0o640);
    const { snapshots, api } = await open();
    const taken = await snapshots.take(api, request([path]), never);
    const bytes = readFileSync(path);
    bytes.fill(0xee, 0, 3000);
    writeFileSync(path, bytes);
    writeFileSync(`${path}-wal`, 'the log of the damaged one');
    const result = await snapshots.restore(taken.id, never);
    expect(result).toMatchObject({ verified: true, restored: [path] });
    expect(rows(path, 'SELECT count(*) AS n FROM notes')).toEqual([{ n: 20_000 }]);
    expect(statSync(path).mode & 0o777).toBe(0o640);
    const aside = readdirSync(project).filter((name) => name.includes('.broken-') && !name.endsWith('-shm'));
    expect(aside.map((name) => name.replace(/\d{14}/, ''))).toEqual(['shop.db.broken-', 'shop.db.broken--wal']);
    expect(readFileSync(join(project, aside[0]!)).equals(bytes)).toBe(true);
  });

  it('leaves a damaged one alone that a process still has open', async () => {
    const path = makeDatabase('delete');
    const { snapshots, api } = await open();
    const taken = await snapshots.take(api, request([path]), never);
    const user = spawn(process.execPath, ['-e', OPENER, path], { stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      await once(user.stdout, 'data');
      writeFileSync(path, 'not a database any more');
      const result = await snapshots.restore(taken.id, never);
      expect(result).toMatchObject({ verified: false, restored: [] });
      expect(result.left[0]?.why).toContain(`process ${user.pid} still has it open`);
      expect(read('shop.db')).toBe('not a database any more');
    } finally {
      user.kill();
    }
  });

  it('is left out where it is too large or unwanted, and that is said', async () => {
    const path = makeDatabase('delete');
    const tight = await open({ databaseMbMax: 1 });
    expect((await tight.snapshots.take(tight.api, request([path]), never)).leftOut).toEqual([
      { what: path, why: expect.stringContaining('databaseMbMax') as string },
    ]);
    const without = await open({ databases: 'never' });
    expect((await without.snapshots.take(without.api, request([path], { databases: true }), never)).leftOut).toHaveLength(2);
    const untouched = await open();
    const taken = await untouched.snapshots.take(untouched.api, request([]), never);
    expect(taken.items.some(({ kind }) => kind === 'sqlite')).toBe(false);
    const always = await open({ databases: 'always' });
    expect((await always.snapshots.take(always.api, request([]), never)).items.some(({ kind }) => kind === 'sqlite')).toBe(true);
  });

  /** A snapshot as an earlier Grace took it: these files one by one. */
  function keptApart(folder: string, renamed: Readonly<Record<string, string>>): void {
    const at = join(storage(), folder, 'metadata.json');
    const { snapshot } = JSON.parse(readFileSync(at, 'utf8')) as { snapshot: { items: { path: string }[] } };
    for (const item of snapshot.items) item.path = renamed[item.path] ?? item.path;
    const digest = createHash('sha256').update(JSON.stringify(snapshot)).digest('hex');
    writeFileSync(at, JSON.stringify({ format: 1, digest, snapshot }));
  }

  it('comes back as a whole or not at all: no old log beside a newer one, also when it is asked for alone', async () => {
    const path = join(project, 'shop.db');
    const { snapshots, api } = await open();
    const [main, log] = [write('one', 'a damaged header'), write('two', 'the log of it')];
    const taken = await snapshots.take(api, request([main, log]), never);
    keptApart(taken.folder, { [main]: path, [log]: `${path}-wal` });
    makeDatabase('wal');
    const before = readFileSync(path);
    const refused =
      /is a part of the SQLite database .*shop\.db \(a log or a journal\), and good beside no other state|is or was a SQLite database/;
    await expect(snapshots.restore(taken.id, never)).rejects.toThrow(refused);
    for (const only of [path, `${path}-wal`]) await expect(snapshots.restore(taken.id, never, { only: [only] })).rejects.toThrow(refused);
    expect(readdirSync(project).filter((name) => name.startsWith('shop'))).toEqual(['shop.db']);
    expect(readFileSync(path).equals(before)).toBe(true);
    // Nothing stands there any more: nobody knows that the two are of one moment.
    rmSync(path);
    await expect(snapshots.restore(taken.id, never)).rejects.toThrow(refused);
  });

  it('a live log is not removed as something that was not there', async () => {
    const { snapshots, api } = await open();
    const taken = await snapshots.take(api, request(['gone']), never);
    keptApart(taken.folder, { [join(project, 'gone')]: join(project, 'shop.db-wal') });
    const path = makeDatabase('wal');
    const user = new DatabaseSync(path);
    user.exec('DELETE FROM notes');
    await expect(snapshots.restore(taken.id, never)).rejects.toThrow(/is a part of the SQLite database/);
    user.close();
    expect(rows(path, 'SELECT count(*) AS n FROM notes')).toEqual([{ n: 0 }]);
    expect((await snapshots.take(api, request(['other.db-wal']), never)).items.filter(({ kind }) => kind === 'absent')).toEqual([]);
  });

  it('is one item with its log: asked for by the log it is copied by SQLite, and one that SQLite cannot read is left out with it', async () => {
    const path = makeDatabase('wal');
    const { snapshots, api } = await open();
    const user = new DatabaseSync(path);
    user.exec('DELETE FROM notes WHERE id > 10');
    const taken = await snapshots.take(api, request([`${path}-wal`]), never);
    expect(taken.items.filter((item) => 'path' in item && item.path.startsWith(path))).toMatchObject([{ kind: 'sqlite', path }]);
    const bytes = [readFileSync(path), readFileSync(`${path}-wal`)] as const;
    user.close();
    writeFileSync(path, bytes[0].fill(0x41, 0, 100));
    writeFileSync(`${path}-wal`, bytes[1]);
    const damaged = await snapshots.take(api, request([`${path}-wal`, path]), never);
    expect(damaged.items.filter((item) => 'path' in item && item.path.startsWith(path))).toEqual([]);
    expect(damaged.leftOut).toMatchObject([
      { what: `${path}-wal` },
      { what: path, why: expect.stringMatching(/shop\.db-wal is a log or a journal/) },
    ]);
  });

  it('a file is not put where a process still has the log of a removed one open', async () => {
    const path = makeDatabase('wal');
    const { snapshots, api } = await open();
    const [file] = [write('one', 'text')];
    const taken = await snapshots.take(api, request([file]), never);
    keptApart(taken.folder, { [file]: path });
    const user = new DatabaseSync(path);
    user.exec('DELETE FROM notes');
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix);
    await expect(snapshots.restore(taken.id, never)).rejects.toThrow(`process ${process.pid} still has a SQLite database open`);
    expect(existsSync(path)).toBe(false);
    user.close();
  });

  it('is never removed as something that was not there', async () => {
    const { snapshots, api } = await open();
    const path = join(project, 'shop.db');
    const taken = await snapshots.take(api, request([path]), never);
    makeDatabase('wal');
    const result = await snapshots.restore(taken.id, never);
    expect(result.verified).toBe(false);
    expect(lstatSync(path).isFile()).toBe(true);
  });
});

describe('what is in it besides what is asked for', () => {
  it('the files of the configuration, and those that healing.snapshots.files names', async () => {
    write('conf/extra.ini', 'x');
    write('conf/other.txt', 'x');
    const { snapshots, api } = await open({ files: ['conf/*.ini'] });
    const taken = await snapshots.take(api, request([]), never);
    const names = taken.items.map((item) => ('path' in item ? item.path.slice(project.length + 1) : ''));
    expect(names.toSorted()).toEqual(['.env', 'conf/extra.ini', 'server.js']);
  });
});
