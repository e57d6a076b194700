import { basename, dirname, join } from 'node:path';
import type { Files } from '../kernel/index.ts';
import { openFiles } from './open-files.ts';
import { hasSqliteMagic, SQLITE_PARTS } from './sqlite-file.ts';
import { isSqlitePart, sqlitePartRefusal } from './sqlite-part.ts';

/** How /proc names a file that is held open and has been removed. */
const REMOVED = ' (deleted)';

/**
 * A process that holds a database file or one of its logs open, also one that was removed under it: it goes on writing its
 * journal beside whatever stands there next. Seen as far as `openFiles` sees.
 * @returns its pid
 */
export async function holderOf(files: Files, at: string): Promise<number | null> {
  const open = await openFiles(files, new Set(await namesOf(files, at)));
  return open.values().next().value ?? null;
}

/** Of many files, those that a process may write to, and the process. */
export async function writersOf(files: Files, paths: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const names = new Map<string, string>();
  for (const path of paths) for (const name of await namesOf(files, path)) names.set(name, path);
  const open = await openFiles(files, new Set(names.keys()), 'writers');
  return new Map([...open].map(([name, pid]) => [names.get(name) ?? name, pid]));
}

/** As /proc would name the file and its parts, also when they are gone. */
async function namesOf(files: Files, at: string): Promise<readonly string[]> {
  const real = join((await files.realpath(dirname(at))) ?? dirname(at), basename(at));
  const parts = SQLITE_PARTS.map((suffix) => real + suffix);
  return [...parts, ...parts.map((part) => part + REMOVED)];
}

/** Whether what stands there begins as a SQLite database does. */
export async function isDatabaseFile(files: Files, at: string): Promise<boolean> {
  const start = (await files.stat(at))?.kind === 'file' ? await files.read(at, MAGIC_BYTES) : null;
  return start !== null && hasSqliteMagic(start);
}

const MAGIC_BYTES = 16;

/**
 * Why a file cannot be moved, or another one put in its place, without regard for SQLite: it is a part of a database, or such a
 * part stands beside it, also an empty one, which a process that has the database open leaves there. Null where nothing ties it.
 */
export async function tieToDatabase(files: Files, at: string): Promise<string | null> {
  if (isSqlitePart(at)) return sqlitePartRefusal(at);
  for (const suffix of SQLITE_PARTS)
    if (suffix !== '' && (await files.stat(at + suffix)) !== null)
      return `${at + suffix} stands beside ${at} and belongs to the very database that is there, or was there: both stay as they are`;
  return null;
}

/** A log of SQLite that belongs to what stands there, or stood there, and to nothing else. @returns its path */
export async function pendingLog(files: Files, at: string): Promise<string | null> {
  for (const suffix of ['-wal', '-journal']) if (((await files.stat(at + suffix))?.sizeBytes ?? 0) > 0) return at + suffix;
  return null;
}
