import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { primitives } from './index.ts';
import { Sandbox } from './testing/sandbox.ts';

const name = 'roll_back_release';
const boot = 'boot_20261101_000000';
let box: Sandbox;
beforeEach(async () => {
  box = await new Sandbox().make();
});
afterEach(() => box.remove());

function git(...args: readonly string[]): string {
  return execFileSync('git', ['-C', box.root, '-c', 'user.name=Dev', '-c', 'user.email=dev@example.org', ...args], {
    encoding: 'utf8',
  }).trim();
}

/** Two commits; a config that git ignores and a tracked one, both remembered as of the first. */
async function twoReleases(): Promise<{ readonly good: string; readonly bad: string }> {
  git('init', '-q', '-b', 'main');
  await box.write('.gitignore', 'app.conf\n.env\n');
  await box.write('server.mjs', 'first\n');
  await box.write('tracked.yaml', 'a: 1\n');
  await box.write('app.conf', 'port = 1\n');
  await box.write('.env', 'TOKEN=one\n', 0o600);
  git('add', '-A');
  git('commit', '-q', '-m', 'First');
  for (const file of ['tracked.yaml', 'app.conf', '.env']) await box.remember(file);
  const good = git('rev-parse', 'HEAD');
  await box.write('server.mjs', 'second\n');
  await box.write('tracked.yaml', 'a: 2\n');
  await box.write('new.mjs', 'new\n');
  git('add', '-A');
  git('commit', '-q', '-m', 'Second \u001b[31mrelease');
  await box.write('app.conf', 'port = 2\n');
  await box.write('.env', 'TOKEN=two\n', 0o600);
  return { good, bad: git('rev-parse', 'HEAD') };
}

/** Everything but what git keeps for itself. */
async function outside(): Promise<Readonly<Record<string, string>>> {
  return Object.fromEntries(Object.entries(await box.state()).filter(([path]) => !path.startsWith('/.git/') && path !== '/.git'));
}

async function observed(): Promise<unknown> {
  return primitives.get(name)?.observe?.([box.path('app.conf')], box.context());
}

test('commit, config and env file go back together, and the undo gives back the branch and every byte', async () => {
  const { good, bad } = await twoReleases();
  const [before, seen] = [await outside(), await observed()];
  const plan = await box.plan(name, { boot, commit: good.slice(0, 12) });
  if (plan.state !== 'ready') throw new Error(JSON.stringify(plan));
  expect(plan.summary).toContain(`check out ${good.slice(0, 12)} instead of ${bad.slice(0, 12)} (branch main stays where it is)`);
  expect(plan.summary).toContain('Second');
  expect(plan.summary).not.toContain('\u001b');
  expect(plan.summary).toContain('.env back (other values: TOKEN)');
  expect(plan.summary).not.toMatch(/one|two/);
  expect(plan.targets).toContain(`commit ${bad} -> ${good}`);
  const record = await box.apply(name, { boot, commit: good.slice(0, 12) });
  expect(git('rev-parse', 'HEAD')).toBe(good);
  expect(git('rev-parse', 'main')).toBe(bad);
  expect(await box.read('server.mjs')).toBe('first\n');
  expect(await box.read('tracked.yaml')).toBe('a: 1\n');
  expect(await box.read('app.conf')).toBe('port = 1\n');
  expect((await box.state())['/.env']).toBe('600 0:0 TOKEN=one\n');
  expect((await box.state())['/new.mjs']).toBeUndefined();
  expect((await box.plan(name, { boot, commit: good.slice(0, 12) })).state).toBe('nothing_to_do');
  for (const _ of [1, 2]) {
    await box.undo(name, record);
    expect(await outside()).toEqual(before);
    expect(await observed()).toEqual(seen);
    expect(git('branch', '--show-current')).toBe('main');
    expect(git('status', '--porcelain', '--untracked-files=no')).toBe('');
  }
});

test('what an env file held is kept out of the work tree, where no secret can be read, and comes back with owner and mode', async () => {
  await box.write('.env', 'TOKEN=one\n', 0o600);
  await box.remember('.env');
  await box.write('.env', 'TOKEN=canary-5e1\n', 0o640, 1234);
  const before = await box.state();
  expect(await box.undoneAfterEveryCut(name, { boot }, before)).toMatchObject({ wrong: null });
  const record = await box.apply(name, { boot });
  expect(await fs.readdir(box.root)).toEqual(['.env']);
  expect(box.said).toContain('that of ' + box.path('.env') + ' is encrypted');
  const kept = await fs.readdir(box.backupDir);
  expect(kept.length).toBeGreaterThan(0);
  for (const file of kept) expect(await fs.readFile(`${box.backupDir}/${file}`, 'latin1'), file).not.toContain('canary');
  expect(JSON.stringify(record)).not.toContain('canary');
  await box.undo(name, record);
  expect(await box.state()).toEqual(before);
});

test('without git the kept files alone come back, also when Grace dies at any moment', async () => {
  await box.write('etc/app.conf', 'a\n');
  await box.write('package-lock.json', '{"v":1}');
  for (const file of ['etc/app.conf', 'package-lock.json']) await box.remember(file);
  await box.write('etc/app.conf', 'b\n');
  await box.write('package-lock.json', '{"v":2}');
  expect(await box.undoneAfterEveryCut(name, { boot }, await box.state())).toEqual({ cuts: 5, wrong: null });
});

test('a tracked config that was edited by hand is rolled back too, and its edit comes back with the undo', async () => {
  const { good } = await twoReleases();
  await box.write('tracked.yaml', 'a: by hand\n');
  const before = await outside();
  const record = await box.apply(name, { boot, commit: good });
  expect(await box.read('tracked.yaml')).toBe('a: 1\n');
  expect(git('status', '--porcelain', '--untracked-files=no')).toBe('');
  await box.undo(name, record);
  expect(await outside()).toEqual(before);
  expect(git('branch', '--show-current')).toBe('main');
});

test('what a checkout would lose keeps it from being done', async () => {
  const { good } = await twoReleases();
  await box.write('server.mjs', 'edited\n');
  expect(await box.refusal(name, { boot, commit: good })).toMatch(/server\.mjs has changes that are not committed/);
  git('add', 'server.mjs');
  expect(await box.refusal(name, { boot, commit: good })).toMatch(/server\.mjs is noted for the next commit/);
  git('reset', '-q', '--hard');
  git('rm', '-q', 'tracked.yaml');
  git('commit', '-q', '-m', 'Third');
  await box.write('tracked.yaml', 'untracked now\n');
  expect(await box.refusal(name, { boot, commit: good })).toMatch(/tracked\.yaml is not tracked now, and a checkout would write over it/);
  expect(await box.read('tracked.yaml')).toBe('untracked now\n');
});

test('a merge under way, a commit that is gone, a filter, and copies of another boot are reasons to refuse', async () => {
  const { good, bad } = await twoReleases();
  expect(await box.refusal(name, { boot, commit: '0123456789ab' })).toMatch(/the commit 0123456789ab is not in .* any more/);
  expect(await box.refusal(name, { boot, commit: '--force' })).toMatch(/is no commit/);
  expect(await box.refusal(name, { boot: 'boot_20261031_000000' })).toMatch(/the kept copies are not of boot_20261031_000000/);
  git('config', 'filter.evil.smudge', 'touch /tmp/never');
  expect(await box.refusal(name, { boot, commit: good })).toMatch(/runs a program of its own \(filter\.evil\.smudge\)/);
  git('config', '--unset', 'filter.evil.smudge');
  await fs.writeFile(box.path('.git/MERGE_HEAD'), `${bad}\n`);
  expect(await box.refusal(name, { boot, commit: good })).toMatch(/a merge is under way/);
});

test('hooks of the repository do not run, and another release that was put there since is not undone', async () => {
  const { good, bad } = await twoReleases();
  await box.write('.git/hooks/post-checkout', `#!/bin/sh\ntouch ${box.path('hook-ran')}\n`, 0o755);
  const record = await box.apply(name, { boot, commit: good });
  expect((await box.state())['/hook-ran']).toBeUndefined();
  git('-c', 'core.hooksPath=/dev/null', 'switch', '-q', '-c', 'third');
  await expect(box.undo(name, record)).rejects.toThrow(/another release was put there/);
  expect(git('branch', '--show-current')).toBe('third');
  git('-c', 'core.hooksPath=/dev/null', 'switch', '-q', '--detach', good);
  git('branch', '-f', 'main', good);
  await expect(box.undo(name, record)).rejects.toThrow(/the branch main leads to another commit by now/);
  git('branch', '-f', 'main', bad);
});

/** Two commits between which a tracked database has become another one. */
async function trackedDatabase(): Promise<string> {
  git('init', '-q', '-b', 'main');
  await box.write('.gitignore', '*-wal\n*-shm\n');
  await box.write('server.mjs', 'first\n');
  const database = new DatabaseSync(box.path('shop.db'));
  database.exec('PRAGMA journal_mode=WAL; CREATE TABLE t (a)');
  database.close();
  git('add', '-A');
  git('commit', '-q', '-m', 'First');
  const good = git('rev-parse', 'HEAD');
  const newer = new DatabaseSync(box.path('shop.db'));
  newer.exec('CREATE TABLE u (z); CREATE INDEX i ON t (a); INSERT INTO t VALUES (1); VACUUM');
  newer.close();
  await box.write('server.mjs', 'second\n');
  git('add', '-A');
  git('commit', '-q', '-m', 'Second');
  return good;
}

test('a tracked SQLite database is never swapped: not under who has it open, not beside its log, not cold', async () => {
  const commit = await trackedDatabase();
  const service = new DatabaseSync(box.path('shop.db'));
  service.exec('INSERT INTO t VALUES (2)');
  expect(await box.refusal(name, { boot, commit })).toMatch(/shop\.db-wal stands beside .*shop\.db/);
  service.exec('INSERT INTO t VALUES (3)');
  service.close();
  git('checkout', '-q', '--', 'shop.db');
  expect(await box.refusal(name, { boot, commit })).toMatch(/shop\.db is a SQLite database, and a checkout would put another one/);
  // It is in the earlier commit alone, and nothing stands there now.
  git('rm', '-q', 'shop.db');
  git('commit', '-q', '-m', 'Third');
  expect(await box.refusal(name, { boot, commit })).toMatch(/shop\.db is a SQLite database/);
  expect(await fs.readdir(box.root)).not.toContain('shop.db');
});

test('what a process may write to is not swapped under it; what one only reads is', async () => {
  const { good } = await twoReleases();
  const reader = await fs.open(box.path('server.mjs'), 'r');
  expect(await box.plan(name, { boot, commit: good })).toMatchObject({ state: 'ready' });
  await reader.close();
  const writer = await fs.open(box.path('server.mjs'), 'a');
  expect(await box.refusal(name, { boot, commit: good })).toMatch(
    new RegExp(`process ${process.pid} has .*server\\.mjs open and may write`),
  );
  await writer.close();
});

test('an undo that would swap a database under its log is refused, and nothing has moved', async () => {
  const commit = await trackedDatabase();
  const from = git('rev-parse', 'HEAD');
  git('switch', '-q', '--detach', commit);
  const service = new DatabaseSync(box.path('shop.db'));
  service.exec('INSERT INTO t VALUES (7)');
  // As an earlier Grace recorded it.
  const record = { boot, move: { root: box.root, from, branch: 'main', to: commit }, puts: [] };
  await expect(box.undo(name, record)).rejects.toThrow(/shop\.db-wal stands beside/);
  expect(git('rev-parse', 'HEAD')).toBe(commit);
  service.close();
});
