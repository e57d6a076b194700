import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { GraceEvent } from '../../src/domains/healing/index.ts';
import { runGrace, startGrace } from './grace.ts';
import { freePort, newProject, snapshot, write } from './project.ts';

const CANARY = 'canary-5f1e9a77c0de';
const GOOD = `import { createServer } from 'node:http';
import { existsSync, readFileSync } from 'node:fs';
const { answer } = JSON.parse(readFileSync('service.config.json', 'utf8'));
const { version } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const isFine = answer === 'fine' && version === '1.0.0' && process.env.COLOUR === 'red' && !existsSync('halt.txt');
if (!isFine) { console.error('quota of widgets exceeded in region seven'); process.exit(7); }
createServer((_, res) => res.end(answer)).listen(Number(process.env.PORT), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
`;
/** Ends in a way that no family knows a remedy for. */
const BAD = `console.error('quota of widgets exceeded in region seven');
process.exit(7);
`;

type Settings = Readonly<Record<string, unknown>>;

interface Project {
  readonly dir: string;
  git(...args: readonly string[]): string;
}

async function project(boot: Settings = {}): Promise<Project> {
  const dir = newProject();
  const port = await freePort();
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-C', dir, '-c', 'user.name=Dev', '-c', 'user.email=dev@example.org', ...args], { encoding: 'utf8' }).trim();
  const web = {
    command: [process.execPath, 'server.mjs'],
    port,
    env: { PORT: String(port) },
    envFile: '.env',
    readiness: { tcp: true },
    soak: '200ms',
    stop: { grace: '1s' },
  };
  write(dir, {
    'grace.config.json': { name: 'shop', components: { web }, boot, healing: { limits: { cooldown: '0s', breakerAfter: 20 } } },
    'server.mjs': GOOD,
    'service.config.json': { answer: 'fine' },
    'package.json': { name: 'shop', version: '1.0.0', private: true, type: 'module' },
    'package-lock.json': {
      name: 'shop',
      version: '1.0.0',
      lockfileVersion: 3,
      requires: true,
      packages: { '': { name: 'shop', version: '1.0.0' } },
    },
    '.env': `API_TOKEN=${CANARY}\nCOLOUR=red\n`,
    '.gitignore': '.grace/\nplaybooks/\n.env\nservice.config.json\npackage-lock.json\nnotes.txt\n',
  });
  git('init', '-q', '-b', 'main');
  git('add', '-A');
  git('commit', '-q', '-m', 'First release');
  return { dir, git };
}

async function bootOnce(dir: string): Promise<void> {
  const grace = startGrace(dir, ['up', '--json']);
  await grace.event('boot_ended', (e) => e.outcome === 'success');
  await grace.end('SIGTERM');
}

async function failedBoot(dir: string): Promise<readonly GraceEvent[]> {
  const { code, stdout } = await runGrace(dir, ['up', '--json', '--no-hold']);
  expect(code, stdout).toBe(1);
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as GraceEvent);
}

interface Approval {
  readonly id: string;
  readonly state: string;
  readonly playbook: string;
  readonly would_do: readonly string[];
  readonly bound_to: string;
}

async function approvals(dir: string): Promise<readonly Approval[]> {
  return JSON.parse((await runGrace(dir, ['approvals', '--json'])).stdout) as readonly Approval[];
}

async function theRollback(dir: string): Promise<Approval> {
  const found = (await approvals(dir)).find((a) => a.playbook === 'roll_back_release');
  if (found === undefined) throw new Error('nothing was proposed');
  return found;
}

async function verifiedGood(boot: Settings = {}): Promise<Project> {
  const it = await project(boot);
  await bootOnce(it.dir);
  const boots = JSON.parse((await runGrace(it.dir, ['boots', '--json'])).stdout) as readonly Settings[];
  expect(boots).toEqual([expect.objectContaining({ verified: true, last_good: true })]);
  return it;
}

/** What the service consists of, without what Grace keeps. */
const own = (path: string): boolean => !/^(?:\.grace|playbooks|\.git)(?:\/|$)/.test(path);

function nowhere(text: string, dir: string): void {
  const found = readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((name) => {
    const path = join(dir, name);
    // The files of the service itself, and what was moved aside of them: private, and never shown.
    if (name === '.env' || name.startsWith('.env.broken-') || /(?:^|\/)storage\/aside\//.test(name)) return false;
    try {
      return readFileSync(path).includes(text);
    } catch {
      return false; // a directory
    }
  });
  expect(found).toEqual([]);
}

test('a commit that crashes is rolled back after three failed boots, once a person has agreed, by a Grace that waits for it', async () => {
  const { dir, git } = await verifiedGood();
  const good = git('rev-parse', 'HEAD');
  write(dir, { 'server.mjs': BAD, 'new.txt': 'of the second release\n' });
  git('add', '-A');
  git('commit', '-q', '-m', `Use the new quota, token=${CANARY}`);
  const bad = git('rev-parse', 'HEAD');
  write(dir, { 'notes.txt': 'ignored\n', 'untracked.txt': 'untracked\n' });
  await failedBoot(dir);
  await failedBoot(dir);
  expect((await approvals(dir)).map((a) => a.playbook)).toEqual(['restore_server_mjs']);

  const grace = startGrace(dir, ['up', '--json']);
  const asked = await grace.event('approval_needed', (e) => e.playbook === 'roll_back_release');
  await grace.event('held');
  expect(git('rev-parse', 'HEAD')).toBe(bad);
  const approval = (await approvals(dir)).find((a) => a.playbook === 'roll_back_release');
  expect(approval).toMatchObject({ id: asked.approval, state: 'pending', bound_to: 'plan' });
  expect(approval?.would_do[0]).toContain(`check out ${good.slice(0, 12)} instead of ${bad.slice(0, 12)} (branch main stays where it is)`);
  expect(approval?.would_do[0]).toContain('Use the new quota');
  expect(approval?.would_do[0]).toMatch(/which changes new\.txt, server\.mjs/);
  const shown = await runGrace(dir, ['approvals', 'show', asked.approval]);
  expect(shown.stdout.replaceAll(/\s+/g, ' ')).toContain('3 boots in a row have failed since boot_');
  expect(shown.stdout).toContain('high, tier_3');
  const explained = await runGrace(dir, ['explain']);
  expect(explained.stdout.replaceAll(/\s+/g, ' ')).toContain('3 boots in a row have failed since boot_');

  await runGrace(dir, ['approvals', 'approve', asked.approval]);
  await grace.event('boot_ended', (e) => e.outcome === 'success');
  expect(git('rev-parse', 'HEAD')).toBe(good);
  expect(git('branch', '--show-current')).toBe('');
  expect(git('rev-parse', 'main')).toBe(bad);
  expect(existsSync(join(dir, 'new.txt'))).toBe(false);
  expect(readFileSync(join(dir, 'notes.txt'), 'utf8')).toBe('ignored\n');
  expect(readFileSync(join(dir, 'untracked.txt'), 'utf8')).toBe('untracked\n');
  await grace.event('playbook_verified', (e) => e.playbook === 'roll_back_release');
  const notice = await grace.event('notice', (e) => e.text.includes('runs an earlier release'));
  expect(notice.text).toContain(`${bad.slice(0, 12)} (main) is set aside`);
  await grace.end('SIGTERM');
  const kept = JSON.parse((await runGrace(dir, ['snapshots', '--json'])).stdout) as readonly Settings[];
  expect(kept).toEqual([expect.objectContaining({ reason: 'pre_rollback' })]);

  // The next deploy is tried as usual, and the one that failed is not brought back.
  await bootOnce(dir);
  expect(git('rev-parse', 'HEAD')).toBe(good);
  git('switch', '-q', 'main');
  write(dir, { 'server.mjs': `${GOOD}// mended\n` });
  git('commit', '-qam', 'Mend it');
  const mended = git('rev-parse', 'HEAD');
  await bootOnce(dir);
  expect(git('rev-parse', 'HEAD')).toBe(mended);
  nowhere(CANARY.slice(0, 12), join(dir, '.grace'));
  nowhere(CANARY, join(dir, 'playbooks'));
});

test('config, env and lock file outside of git are proposed with their changes, and stay as they are until a person agrees', async () => {
  const { dir } = await verifiedGood();
  const lock = readFileSync(join(dir, 'package-lock.json'), 'utf8');
  write(dir, {
    'service.config.json': { answer: 'unheard of', added: true },
    'package-lock.json': lock.replaceAll('1.0.0', '2.0.0'),
    '.env': `API_TOKEN=${CANARY}-second\nCOLOUR=blue\n`,
  });
  const failed = snapshot(dir, own);
  for (let boot = 1; boot <= 3; boot++) {
    await failedBoot(dir);
    // What healing tried was taken back.
    expect(snapshot(dir, own)).toEqual(failed);
  }
  const first = await theRollback(dir);
  const plan = first.would_do.join('\n');
  expect(plan).toMatch(/package-lock\.json back \(2 lines go, 2 come back\)/);
  expect(plan).toMatch(/\.env back \(other values: API_TOKEN, COLOUR\)/);
  expect(plan).toMatch(/service\.config\.json back \(2 lines go, 1 come back\)/);

  nowhere(CANARY, join(dir, '.grace'));
});

test('a work tree with changes that a checkout would lose is left alone', async () => {
  const { dir, git } = await verifiedGood({ rollbackAfter: 1 });
  write(dir, { 'server.mjs': BAD });
  git('commit', '-qam', 'Second release');
  write(dir, { 'server.mjs': `${BAD}// not committed\n` });
  await failedBoot(dir);
  expect((await theRollback(dir)).would_do.join()).toMatch(
    /server\.mjs has changes that are not committed, and a checkout would lose them/,
  );
  await runGrace(dir, ['approvals', 'approve', (await theRollback(dir)).id]);
  const before = snapshot(dir, own);
  const head = git('rev-parse', 'HEAD');
  await failedBoot(dir);
  expect(snapshot(dir, own)).toEqual(before);
  expect(git('rev-parse', 'HEAD')).toBe(head);
});
