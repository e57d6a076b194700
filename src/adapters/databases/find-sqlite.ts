import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

const NAME = /\.(?:db|db3|sqlite|sqlite3|s3db)$/i;
const MAGIC = 'SQLite format 3\0';
const NEVER_ENTER: ReadonlySet<string> = new Set([
  'node_modules',
  '.git',
  '.grace',
  '.venv',
  'venv',
  '__pycache__',
  'site-packages',
  'target',
]);
const DEPTH_MAX = 4;
/** A folder of a million mails must not make a boot slow. */
const ENTRIES_MAX = 4000;

/**
 * The SQLite database of a service that says nowhere where it is: the only one below its directories.
 * @returns its path; null when there is none, or more than one, since nobody can tell which one counts
 */
export async function findOnlySqlite(roots: readonly string[]): Promise<string | null> {
  const found = new Set<string>();
  let looked = 0;
  let level: readonly string[] = roots;
  for (let depth = 0; depth <= DEPTH_MAX && level.length > 0; depth++) {
    const next: string[] = [];
    for (const dir of level) {
      for (const entry of await readdir(dir, { withFileTypes: true }).catch(() => [])) {
        if (looked++ >= ENTRIES_MAX) return null;
        const path = join(dir, entry.name);
        if (entry.isDirectory() && !NEVER_ENTER.has(entry.name)) next.push(path);
        // Grace's own store may lie below the service.
        if (entry.isFile() && NAME.test(entry.name) && entry.name !== 'grace.db' && (await isSqlite(path))) found.add(path);
      }
    }
    level = next;
  }
  const [only] = found;
  return found.size === 1 ? (only ?? null) : null;
}

async function isSqlite(path: string): Promise<boolean> {
  const file = await open(path).catch(() => null);
  if (file === null) return false;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MAGIC.length), 0, MAGIC.length, 0);
    return buffer.toString('latin1', 0, bytesRead) === MAGIC;
  } finally {
    await file.close();
  }
}
