import { basename, dirname, join } from 'node:path';
import type { Files } from '../kernel/index.ts';
import { openFiles } from './open-files.ts';
import { SQLITE_PARTS } from './sqlite-file.ts';

/** How /proc names a file that is held open and has been removed. */
const REMOVED = ' (deleted)';

/**
 * A process that holds a database file or one of its logs open, also one that was removed under it: it goes on writing its
 * journal beside whatever stands there next. Seen as far as `openFiles` sees.
 * @returns its pid
 */
export async function holderOf(files: Files, at: string): Promise<number | null> {
  const real = join((await files.realpath(dirname(at))) ?? dirname(at), basename(at));
  const parts = SQLITE_PARTS.map((suffix) => real + suffix);
  const open = await openFiles(files, new Set([...parts, ...parts.map((part) => part + REMOVED)]));
  return open.values().next().value ?? null;
}

/** A log of SQLite that belongs to what stands there, or stood there, and to nothing else. @returns its path */
export async function pendingLog(files: Files, at: string): Promise<string | null> {
  for (const suffix of ['-wal', '-journal']) if (((await files.stat(at + suffix))?.sizeBytes ?? 0) > 0) return at + suffix;
  return null;
}
