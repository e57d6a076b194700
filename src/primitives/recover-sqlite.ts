import { basename } from 'node:path';
import { sha256Hex, type Json } from '../kernel/index.ts';
import type { LastGoodEntry, PrimitiveContext } from '../domains/playbooks/index.ts';
import { confineEntry, confineTarget } from './confinement.ts';
import { brokenName, copyTree, sameContent, writeAs } from './aside.ts';
import { bootTimeMs } from './boot-time.ts';
import { PrimitiveFailed } from './errors.ts';
import { holderOf, pendingLog } from './database-in-use.ts';
import { traitsFor, type OwnerAndMode } from './owner-and-mode.ts';
import { siblingBackups } from './sibling-backups.ts';
import { hasWholeSqliteHeader, isWholeSqlite, quickCheck, SQLITE_PARTS } from './sqlite-file.ts';
import { definePrimitive } from './define-primitive.ts';
import { text } from './parameter.ts';

type Recovery = {
  readonly path: string;
  /** Name under which the broken database and its WAL are kept, so that SQLite can still open both together. */
  readonly aside: string;
  /** Which of its files there were, by suffix. */
  readonly parts: readonly string[];
  /** Size and time of each part when it was planned: only those are moved aside. */
  readonly seen: readonly string[];
  readonly source: string | null;
  readonly digest: string | null;
  readonly as: OwnerAndMode;
};

export const recoverSqlite = definePrimitive({
  name: 'recover_sqlite',
  description: 'Puts the newest whole copy in the place of a corrupt SQLite database and keeps the broken one with its WAL.',
  risk: 'medium',

  parameters: {
    path: text('The database file.'),
  },
  confinement: 'the directories of the component, links followed; no database that a process has open, no live WAL',

  async plan({ path }, context) {
    const { files, component, lastGood } = context;
    const at = await confineTarget(context, path);
    const parts: string[] = [];
    for (const suffix of SQLITE_PARTS) {
      const stat = await files.stat(at + suffix);
      if (stat !== null && stat.kind !== 'file') return { state: 'refused', reason: `${at}${suffix} is a ${stat.kind}, not a file` };
      if (stat !== null) parts.push(suffix);
    }
    const holder = await holderOf(files, at);
    if (holder !== null) return { state: 'refused', reason: `process ${holder} holds ${at} open: stop it first` };
    const hasLog = (await pendingLog(files, at)) !== null;
    if (parts.includes('') && (await hasWholeSqliteHeader(files, at))) {
      if (!hasLog && (await quickCheck(context, at)) === true) return { state: 'nothing_to_do', summary: `${at} is whole` };
    }
    const entry = await lastGood.entry(component.name, at);
    const source = await newestWhole(context, at, entry);
    if (source === null) return { state: 'refused', reason: `there is no whole copy of ${at}: neither from a good boot nor beside it` };
    const directory = await files.stat(at.slice(0, at.lastIndexOf('/')) || '/');
    if (directory === null) return { state: 'refused', reason: `the directory of ${at} is not there` };
    const undo: Recovery = {
      path: at,
      aside: await brokenName(context, at),
      parts,
      seen: await stampsOf(context, at),
      source: source.path,
      digest: source.path === null ? sha256Hex(source.content) : null,
      as: traitsFor(at, entry, await files.stat(at), source.path === null ? null : await files.stat(source.path), directory),
    };
    const kept = parts.length > 0 ? `, keep the present one as ${basename(undo.aside)}` : '';
    return {
      state: 'ready',
      summary: `put ${at} back from ${source.path ?? 'the copy of the last good boot'}${kept}`,
      targets: parts.map((suffix) => at + suffix),
      undo: undo as Json,
    };
  },

  async apply(_params, context, record) {
    const { path, aside, parts, seen, source, digest, as } = record as unknown as Recovery;
    const { files } = context;
    await confineEntry(context, path);
    const holder = await holderOf(files, path);
    if (holder !== null) throw new PrimitiveFailed('recover_sqlite', `process ${holder} holds ${path} open now`);
    if (parts.includes('') && (await pendingLog(files, path)) !== null && (await isWholeWithLog(context, path, parts)))
      throw new PrimitiveFailed('recover_sqlite', `${path} is whole once its log is applied: it is left alone`);
    // Longer, shorter or younger than planned: somebody writes to it, and what was judged corrupt is not what is there.
    if (JSON.stringify(await stampsOf(context, path)) !== JSON.stringify(seen))
      throw new PrimitiveFailed('recover_sqlite', `${path} changed while this was being prepared`, { retryable: true });
    // Logs first: a database that an application makes anew beside an old WAL would throw that WAL away.
    for (const suffix of parts) if ((await files.stat(path + suffix)) !== null) await files.rename(path + suffix, aside + suffix);
    try {
      await putBack(context, path, source, digest, as);
    } catch (error) {
      if ((await files.stat(path)) === null) await backFromAside(context, path, aside, parts);
      throw error;
    }
    return { summary: `put ${path} back; the broken one is ${basename(aside)}`, changed: [path, ...parts.map((suffix) => aside + suffix)] };
  },

  async undo(record, context) {
    const { path, aside, parts, source, digest } = record as unknown as Recovery;
    const { files } = context;
    await confineEntry(context, path);
    if (await isAnyThere(context, aside, parts)) {
      const isDatabaseMoved = parts.includes('') && (await files.stat(aside)) !== null;
      const present = isDatabaseMoved || !parts.includes('') ? await files.stat(path) : null;
      if (present !== null && !(await isRestored(context, path, source, digest)))
        return [`${path} was written to after it had been put back, and stays; the one from before is ${aside}`];
      const holder = isDatabaseMoved || present !== null ? await holderOf(files, path) : null;
      if (holder !== null) return [`process ${holder} holds ${path} open, and it stays; the one from before is ${aside}`];
      // With another database in its place no log can be the old one's: its own are moved back after it.
      const isReplaced = isDatabaseMoved || present !== null;
      for (const suffix of ['-wal', '-journal']) {
        if (((await files.stat(path + suffix))?.sizeBytes ?? 0) > 0 && (isReplaced || (await files.stat(aside + suffix)) !== null))
          return [`${path}${suffix} holds changes that came after, and stays; the one from before is ${aside}`];
      }
      // Only logs were there: they are never put beside a database that is not theirs.
      if (!parts.includes('') && present !== null) await files.remove(path);
      await backFromAside(context, path, aside, parts);
    } else if (parts.length === 0 && (await isRestored(context, path, source, digest))) {
      const log = await pendingLog(files, path);
      if (log !== null) return [`${log} holds changes that came after: it and ${path} stay`];
      await files.remove(path); // nothing was there before; its source still is
    }
    await files.remove(`${path}.grace-tmp`);
    return [];
  },
});

/** Size and time of each of its files, by suffix. */
async function stampsOf(context: PrimitiveContext, at: string): Promise<readonly string[]> {
  const stamps: string[] = [];
  for (const suffix of SQLITE_PARTS) {
    const stat = await context.files.stat(at + suffix);
    if (stat !== null) stamps.push(`${suffix} ${stat.sizeBytes} ${stat.mtimeMs}`);
  }
  return stamps;
}

/** A WAL can mend what looks corrupt without it: tried on a copy, since opening would change the original. */
async function isWholeWithLog(context: PrimitiveContext, at: string, parts: readonly string[]): Promise<boolean> {
  const { files, host } = context;
  const command = await host.findCommand('sqlite3', (await context.env())['PATH'] ?? '/usr/local/bin:/usr/bin:/bin');
  if (command === null) return false;
  const dir = `${context.backupDir}/sqlite-check.grace-tmp`;
  await files.removeTree(dir);
  try {
    await files.makeDir(dir, { mode: 0o700 });
    for (const suffix of parts) if (suffix !== '-shm') await copyTree(files, at + suffix, `${dir}/copy.db${suffix}`);
    const result = await context.run([command, '-batch', '-init', '/dev/null', `${dir}/copy.db`, 'PRAGMA quick_check(1);'], {
      timeoutMs: 60_000,
    });
    return result.exitCode === 0 && result.stdout.trim() === 'ok';
  } finally {
    await files.removeTree(dir);
  }
}

type Source = { readonly path: string } | { readonly path: null; readonly content: Uint8Array };

async function newestWhole(context: PrimitiveContext, at: string, entry: LastGoodEntry | null): Promise<Source | null> {
  const { files, lastGood } = context;
  const content = entry?.kind === 'file' && entry.hasContent ? await lastGood.content(entry) : null;
  const kept: Source | null = content !== null && isWholeSqlite(content, content.length) ? { path: null, content } : null;
  const keptAtMs = kept === null || entry === null ? 0 : bootTimeMs(entry.bootId);
  for (const backup of await siblingBackups(files, at)) {
    if (kept !== null && backup.mtimeMs <= keptAtMs) break;
    const log = await files.stat(`${backup.path}-wal`);
    if ((log?.sizeBytes ?? 0) > 0 || (await sameContent(files, backup.path, at))) continue;
    if ((await hasWholeSqliteHeader(files, backup.path)) && (await quickCheck(context, backup.path)) !== false)
      return { path: backup.path };
  }
  return kept;
}

async function putBack(
  context: PrimitiveContext,
  path: string,
  source: string | null,
  digest: string | null,
  as: OwnerAndMode,
): Promise<void> {
  const { files, component, lastGood } = context;
  if (source !== null) {
    const half = `${path}.grace-tmp`;
    await files.copy(await confineTarget(context, source), half);
    await files.chown(half, as.uid, as.gid).catch(() => undefined); // not root: it stays ours
    await files.chmod(half, as.mode);
    await files.rename(half, path);
    return;
  }
  const entry = await lastGood.entry(component.name, path);
  const content = entry === null ? null : await lastGood.content(entry);
  if (content === null || sha256Hex(content) !== digest)
    throw new PrimitiveFailed('recover_sqlite', `the copy of ${path} changed while this was being prepared`, { retryable: true });
  await writeAs(files, path, content, as);
}

async function isRestored(context: PrimitiveContext, path: string, source: string | null, digest: string | null): Promise<boolean> {
  if (source !== null) return sameContent(context.files, path, source);
  const content = await context.files.read(path);
  return content !== null && sha256Hex(content) === digest;
}

async function isAnyThere(context: PrimitiveContext, aside: string, parts: readonly string[]): Promise<boolean> {
  for (const suffix of parts) if ((await context.files.stat(aside + suffix)) !== null) return true;
  return false;
}

/** The database first: its logs then never stand beside another one. */
async function backFromAside(context: PrimitiveContext, path: string, aside: string, parts: readonly string[]): Promise<void> {
  for (const suffix of parts.toReversed())
    if ((await context.files.stat(aside + suffix)) !== null) await context.files.rename(aside + suffix, path + suffix);
}
