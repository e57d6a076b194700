import { basename, relative } from 'node:path';
import type { ComponentState, PathTrace } from './component-state.ts';
import { compareFingerprints, type FingerprintChange } from './fingerprint-changes.ts';
import { PASSING } from './last-good-keeper.ts';

/** What is different between a state that failed and one that works, in the terms in which it can be brought about again. */
export type StateDifference =
  | { readonly kind: 'fingerprint'; readonly change: FingerprintChange }
  | {
      readonly kind: 'path';
      readonly path: string;
      readonly aspect: 'content' | 'made' | 'removed' | 'traits';
      readonly before: PathTrace | null;
      readonly now: PathTrace | null;
    }
  | { readonly kind: 'env_key'; readonly file: string; readonly key: string; readonly change: FingerprintChange['change'] }
  | { readonly kind: 'reachable'; readonly address: string };

export interface ComparedStates {
  /** The same failure, oldest first; the last one is what was mended. */
  readonly failed: readonly ComponentState[];
  /** How it failed in another way after that, oldest first: what had mended the first failure was there by then. */
  readonly later: readonly ComponentState[];
  readonly good: ComponentState;
  readonly cwd: string;
  /** What the commits between the two touched, absolute: the commit says it all. Null when that is not known. */
  readonly touched: readonly string[] | null;
  /** When the process that works now was started: what was written later was written by it. Null for adopted ones. */
  readonly launchedAtMs: number | null;
  /** Paths that differ between good boots as well. */
  readonly restless: ReadonlySet<string>;
  /** Whether the failure itself speaks of a path: then it counts, however often it changes. */
  isNamed(path: string): boolean;
}

/** Variables that tell who started Grace and from where, not how the service works. */
const PERSONAL =
  /^(?:HOSTNAME|HOME|USER|LOGNAME|SHELL|MAIL|DISPLAY|XDG_|DBUS_|WAYLAND|GNOME|KDE|DESKTOP|EDITOR|VISUAL|PAGER|LESS|LS_COLORS|HIST|PS1|PROMPT|INVOCATION_ID|JOURNAL_STREAM|SYSTEMD_|SUDO_|COLORTERM|FORCE_COLOR|NO_COLOR|CI$|GITHUB_|VSCODE_|LC_TERMINAL)/;

/** What made the difference may be among these; what changes by itself, or was so in an earlier failure, is not. */
export function stateDifferences(c: ComparedStates): readonly StateDifference[] {
  const last = c.failed.at(-1);
  if (last === undefined) return [];
  const found = differencesOf(last, c.good, c);
  // Tried before, and it failed all the same: that is not what mended it.
  const earlier = c.failed.slice(0, -1).map((state) => new Set(differencesOf(state, c.good, c).map(keyOf)));
  const untried = narrowed(found, (d) => earlier.every((differed) => differed.has(keyOf(d))));
  // What came only after it had failed in another way was for that other failure.
  const [next] = c.later;
  if (next === undefined) return untried;
  const byThen = new Set(differencesOf(last, next, { ...c, launchedAtMs: null }).map(keyOf));
  return narrowed(untried, (d) => byThen.has(keyOf(d)));
}

/** Those that fit, unless none does: then the question was too sharp. */
function narrowed(found: readonly StateDifference[], fits: (d: StateDifference) => boolean): readonly StateDifference[] {
  const left = found.filter(fits);
  return left.length > 0 ? left : found;
}

/** Whether nothing happened between two failures that anybody would count. */
export function isSameState(a: ComponentState, b: ComponentState, cwd: string): boolean {
  const alike = {
    failed: [a],
    later: [],
    good: b,
    cwd,
    touched: null,
    launchedAtMs: null,
    restless: new Set<string>(),
    isNamed: () => false,
  };
  return stateDifferences(alike).length === 0;
}

function differencesOf(before: ComponentState, now: ComponentState, c: ComparedStates): readonly StateDifference[] {
  const paths = pathDifferences(before, now, c);
  const envKeys = envKeyDifferences(before, now);
  const inFiles = new Set(
    [before, now].flatMap(({ envKeys: files }, i) =>
      Object.entries(files).flatMap(([file, keys]) => {
        const others = (i === 0 ? now : before).envKeys[file] ?? {};
        return Object.keys(keys).flatMap((key) => (others[key] === keys[key] ? [] : [`${now.component}: ${key}`]));
      }),
    ),
  );
  const fingerprint = compareFingerprints(before.fingerprint, now.fingerprint).filter(
    ({ kind, subject }) =>
      kind !== 'file' && // told by the paths
      !(kind === 'git' && subject.startsWith('changed ')) &&
      !(
        kind === 'env' &&
        (inFiles.has(subject) || !subject.startsWith(`${now.component}: `) || PERSONAL.test(subject.slice(now.component.length + 2)))
      ) &&
      !(kind === 'command' && subject !== now.component) &&
      !(kind === 'machine' && subject === 'grace_node'),
  );
  const reachable = Object.entries(now.reachable).flatMap(([address, isUp]): readonly StateDifference[] =>
    isUp && before.reachable[address] === false ? [{ kind: 'reachable', address }] : [],
  );
  return [...paths, ...envKeys, ...fingerprint.map((change) => ({ kind: 'fingerprint', change }) as const), ...reachable];
}

function pathDifferences(before: ComponentState, now: ComponentState, c: ComparedStates): readonly StateDifference[] {
  const found: StateDifference[] = [];
  const commits = [before, now].map((s) => s.fingerprint.parts.git?.['commit']);
  const byCommit = new Set(commits[0] === commits[1] ? [] : (c.touched ?? []));
  for (const path of new Set([...Object.keys(before.paths), ...Object.keys(now.paths)])) {
    const [was, is] = [before.paths[path] ?? null, now.paths[path] ?? null];
    if (byCommit.has(path) || isAlike(was, is)) continue;
    if (!isLock(path) && !c.isNamed(path)) {
      const isWrittenSince = is !== null && c.launchedAtMs !== null && is.mtimeMs >= c.launchedAtMs && !isSameBut(was, is);
      if (isWrittenSince || c.restless.has(path) || PASSING.test(relative(c.cwd, path))) continue;
    }
    // Its variables are told one by one.
    if (was !== null && is !== null && was.digest !== is.digest && before.envKeys[path] !== undefined && now.envKeys[path] !== undefined)
      continue;
    const aspect = was === null ? 'made' : is === null ? 'removed' : isSameBut(was, is) ? 'traits' : 'content';
    // Below what came or went as a whole, the whole is what was done.
    if ((aspect === 'made' || aspect === 'removed') && isBelowAnother(path, aspect, before, now, c.launchedAtMs)) continue;
    found.push({ kind: 'path', path, aspect, before: was, now: is });
  }
  return found;
}

/** A lock or pid file: that it is gone means something, unlike that another passing file is. */
export function isLock(path: string): boolean {
  return (
    /(?:\.pid|\.lock|\.lck|^lock|^\.lock|lockfile)$/i.test(basename(path)) && !/(?:yarn|gemfile|cargo|poetry|pipfile|uv)\.lock$/i.test(path)
  );
}

function isAlike(a: PathTrace | null, b: PathTrace | null): boolean {
  if (a === null || b === null) return a === b;
  return a.kind === b.kind && a.digest === b.digest && a.mode === b.mode && a.uid === b.uid && a.gid === b.gid;
}

/** The same thing with another owner or mode. */
function isSameBut(a: PathTrace | null, b: PathTrace | null): boolean {
  return a !== null && b !== null && a.kind === b.kind && a.digest === b.digest;
}

/** Files in a directory that was made are told by themselves: they have to be put back one by one. What went, went as a whole. */
function isBelowAnother(
  path: string,
  aspect: 'made' | 'removed',
  before: ComponentState,
  now: ComponentState,
  launchedAtMs: number | null,
): boolean {
  const parent = path.slice(0, path.lastIndexOf('/'));
  if (aspect === 'removed') return before.paths[parent] !== undefined && now.paths[parent] === undefined;
  return (
    now.paths[path]?.kind === 'directory' &&
    Object.entries(now.paths).some(
      ([other, trace]) =>
        other.startsWith(`${path}/`) && trace.kind === 'file' && trace.digest !== '' && trace.mtimeMs < (launchedAtMs ?? Infinity),
    )
  );
}

function envKeyDifferences(before: ComponentState, now: ComponentState): readonly StateDifference[] {
  return Object.entries(now.envKeys).flatMap(([file, keys]): readonly StateDifference[] => {
    const old = before.envKeys[file];
    if (old === undefined) return []; // the whole file came
    return [...new Set([...Object.keys(old), ...Object.keys(keys)])].flatMap((key): readonly StateDifference[] => {
      if (old[key] === keys[key]) return [];
      const change = old[key] === undefined ? 'added' : keys[key] === undefined ? 'removed' : 'changed';
      return [{ kind: 'env_key', file, key, change }];
    });
  });
}

function keyOf(d: StateDifference): string {
  switch (d.kind) {
    case 'fingerprint':
      return `${d.change.kind} ${d.change.subject}`;
    case 'path':
      return `path ${d.path}`;
    case 'env_key':
      return `env_key ${d.file} ${d.key}`;
    case 'reachable':
      return `reachable ${d.address}`;
  }
}
