import { basename, dirname, join, resolve } from 'node:path';
import { sha256Hex, type FileStat, type Json } from '../kernel/index.ts';
import type { LastGoodEntry, PrimitiveContext, PrimitivePlan } from '../domains/playbooks/index.ts';
import { confineEntry, confineTarget } from './confinement.ts';
import { backupName, brokenName, equalBytes, isPutAside, writeAs } from './aside.ts';
import { contentValidity } from '../catalog/content-validity.ts';
import { bootTimeMs } from './boot-time.ts';
import { holderOf, isDatabaseFile, pendingLog } from './database-in-use.ts';
import { PrimitiveFailed } from './errors.ts';
import { isPrivate, keepCopy, readCopy } from './kept-copy.ts';
import { makeMissing, missingDirectories, removeMade, type MissingDirectories } from './make-directory.ts';
import { traitsFor, type OwnerAndMode } from './owner-and-mode.ts';
import { siblingBackups } from './sibling-backups.ts';
import { hasSqliteLogMagic, hasSqliteMagic, isWholeSqlite, quickCheck, SQLITE_PARTS } from './sqlite-file.ts';
import { isSqlitePart, sqlitePartRefusal } from './sqlite-part.ts';
import { definePrimitive } from './define-primitive.ts';
import { optional, text } from './parameter.ts';

type Restore = {
  readonly path: string;
  /** Where the broken one is kept; null when nothing was there. */
  readonly aside: string | null;
  /** How it was, where it holds secrets and is sealed in `aside`; null or left out where it is moved there as it is. */
  readonly was?: OwnerAndMode | null;
  /** What the plan saw in its place; only that is moved aside. */
  readonly seen: string | null;
  /** A backup file; null: the copy of the last good boot. */
  readonly source: string | null;
  /** SHA-256 of what is put back, or the target of a link. */
  readonly digest: string;
  readonly link: boolean;
  readonly as: OwnerAndMode;
  readonly directories: MissingDirectories | null;
};

/** Larger files are data, and want a tool that knows them. */
const BYTES_MAX = 64 * 1024 * 1024;

export const restoreFile = definePrimitive({
  name: 'restore_file',
  description: 'Puts back the newest good copy of a file and keeps the broken one beside it.',
  risk: 'medium',

  parameters: {
    path: text('The file to put back.'),
    from: optional(text('The copy to take; the newest good one when it is left out.')),
  },
  confinement:
    'the directories of the component, links followed; no database that a process has open, none with a log of SQLite beside it, and no such log itself',

  async plan({ path, from }, context) {
    const at = await placeOf(context, path);
    const part = [path, at].find(isSqlitePart);
    if (part !== undefined) return { state: 'refused', reason: sqlitePartRefusal(part) };
    const present = await context.files.stat(at);
    const entry = await context.lastGood.entry(context.component.name, at);
    // A container mount makes an empty directory of a file that is not there: it goes aside whole.
    const isInTheWay = present?.kind === 'directory' && entry?.kind === 'file' && from === null;
    if (present !== null && present.kind !== 'file' && present.kind !== 'symlink' && !isInTheWay)
      return { state: 'refused', reason: `${at} is a ${present.kind} now, not a file: nothing is put in its place` };
    if (from === null && entry?.kind === 'symlink') return planLink(context, at, present, entry);
    if (present !== null && present.sizeBytes > BYTES_MAX)
      return { state: 'refused', reason: `${at} is larger than ${BYTES_MAX / 1024 / 1024} MiB` };
    const now = present?.kind === 'file' ? await context.files.read(at) : null;
    const choice = from === null ? await newestGood(context, at, entry, now) : await givenBackup(context, at, from, now);
    if ('state' in choice) return choice;
    const use = await useOf(context, at, choice.content);
    if (use !== null) return { state: 'refused', reason: use };
    const directories = (await context.files.stat(dirname(at))) === null ? await missingDirectories(context, dirname(at)) : null;
    if (typeof directories === 'string') return { state: 'refused', reason: directories };
    const above = directories?.make.at(-1) ?? (await context.files.stat(dirname(at)));
    if (above === null) return { state: 'refused', reason: `${dirname(at)} cannot be looked at` };
    const backup = choice.source === null ? null : await context.files.stat(choice.source);
    // Beside the file a secret would lie in the work tree, where nothing that ignores the file ignores it.
    const isSecret = present?.kind === 'file' && isPrivate(context, at, null);
    const aside = isSecret ? await backupName(context, at, 'broken') : await brokenName(context, at);
    const undo: Restore = {
      path: at,
      aside: present === null ? null : aside,
      was: isSecret ? { uid: present.uid, gid: present.gid, mode: present.mode } : null,
      seen: await lookOf(context, at),
      source: choice.source,
      digest: sha256Hex(choice.content),
      link: false,
      as: traitsFor(at, entry, present, backup, { kind: 'directory', sizeBytes: 0, mtimeMs: 0, ...above }),
      directories,
    };
    const kept =
      undo.aside === null ? '' : isSecret ? ', keep the present one encrypted' : `, keep the present one as ${basename(undo.aside)}`;
    return { state: 'ready', summary: `put ${at} back from ${choice.description}${kept}`, targets: [at], undo: undo as Json };
  },

  async apply(_params, context, record) {
    const restore = record as unknown as Restore;
    const { files } = context;
    const at = await confineEntry(context, restore.path);
    // Also where an earlier Grace planned it.
    if (isSqlitePart(at)) throw new PrimitiveFailed('restore_file', sqlitePartRefusal(at));
    const content = restore.link ? null : await contentOf(context, restore);
    if ((await lookOf(context, at)) !== restore.seen)
      throw new PrimitiveFailed('restore_file', `${at} changed while this was being prepared`, { retryable: true });
    // A process that was started meanwhile may have written, or a crash of it may have left a log.
    const use = await useOf(context, at, content);
    if (use !== null) throw new PrimitiveFailed('restore_file', use);
    if (restore.directories) await makeMissing(context, restore.directories);
    const { was } = restore;
    if (was && restore.aside !== null) await keepCopy(context, restore.aside, (await files.read(at)) ?? new Uint8Array(), true);
    else if (restore.aside !== null) await files.rename(at, restore.aside);
    try {
      if (content === null) await files.symlink(restore.digest, at);
      else await writeAs(files, at, content, restore.as);
    } catch (error) {
      // A full disk must not turn a broken file into a missing one.
      if (was && restore.aside !== null) await files.remove(restore.aside);
      else if (restore.aside !== null && (await files.stat(at)) === null) await files.rename(restore.aside, at);
      throw error;
    }
    return {
      summary:
        restore.aside === null
          ? `put ${at} back`
          : was
            ? `put ${at} back; the broken one is encrypted, and in the snapshot that was taken before`
            : `put ${at} back; the broken one is ${basename(restore.aside)}`,
      changed: restore.aside === null ? [at] : [at, restore.aside],
    };
  },

  async undo(record, context) {
    const restore = record as unknown as Restore;
    const { files } = context;
    const at = await confineEntry(context, restore.path);
    if (isSqlitePart(at))
      return [`${at} stays: ${sqlitePartRefusal(at)}${restore.aside === null ? '' : `; the one from before is ${restore.aside}`}`];
    const present = await files.stat(at);
    const isAsideThere = restore.aside !== null && (await files.stat(restore.aside)) !== null;
    const sealed = restore.was && restore.aside !== null && isAsideThere ? await readCopy(context, restore.aside) : null;
    if (restore.was && isAsideThere && sealed === null)
      return [`${at} stays as it is: ${restore.aside} is damaged, or was sealed with another key`];
    if (sealed !== null && present?.kind === 'file' && sha256Hex((await files.read(at)) ?? '') === sha256Hex(sealed)) {
      await files.remove(restore.aside ?? ''); // it had not been replaced yet, or is back already
    } else if (restore.aside === null || isAsideThere) {
      if (present !== null && !(await isOurs(context, restore, at, present)))
        return [
          `${at} was changed after it had been put back, and stays${restore.aside === null ? '' : `; the one from before is ${restore.aside}`}`,
        ];
      const log = present === null || restore.link ? null : await pendingLog(files, at);
      if (log !== null)
        return [
          `${log} holds changes that came after ${at} had been put back: both stay${restore.aside === null ? '' : `; the one from before is ${restore.aside}`}`,
        ];
      const use = present === null ? null : await useOf(context, at, null);
      if (use !== null) return [`${at} stays as it is: ${use}`];
      const aside = restore.aside === null ? null : await files.stat(restore.aside);
      if (present !== null && aside?.kind !== 'file') await files.remove(at);
      if (restore.was && restore.aside !== null && sealed !== null) {
        await writeAs(files, at, sealed, restore.was);
        await files.remove(restore.aside);
      } else if (restore.aside !== null) await files.rename(restore.aside, at);
    }
    return restore.directories ? removeMade(context, restore.directories) : [];
  },
});

/** The path to work on: behind a link that still leads to where it led, the file itself. */
async function placeOf(context: PrimitiveContext, path: string): Promise<string> {
  const at = await confineEntry(context, path);
  if ((await context.files.stat(at))?.kind !== 'symlink') return at;
  const entry = await context.lastGood.entry(context.component.name, at);
  if (entry?.kind === 'file') return at; // a link has taken the place of a file: the file comes back
  if (entry?.kind === 'symlink' && entry.digest !== (await context.files.readLink(at))) return at;
  const behind = await context.files.realpath(at);
  if (behind === null) {
    // The link is as it was and the file it names is gone.
    const target = resolve(dirname(at), (await context.files.readLink(at)) ?? '');
    return confineEntry(context, target);
  }
  await confineTarget(context, at);
  return confineEntry(context, behind);
}

async function planLink(context: PrimitiveContext, at: string, present: FileStat | null, entry: LastGoodEntry): Promise<PrimitivePlan> {
  if (present?.kind === 'symlink' && (await context.files.readLink(at)) === entry.digest)
    return { state: 'nothing_to_do', summary: `${at} leads where it led` };
  const use = await useOf(context, at, null);
  if (use !== null) return { state: 'refused', reason: use };
  const directories = (await context.files.stat(dirname(at))) === null ? await missingDirectories(context, dirname(at)) : null;
  if (typeof directories === 'string') return { state: 'refused', reason: directories };
  const undo: Restore = {
    path: at,
    aside: present === null ? null : await brokenName(context, at),
    seen: await lookOf(context, at),
    source: null,
    digest: entry.digest,
    link: true,
    as: { uid: entry.uid, gid: entry.gid, mode: entry.mode },
    directories,
  };
  return { state: 'ready', summary: `let ${at} lead to ${entry.digest} again`, targets: [at], undo: undo as Json };
}

type Choice = { readonly source: string | null; readonly content: Uint8Array; readonly description: string };

/** The backup a playbook names. */
async function givenBackup(context: PrimitiveContext, at: string, from: string, now: Uint8Array | null): Promise<Choice | PrimitivePlan> {
  let source = await context.confine(from);
  // A bare name is looked for beside the file too.
  if (!from.includes('/') && (await context.files.stat(source)) === null) source = await context.confine(join(dirname(at), from));
  if (source === at) return { state: 'refused', reason: `${source} is the broken file itself` };
  if (isPutAside(basename(source))) return { state: 'refused', reason: `${source} is what Grace put aside because it was broken` };
  const stat = await context.files.stat(source);
  if (stat?.kind !== 'file')
    return { state: 'refused', reason: stat === null ? `there is no ${source}` : `${source} is a ${stat.kind}, not a file` };
  if (stat.sizeBytes > BYTES_MAX) return { state: 'refused', reason: `${source} is larger than ${BYTES_MAX / 1024 / 1024} MiB` };
  const content = (await context.files.read(source)) ?? new Uint8Array();
  if (contentValidity(at, content) === 'broken')
    return { state: 'refused', reason: `${source} is no good copy: it is empty or does not parse` };
  if (await isPartOfDatabase(context, content, source))
    return {
      state: 'refused',
      reason: `${source} is no whole copy of a SQLite database: it is cut off or damaged, or its log is beside it`,
    };
  if (now !== null && equalBytes(now, content)) return { state: 'nothing_to_do', summary: `${at} is the same as ${source}` };
  return { source, content, description: basename(source) };
}

/**
 * The newest good copy. A backup beside the file can be newer than the last good boot, and loses less data; it is
 * preferred only where its format can be checked and the present file is shown to be broken, since otherwise the copy
 * that has been seen working says more than a name does.
 */
async function newestGood(
  context: PrimitiveContext,
  at: string,
  entry: LastGoodEntry | null,
  now: Uint8Array | null,
): Promise<Choice | PrimitivePlan> {
  const { files, lastGood } = context;
  const kept = entry?.kind === 'file' && entry.hasContent ? await lastGood.content(entry) : null;
  if (kept !== null && now !== null && equalBytes(kept, now))
    return { state: 'nothing_to_do', summary: `${at} is as it was at the last good boot` };
  const validityNow = now === null ? 'broken' : contentValidity(at, now);
  const keptIsGood = kept !== null && contentValidity(at, kept) !== 'broken' && !(await isPartOfDatabase(context, kept, null));
  const keptAtMs = entry === null ? 0 : bootTimeMs(entry.bootId);
  const fromLastGood: Choice | null = kept === null ? null : { source: null, content: kept, description: 'the copy of the last good boot' };
  let unchecked: Choice | null = null;
  if (validityNow !== 'valid') {
    for (const backup of await siblingBackups(files, at)) {
      if (keptIsGood && backup.mtimeMs <= keptAtMs) break;
      if (backup.sizeBytes === 0 || backup.sizeBytes > BYTES_MAX) continue;
      const content = await files.read(backup.path);
      if (content === null || (now !== null && equalBytes(content, now))) continue;
      if (await isPartOfDatabase(context, content, backup.path)) continue;
      const validity = contentValidity(at, content);
      const choice: Choice = { source: backup.path, content, description: `${basename(backup.path)}, its newest good copy` };
      if (validity === 'valid' && isSameShape(content, kept)) return choice;
      if (validity === 'unknown') unchecked ??= choice;
    }
  }
  if (fromLastGood !== null && keptIsGood) return fromLastGood;
  if (unchecked !== null && fromLastGood === null) return unchecked;
  if (fromLastGood !== null && entry?.sizeBytes === 0) return fromLastGood; // empty was good
  if (validityNow === 'valid')
    return { state: 'refused', reason: `${at} parses, and there is no copy of a good boot that says what it should be` };
  return { state: 'refused', reason: `there is no good copy of ${at}: nothing from a good boot, and no backup beside it that parses` };
}

/**
 * Why nothing may take the place of what SQLite or a process still has of a database here; null when it may. A log belongs to
 * the very file it was written for: SQLite would play it into any other that stands beside it, and corrupt that one.
 * @param content  what would be put there; null for a link
 * @see https://www.sqlite.org/howtocorrupt.html, section 1.4
 */
async function useOf(context: PrimitiveContext, at: string, content: Uint8Array | null): Promise<string | null> {
  const { files } = context;
  const log = await pendingLog(files, at);
  if (log !== null)
    return `${log} holds changes that belong to the database that stood there, and would corrupt a copy of another time: put that very file back beside it, or move ${basename(log)} away if its changes may be lost`;
  if (!(await isDatabase(files, at, content))) return null;
  const holder = await holderOf(files, at);
  return holder === null ? null : `process ${holder} still has the database ${at} open: stop it first`;
}

async function isDatabase(files: PrimitiveContext['files'], at: string, content: Uint8Array | null): Promise<boolean> {
  if (content !== null && hasSqliteMagic(content)) return true;
  for (const suffix of SQLITE_PARTS) if (suffix !== '' && (await files.stat(at + suffix)) !== null) return true;
  return isDatabaseFile(files, at);
}

/** A copy of a SQLite database that is not all of it: cut off or damaged, with changes that are only in its log, or such a log. */
async function isPartOfDatabase(context: PrimitiveContext, content: Uint8Array, source: string | null): Promise<boolean> {
  if (hasSqliteLogMagic(content)) return true;
  if (!hasSqliteMagic(content)) return false;
  if (!isWholeSqlite(content, content.length)) return true;
  return source !== null && ((await pendingLog(context.files, source)) !== null || (await quickCheck(context, source)) === false);
}

/** A list does not replace a mapping. */
function isSameShape(content: Uint8Array, kept: Uint8Array | null): boolean {
  if (kept === null) return true;
  const [a, b] = [content, kept].map((bytes) => new TextDecoder().decode(bytes).trimStart()[0] ?? '');
  return (a === '[') === (b === '[') || (a !== '{' && b !== '{');
}

async function contentOf(context: PrimitiveContext, restore: Restore): Promise<Uint8Array> {
  let content: Uint8Array | null = null;
  if (restore.source !== null) {
    content = await context.files.read(await confineTarget(context, restore.source));
  } else {
    const entry = await context.lastGood.entry(context.component.name, restore.path);
    content = entry === null ? null : await context.lastGood.content(entry);
  }
  if (content === null || sha256Hex(content) !== restore.digest)
    throw new PrimitiveFailed('restore_file', `the copy of ${restore.path} changed while this was being prepared`, { retryable: true });
  return content;
}

/** What stands at a path, in a form that can be compared; null when nothing does. Keyed: it may hold secrets. */
async function lookOf(context: PrimitiveContext, at: string): Promise<string | null> {
  const { files } = context;
  const stat = await files.stat(at);
  switch (stat?.kind) {
    case undefined:
      return null;
    case 'file': {
      const content = await files.read(at);
      return content === null ? null : `file ${context.digest(sha256Hex(content))}`;
    }
    case 'symlink':
      return `link ${await files.readLink(at)}`;
    case 'directory':
      return `directory ${context.digest((await files.list(at)).join('\0'))}`;
    case 'socket':
    case 'other':
      return stat.kind;
  }
}

async function isOurs(context: PrimitiveContext, restore: Restore, at: string, present: FileStat): Promise<boolean> {
  if (restore.link) return present.kind === 'symlink' && (await context.files.readLink(at)) === restore.digest;
  if (present.kind !== 'file') return false;
  const content = await context.files.read(at);
  return content !== null && sha256Hex(content) === restore.digest;
}
