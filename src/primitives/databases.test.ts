import { execFileSync, spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DatabaseRepair, SchemaDrift } from '../domains/playbooks/index.ts';
import type { Json } from '../kernel/index.ts';
import { primitives } from './index.ts';
import { DatabaseSync } from 'node:sqlite';
import { Sandbox } from './testing/sandbox.ts';

let box: Sandbox;
beforeEach(async () => {
  box = await new Sandbox().make();
});
afterEach(() => box.remove());

function makeDatabase(path: string, rows: number, wal = false): void {
  const db = new DatabaseSync(path);
  if (wal) db.exec('PRAGMA journal_mode=WAL');
  db.exec('CREATE TABLE IF NOT EXISTS t (x TEXT)');
  const insert = db.prepare('INSERT INTO t VALUES (?)');
  for (let i = 0; i < rows; i++) insert.run('y'.repeat(200));
  db.close();
}

function rowsOf(path: string): number {
  const db = new DatabaseSync(path, { readOnly: true });
  const { n } = db.prepare('SELECT count(*) AS n FROM t').get() as { n: number };
  db.close();
  return n;
}

describe('recover_sqlite', () => {
  const name = 'recover_sqlite';

  it('puts the newest whole copy back and keeps the broken database with its WAL', async () => {
    const at = box.path('app.db');
    makeDatabase(at, 50);
    await fs.chmod(at, 0o640);
    await fs.chown(at, 1234, 1234);
    await box.remember('app.db');
    makeDatabase(box.path('app.db.bak'), 70);
    await fs.truncate(at, 5000);
    await box.write('app.db-wal', 'not a wal', 0o640, 1234);
    const before = await box.state();
    const cuts = await box.undoneAfterEveryCut(name, { path: 'app.db' }, before);
    expect(cuts.wrong).toBeNull();
    expect(cuts.cuts).toBeGreaterThan(3);
    await box.apply(name, { path: 'app.db' });
    expect(rowsOf(at)).toBe(70);
    const names = await fs.readdir(box.root);
    const aside = names.find((n) => /^app\.db\.broken-\d+$/.test(n)) ?? '';
    expect(names).toContain(`${aside}-wal`);
    expect(names).not.toContain('app.db-wal');
    expect((await fs.stat(at)).uid).toBe(1234);
    expect((await fs.stat(at)).mode & 0o777).toBe(0o640);
  });

  it('uses the last good copy when the backup is cut off, and when the database is gone', async () => {
    const at = box.path('app.db');
    makeDatabase(at, 50);
    await box.remember('app.db');
    makeDatabase(box.path('app.db.bak'), 70);
    await fs.truncate(box.path('app.db.bak'), 4096);
    await fs.rm(at);
    const before = await box.state();
    expect(await box.undoneAfterEveryCut(name, { path: 'app.db' }, before)).toMatchObject({ wrong: null });
    await box.apply(name, { path: 'app.db' });
    expect(rowsOf(at)).toBe(50);
  });

  it('puts no log that was alone before back beside the copy that took the place of its database', async () => {
    const at = box.path('app.db');
    makeDatabase(at, 50);
    await box.remember('app.db');
    await fs.rm(at);
    await box.write('app.db-wal', 'of the one that is gone');
    expect(await box.undoneAfterEveryCut(name, { path: 'app.db' }, await box.state())).toMatchObject({ wrong: null });
  });

  it('is not undone over a log that came after', async () => {
    const at = box.path('app.db');
    makeDatabase(at, 50);
    await box.remember('app.db');
    await fs.truncate(at, 5000);
    const record = await box.apply(name, { path: 'app.db' });
    await box.write('app.db-wal', 'changes');
    const after = await box.state();
    expect(await box.undo(name, record)).toEqual([expect.stringMatching(/app\.db-wal holds changes that came after/)]);
    expect(await box.state()).toEqual(after);
  });

  it('leaves a whole database alone', async () => {
    makeDatabase(box.path('app.db'), 5);
    makeDatabase(box.path('app.db.bak'), 3);
    expect(await box.plan(name, { path: 'app.db' })).toMatchObject({ state: 'nothing_to_do' });
  });

  it('never takes a live WAL away', async () => {
    const at = box.path('app.db');
    const writer = new DatabaseSync(at);
    writer.exec('PRAGMA journal_mode=WAL; CREATE TABLE t (x TEXT); INSERT INTO t VALUES (1)');
    makeDatabase(box.path('app.db.bak'), 3);
    expect(await box.refusal(name, { path: 'app.db' })).toMatch(/holds .* open/);
    // as a killed process leaves it: the rows are in the WAL only
    for (const suffix of ['', '-wal']) await fs.copyFile(at + suffix, box.path(`killed.db${suffix}`));
    writer.close();
    makeDatabase(box.path('killed.db.bak'), 3);
    await expect(box.apply(name, { path: 'killed.db' })).rejects.toThrow(/whole once its log is applied/);
    expect(rowsOf(box.path('killed.db'))).toBe(1);
  });

  it('refuses without a whole copy, outside the roots, and to undo over new rows', async () => {
    await box.write('app.db', 'garbage'.repeat(200));
    await box.write('app.db.bak', 'garbage too'.repeat(200));
    expect(await box.refusal(name, { path: 'app.db' })).toMatch(/no whole copy/);
    await expect(box.plan(name, { path: join(box.outside, 'x.db') })).rejects.toThrow(/outside the roots/);
    makeDatabase(box.path('app.db.old'), 3);
    const record = await box.apply(name, { path: 'app.db' });
    makeDatabase(box.path('app.db'), 1);
    expect(await box.undo(name, record)).toEqual([expect.stringMatching(/written to after/)]);
    expect(rowsOf(box.path('app.db'))).toBe(4);
  });
});

describe('run_migrations', () => {
  const name = 'run_migrations';
  const script =
    "const {DatabaseSync}=require('node:sqlite');const db=new DatabaseSync('data/app.db');db.exec('CREATE TABLE more (x); INSERT INTO t VALUES (1)');db.close();";

  beforeEach(async () => {
    await fs.mkdir(box.path('data'));
    makeDatabase(box.path('data/app.db'), 5);
    box.environment['DATABASE_PATH'] = 'data/app.db';
    box.component = { ...box.component, migrate: [process.execPath, '-e', script], database: '$DATABASE_PATH' };
  });

  it('copies a SQLite database first and puts it back', async () => {
    const before = await box.state();
    const record = await box.apply(name, {});
    expect(rowsOf(box.path('data/app.db'))).toBe(6);
    await box.undo(name, record);
    expect(await box.state()).toEqual(before);
    await box.undo(name, record);
    expect(await box.state()).toEqual(before);
  });

  it('puts back nothing when something was written since', async () => {
    const record = await box.apply(name, {});
    makeDatabase(box.path('data/app.db'), 1);
    expect(await box.undo(name, record)).toEqual([
      expect.stringMatching(/written to since its migrations, and stays; the copy from before is/),
    ]);
    expect(rowsOf(box.path('data/app.db'))).toBe(7);
  });

  it('puts back nothing under a process that has the database open: what that process stores then stays stored', async () => {
    const path = box.path('data/app.db');
    const worker = new DatabaseSync(path);
    expect(worker.prepare('SELECT count(*) AS n FROM t').get()).toMatchObject({ n: 5 });
    const record = await box.apply(name, {});
    await expect(box.undo(name, record)).rejects.toThrow(
      new RegExp(`process ${process.pid} has web's database open; the copy from before is `),
    );
    worker.exec('INSERT INTO t VALUES (7777)');
    expect(rowsOf(path)).toBe(7);
    worker.close();
  });

  it('puts a database back that had a journal of an unfinished transaction, together with that journal', async () => {
    const path = box.path('data/app.db');
    // A transaction that was too large for memory, and whose process was killed.
    const half = spawnSync(process.execPath, [
      '-e',
      `const db=new (require('node:sqlite').DatabaseSync)('${path}');db.exec("PRAGMA cache_size=5;BEGIN;CREATE TABLE half(a)");for(let i=0;i<500;i++)db.exec("INSERT INTO half VALUES(hex(randomblob(500)))");process.kill(process.pid,'SIGKILL')`,
    ]);
    expect(half.signal).toBe('SIGKILL');
    expect(await fs.readdir(box.path('data'))).toContain('app.db-journal');
    const before = await box.state();
    const record = await box.apply(name, {});
    expect(rowsOf(path)).toBe(6);
    expect(await box.undo(name, record)).toEqual([]);
    expect(await box.state()).toEqual(before);
    const again = new DatabaseSync(path);
    expect(again.prepare('SELECT count(*) AS n, (SELECT count(*) FROM sqlite_schema) AS tables FROM t').get()).toMatchObject({
      n: 5,
      tables: 1,
    });
    expect(again.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    again.close();
  });

  it('says how a migration failed, and undoes what it had done', async () => {
    const before = await box.state();
    box.component = { ...box.component, migrate: [process.execPath, '-e', `${script}console.error('relation exists');process.exit(3)`] };
    const plan = await box.plan(name, {});
    await expect(box.apply(name, {})).rejects.toThrow(/ended with 3\nrelation exists/);
    if (plan.state !== 'ready') throw new Error('not ready');
    await box.undo(name, plan.undo);
    expect(await box.state()).toEqual(before);
  });

  describe('cut off by a crash of Grace', () => {
    const applied: SchemaDrift = {
      engine: 'sqlite',
      missingTables: [],
      missingColumns: [],
      unrecordedMigrations: [],
      pendingMigrations: [],
    };

    /** Acts until a write fails, as if Grace were gone then. @returns the undo record, which was stored before */
    async function diesAt(change: (files: typeof box.files) => Partial<typeof box.files>): Promise<Json> {
      const plan = await box.plan(name, {});
      if (plan.state !== 'ready') throw new Error('not ready');
      const { files } = box;
      box.files = { ...files, ...change(files) };
      await expect(primitives.get(name)?.apply({}, box.context(), plan.undo)).rejects.toThrow('gone');
      box.files = files;
      return plan.undo;
    }
    const gone = async (): Promise<never> => Promise.reject(new Error('gone'));
    const afterTheCommand = () =>
      diesAt((files) => ({ writeAtomic: (path, ...rest) => (path.includes('.migrated-') ? gone() : files.writeAtomic(path, ...rest)) }));

    it('in the middle of the copy, nothing has happened, and half a copy is not put back', async () => {
      const before = await box.state();
      const record = await diesAt(() => ({
        async copy(_from, to) {
          await fs.writeFile(to, 'SQLite form');
          return gone();
        },
      }));
      expect(await box.undo(name, record)).toEqual([]);
      expect(await box.state()).toEqual(before);
    });

    it('right after the command, with migrations still pending: it is as before, and what they had left is kept', async () => {
      const before = await box.state();
      box.drift = { ...applied, pendingMigrations: ['0003.sql'] };
      const record = await afterTheCommand();
      expect(rowsOf(box.path('data/app.db'))).toBe(6);
      expect(await box.undo(name, record)).toEqual([]);
      expect(await box.state()).toEqual(before);
      // An undo that was itself cut off goes on, whatever the database looks like by then.
      box.drift = applied;
      makeDatabase(box.path('data/app.db'), 1);
      expect(await box.undo(name, record)).toEqual([]);
      expect(await box.state()).toEqual(before);
      const [kept = ''] = (await fs.readdir(box.backupDir)).filter((file) => file.endsWith('.cut-off'));
      expect(rowsOf(join(box.backupDir, kept))).toBe(6);
    });

    it('right after the command, with all migrations in the history: they stay, and that is said', async () => {
      box.drift = applied;
      const record = await afterTheCommand();
      expect(await box.undo(name, record)).toEqual([expect.stringMatching(/^all migrations had run .*the copy from before is /)]);
      expect(rowsOf(box.path('data/app.db'))).toBe(6);
    });

    it('while somebody has the database open, it is left to a person', async () => {
      const record = await afterTheCommand();
      const handle = await fs.open(box.path('data/app.db'));
      await expect(box.undo(name, record)).rejects.toThrow(/has web's database open; the copy from before is/);
      await handle.close();
    });
  });

  it('removes a database that only the migrations made', async () => {
    await fs.rm(box.path('data/app.db'));
    const before = await box.state();
    box.component = {
      ...box.component,
      migrate: [process.execPath, '-e', "require('node:fs').writeFileSync('data/app.db','x')"],
      database: 'sqlite:data/app.db',
    };
    const record = await box.apply(name, {});
    await box.undo(name, record);
    expect(await box.state()).toEqual(before);
  });

  it('refuses without a command or with a database elsewhere, and cannot undo a server', async () => {
    box.environment['DATABASE_PATH'] = join(box.outside, 'x.db');
    await expect(box.plan(name, {})).rejects.toThrow(/outside the roots/);
    box.environment['DATABASE_PATH'] = 'postgres://h/db';
    box.component = { ...box.component, migrate: [process.execPath, '-e', ''] };
    const record = await box.apply(name, {});
    await expect(box.undo(name, record)).rejects.toThrow(/no file that could be copied/);
    box.component = { ...box.component, migrate: [] };
    expect(await box.refusal(name, {})).toMatch(/no migration command/);
  });
});

describe('record_migrations and restore_tables', () => {
  const drift: SchemaDrift = {
    engine: 'postgres',
    missingTables: [],
    missingColumns: [],
    unrecordedMigrations: ['migrations/1.sql', 'migrations/2.sql'],
    pendingMigrations: ['1.sql', '2.sql', '3.sql'],
  };
  let asked: string[];

  beforeEach(() => {
    asked = [];
    const say = (what: string, names: readonly string[]): void => void asked.push(`${what} ${names.join(',')}`);
    box.databases = {
      recordMigrations: async (_c, m) => (say('record', m), { recorded: m.slice(0, 1) }),
      unrecordMigrations: async (_c, m) => say('unrecord', m),
      restoreTables: async (_c, t) => (say('create', t), { created: t }),
      dropEmptyTables: async (_c, t) => (say('drop', t), { dropped: [], kept: t }),
      restoreColumns: async (_c, names) => (
        say('add', names),
        { added: names, made: [{ kind: 'view', schema: 'public', name: 'v' }], leftOut: ['orders/total_check'] }
      ),
      dropEmptyColumns: async (_c, names, made) => (
        say('remove', [...names, ...made.map((m) => JSON.stringify(m['name']))]),
        { kept: names }
      ),
    } satisfies DatabaseRepair;
    box.drift = drift;
  });

  it('records only what the last good boot had, and takes back only what it added', async () => {
    const record = await box.apply('record_migrations', { migrations: ['1.sql', 'migrations/2.sql'] });
    await box.undo('record_migrations', record);
    expect(asked).toEqual(['record migrations/1.sql,migrations/2.sql', 'unrecord migrations/1.sql']);
    expect(await box.refusal('record_migrations', { migrations: ['3.sql'] })).toMatch(/may never have been applied/);
    expect(await box.plan('record_migrations', { migrations: [] })).toMatchObject({ state: 'nothing_to_do' });
    box.drift = { ...drift, missingTables: ['orders'] };
    expect(await box.refusal('record_migrations', { migrations: ['1.sql'] })).toMatch(/would hide/);
    box.drift = null;
    expect(await box.refusal('record_migrations', { migrations: ['1.sql'] })).toMatch(/no good boot/);
    box.databases = null;
    expect(await box.refusal('record_migrations', { migrations: ['1.sql'] })).toMatch(/no way into/);
  });

  it('makes missing tables and drops them only while they are empty', async () => {
    expect(await box.plan('restore_tables', { tables: ['orders'] })).toMatchObject({ state: 'nothing_to_do' });
    box.drift = { ...drift, missingTables: ['public.orders', 'public.users'] };
    const record = await box.apply('restore_tables', { tables: ['orders', 'present'] });
    expect(await box.undo('restore_tables', record)).toEqual([expect.stringMatching(/has rows by now/)]);
    expect(asked).toEqual(['create public.orders', 'drop public.orders']);
  });

  it('adds missing columns, says what it had to leave out, and drops them only while they hold nothing', async () => {
    expect(await box.plan('restore_columns', { columns: ['orders.total'] })).toMatchObject({ state: 'nothing_to_do' });
    box.drift = { ...drift, missingColumns: ['orders.total', 'orders.note'] };
    const record = await box.apply('restore_columns', { columns: ['orders.total', 'orders.present'] });
    expect(await box.undo('restore_columns', record)).toEqual([expect.stringMatching(/has values by now/)]);
    expect(asked).toEqual(['add orders.total', 'remove orders.total,"v"']);
    box.drift = null;
    expect(await box.refusal('restore_columns', { columns: ['orders.total'] })).toMatch(/no good boot/);
  });
});

const hasRedis = (() => {
  try {
    execFileSync('sh', ['-c', 'command -v redis-check-aof'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

describe.skipIf(!hasRedis)('repair_append_only_file', () => {
  const name = 'repair_append_only_file';
  const tool = 'redis-check-aof';
  const set = (i: number): string => `*3\r\n$3\r\nSET\r\n$4\r\nk${String(i).padStart(3, '0')}\r\n$5\r\nvalue\r\n`;
  const whole = `*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n${Array.from({ length: 50 }, (_, i) => set(i)).join('')}`;

  it('cuts an unfinished write off and keeps the broken file', async () => {
    await box.write('redis/appendonly.aof', `${whole}*3\r\n$3\r\nSET\r\n$4\r\nab`, 0o640, 77);
    const before = await box.state();
    const params = { path: 'redis/appendonly.aof', tool };
    expect(await box.undoneAfterEveryCut(name, params, before)).toMatchObject({ wrong: null });
    await box.apply(name, params);
    expect(await box.read('redis/appendonly.aof')).toBe(whole);
    expect((await fs.readdir(box.path('redis'))).filter((n) => n.includes('.broken-'))).toHaveLength(1);
    expect(await box.plan(name, params)).toMatchObject({ state: 'nothing_to_do' });
  });

  it('repairs the last file of a manifest', async () => {
    await box.write('redis/appendonly.aof.1.incr.aof', whole);
    await box.write('redis/appendonly.aof.2.incr.aof', `${whole}garbage`);
    await box.write(
      'redis/appendonly.aof.manifest',
      'file appendonly.aof.1.incr.aof seq 1 type i\nfile appendonly.aof.2.incr.aof seq 2 type i\n',
    );
    await box.apply(name, { path: 'redis/appendonly.aof.1.incr.aof', tool });
    expect(await box.read('redis/appendonly.aof.2.incr.aof')).toBe(whole);
  });

  it('cuts a small file as far as the last good boot knew it', async () => {
    await box.write('a.aof', whole.slice(0, 23));
    await box.remember('a.aof');
    await box.write('a.aof', `${whole.slice(0, 23)}garbage at the end of a short file`);
    await box.apply(name, { path: 'a.aof', tool });
    expect(await box.read('a.aof')).toBe(whole.slice(0, 23));
  });

  it('refuses to cut away more than an unfinished write', async () => {
    await box.write('a.aof', `${whole.slice(0, 200)}garbage${whole.slice(207)}`);
    expect(await box.refusal(name, { path: 'a.aof', tool })).toMatch(/would be lost/);
    await expect(box.plan(name, { path: 'a.aof', tool: 'rm' })).rejects.toThrow(/"tool"/);
    await expect(box.plan(name, { path: join(box.outside, 'a.aof'), tool })).rejects.toThrow(/outside the roots/);
    expect(await box.refusal(name, { path: 'none.aof', tool })).toMatch(/there is no/);
  });

  it('refuses while a process holds the file, and to undo over what was written after', async () => {
    await box.write('a.aof', `${whole}*3\r\n$3`);
    const holder = spawn(process.execPath, [
      '-e',
      "require('node:fs').openSync(process.argv[1]);console.log('open');setInterval(() => {}, 1000)",
      box.path('a.aof'),
    ]);
    await new Promise((done) => holder.stdout.once('data', done));
    expect(await box.refusal(name, { path: 'a.aof', tool })).toMatch(/holds .* open/);
    const gone = new Promise((done) => holder.once('exit', done));
    holder.kill();
    await gone;
    const record = await box.apply(name, { path: 'a.aof', tool });
    await fs.appendFile(box.path('a.aof'), set(99));
    expect(await box.undo(name, record)).toEqual([expect.stringMatching(/written to after/)]);
  });
});
