import { join } from 'node:path';
import type { FileStat } from '../../kernel/index.ts';
import type { Fact } from '../../domains/incidents/index.ts';
import { factsOf, type CaseFile, type Diagnosis, type FailureFamily } from '../../domains/learning/index.ts';
import type { LastGoodEntry } from '../../domains/playbooks/index.ts';
import { CAREFUL, diagnosis, failsToWork, LIKELY, PERHAPS, PLAUSIBLE, remedy, step, SURE, WORDS_ONLY } from './answer.ts';
import { isExplainedElsewhere } from './config-corrupt.ts';
import { findBelow } from './find-file.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { pathsConfigured } from './missing-part.ts';
import { absolutePath, basename, dirname, driftPath, isBelow, isOwn, looksLikeDirectory, shownPath, slugOf } from './places.ts';

/** Children looked at, to see whether a wrong owner goes all the way down. */
const CHILDREN_MAX = 40;
const WORLD_WRITE = 0o002;

interface Traits {
  readonly uid?: number;
  readonly gid?: number;
  readonly mode?: number;
}

/** A file or directory of the service's own belongs to the wrong user, or lost a right. Never more rights than before. */
export const permissionDenied: FailureFamily = {
  name: 'permission_denied',
  title: 'access to a path is denied',
  async diagnose(c) {
    const found = new Map<string, Diagnosis>();
    for (const fact of factsOf(c, 'permission_denied')) {
      for (const path of await placesOf(c, fact)) {
        const answer = await diagnosePath(c, path, fact.line);
        if (answer !== null) found.set(answer.cause, answer);
        if (answer?.remedy) break;
      }
    }
    if (!failsToWork(c) || [...found.values()].some((d) => d.remedy !== null)) return [...found.values()];
    const drifted = c.drift
      .filter((d) => d.kind === 'owner' || d.kind === 'mode')
      .map((d) => ({ path: driftPath(c.component, d) ?? '', message: d.message }))
      .filter((d) => isOwn(c.component, d.path))
      .toSorted((a, b) => a.path.length - b.path.length);
    const top = drifted.filter((d) => !drifted.some((other) => other.path !== d.path && isBelow(other.path, d.path)));
    const isSaid = factsOf(c, 'permission_denied').length > 0;
    for (const { path, message } of top.slice(0, 3)) {
      const traits = await traitsAtLastGood(c, path);
      if (traits === null) continue;
      const confidence = isSaid ? LIKELY : isExplainedElsewhere(c) ? 0.4 : isBelow(path, c.component.cwd) ? 0.5 : PLAUSIBLE;
      found.set(path, await restoringTraits(c, path, traits, [message], confidence, true));
    }
    if (found.size === 0 && !isExplainedElsewhere(c))
      for (const path of await unwritable(c)) {
        const mine = await traitsOfItsUser(c, path);
        const line = `${shownPath(c.component, path)} cannot be written by the user that ${c.component.name} runs as`;
        if (mine !== null) found.set(path, await restoringTraits(c, path, mine, [line], SUSPECTED, false));
      }
    return [...found.values()];
  },
  guard: (g) => guardOfSteps('permission_denied', g),
};

/** Some programs swallow what the system says; tried when nothing else explains why it does not work. */
const SUSPECTED = 0.5;
/** Directories that services write to; those that they only serve may well belong to somebody else. */
const WRITTEN_TO = /^(?:data|db|storage|store|uploads?|var|mails?|queue|state|spool)$|[-_.](?:data|dir)$/i;

/** Data directories that the command or the configuration names, and the user it runs as may not write. */
async function unwritable(c: CaseFile): Promise<readonly string[]> {
  const { runsAs } = c;
  if (runsAs === null || runsAs.uid === 0) return [];
  const named = c.component.command.map((word) =>
    absolutePath(c.component, word.startsWith('-') ? word.slice(word.indexOf('=') + 1) : word),
  );
  const found: string[] = [];
  for (const path of new Set([...named, ...(await pathsConfigured(c, ''))])) {
    if (path === null || !isOwn(c.component, path) || !WRITTEN_TO.test(basename(path))) continue;
    const stat = await c.files.stat(path);
    if (stat?.kind !== 'directory' || stat.uid === runsAs.uid) continue;
    const mayWrite = stat.gid === runsAs.gid ? 0o020 : 0o002;
    if ((stat.mode & mayWrite) === 0) found.push(path);
  }
  return found;
}

/** Where the path that a message names may lie: some name a file without its directory, and some name nothing. */
async function placesOf(c: CaseFile, fact: Fact): Promise<readonly string[]> {
  const path = absolutePath(c.component, fact.subject);
  if (path !== null && (fact.subject.includes('/') || (await c.files.stat(path)) !== null)) return [path];
  const name = /^[\w@+-][\w@+.-]*\.[\w.-]+$/.test(fact.subject) ? fact.subject : null;
  const below = name === null ? [] : await findBelow(c.files, c.component.roots, (at) => basename(at) === name, 2);
  if (below.length === 1) return below;
  // `root`: some say what they are denied as, not what. Their configuration says where they write.
  const configured: string[] = [];
  for (const at of await pathsConfigured(c, ''))
    if (isOwn(c.component, at) && looksLikeDirectory(at) && (await c.files.stat(at))?.kind === 'directory') configured.push(at);
  if (configured.length > 0) return configured;
  return path !== null && name !== null ? [path] : [];
}

async function diagnosePath(c: CaseFile, path: string, line: string): Promise<Diagnosis | null> {
  const shown = shownPath(c.component, path);
  const chain: string[] = [];
  for (let at = path; isOwn(c.component, at); at = dirname(at)) if ((await c.files.stat(at)) !== null) chain.push(at);
  const nearest = chain[0];
  if (nearest === undefined)
    return diagnosis('permission_denied', {
      cause: `${c.component.name} may not use ${shown}, which lies outside of what belongs to it`,
      confidence: PERHAPS,
      evidence: [line],
      advice: [`give the user of ${c.component.name} access to ${shown}, or correct the setting that names it`],
    });
  for (const at of chain) {
    const traits = await traitsAtLastGood(c, at);
    if (traits !== null) return restoringTraits(c, at, traits, [line], SURE, true);
  }
  // Of a whole tree that was put back by another user, the top: file by file would fail once for each.
  for (const at of [...chain.filter((dir) => looksLikeDirectory(dir)).toReversed(), nearest]) {
    const mine = await traitsOfItsUser(c, at);
    if (mine !== null) return restoringTraits(c, at, mine, [line], 0.75, false);
  }
  const isKnown = (await c.lastGood.entry(c.component.name, nearest)) !== null;
  const traits = isKnown ? null : await traitsOfNeighbours(c, nearest);
  if (traits !== null) return restoringTraits(c, nearest, traits, [line], 0.7, false);
  return diagnosis('permission_denied', {
    cause: `${c.component.name} may not use ${shown}${isKnown ? ', though owner and mode are as at the last good boot: it may run as another user now' : ''}`,
    confidence: WORDS_ONLY,
    evidence: [line],
    advice: [`see which user runs ${c.component.name}, and give that user ${shown}`],
  });
}

async function restoringTraits(
  c: CaseFile,
  path: string,
  traits: Traits,
  evidence: readonly string[],
  confidence: number,
  isKnown: boolean,
): Promise<Diagnosis> {
  const shown = shownPath(c.component, path);
  const stat = await c.files.stat(path);
  const isOwner = traits.uid !== undefined || traits.gid !== undefined;
  const recursive = stat?.kind === 'directory' && (await goesDown(c, path, stat, traits));
  const owner = stat === null ? 'another user' : await c.host.userName(stat.uid);
  const name = `give ${shown} its ${isOwner ? 'owner' : ''}${isOwner && traits.mode !== undefined ? ' and ' : ''}${traits.mode !== undefined ? 'mode' : ''} back`;
  return diagnosis('permission_denied', {
    cause: isOwner
      ? `${shown} belongs to ${owner} instead of ${traits.uid === undefined ? 'its group' : await c.host.userName(traits.uid)}`
      : `${shown} has mode ${(stat?.mode ?? 0).toString(8)} instead of ${(traits.mode ?? 0).toString(8)}`,
    confidence,
    evidence,
    remedy: remedy(`restore_permissions_${slugOf(c.component, path)}`, name, CAREFUL, [
      step(
        name,
        'restore_permissions', // Without values each path gets back what it had itself.
        { path, ...(isKnown ? {} : traits), ...(recursive ? { recursive } : {}) },
      ),
    ]),
    advice: [name],
  });
}

/** What differs from the last good boot; null when nothing does. Writable for everybody is never brought back. */
async function traitsAtLastGood(c: CaseFile, path: string): Promise<Traits | null> {
  const [entry, stat] = [await c.lastGood.entry(c.component.name, path), await c.files.stat(path)];
  if (entry === null || stat === null || entry.kind !== stat.kind || stat.kind === 'symlink') return null;
  const mode = entry.mode & (stat.mode | ~WORLD_WRITE) & 0o3777;
  const traits: Traits = {
    ...(entry.uid !== stat.uid ? { uid: entry.uid } : {}),
    ...(entry.gid !== stat.gid ? { gid: entry.gid } : {}),
    ...(mode !== (stat.mode & 0o3777) ? { mode } : {}),
  };
  return Object.keys(traits).length === 0 ? null : traits;
}

/**
 * A data directory that the user it runs as cannot use: that user becomes its owner. Never the component's whole
 * directory, and never installed packages: a service has no business owning its own code.
 */
async function traitsOfItsUser(c: CaseFile, path: string): Promise<Traits | null> {
  const { runsAs } = c;
  const stat = await c.files.stat(path);
  if (runsAs === null || runsAs.uid === 0 || stat === null || stat.kind !== 'directory' || stat.uid === runsAs.uid) return null;
  if (path === c.component.cwd || c.component.roots.includes(path) || path.includes('/node_modules')) return null;
  return { uid: runsAs.uid, gid: runsAs.gid };
}

/** Without a last good boot: the owner that the things around it have, and the owner's own rights. */
async function traitsOfNeighbours(c: CaseFile, path: string): Promise<Traits | null> {
  const stat = await c.files.stat(path);
  const parent = await c.files.stat(dirname(path));
  if (stat === null || parent === null || (stat.kind !== 'file' && stat.kind !== 'directory')) return null;
  const around: FileStat[] = [parent];
  for (const name of (await c.files.list(dirname(path))).slice(0, CHILDREN_MAX)) {
    const other = name === basename(path) ? null : await c.files.stat(join(dirname(path), name));
    if (other !== null && other.kind !== 'symlink') around.push(other);
  }
  const owners = new Map<string, number>();
  for (const one of around) owners.set(`${one.uid}:${one.gid}`, (owners.get(`${one.uid}:${one.gid}`) ?? 0) + 1);
  const [usual, votes] = [...owners].toSorted((a, b) => b[1] - a[1])[0] ?? ['', 0];
  const [uid, gid] = usual.split(':').map(Number);
  if (uid !== undefined && gid !== undefined && uid !== stat.uid && votes * 2 > around.length) return { uid, gid };
  const own = stat.kind === 'directory' ? 0o700 : 0o600;
  return (stat.mode & own) === own ? null : { mode: (stat.mode | own) & 0o775 };
}

async function goesDown(c: CaseFile, path: string, stat: FileStat, traits: Traits): Promise<boolean> {
  for (const name of (await c.files.list(path)).slice(0, CHILDREN_MAX)) {
    const child = await c.files.stat(join(path, name));
    if (child === null) continue;
    const entry = await c.lastGood.entry(c.component.name, join(path, name));
    if (traits.uid !== undefined && child.uid === stat.uid && entry?.uid !== child.uid) return true;
    if (isChanged(entry, child)) return true;
    if (traits.gid !== undefined && child.gid === stat.gid && entry?.gid !== child.gid) return true;
  }
  return false;
}

function isChanged(entry: LastGoodEntry | null, child: FileStat): boolean {
  return (
    entry !== null &&
    entry.kind === child.kind &&
    child.kind !== 'symlink' &&
    (entry.uid !== child.uid || entry.gid !== child.gid || entry.mode !== child.mode)
  );
}
