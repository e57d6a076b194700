import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { CommandResult, Files, Spawner } from '../../kernel/index.ts';

/** What is checked out, and what differs from it. */
export interface GitState {
  /** The directory that holds `.git`. */
  readonly root: string;
  /** First twelve digits; empty before the first commit. */
  readonly commit: string;
  /** Empty when no branch is checked out. */
  readonly branch: string;
  /** Tracked files that differ from the commit, absolute. */
  readonly changed: readonly string[];
}

const COMMIT_CHARS = 12;
const CHANGED_MAX = 200;
const TOUCHED_MAX = 5000;
const COMMIT = /^[0-9a-f]{7,64}$/;

/** Nothing of the repository's own configuration may run a program, and nobody is asked for a password. */
const SAFE = [
  '--no-optional-locks',
  ...[
    'core.fsmonitor=false',
    'core.hooksPath=/dev/null',
    'core.quotePath=false',
    'log.showSignature=false',
    // A partial clone would fetch what it lacks.
    'protocol.allow=never',
  ].flatMap((setting) => ['-c', setting]),
];

export function git(root: string, args: readonly string[], spawner: Spawner, timeoutMs: number): Promise<CommandResult> {
  return spawner.run(['git', '-C', root, ...SAFE, ...args], {
    cwd: '/',
    env: {
      PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
      HOME: '/nonexistent',
      LC_ALL: 'C',
      GIT_TERMINAL_PROMPT: '0',
      GIT_CONFIG_NOSYSTEM: '1',
    },
    timeoutMs,
  });
}

/** The repository a directory lies in; null outside of one. */
export function gitRoot(dir: string): string | null {
  for (let at = dir; ; at = dirname(at)) {
    if (statSync(join(at, '.git'), { throwIfNoEntry: false }) !== undefined) return at;
    if (at === dirname(at)) return null;
  }
}

/** Null outside of a repository. Without the git command, or where it refuses, the commit alone. */
export async function gitState(dir: string, files: Files, spawner: Spawner, timeoutMs: number): Promise<GitState | null> {
  const root = gitRoot(dir);
  if (root === null) return null;
  const result = await git(
    root,
    ['status', '--porcelain=v2', '--branch', '-z', '--untracked-files=no', '--ignore-submodules'],
    spawner,
    timeoutMs,
  );
  if (result.exitCode !== 0) return headOf(root, files);
  const fields = result.stdout.split('\0');
  const header = (name: string): string => fields.find((f) => f.startsWith(`# ${name} `))?.slice(name.length + 3) ?? '';
  const changed: string[] = [];
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i] ?? '';
    const kind = field[0];
    // 1: changed, 2: renamed (its old name follows), u: in conflict. The path is the last field and may hold spaces.
    const before = kind === '1' ? 8 : kind === '2' ? 9 : kind === 'u' ? 10 : 0;
    if (before === 0) continue;
    changed.push(join(root, field.split(' ').slice(before).join(' ')));
    if (kind === '2') i++;
  }
  const [oid, head] = [header('branch.oid'), header('branch.head')];
  return {
    root,
    commit: oid === '(initial)' ? '' : oid.slice(0, COMMIT_CHARS),
    branch: head === '(detached)' ? '' : head,
    changed: changed.slice(0, CHANGED_MAX),
  };
}

async function headOf(root: string, files: Files): Promise<GitState | null> {
  const text = async (name: string): Promise<string> => (await files.readText(join(root, '.git', name)).catch(() => null))?.trim() ?? '';
  const head = await text('HEAD');
  if (head === '') return null;
  const ref = head.startsWith('ref: ') ? head.slice(5) : null;
  const commit = ref === null ? head : await text(ref);
  return { root, commit: commit.slice(0, COMMIT_CHARS), branch: ref?.replace(/^refs\/heads\//, '') ?? '', changed: [] };
}

/** Files that differ between two commits, absolute; null when that cannot be told. */
export async function filesTouched(
  dir: string,
  from: string,
  to: string,
  spawner: Spawner,
  timeoutMs: number,
): Promise<readonly string[] | null> {
  const root = gitRoot(dir);
  // Both end up as arguments: what is no commit, such as an option, goes no further.
  if (root === null || !COMMIT.test(from) || !COMMIT.test(to)) return null;
  const result = await git(root, ['diff', '--name-only', '--no-ext-diff', '--no-textconv', '-z', from, to, '--'], spawner, timeoutMs);
  if (result.exitCode !== 0) return null;
  return result.stdout
    .split('\0')
    .filter((name) => name !== '')
    .slice(0, TOUCHED_MAX)
    .map((name) => join(root, name));
}

/**
 * Adds a text to the note of the commit that is checked out, under `refs/notes/REF`; the working tree and the branches stay as
 * they are.
 * @returns null, or why it did not work, in words
 */
export async function appendGitNote(dir: string, ref: string, text: string, spawner: Spawner, timeoutMs: number): Promise<string | null> {
  const root = gitRoot(dir);
  if (root === null) return `${dir} is in no git repository`;
  const author = ['-c', 'user.name=Grace', '-c', 'user.email=grace@localhost', '-c', 'commit.gpgSign=false'];
  const { exitCode, stderr } = await git(root, [...author, 'notes', `--ref=${ref}`, 'append', '-m', text, 'HEAD'], spawner, timeoutMs);
  return exitCode === 0 ? null : `git notes: ${stderr.trim().split('\n').at(-1) || 'it could not be run'}`;
}
