/** `-mj` and nine digits: the journal of a transaction over several databases. */
const PART = /-(?:wal|shm|journal|mj[0-9a-f]{9})$/i;

/**
 * Whether a path is named as SQLite names what belongs to a database: its log, the index of that log, its journals. Such a file
 * is good beside the very database it was written for, as both are now, and beside no other: SQLite plays it into whatever
 * stands there. So no primitive writes one, puts one back, or takes one away alone.
 * @see https://www.sqlite.org/howtocorrupt.html, sections 1.3 and 1.4
 */
export function isSqlitePart(path: string): boolean {
  return PART.test(path);
}

/** Why nothing is done to such a file, in words. */
export function sqlitePartRefusal(path: string): string {
  return `${path} is named as a part of a SQLite database (a log or a journal): it belongs to one database as that is now, and would corrupt any other`;
}
