import { statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { cleanLines } from '../../domains/incidents/index.ts';
import { WorkTreeStuck, type CommitChange, type WorkTree, type WorkTrees } from '../../domains/playbooks/index.ts';
import type { CommandResult, Spawner } from '../../kernel/index.ts';
import { git, gitRoot } from './git.ts';

const LOOK_MS = 10_000;
/** A large work tree on a slow disk. */
const MOVE_MS = 2 * 60_000;
const COMMIT = /^[0-9a-f]{7,64}$/;
/** A spawner keeps the end of what a command says: what comes near its limit may lack its beginning. */
const OUTPUT_CHARS_MAX = 60_000;
const SUBJECTS_MAX = 10;
const SUBJECT_CHARS = 100;
const SAID_CHARS = 300;
const SUBMODULE = '160000';
const SQLITE_MAGIC = '^SQLite format 3';

/** What git leaves in its directory while something is not finished. */
const UNDER_WAY: readonly (readonly [string, string])[] = [
  ['MERGE_HEAD', 'a merge'],
  ['rebase-merge', 'a rebase'],
  ['rebase-apply', 'a rebase'],
  ['CHERRY_PICK_HEAD', 'a cherry-pick'],
  ['REVERT_HEAD', 'a revert'],
  ['BISECT_LOG', 'a bisection'],
  ['index.lock', 'another git command (index.lock)'],
];

/** @param redact  subjects of commits are whatever somebody wrote */
export function gitWorkTrees(spawner: Spawner, redact: (text: string) => string): WorkTrees {
  const said = ({ stderr, stdout, timedOut, spawnErrorCode }: CommandResult): string =>
    timedOut
      ? 'git took too long'
      : spawnErrorCode !== null
        ? `git cannot be run (${spawnErrorCode})`
        : redact(cleanLines(stderr === '' ? stdout : stderr).join('; ')).slice(0, SAID_CHARS) || 'git refused';

  async function look(dir: string): Promise<WorkTree | string | null> {
    const root = gitRoot(dir);
    if (root === null) return null;
    const status = await git(root, ['status', '--porcelain=v2', '--branch', '-z', '--untracked-files=no'], spawner, LOOK_MS);
    if (status.exitCode !== 0) return said(status);
    if (status.stdout.length > OUTPUT_CHARS_MAX) return 'more files differ from the commit than can be looked at';
    const gitDir = await git(root, ['rev-parse', '--absolute-git-dir'], spawner, LOOK_MS);
    if (gitDir.exitCode !== 0) return said(gitDir);
    const fields = status.stdout.split('\0');
    const header = (name: string): string => fields.find((f) => f.startsWith(`# ${name} `))?.slice(name.length + 3) ?? '';
    const changed: string[] = [];
    const staged: string[] = [];
    let isConflict = false;
    for (let i = 0; i < fields.length; i++) {
      const field = fields[i] ?? '';
      const kind = field[0];
      const before = kind === '1' ? 8 : kind === '2' ? 9 : kind === 'u' ? 10 : 0;
      if (before === 0) continue;
      const path = join(root, field.split(' ').slice(before).join(' '));
      changed.push(path);
      if (kind !== '1' || field[2] !== '.') staged.push(path);
      isConflict ||= kind === 'u';
      if (kind === '2') i++; // its old name follows
    }
    const inGit = (name: string): boolean => statSync(join(gitDir.stdout.trim(), name), { throwIfNoEntry: false }) !== undefined;
    const [oid, head] = [header('branch.oid'), header('branch.head')];
    return {
      root,
      commit: oid === '(initial)' ? '' : oid,
      branch: head === '(detached)' ? '' : head,
      changed,
      staged,
      underWay: UNDER_WAY.find(([name]) => inGit(name))?.[1] ?? (isConflict ? 'a merge' : null),
    };
  }

  async function between(root: string, from: string, to: string): Promise<CommitChange | string> {
    // Both end up as arguments: what is no commit, such as an option, goes no further.
    if (!COMMIT.test(from) || !COMMIT.test(to)) return `${to.slice(0, SAID_CHARS)} is no commit`;
    const known = await git(root, ['rev-parse', '--verify', '--quiet', `${to}^{commit}`], spawner, LOOK_MS);
    if (known.exitCode !== 0) return `the commit ${to} is not in ${root} any more`;
    const commit = known.stdout.trim();
    const filters = await git(root, ['config', '--get-regexp', '^filter\\..*\\.(smudge|process|clean)$'], spawner, LOOK_MS);
    if (filters.exitCode === 0)
      return `a checkout in ${root} runs a program of its own (${cleanLines(filters.stdout)[0]?.split(' ')[0] ?? 'a filter'})`;
    const args = ['diff', '--raw', '--no-renames', '--no-ext-diff', '--no-textconv', '--abbrev=4', '-z', from, commit, '--'];
    const diff = await git(root, args, spawner, LOOK_MS);
    if (diff.exitCode !== 0) return said(diff);
    if (diff.stdout.length > OUTPUT_CHARS_MAX) return 'more files differ between the two commits than can be looked at';
    const files: { path: string; change: 'added' | 'changed' | 'removed' }[] = [];
    const fields = diff.stdout.split('\0');
    for (let i = 0; i + 1 < fields.length; i += 2) {
      const [before = '', after = '', , , status = ''] = (fields[i] ?? '').slice(1).split(' ');
      if (before === SUBMODULE || after === SUBMODULE)
        return `${fields[i + 1] ?? ''} is a submodule, and another one at ${commit.slice(0, 12)}`;
      const change = status === 'A' ? 'added' : status === 'D' ? 'removed' : 'changed';
      files.push({ path: resolve(root, fields[i + 1] ?? ''), change });
    }
    const databases = await databasesIn(root, [from, commit], files);
    if (typeof databases === 'string') return databases;
    const log = await git(
      root,
      ['log', '--format=%h %s', '-z', `--max-count=${SUBJECTS_MAX}`, `${commit}..${from}`, '--'],
      spawner,
      LOOK_MS,
    );
    const count = await git(root, ['rev-list', '--count', `${commit}..${from}`, '--'], spawner, LOOK_MS);
    const subjects = log.stdout.split('\0').filter((line) => line !== '');
    const without = subjects.map((line) => redact(cleanLines(line).join(' ')).slice(0, SUBJECT_CHARS));
    return { commit, files, databases, without, withoutCount: Number(count.stdout.trim()) || without.length };
  }

  /** Those of these files whose first line begins as a database does: of a text that says so too, git would tell the same. */
  async function databasesIn(root: string, commits: readonly string[], files: CommitChange['files']): Promise<readonly string[] | string> {
    const found = new Set<string>();
    for (const commit of files.length === 0 ? [] : commits) {
      const args = ['grep', '--text', '--files-with-matches', '--full-name', '--no-textconv', '-z', '-e', SQLITE_MAGIC, commit, '--'];
      const hits = await git(root, [...args, ...files.map(({ path }) => literally(relative(root, path)))], spawner, LOOK_MS);
      // 1: there is none.
      if (hits.exitCode !== 0 && hits.exitCode !== 1) return said(hits);
      for (const hit of hits.stdout.split('\0')) if (hit !== '') found.add(join(root, hit.slice(hit.indexOf(':') + 1)));
    }
    return [...found];
  }

  return {
    look,
    between,
    async tracked(root, paths) {
      if (paths.length === 0) return new Set();
      const listed = await git(root, ['ls-files', '-z', '--', ...paths.map(literally)], spawner, LOOK_MS);
      return new Set(listed.stdout.split('\0').flatMap((name) => (name === '' ? [] : [join(root, name)])));
    },
    async clean(root, paths) {
      if (paths.length === 0) return;
      const done = await git(root, ['restore', '--worktree', '--', ...paths.map(literally)], spawner, MOVE_MS);
      if (done.exitCode !== 0) throw new WorkTreeStuck(root, said(done));
    },
    async move(root, commit, branch) {
      if (branch !== '') {
        const leads = await git(root, ['rev-parse', '--verify', '--quiet', `refs/heads/${branch}^{commit}`], spawner, LOOK_MS);
        if (leads.stdout.trim() !== commit) throw new WorkTreeStuck(root, `the branch ${branch} leads to another commit by now`);
      }
      const where = branch === '' ? ['--detach', commit] : [branch];
      const args = ['switch', '--quiet', '--no-guess', '--no-overwrite-ignore', '--no-recurse-submodules', ...where];
      const done = await git(root, args, spawner, MOVE_MS);
      if (done.exitCode !== 0) throw new WorkTreeStuck(root, said(done));
    },
  };
}

/** A path is a name here, and no pattern. */
function literally(path: string): string {
  return `:(literal)${path}`;
}
