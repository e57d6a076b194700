import type { DatabaseCopies, SnapshotPorts } from './ports.ts';
import { SnapshotRefused } from './errors.ts';
import { isDatabase, type Snapshot, type SnapshotItem } from './snapshot.ts';

/** Logs and journals that SQLite keeps beside a database: they and the database are one thing. */
const PARTS = ['-wal', '-shm', '-journal'] as const;
const PART = /-(?:wal|shm|journal|mj[0-9a-f]{9})$/i;

/** The database that a path belongs to by its name; null when it is named like none of its parts. */
export function databaseOfPart(path: string): string | null {
  return PART.test(path) ? path.replace(PART, '') : null;
}

/** A log or journal that stands beside a path; null when there is none. */
export async function partBeside(files: SnapshotPorts['files'], path: string): Promise<string | null> {
  for (const suffix of PARTS) if ((await files.stat(path + suffix)) !== null) return path + suffix;
  return null;
}

/**
 * A database comes back as a whole, by SQLite, or not at all: two of its files that were copied one after the other, or one of them
 * beside what is there now, are played into each other and corrupt it.
 * @param changed  what a restore would put back
 * @see https://www.sqlite.org/howtocorrupt.html, sections 1.3 and 1.4
 * @throws SnapshotRefused before anything is touched
 */
export async function refuseTornDatabases(
  { files, databases }: { readonly files: SnapshotPorts['files']; readonly databases: DatabaseCopies },
  snapshot: Snapshot,
  changed: readonly SnapshotItem[],
): Promise<void> {
  const kept = new Set(snapshot.items.flatMap((item) => (item.kind === 'absent' || item.kind === 'postgres' ? [] : [item.path])));
  const plain = changed.flatMap((item) => (isDatabase(item) || item.kind === 'directory' ? [] : [item.path]));
  for (const path of plain) {
    const database = databaseOfPart(path);
    if (database !== null)
      throw torn(`${path} is a part of the SQLite database ${database} (a log or a journal), and good beside no other state of it`);
    const part = (await partBeside(files, path)) ?? PARTS.map((suffix) => path + suffix).find((name) => kept.has(name));
    if (part !== undefined)
      throw torn(`${path} is or was a SQLite database, to which ${part} belongs, and nobody knows whether both are of one moment`);
  }
  const [held] = plain.length === 0 ? [] : await databases.logHolders(plain);
  if (held !== undefined) throw torn(`process ${held[1]} still has a SQLite database open that stood at ${held[0]}`);
}

function torn(problem: string): SnapshotRefused {
  return new SnapshotRefused(problem, 'nothing was changed; restore the rest with --only, and the database from a copy that SQLite made');
}
