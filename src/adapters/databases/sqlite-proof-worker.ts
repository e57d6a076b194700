import { createHmac } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';

// Reads all of a database, which takes seconds when it is large: in a thread of its own, so that nobody waits for it, and
// which can be ended. It imports nothing of Grace: it is bundled alone.

interface Task {
  readonly path: string;
  /** Nobody writes to it: a copy, or a database at rest. */
  readonly asFile: boolean;
  readonly key: Uint8Array;
}

type Row = Readonly<Record<string, unknown>>;

const SQLITE_CORRUPT = 11;
const LOCK_WAIT_MS = 5_000;

const { path, asFile, key } = workerData as Task;
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port of threads, not a window
parentPort?.postMessage(answer());

function answer(): unknown {
  try {
    return readAll();
  } catch (error) {
    // SQLite's own number does not survive the way an error is handed from thread to thread.
    const { errcode = 0, message } = error as { errcode?: number; message: string };
    return { errcode, message };
  }
}

function readAll(): readonly unknown[] {
  const url = pathToFileURL(path);
  if (asFile) url.search = '?immutable=1';
  const database = new DatabaseSync(url, { readOnly: true, timeout: LOCK_WAIT_MS });
  try {
    database.exec('BEGIN'); // one view of it, whoever writes
    const [found] = database.prepare('PRAGMA integrity_check(1)').all() as readonly Row[];
    const problem = String(found?.['integrity_check']);
    if (problem !== 'ok') throw Object.assign(new Error(problem), { errcode: SQLITE_CORRUPT });
    const schema = database
      .prepare('SELECT type, name, tbl_name AS "table", sql FROM sqlite_schema ORDER BY type, name')
      .all() as readonly Row[];
    return schema
      .filter((row) => row['type'] === 'table' || row['type'] === 'view')
      .map((row) => {
        const name = String(row['name']);
        const parts = schema.filter((other) => other['table'] === name).map((other) => [other['type'], other['name'], other['sql']]);
        // What a module makes of its own tables is not read: the module may not be there, and those tables are.
        const hasRows = row['type'] === 'table' && !/^\s*CREATE\s+VIRTUAL/i.test(String(row['sql']));
        return {
          name: `${String(row['type'])} ${name}`,
          definition: createHmac('sha256', key).update(JSON.stringify(parts)).digest('hex'),
          ...(hasRows ? rowsOf(database, name) : { rows: 0, content: '' }),
        };
      })
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  } finally {
    database.close();
  }
}

/** All rows in the order of the table itself, whatever indexes there are. */
function rowsOf(database: DatabaseSync, table: string): { readonly rows: number; readonly content: string } {
  const hash = createHmac('sha256', key);
  const statement = database.prepare(`SELECT * FROM "${table.replaceAll('"', '""')}" NOT INDEXED`);
  statement.setReadBigInts(true); // beyond 2^53 a number would be an error
  let rows = 0;
  for (const row of statement.iterate() as Iterable<Row>) {
    rows += 1;
    for (const value of Object.values(row)) {
      const bytes = value instanceof Uint8Array ? value : String(value);
      const kind = value === null ? 'null' : value instanceof Uint8Array ? 'blob' : typeof value;
      hash.update(`${kind}:${bytes.length}:`);
      hash.update(bytes);
    }
    hash.update('\n');
  }
  return { rows, content: hash.digest('hex') };
}
