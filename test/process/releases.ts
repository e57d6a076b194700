import { execFileSync } from 'node:child_process';
import { expect } from 'vitest';
import type { GraceEvent } from '../../src/domains/healing/index.ts';
import { runGrace, startGrace } from './grace.ts';
import { freePort, newProject, write } from './project.ts';

/** In the env file: a secret. */
export const CANARY = 'canary-5f1e9a77c0de';
export const GOOD = `import { createServer } from 'node:http';
import { existsSync, readFileSync } from 'node:fs';
const { answer } = JSON.parse(readFileSync('service.config.json', 'utf8'));
const { version } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const isFine = answer === 'fine' && version === '1.0.0' && process.env.COLOUR === 'red' && !existsSync('halt.txt');
if (!isFine) { console.error('quota of widgets exceeded in region seven'); process.exit(7); }
createServer((_, res) => res.end(answer)).listen(Number(process.env.PORT), '127.0.0.1');
process.on('SIGTERM', () => process.exit(0));
`;
/** Ends in a way that no family knows a remedy for. */
export const BAD = `console.error('quota of widgets exceeded in region seven');
process.exit(7);
`;

export type Settings = Readonly<Record<string, unknown>>;

export interface Project {
  readonly dir: string;
  git(...args: readonly string[]): string;
}

async function project(boot: Settings = {}, hasGit = true): Promise<Project> {
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
  if (!hasGit) return { dir, git };
  git('init', '-q', '-b', 'main');
  git('add', '-A');
  git('commit', '-q', '-m', 'First release');
  return { dir, git };
}

export async function bootOnce(dir: string): Promise<void> {
  const grace = startGrace(dir, ['up', '--json']);
  await grace.event('boot_ended', (e) => e.outcome === 'success');
  await grace.end('SIGTERM');
}

export async function failedBoot(dir: string): Promise<readonly GraceEvent[]> {
  const { code, stdout } = await runGrace(dir, ['up', '--json', '--no-hold']);
  expect(code, stdout).toBe(1);
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as GraceEvent);
}

export interface Approval {
  readonly id: string;
  readonly state: string;
  readonly playbook: string;
  readonly would_do: readonly string[];
  readonly bound_to: string;
}

export async function approvals(dir: string): Promise<readonly Approval[]> {
  return JSON.parse((await runGrace(dir, ['approvals', '--json'])).stdout) as readonly Approval[];
}

export async function theRollback(dir: string): Promise<Approval> {
  const found = (await approvals(dir)).find((a) => a.playbook === 'roll_back_release');
  if (found === undefined) throw new Error('nothing was proposed');
  return found;
}

/** One that has booted and was verified once, with its first release in git, unless it has none. */
export async function verifiedGood(boot: Settings = {}, hasGit = true): Promise<Project> {
  const it = await project(boot, hasGit);
  await bootOnce(it.dir);
  const boots = JSON.parse((await runGrace(it.dir, ['boots', '--json'])).stdout) as readonly Settings[];
  expect(boots).toEqual([expect.objectContaining({ verified: true, last_good: true })]);
  return it;
}

/** What the service consists of, without what Grace keeps. */
export const own = (path: string): boolean => !/^(?:\.grace|playbooks|\.git)(?:\/|$)/.test(path);
