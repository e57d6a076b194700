import type { Files } from '../kernel/index.ts';
import type { PrimitiveContext } from '../domains/playbooks/index.ts';

/** Suffixes of the files that belong to a SQLite database; the database itself comes last, so that it never stands without them. */
export const SQLITE_PARTS = ['-wal', '-shm', '-journal', ''] as const;

const HEADER_BYTES = 100;
const MAGIC = 'SQLite format 3\0';

/**
 * Whether the header belongs to a whole database: right magic, a possible page size, and no pages missing at the end.
 * @see https://www.sqlite.org/fileformat2.html, section 1.3
 */
export async function hasWholeSqliteHeader(files: Files, path: string): Promise<boolean> {
  const stat = await files.stat(path);
  if (stat?.kind !== 'file' || stat.sizeBytes < 512) return false;
  const header = await files.read(path, HEADER_BYTES);
  return header !== null && isWholeSqlite(header, stat.sizeBytes);
}

/** Whether it begins as a database of SQLite does, whole or not. */
export function hasSqliteMagic(content: Uint8Array): boolean {
  return new TextDecoder('latin1').decode(content.subarray(0, MAGIC.length)) === MAGIC;
}

/** What a write-ahead log and a rollback journal begin with. @see https://www.sqlite.org/fileformat2.html, sections 3 and 4.1 */
const LOG_MAGICS = ['377f0682', '377f0683', 'd9d505f920a163d7'] as const;

/** Whether it begins as a log or a journal of SQLite does, whatever its name is. */
export function hasSqliteLogMagic(content: Uint8Array): boolean {
  const start = Buffer.from(content.subarray(0, 8)).toString('hex');
  return LOG_MAGICS.some((magic) => start.startsWith(magic));
}

export function isWholeSqlite(content: Uint8Array, sizeBytes: number): boolean {
  if (content.length < HEADER_BYTES || !hasSqliteMagic(content)) return false;
  const view = new DataView(content.buffer, content.byteOffset, HEADER_BYTES);
  const raw = view.getUint16(16);
  const pageBytes = raw === 1 ? 65_536 : raw;
  if (pageBytes < 512 || (pageBytes & (pageBytes - 1)) !== 0) return false;
  // The page count in the header counts only when it was written together with the change counter.
  const isCountValid = view.getUint32(24) === view.getUint32(92);
  const pages = view.getUint32(28);
  return !isCountValid || pages === 0 || sizeBytes >= pages * pageBytes;
}

const CHECK_MS_MAX = 60_000;

/**
 * Asks the sqlite3 command, when there is one.
 * @param path   a database that has no WAL, or a copy made for this
 * @returns null when it cannot be told
 */
export async function quickCheck(context: PrimitiveContext, path: string): Promise<boolean | null> {
  const env = await context.env();
  const command = await context.host.findCommand('sqlite3', env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin');
  if (command === null) return null;
  const uri = `file:${encodeURI(path).replaceAll('?', '%3f').replaceAll('#', '%23')}?mode=ro&immutable=1`;
  const result = await context.run([command, '-batch', '-init', '/dev/null', uri, 'PRAGMA quick_check(1);'], { timeoutMs: CHECK_MS_MAX });
  if (result.timedOut || result.spawnErrorCode !== null) return null;
  if (/unable to open|no such (?:file|vfs)|locked/i.test(result.stderr)) return null;
  return result.exitCode === 0 && result.stdout.trim() === 'ok';
}
