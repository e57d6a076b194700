import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { nodeFiles } from './files.ts';
import { filesTouched, gitState } from './git.ts';
import { nodeSpawner } from './spawner.ts';

const LIMIT_MS = 20_000;

function folder(): string {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'grace-git-')));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

function git(dir: string, ...args: readonly string[]): string {
  const who = ['-c', 'user.name=a', '-c', 'user.email=a@b', '-c', 'init.defaultBranch=main', '-c', 'commit.gpgsign=false'];
  return execFileSync('git', ['-C', dir, ...who, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
}

/** A repository with two commits; the second one touched `b c.js` in a folder. */
function repository(): { readonly dir: string; readonly first: string; readonly second: string } {
  const dir = folder();
  git(dir, 'init', '-q');
  mkdirSync(join(dir, 'lib'));
  writeFileSync(join(dir, 'a.js'), '1');
  writeFileSync(join(dir, 'lib', 'b c.js'), '1');
  git(dir, 'add', '-A');
  git(dir, 'commit', '-qm', 'one');
  const first = git(dir, 'rev-parse', 'HEAD');
  writeFileSync(join(dir, 'lib', 'b c.js'), '2');
  git(dir, 'commit', '-qam', 'two');
  return { dir, first, second: git(dir, 'rev-parse', 'HEAD') };
}

const stateOf = (dir: string) => gitState(dir, nodeFiles, nodeSpawner, LIMIT_MS);
const hasGit = ['/usr/bin/git', '/usr/local/bin/git', '/bin/git'].some((path) => existsSync(path));

describe.skipIf(!hasGit)('a repository', () => {
  test('commit, branch and changed files, also from a folder inside of it', async () => {
    const { dir, second } = repository();
    writeFileSync(join(dir, 'lib', 'b c.js'), '3');
    git(dir, 'mv', 'a.js', 'renamed.js');
    writeFileSync(join(dir, 'untracked.log'), 'x');
    const state = await stateOf(join(dir, 'lib'));
    expect(state).toMatchObject({ root: dir, commit: second.slice(0, 12), branch: 'main' });
    expect(state?.changed.toSorted()).toEqual([join(dir, 'lib', 'b c.js'), join(dir, 'renamed.js')]);
  });

  test('what the commits between two touched, whichever came first', async () => {
    const { dir, first, second } = repository();
    for (const [from, to] of [[first, second], [second.slice(0, 12), first.slice(0, 12)]] as const)
      expect(await filesTouched(dir, from, to, nodeSpawner, LIMIT_MS)).toEqual([join(dir, 'lib', 'b c.js')]); // prettier-ignore
  });

  test('a commit that is gone, or is none, cannot be compared', async () => {
    const { dir, first } = repository();
    expect(await filesTouched(dir, 'dead00000000', first, nodeSpawner, LIMIT_MS)).toBeNull();
    expect(await filesTouched(dir, '--output=x', first, nodeSpawner, LIMIT_MS)).toBeNull();
    expect(existsSync(join(dir, 'x'))).toBe(false);
  });

  test('a detached head has no branch, and before the first commit there is none', async () => {
    const { dir, first } = repository();
    git(dir, 'checkout', '-q', first);
    expect(await stateOf(dir)).toMatchObject({ commit: first.slice(0, 12), branch: '' });
    const empty = folder();
    git(empty, 'init', '-q');
    expect(await stateOf(empty)).toMatchObject({ commit: '', branch: 'main', changed: [] });
  });

  test('nothing that its configuration names is run', async () => {
    const { dir } = repository();
    const bait = join(dir, 'bait');
    writeFileSync(bait, `#!/bin/sh\ntouch ${join(dir, 'was-run')}\n`);
    chmodSync(bait, 0o755);
    git(dir, 'config', 'core.fsmonitor', bait);
    writeFileSync(join(dir, 'a.js'), 'changed');
    expect((await stateOf(dir))?.changed).toEqual([join(dir, 'a.js')]);
    expect(existsSync(join(dir, 'was-run'))).toBe(false);
  });

  test('where git refuses, the commit is still read', async () => {
    const { dir, second } = repository();
    renameSync(join(dir, '.git', 'objects'), join(dir, '.git', 'gone'));
    expect(await stateOf(dir)).toEqual({ root: dir, commit: second.slice(0, 12), branch: 'main', changed: [] });
  });
});

test('outside of a repository there is nothing to say', async () => {
  const dir = folder();
  expect(await stateOf(dir)).toBeNull();
  expect(await filesTouched(dir, 'abcdef0', 'abcdef1', nodeSpawner, LIMIT_MS)).toBeNull();
});
