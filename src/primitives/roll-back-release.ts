import { dirname } from 'node:path';
import { parseEnv } from 'node:util';
import { areKeptFrom, isEnvFile, isReleaseFile } from '../catalog/release-files.ts';
import { sha256Hex, type Json } from '../kernel/index.ts';
import type { CommitChange, LastGoodEntry, PrimitiveContext, WorkTree } from '../domains/playbooks/index.ts';
import { backupName, brokenName, writeAs } from './aside.ts';
import { confineEntry } from './confinement.ts';
import { isDatabaseFile, tieToDatabase, writersOf } from './database-in-use.ts';
import { definePrimitive } from './define-primitive.ts';
import { PrimitiveFailed, UndoRefused } from './errors.ts';
import { isPrivate, keepCopy, readCopy } from './kept-copy.ts';
import { makeMissing, missingDirectories, removeMade, type MissingDirectories } from './make-directory.ts';
import { traitsFor, type OwnerAndMode } from './owner-and-mode.ts';
import { optional, text } from './parameter.ts';

/** A file of the release, and how it comes back. */
type Put = {
  readonly path: string;
  /** SHA-256 of what is there now; null: nothing. */
  readonly before: string | null;
  /** SHA-256 of the kept copy. */
  readonly digest: string;
  /** Where what is there now goes; null when nothing is there, or when the commits bring it back. */
  readonly aside: string | null;
  /** How it was, where it holds secrets and is sealed in `aside`; null or left out where it is moved there as it is. */
  readonly was?: OwnerAndMode | null;
  readonly isTracked: boolean;
  /** The commits change it and it is as its commit has it: moving there and back brings it, and only what differs then is written. */
  readonly byCommit: boolean;
  readonly as: OwnerAndMode;
  readonly directories: MissingDirectories | null;
};

type Move = { readonly root: string; readonly from: string; readonly branch: string; readonly to: string };

type Rollback = { readonly boot: string; readonly move: Move | null; readonly puts: readonly Put[] };

type Planned = Rollback & { readonly change: CommitChange | null; readonly told: readonly string[] };

const COMMIT_CHARS = 12;
/** A config or lock file that is larger is none. */
const BYTES_MAX = 8 * 1024 * 1024;
/** Paths of a release that are named one by one; the two commits say the rest. */
const TARGETS_MAX = 500;
const SUBJECTS_SHOWN = 5;
const FILES_SHOWN = 8;
const KEYS_SHOWN = 6;

export const rollBackRelease = definePrimitive({
  name: 'roll_back_release',
  description: 'Goes back to the release of the last good boot: its config, env and lock files, and its git commit.',
  risk: 'high',
  needsSnapshot: true,

  parameters: {
    boot: text('The boot to go back to; files are put back only when the kept copies are of that boot.', 100),
    commit: optional(text('What was checked out then; left out, only files are put back.', 64)),
  },
  confinement:
    'the directories of the component, links followed; no data, no database and nothing a process may write to, no untracked and no ignored file; no remote is contacted',

  async plan({ boot, commit }, context) {
    const planned = await lookAt(context, boot, commit);
    if (typeof planned === 'string') return { state: 'refused', reason: planned };
    const { move, puts, change, told } = planned;
    if (move === null && puts.length === 0) return { state: 'nothing_to_do', summary: `this is the release of ${boot} already` };
    const paths = new Set([...puts.map((put) => put.path), ...(change?.files ?? []).map((file) => file.path)]);
    const state = context.digest(JSON.stringify([move, puts.map(({ path, before, digest }) => [path, before, digest])]));
    const undo: Rollback = { boot, move, puts };
    return {
      state: 'ready',
      summary: `go back to the release of ${boot}: ${told.join('; ')}`,
      // The last one stands for all that was seen: when anything of it is another by then, it is another plan.
      targets: [
        ...[...paths].slice(0, TARGETS_MAX),
        ...(move === null ? [] : [`commit ${move.from} -> ${move.to}`]),
        `what is there now: ${state.slice(0, COMMIT_CHARS)}`,
      ],
      undo: undo as Json,
    };
  },

  async apply({ boot, commit }, context, record) {
    const { move, puts } = record as unknown as Rollback;
    const now = await lookAt(context, boot, commit);
    if (typeof now === 'string' || !isSame(now, { boot, move, puts }))
      throw new PrimitiveFailed('roll_back_release', 'something changed while this was being prepared', { retryable: true });
    const { files, workTrees } = context;
    for (const { aside, path, was } of puts) {
      if (aside === null) continue;
      if (was === undefined || was === null) await files.rename(path, aside);
      else {
        await keepCopy(context, aside, (await files.read(path)) ?? new Uint8Array(), true);
        await files.remove(path);
      }
    }
    if (move !== null) {
      await workTrees.clean(
        move.root,
        puts.filter((put) => put.isTracked && put.aside !== null).map((put) => put.path),
      );
      context.progress(`git goes from ${move.from.slice(0, COMMIT_CHARS)} to ${move.to.slice(0, COMMIT_CHARS)}`);
      await workTrees.move(move.root, move.to, '');
    }
    for (const put of puts) {
      const at = await confineEntry(context, put.path);
      if ((await digestAt(context, at)) === put.digest) continue;
      const content = await context.lastGood.content(asEntry(put));
      if (content === null) throw new PrimitiveFailed('roll_back_release', `the kept copy of ${at} is gone`);
      if (put.directories) await makeMissing(context, put.directories);
      await writeAs(files, at, content, put.as);
    }
    const asides = puts.flatMap((put) => put.aside ?? []);
    const sealed = puts.flatMap((put) => (put.was ? [put.path] : []));
    const parts = [
      ...(move === null
        ? []
        : [`${move.root} is at ${move.to.slice(0, COMMIT_CHARS)} now; ${nameOfNewer(move)} is set aside, and stays in git`]),
      ...(puts.length === 0 ? [] : [`put back ${listed(puts.map((put) => put.path))}`]),
      ...(asides.length === 0 ? [] : [`what was there is kept (${listed(asides)})`]),
      ...(sealed.length === 0 ? [] : [`that of ${listed(sealed)} is encrypted, and in the snapshot that was taken before`]),
    ];
    return { summary: `went back to the release of ${boot}: ${parts.join('; ')}`, changed: [...puts.map((put) => put.path), ...asides] };
  },

  async undo(record, context) {
    const { move, puts } = record as unknown as Rollback;
    const { files, workTrees } = context;
    const tree = move === null ? null : await treeOf(context, move);
    const isMoved = move !== null && tree !== null && tree.commit === move.to && tree.branch === '' && move.to !== move.from;
    if (move !== null && tree !== null && !isMoved && (tree.commit !== move.from || tree.branch !== move.branch))
      throw new UndoRefused(
        'roll_back_release',
        `${move.root} is at ${tree.commit.slice(0, COMMIT_CHARS)} by now: another release was put there`,
      );
    for (const { path, aside, was } of puts)
      if (was && aside !== null && (await files.stat(aside)) !== null && (await readCopy(context, aside)) === null)
        throw new UndoRefused(
          'roll_back_release',
          `what ${path} held before cannot be read: ${aside} is damaged, or sealed with another key`,
        );
    // All of them are looked at before the first is touched: both states stay whole, or the earlier one is back.
    const differs = new Set(tree?.changed);
    for (const { path, before, digest, isTracked } of puts) {
      const now = await digestAt(context, await confineEntry(context, path));
      const isTheTrees = isTracked && move !== null && !differs.has(path);
      if (now !== null && now !== digest && now !== before && !isTheTrees)
        throw new UndoRefused('roll_back_release', `${path} was changed after it had been put back`);
    }
    const back = isMoved && move !== null ? await workTrees.between(move.root, move.to, move.from) : null;
    const moved = back !== null && typeof back !== 'string' ? back.files.map(({ path }) => path) : [];
    const data = typeof back === 'string' ? back : await dataAmong(context, [...puts.map(({ path }) => path), ...moved], back);
    if (data !== null) throw new UndoRefused('roll_back_release', data);
    if (isMoved) {
      const mine = puts.filter((put) => put.isTracked).map((put) => put.path);
      const known = await workTrees.tracked(move.root, mine);
      await workTrees.clean(
        move.root,
        mine.filter((path) => known.has(path) && differs.has(path)),
      );
      // Written where that commit has nothing: in the way of what comes back.
      for (const path of mine) if (!known.has(path) && (await files.stat(path)) !== null) await files.remove(path);
      await workTrees.move(move.root, move.from, move.branch);
    }
    const left: string[] = [];
    for (const { path, before, aside, was, directories } of puts) {
      const at = await confineEntry(context, path);
      const isAside = aside !== null && (await files.stat(aside)) !== null;
      if (isAside && was) {
        const content = await readCopy(context, aside);
        if (content !== null) await writeAs(files, at, content, was);
        await files.remove(aside);
      } else {
        if ((isAside || before === null) && (await files.stat(at)) !== null) await files.remove(at);
        if (isAside) await files.rename(aside, at);
      }
      if (directories) left.push(...(await removeMade(context, directories)));
    }
    return left;
  },

  async observe(targets, context) {
    const tree = await context.workTrees.look(context.component.cwd);
    const seen: Record<string, Json> =
      tree === null || typeof tree === 'string' ? {} : { HEAD: tree.commit, branch: tree.branch === '' ? 'none' : tree.branch };
    for (const path of targets.filter((target) => target.startsWith('/'))) {
      const stat = await context.files.stat(path);
      const digest = await digestAt(context, path);
      seen[path] = stat === null ? null : { kind: stat.kind, mode: stat.mode, digest: digest === null ? '' : context.digest(digest) };
    }
    return seen;
  },
});

/** Everything that is different from that release. A text: why it must not be touched. */
async function lookAt(context: PrimitiveContext, boot: string, commit: string | null): Promise<Planned | string> {
  const { component, lastGood, workTrees } = context;
  const entries = await lastGood.entries(component.name);
  const kept = areKeptFrom(entries, boot) ? entries.filter((e) => e.kind === 'file' && isReleaseFile(component, e.path)) : [];
  if (commit === null && !areKeptFrom(entries, boot)) return `the kept copies are not of ${boot}: they show another state`;
  const tree = commit === null ? null : await workTrees.look(component.cwd);
  if (commit !== null && tree === null) return `${component.cwd} is in no git repository`;
  if (typeof tree === 'string') return `git cannot be asked: ${tree}`;
  const change = commit === null || tree === null ? null : await changeTo(context, tree, commit);
  if (typeof change === 'string') return change;
  const changed = new Map(change?.files.map((file) => [file.path, file]));
  const dirty = new Set(tree?.changed);
  const tracked = tree === null || change === null ? new Set() : await workTrees.tracked(tree.root, kept.map((e) => e.path)); // prettier-ignore
  const puts: Put[] = [];
  const told: string[] = [];
  for (const entry of kept) {
    const at = await confineEntry(context, entry.path);
    const present = await context.files.stat(at);
    if (present !== null && present.kind !== 'file') return `${at} is a ${present.kind} now, not a file: nothing is put in its place`;
    if (present !== null && present.sizeBytes > BYTES_MAX) return `${at} is larger than ${BYTES_MAX / 1024 / 1024} MiB`;
    const before = await digestAt(context, at);
    // Also what is as it was, where the commits would change it: it was not as its commit had it then.
    if (!entry.hasContent || (before === entry.digest && !changed.has(at))) continue;
    const isTracked = tracked.has(at);
    const byCommit = change !== null && changed.has(at) && !dirty.has(at);
    const content = await lastGood.content(entry);
    if (content === null) return `the kept copy of ${at} is gone`;
    const directories = present === null && !byCommit && (await context.files.stat(dirname(at))) === null ? await missingDirectories(context, dirname(at)) : null; // prettier-ignore
    if (typeof directories === 'string') return directories;
    const isAway = present !== null && !byCommit;
    const isSecret = isAway && isPrivate(context, at, present.mode);
    puts.push({
      path: at,
      before,
      digest: entry.digest,
      aside: !isAway ? null : isSecret ? await backupName(context, at, 'broken') : await brokenName(context, at),
      was: isSecret ? { uid: present.uid, gid: present.gid, mode: present.mode } : null,
      isTracked: isTracked || byCommit,
      byCommit,
      as: traitsFor(at, entry, present, null, { kind: 'directory', sizeBytes: 0, mtimeMs: 0, uid: entry.uid, gid: entry.gid, mode: 0o755 }),
      directories,
    });
    if (before !== entry.digest) told.push(await changeOf(context, at, content, before));
  }
  const move = tree === null || change === null ? null : { root: tree.root, from: tree.commit, branch: tree.branch, to: change.commit };
  if (move !== null && change !== null) {
    const places = new Set(puts.map((put) => put.path));
    const lost = change.files.find(({ path }) => dirty.has(path) && !places.has(path));
    if (lost !== undefined)
      return `${lost.path} has changes that are not committed, and a checkout would lose them: commit them or put them away`;
    for (const { path, change: kind } of change.files) {
      await confineEntry(context, path);
      if (kind === 'added' && (await context.files.stat(path)) !== null)
        return `${path} is not tracked now, and a checkout would write over it: move it away`;
    }
    told.unshift(wordsOf(move, change));
  }
  const data = await dataAmong(context, [...puts.map(({ path }) => path), ...(change?.files ?? []).map(({ path }) => path)], change);
  if (data !== null) return data;
  return { boot, move, puts, change, told };
}

/**
 * Why one of these files is data and no part of a release: git knows nothing of SQLite, and would put an earlier database under
 * a process that has the newer one open, or beside a log that is not its own.
 * @see https://www.sqlite.org/howtocorrupt.html, sections 1.3 and 1.4
 */
async function dataAmong(context: PrimitiveContext, paths: readonly string[], change: CommitChange | null): Promise<string | null> {
  const { files } = context;
  for (const path of paths) {
    const tie = await tieToDatabase(files, path);
    if (tie !== null) return tie;
    if ((change?.databases.includes(path) ?? false) || (await isDatabaseFile(files, path)))
      return `${path} is a SQLite database, and a checkout would put another one in its place: take it out of version control, or go back by hand`;
  }
  const [held] = await writersOf(files, paths);
  return held === undefined ? null : `process ${held[1]} has ${held[0]} open and may write to it: stop it first`;
}

/** Null when it is there already. */
async function changeTo(context: PrimitiveContext, tree: WorkTree, commit: string): Promise<CommitChange | string | null> {
  if (tree.commit === '') return `${tree.root} has no commit yet`;
  if (tree.commit.startsWith(commit)) return null;
  if (tree.underWay !== null) return `${tree.underWay} is under way in ${tree.root}: finish it, or give it up`;
  const change = await context.workTrees.between(tree.root, tree.commit, commit);
  if (typeof change === 'string') return change;
  if (tree.staged.length > 0) return `${listed(tree.staged)} is noted for the next commit in ${tree.root}: commit it, or take it back`;
  return change;
}

async function treeOf(context: PrimitiveContext, move: Move): Promise<WorkTree> {
  const tree = await context.workTrees.look(move.root);
  if (tree === null || typeof tree === 'string')
    throw new UndoRefused('roll_back_release', `${move.root} cannot be looked at: ${tree ?? 'it is no git repository any more'}`);
  if (tree.underWay !== null) throw new UndoRefused('roll_back_release', `${tree.underWay} is under way in ${move.root}`);
  return tree;
}

function wordsOf({ root, from, to, branch }: Move, { files, without, withoutCount }: CommitChange): string {
  const shown = without.slice(0, SUBJECTS_SHOWN);
  const more = withoutCount - shown.length;
  const commits = shown.length === 0 ? '' : `, without ${shown.join(' | ')}${more > 0 ? ` and ${more} more commits` : ''}`;
  const where = branch === '' ? '' : ` (branch ${branch} stays where it is)`;
  const changes = files.length === 0 ? '' : `, which changes ${listed(files.map((f) => f.path.slice(root.length + 1)))}`;
  return `check out ${to.slice(0, COMMIT_CHARS)} instead of ${from.slice(0, COMMIT_CHARS)}${where}${commits}${changes}`;
}

function nameOfNewer({ branch, from }: Move): string {
  return branch === '' ? from.slice(0, COMMIT_CHARS) : `${from.slice(0, COMMIT_CHARS)} (${branch})`;
}

/** What becomes of one file, without a word of what is in it; variables are named. */
async function changeOf(context: PrimitiveContext, path: string, content: Uint8Array, before: string | null): Promise<string> {
  const now = before === null ? null : await context.files.readText(path, BYTES_MAX);
  if (now === null) return `put ${path} back, which is gone`;
  const then = new TextDecoder().decode(content);
  if (isEnvFile(context.component, path)) {
    const [old, present] = [parseEnv(then), parseEnv(now)];
    const names = [...new Set([...Object.keys(old), ...Object.keys(present)])].filter((name) => old[name] !== present[name]);
    return `put ${path} back (${names.length === 0 ? 'the same variables' : `other values: ${listed(names, KEYS_SHOWN)}`})`;
  }
  const [lines, presentLines] = [linesOf(then), linesOf(now)];
  const back = [...lines].filter((line) => !presentLines.has(line)).length;
  const gone = [...presentLines].filter((line) => !lines.has(line)).length;
  return `put ${path} back (${gone} lines go, ${back} come back)`;
}

function linesOf(text: string): ReadonlySet<string> {
  return new Set(text.split('\n'));
}

/** Names of files that are kept beside another differ with the time, and so does nothing else. */
function isSame(a: Rollback, b: Rollback): boolean {
  const plain = ({ move, puts }: Rollback): string =>
    JSON.stringify([move, puts.map(({ path, before, digest }) => [path, before, digest])]);
  return plain(a) === plain(b);
}

async function digestAt(context: PrimitiveContext, path: string): Promise<string | null> {
  if ((await context.files.stat(path))?.kind !== 'file') return null;
  const content = await context.files.read(path);
  return content === null ? null : sha256Hex(content);
}

function asEntry({ path, digest, as }: Put): LastGoodEntry {
  return { path, kind: 'file', ...as, sizeBytes: 0, digest, hasContent: true, bootId: '' };
}

function listed(names: readonly string[], max = FILES_SHOWN): string {
  return names.length <= max ? names.join(', ') : `${names.slice(0, max).join(', ')} and ${names.length - max} more`;
}
