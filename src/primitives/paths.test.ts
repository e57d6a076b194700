import * as fs from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { globPattern, type Files } from '../kernel/index.ts';
import { isBackupName } from './sibling-backups.ts';
import { Sandbox } from './testing/sandbox.ts';

let box: Sandbox;
beforeEach(async () => {
  box = await new Sandbox().make();
});
afterEach(() => box.remove());

describe('make_directory', () => {
  const name = 'make_directory';

  it('makes missing parents too, like the directory above and never wider', async () => {
    await fs.mkdir(box.path('data'), { mode: 0o750 });
    await fs.chown(box.path('data'), 1234, 1235);
    const before = await box.state();
    const record = await box.apply(name, { path: 'data/a/b' });
    expect(await box.state()).toMatchObject({ '/data/a': '750 1234:1235 ', '/data/a/b': '750 1234:1235 ' });
    await box.undo(name, record);
    expect(await box.state()).toEqual(before);
    expect(await box.undoneAfterEveryCut(name, { path: 'data/a/b' }, before)).toMatchObject({ wrong: null });
  });

  it('uses owner and mode of the last good boot, within those of the parent', async () => {
    await fs.mkdir(box.path('logs'), { mode: 0o777 });
    await fs.chmod(box.path('logs'), 0o777);
    await fs.chown(box.path('logs'), 99, 99);
    await box.remember('logs');
    await fs.rmdir(box.path('logs'));
    await box.apply(name, { path: 'logs' });
    expect((await box.state())['/logs']).toBe('755 99:99 ');
  });

  it('keeps on undo what holds something, and what it did not make', async () => {
    const record = await box.apply(name, { path: 'a/b' });
    await box.write('a/b/user.txt', 'data');
    await box.undo(name, record);
    expect(await box.read('a/b/user.txt')).toBe('data');
    const plan = await box.plan(name, { path: 'c' });
    await fs.mkdir(box.path('c'));
    if (plan.state === 'ready') await box.undo(name, plan.undo);
    expect(await box.state()).toHaveProperty('/c');
  });

  it('removes it all the same when a crash came in the middle of its removal', async () => {
    const before = await box.state();
    const record = await box.apply(name, { path: 'a/b' });
    await fs.rename(box.path('a/b'), box.path('a/b.grace-remove'));
    expect(await box.undo(name, record)).toEqual([]);
    expect(await box.state()).toEqual(before);
  });

  it('makes nothing outside the roots and puts nothing in the place of a file', async () => {
    for (const path of ['..', '../outside/new', join(box.outside, 'new')])
      await expect(box.plan(name, { path })).rejects.toThrow(/outside the roots/);
    await fs.symlink(box.outside, box.path('link'));
    await expect(box.plan(name, { path: 'link/new' })).rejects.toThrow(/outside the roots/);
    await box.write('file', 'x');
    expect(await box.refusal(name, { path: 'file' })).toMatch(/is a file, not a directory/);
    expect(await box.refusal(name, { path: 'file/below' })).toMatch(/not a directory/);
    expect(await box.plan(name, { path: '.' })).toMatchObject({ state: 'nothing_to_do' });
  });
});

describe('restore_permissions', () => {
  const name = 'restore_permissions';

  it('gives a tree back its owners, new files that the same hand made included', async () => {
    await box.write('data/a', 'a', 0o640, 1234);
    await box.write('data/other', 'o', 0o600, 77);
    await fs.chown(box.path('data'), 1234, 1234);
    for (const path of ['data', 'data/a', 'data/other']) await box.remember(path);
    await box.write('data/new', 'n', 0o600, 0);
    await box.write('data/stranger', 's', 0o600, 555);
    for (const path of ['data', 'data/a']) await fs.chown(box.path(path), 0, 0);
    await fs.chmod(box.path('data/a'), 0o400);
    const before = await box.state();
    const params = { path: 'data', recursive: true };
    expect(await box.undoneAfterEveryCut(name, params, before)).toMatchObject({ wrong: null });
    await box.apply(name, params);
    expect(await box.state()).toMatchObject({
      '/data': '755 1234:1234 ',
      '/data/a': '640 1234:1234 a',
      '/data/new': '600 1234:1234 n',
      '/data/other': '600 77:77 o',
      '/data/stranger': '600 555:555 s',
    });
    expect(await box.plan(name, params)).toMatchObject({ state: 'nothing_to_do' });
  });

  it('never opens a path to others', async () => {
    await box.write('key', 'k', 0o600);
    await expect(box.plan(name, { path: 'key', mode: 0o666 })).rejects.toThrow(/everybody write/);
    await expect(box.plan(name, { path: 'key', mode: '0777' })).rejects.toThrow(/everybody write/);
    expect(await box.refusal(name, { path: 'key', mode: '0644' })).toMatch(/would open/);
    expect(await box.refusal(name, { path: 'key', mode: 0o660 })).toMatch(/would open/);
    await box.write('shared', 's', 0o666);
    await box.remember('shared');
    await fs.chmod(box.path('shared'), 0o600);
    await box.apply(name, { path: 'shared' });
    expect((await box.state())['/shared']).toMatch(/^664 /);
  });

  it('takes a given owner and mode, and gives the old ones back', async () => {
    await box.write('run', 'x', 0o400, 5);
    const before = await box.state();
    const record = await box.apply(name, { path: 'run', uid: 1234, gid: 1234, mode: '0700' });
    expect((await box.state())['/run']).toBe('700 1234:1234 x');
    await box.undo(name, record);
    expect(await box.state()).toEqual(before);
  });

  it('does not follow links, nor guess', async () => {
    await fs.writeFile(join(box.outside, 'x'), 'x');
    await fs.mkdir(box.path('d'));
    await fs.symlink(join(box.outside, 'x'), box.path('d/x'));
    expect(await box.refusal(name, { path: 'd' })).toMatch(/nothing is known/);
    await box.apply(name, { path: 'd', uid: 1234, gid: 1234, recursive: true });
    expect((await fs.stat(join(box.outside, 'x'))).uid).toBe(0);
    await expect(box.plan(name, { path: 'd/x', uid: 1 })).rejects.toThrow(/outside the roots/);
    await expect(box.plan(name, { path: '/etc', uid: 1 })).rejects.toThrow(/outside the roots/);
  });
});

describe('a folder that becomes a link after it was judged', () => {
  const swap = async (): Promise<void> => {
    await fs.rename(box.path('conf'), box.path('conf.real'));
    await fs.symlink(box.outside, box.path('conf'));
  };
  /** Files among which the folder is swapped when this is asked for the nth time. */
  const swapsAt = (method: 'rename' | 'writeAtomic', asked: string[]): Files => ({
    ...box.files,
    [method]: async (...args: readonly unknown[]) => {
      if (asked.push(method) === 1) await swap();
      return (box.files[method] as (...given: readonly unknown[]) => Promise<void>)(...args);
    },
  });

  it.each(['rename', 'writeAtomic'] as const)('leads no %s of a file out of the roots', async (method) => {
    await box.write('conf/a.json', '{"a":1}');
    await box.remember('conf/a.json');
    await box.write('conf/a.json', '{');
    await fs.writeFile(join(box.outside, 'a.json'), 'of somebody else');
    const asked: string[] = [];
    await box.apply('restore_file', { path: 'conf/a.json' }, swapsAt(method, asked)).catch(() => undefined);
    expect(asked.length).toBeGreaterThan(0);
    expect(await fs.readdir(box.outside)).toEqual(['a.json']);
    expect(await fs.readFile(join(box.outside, 'a.json'), 'utf8')).toBe('of somebody else');
  });
});

describe('free_disk_space', () => {
  const name = 'free_disk_space';
  const MiB = 1024 * 1024;
  let free = 0;

  beforeEach(async () => {
    free = 10 * MiB;
    box.component = { ...box.component, expendable: ['cache/**', 'logs/*.log.[0-9]', 'core.*', 'logs/*.gz'] };
    const real = box.files;
    box.files = {
      ...real,
      diskRoom: async () => ({ freeBytes: free, totalBytes: 100 * MiB, freeInodes: -1 }),
      remove: async (path) => {
        free += (await real.stat(path))?.sizeBytes ?? 0;
        await real.remove(path);
      },
    };
    const old = box.nowMs - 3_600_000;
    await box.write('cache/old', 'x'.repeat(MiB), 0o644, 0, old);
    await box.write('cache/deep/newer', 'x'.repeat(MiB), 0o644, 0, old + 1000);
    await box.write('cache/.keep', 'x'.repeat(MiB), 0o644, 0, old);
    await box.write('cache/writing', 'x'.repeat(MiB), 0o644, 0, box.nowMs);
    await box.write('core.123', 'x'.repeat(MiB), 0o644, 0, box.nowMs);
    await box.write('data/cache/user', 'x'.repeat(MiB), 0o644, 0, old);
    await fs.symlink(box.path('data'), box.path('cache/data'));
  });

  it('leaves a database that has a log, and that log, also where both are declared expendable and nobody has them open', async () => {
    const older = box.nowMs - 7_200_000;
    for (const file of ['cache/pages.db', 'cache/pages.db-wal', 'cache/cold.db']) await box.write(file, 'x', 0o644, 0, older);
    await box.apply(name, { path: '.', bytes: 50 * MiB });
    expect(Object.keys(await box.state())).toEqual(expect.arrayContaining(['/cache/pages.db', '/cache/pages.db-wal']));
    expect(Object.keys(await box.state())).not.toContain('/cache/cold.db');
  });

  it('removes the oldest expendable files, and only as many as it needs', async () => {
    await box.apply(name, { path: '.', bytes: 11 * MiB });
    const left = Object.keys(await box.state());
    expect(left).not.toContain('/cache/old');
    expect(left).toEqual(
      expect.arrayContaining(['/cache/deep/newer', '/cache/.keep', '/cache/writing', '/core.123', '/data/cache/user', '/cache/data']),
    );
    await box.apply(name, { path: '.', bytes: 50 * MiB });
    expect(Object.keys(await box.state()).toSorted()).toEqual([
      '',
      '/cache',
      '/cache/.keep',
      '/cache/data',
      '/cache/deep',
      '/cache/writing',
      '/data',
      '/data/cache',
      '/data/cache/user',
    ]);
  });

  it('removes nothing that a process holds open', async () => {
    const handle = await fs.open(box.path('cache/old'));
    await box.apply(name, { path: '.', bytes: 50 * MiB });
    expect(await box.state()).toHaveProperty('/cache/old');
    await handle.close();
  });

  it('removes nothing on another disk, and nothing when nothing is declared', async () => {
    box.mounts = ['/', box.path('cache')];
    await box.apply(name, { path: '.', bytes: 50 * MiB });
    expect(await box.state()).toHaveProperty('/cache/old');
    box.component = { ...box.component, expendable: [] };
    expect(await box.refusal(name, { path: '.', bytes: 50 * MiB })).toMatch(/nothing here is declared expendable/);
    box.component = { ...box.component, expendable: ['nope/*'] };
    expect(await box.refusal(name, { path: '.', bytes: 50 * MiB })).toMatch(/nothing here is declared expendable/);
    expect(await box.plan(name, { path: '.', bytes: MiB })).toMatchObject({ state: 'nothing_to_do' });
    await expect(box.plan(name, { path: '/etc', bytes: 50 * MiB })).rejects.toThrow(/outside the roots/);
  });
});

describe('names and contents', () => {
  it('knows backups by their names', () => {
    for (const backup of [
      'a.yaml.bak',
      'a.yaml~',
      '.a.yaml.backup',
      'a.yaml.backup',
      'a.yaml.old',
      'a.yaml.bak-20260101',
      'a-snapshot.yaml',
      'a.yaml.1',
      'a-1700000000000.yaml',
      'a.bak.yaml',
    ])
      expect(isBackupName('a.yaml', backup), backup).toBe(true);
    for (const other of [
      'a.yaml',
      'a.yaml.example',
      'a.yaml.new',
      'b.yaml.bak',
      'aa.yaml.bak',
      'a.yaml.broken-20260101000000',
      'a-b.yaml',
      'a.yaml.tmp',
    ])
      expect(isBackupName('a.yaml', other), other).toBe(false);
    expect(isBackupName('db.json', 'db-snapshot.json')).toBe(true);
  });

  it('matches globs within names and over directories', () => {
    expect(globPattern('cache/**').test('cache/a/b')).toBe(true);
    expect(globPattern('**/*.log').test('a.log')).toBe(true);
    expect(globPattern('*.{gz,zip}').test('a.zip')).toBe(true);
    for (const path of ['.env', 'a/b', '.git/x']) expect(globPattern('*').test(path), path).toBe(false);
    expect(globPattern('**').test('.git/config')).toBe(false);
    expect(globPattern('a+b(c').test('a+b(c')).toBe(true);
  });
});
