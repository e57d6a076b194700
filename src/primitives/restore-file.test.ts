import * as fs from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { primitives } from './index.ts';
import { Sandbox } from './testing/sandbox.ts';

const name = 'restore_file';
const GOOD = '{"a":1}';
const hour = 3_600_000;
let box: Sandbox;
beforeEach(async () => {
  box = await new Sandbox().make();
});
afterEach(() => box.remove());

describe(name, () => {
  describe('of a SQLite database', () => {
    /** `rows` rows, in WAL mode as applications mostly use it, closed. */
    async function aDatabase(at: string, rows: number): Promise<void> {
      const db = new DatabaseSync(at);
      db.exec('PRAGMA journal_mode=WAL; CREATE TABLE IF NOT EXISTS t (x TEXT)');
      for (let i = 0; i < rows; i++) db.exec(`INSERT INTO t VALUES ('row ${i} ${'x'.repeat(500)}')`);
      db.close();
    }

    /** A copy of the last good boot; a process wrote after it and was killed; somebody removed the database and left its log. */
    async function removedBesideItsLog(): Promise<string> {
      const at = box.path('data/app.db');
      await fs.mkdir(box.path('data'));
      await aDatabase(at, 20);
      await box.remember('data/app.db');
      const writer = new DatabaseSync(at);
      writer.exec(
        "PRAGMA wal_autocheckpoint=0; CREATE TABLE other (y TEXT); DELETE FROM t WHERE rowid > 3; INSERT INTO other VALUES ('later')",
      );
      await fs.copyFile(`${at}-wal`, box.path('wal-kept'));
      writer.close();
      await fs.rm(at);
      await fs.rename(box.path('wal-kept'), `${at}-wal`);
      return at;
    }

    it('never stands beside the log of another one: the plan is refused, and nothing has changed', async () => {
      const at = await removedBesideItsLog();
      const before = await box.state();
      expect(await box.refusal(name, { path: 'data/app.db' })).toMatch(/app\.db-wal holds changes .* move app\.db-wal away/);
      expect(await box.state()).toEqual(before);
      await fs.rm(`${at}-wal`);
      await box.apply(name, { path: 'data/app.db' });
      const db = new DatabaseSync(at);
      expect(db.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
      expect(db.prepare('SELECT count(*) AS n FROM t').get()).toEqual({ n: 20 });
      db.close();
    });

    it('is refused beside a rollback journal, and in the place of a broken one with a log too; an empty log is none', async () => {
      await aDatabase(box.path('app.db'), 2);
      await box.remember('app.db');
      await fs.truncate(box.path('app.db'), 1000);
      await box.write('app.db-journal', 'a hot journal');
      expect(await box.refusal(name, { path: 'app.db' })).toMatch(/app\.db-journal holds changes/);
      await box.write('app.db-journal', '');
      await box.write('app.db-wal', '');
      await box.apply(name, { path: 'app.db' });
    });

    it('does not act when the log has come since the plan', async () => {
      await aDatabase(box.path('app.db'), 2);
      await box.remember('app.db');
      await fs.rm(box.path('app.db'));
      const plan = await box.plan(name, { path: 'app.db' });
      if (plan.state !== 'ready') throw new Error(plan.state);
      await box.write('app.db-wal', 'changes');
      const primitive = primitives.get(name);
      await expect(primitive?.apply({ path: 'app.db', from: null }, box.context(), plan.undo)).rejects.toThrow(/app\.db-wal holds changes/);
      expect(Object.keys(await box.state())).not.toContain('/app.db');
    });

    it.each(['delete', 'wal'])('is refused while a process still has the removed one open (journal_mode=%s)', async (mode) => {
      const at = box.path('app.db');
      await aDatabase(at, 2);
      await box.remember('app.db');
      const writer = new DatabaseSync(at);
      writer.exec(`PRAGMA journal_mode=${mode}; INSERT INTO t VALUES ('more')`);
      for (const suffix of ['', '-wal', '-shm']) await fs.rm(at + suffix, { force: true });
      expect(await box.refusal(name, { path: 'app.db' })).toMatch(
        new RegExp(`process ${process.pid} still has the database .*app\\.db open`),
      );
      expect(await box.plan('recover_sqlite', { path: 'app.db' })).toMatchObject({
        state: 'refused',
        reason: expect.stringContaining(`process ${process.pid} holds`) as unknown,
      });
      writer.close();
      await box.apply(name, { path: 'app.db' });
    });

    it('takes no copy that is cut off, or whose changes are in a log of its own', async () => {
      await aDatabase(box.path('app.db.bak'), 30);
      const whole = await fs.readFile(box.path('app.db.bak'));
      await box.write('app.db.bak', whole.subarray(0, 8192));
      expect(await box.refusal(name, { path: 'app.db' })).toMatch(/no good copy/);
      expect(await box.refusal(name, { path: 'app.db', from: 'app.db.bak' })).toMatch(/no whole copy of a SQLite database/);
      await box.write('app.db.bak', whole);
      await box.write('app.db.bak-wal', 'changes');
      expect(await box.refusal(name, { path: 'app.db' })).toMatch(/no good copy/);
      await fs.rm(box.path('app.db.bak-wal'));
      await box.apply(name, { path: 'app.db' });
    });

    it('is not undone once a log holds what was written after', async () => {
      const at = box.path('app.db');
      await aDatabase(at, 2);
      await box.remember('app.db');
      await fs.truncate(at, 1000);
      const record = await box.apply(name, { path: 'app.db' });
      await box.write('app.db-wal', 'changes');
      const after = await box.state();
      expect(await box.undo(name, record)).toEqual([
        expect.stringMatching(/app\.db-wal holds changes that came after .* both stay; the one from before is/),
      ]);
      expect(await box.state()).toEqual(after);
    });

    it('lets files that are none be put back while they are held open', async () => {
      await box.write('app.jar', Buffer.from('PK\x05\x06' + '\0'.repeat(18), 'latin1'));
      await box.remember('app.jar');
      const held = await fs.open(box.path('app.jar'));
      await fs.rm(box.path('app.jar'));
      await box.apply(name, { path: 'app.jar' });
      await held.close();
    });
  });

  it('puts the copy of the last good boot back with its owner and mode, and keeps the broken one beside', async () => {
    await box.write('config.json', GOOD, 0o640, 1234);
    await box.remember('config.json');
    await box.write('config.json', '{"a":', 0o600, 0);
    const before = await box.state();
    const record = await box.apply(name, { path: 'config.json' });
    const state = await box.state();
    expect(state['/config.json']).toBe(`640 1234:1234 ${GOOD}`);
    expect(state['/config.json.broken-20261122130038']).toBe('600 0:0 {"a":');
    await box.undo(name, record);
    expect(await box.state()).toEqual(before);
  });

  it('leaves everything as it was, wherever Grace dies', async () => {
    await box.write('etc/config.json', GOOD);
    await box.remember('etc/config.json');
    await box.write('etc/config.json', '', 0o600, 7);
    expect(await box.undoneAfterEveryCut(name, { path: 'etc/config.json' }, await box.state())).toEqual({ cuts: 3, wrong: null });
    await fs.rm(box.path('etc'), { recursive: true });
    expect((await box.undoneAfterEveryCut(name, { path: 'etc/config.json' }, await box.state())).wrong).toBeNull();
  });

  it('keeps a private key private, and an env file too when only a readable backup is left', async () => {
    await box.write('tls/server.key', '-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\n', 0o600, 33);
    await box.remember('tls/server.key');
    await fs.rm(box.path('tls/server.key'));
    await box.apply(name, { path: 'tls/server.key' });
    expect((await box.state())['/tls/server.key']).toMatch(/^600 33:33 /);
    await box.write('.env.bak', 'A=1\n', 0o644);
    await box.apply(name, { path: '.env' });
    expect((await box.state())['/.env']).toBe('600 0:0 A=1\n');
  });

  it('never makes readable for all what was not at the last good boot', async () => {
    await box.write('app.yaml', 'a: 1\n', 0o640);
    await box.remember('app.yaml');
    await box.write('app.yaml', 'a: [', 0o640);
    await box.apply(name, { path: 'app.yaml' });
    expect((await box.state())['/app.yaml']).toMatch(/^640 /);
  });

  it('prefers a valid backup that is newer than the last good boot, and passes over broken and put-aside ones', async () => {
    const boot = Date.UTC(2026, 10, 1);
    await box.write('db.json', '{"n":1}');
    await box.remember('db.json', 'boot_20261101_000000');
    await box.write('db.json', '{"n":');
    await box.write('db.json.old', '{"n":"older"}', 0o644, 0, boot - hour);
    await box.write('db-snapshot.json', '{"n":2}', 0o644, 0, boot + hour);
    await box.write('db.json.bak', '{"n":', 0o644, 0, boot + 2 * hour);
    await box.write('db.json.1', '[1]', 0o644, 0, boot + 3 * hour);
    await box.write('db.json.broken-20261120000000', '{"n":9}', 0o644, 0, boot + 4 * hour);
    await box.apply(name, { path: 'db.json' });
    expect(await box.read('db.json')).toBe('{"n":2}');
  });

  it('prefers what was seen working when the format cannot be checked', async () => {
    await box.write('server.js', 'good');
    await box.remember('server.js');
    await box.write('server.js', 'bad');
    await box.write('server.js.bak', 'unknown', 0o644, 0, box.nowMs);
    await box.apply(name, { path: 'server.js' });
    expect(await box.read('server.js')).toBe('good');
  });

  it('re-creates a link that leads elsewhere now, and mends the file behind one that does not', async () => {
    await box.write('releases/1/app.json', GOOD);
    await fs.symlink('releases/1', box.path('current'));
    await box.remember('current');
    await fs.rm(box.path('current'));
    await fs.symlink('releases/2', box.path('current'));
    const before = await box.state();
    expect((await box.undoneAfterEveryCut(name, { path: 'current' }, before)).wrong).toBeNull();
    await box.apply(name, { path: 'current' });
    expect(await fs.readlink(box.path('current'))).toBe('releases/1');

    await fs.symlink('releases/1/app.json', box.path('app.json'));
    await box.remember('app.json');
    await box.remember('releases/1/app.json');
    await box.write('releases/1/app.json', '');
    await box.apply(name, { path: 'app.json' });
    expect(await fs.readlink(box.path('app.json'))).toBe('releases/1/app.json');
    expect(await box.read('releases/1/app.json')).toBe(GOOD);
  });

  it('moves a directory aside that has taken the place of the file', async () => {
    await box.write('app.json', GOOD);
    await box.remember('app.json');
    await fs.rm(box.path('app.json'));
    await box.write('app.json/lost+found', 'x');
    const before = await box.state();
    const record = await box.apply(name, { path: 'app.json' });
    expect(await box.read('app.json')).toBe(GOOD);
    expect(await box.read('app.json.broken-20261122130038/lost+found')).toBe('x');
    await box.undo(name, record);
    expect(await box.state()).toEqual(before);
    expect(await box.undoneAfterEveryCut(name, { path: 'app.json' }, before)).toMatchObject({ wrong: null });
  });

  it('keeps what an env file or a key held out of the work tree, sealed, and gives it back with owner and mode', async () => {
    await box.write('.env', 'A=1\n', 0o600, 1234);
    await box.remember('.env');
    await box.write('.env', 'A=canary-5e1\n', 0o640, 7);
    const before = await box.state();
    expect(await box.undoneAfterEveryCut(name, { path: '.env' }, before)).toMatchObject({ wrong: null });
    const full = { ...box.files, writeAtomic: (path: string, ...rest: [string | Uint8Array, object?]) => (path.endsWith('/.env') ? Promise.reject(Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })) : box.files.writeAtomic(path, ...rest)) }; // prettier-ignore
    await expect(box.apply(name, { path: '.env' }, full)).rejects.toThrow('ENOSPC');
    expect(await box.state()).toEqual(before);
    const record = await box.apply(name, { path: '.env' });
    expect(await fs.readdir(box.root)).toEqual(['.env']);
    expect(await box.read('.env')).toBe('A=1\n');
    const kept = await fs.readdir(box.backupDir);
    expect(kept).toHaveLength(1);
    expect(await fs.readFile(join(box.backupDir, kept[0] ?? ''), 'latin1')).not.toContain('canary');
    await box.undo(name, record);
    await box.undo(name, record);
    expect(await box.state()).toEqual(before);
    expect(await fs.readdir(box.backupDir)).toEqual([]);
  });

  it('refuses what it cannot judge', async () => {
    await box.write('a.json', GOOD);
    expect(await box.refusal(name, { path: 'a.json' })).toMatch(/parses, and there is no copy/);
    await box.write('b.json', '{');
    expect(await box.refusal(name, { path: 'b.json' })).toMatch(/no good copy/);
    await box.write('b.json.bak', '');
    expect(await box.refusal(name, { path: 'b.json', from: 'b.json.bak' })).toMatch(/empty or does not parse/);
    expect(await box.refusal(name, { path: 'b.json', from: 'b.json' })).toMatch(/broken file itself/);
    await fs.mkdir(box.path('d.json'));
    expect(await box.refusal(name, { path: 'd.json' })).toMatch(/is a directory/);
  });

  it('has nothing to do for a file that is as it was', async () => {
    await box.write('a.json', GOOD);
    await box.remember('a.json');
    expect(await box.plan(name, { path: 'a.json' })).toMatchObject({ state: 'nothing_to_do' });
  });

  it('stays inside the roots, through links too', async () => {
    await fs.writeFile(join(box.outside, 'x.json'), '{');
    await fs.writeFile(join(box.outside, 'x.json.bak'), GOOD);
    await fs.symlink(box.outside, box.path('link'));
    await fs.symlink(join(box.outside, 'x.json'), box.path('x.json'));
    for (const path of ['../outside/x.json', join(box.outside, 'x.json'), 'link/x.json', 'x.json'])
      await expect(box.plan(name, { path }), path).rejects.toThrow(/outside the roots/);
    await box.write('y.json', '{');
    await expect(box.plan(name, { path: 'y.json', from: join(box.outside, 'x.json.bak') })).rejects.toThrow(/outside the roots/);
  });

  it('never puts a log or a journal of SQLite back, from no copy: it would be played into a newer database', async () => {
    await fs.mkdir(box.path('data'));
    const path = box.path('data/app.db');
    const database = new DatabaseSync(path);
    database.exec('PRAGMA journal_mode=WAL; CREATE TABLE t (a, b)');
    for (let n = 0; n < 100; n++) database.prepare('INSERT INTO t VALUES (?, ?)').run(n, 'x'.repeat(200));
    database.exec("PRAGMA wal_checkpoint(truncate); UPDATE t SET b = 'old' WHERE a < 50");
    for (const file of ['data', 'data/app.db', 'data/app.db-wal', 'data/app.db-shm']) await box.remember(file);
    await fs.copyFile(`${path}-wal`, `${path}-wal.bak`);
    await fs.copyFile(`${path}-wal`, `${path}.bak`);
    database.exec('DELETE FROM t WHERE a % 2 = 0; CREATE INDEX ti ON t (a); VACUUM');
    database.close();
    const before = await box.state();
    for (const part of ['data/app.db-wal', 'data/app.db-shm'])
      expect(await box.refusal(name, { path: part })).toMatch(/belongs to one database as that is now, and would corrupt any other/);
    expect(await box.refusal(name, { path: 'data/app.db-wal', from: 'data/app.db-wal.bak' })).toMatch(/a log or a journal/);
    // The same bytes under the name of the database itself.
    expect(await box.refusal(name, { path: 'data/app.db', from: 'data/app.db.bak' })).toMatch(/is no whole copy of a SQLite database/);
    await fs.symlink('app.db.bak', box.path('data/other.db-wal'));
    expect(await box.refusal(name, { path: 'data/other.db-wal', from: 'data/app.db-wal.bak' })).toMatch(/a log or a journal/);
    await fs.rm(box.path('data/other.db-wal'));
    expect(await box.state()).toEqual(before);
  });

  it('does not undo over what was written after', async () => {
    await box.write('a.json', GOOD);
    await box.remember('a.json');
    await box.write('a.json', '{');
    const record = await box.apply(name, { path: 'a.json' });
    await box.write('a.json', '{"mine":true}');
    expect(await box.undo(name, record)).toEqual([expect.stringMatching(/changed after/)]);
    expect(await box.read('a.json')).toBe('{"mine":true}');
  });

  it('keeps the broken file in its place when the disk is full', async () => {
    await box.write('a.json', GOOD);
    await box.remember('a.json');
    await box.write('a.json', '{');
    const before = await box.state();
    const full = { ...box.files, writeAtomic: async () => Promise.reject(Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })) };
    await expect(box.apply(name, { path: 'a.json' }, full)).rejects.toThrow('ENOSPC');
    expect(await box.state()).toEqual(before);
  });
});
