// The process in which SQL is run against an empty SQLite database: a statement that never ends can be ended with it. It may touch this one
// file alone. The order comes in over standard input, the answer goes out as one line. It imports nothing of Grace: it is bundled alone.
import * as sqlite from 'node:sqlite';

interface Order {
  readonly path: string;
  readonly texts: readonly { readonly file: string; readonly sql: string }[];
}
/** Of Node from 24.10 on. */
type Guarded = sqlite.DatabaseSync & { setAuthorizer?: (decide: (action: number) => number) => void };

/** Numbers of SQLite, which some Node versions do not name. See https://www.sqlite.org/c3ref/c_alter_table.html */
const [ATTACH, DETACH, OK, DENY] = [24, 25, 0, 1];

let received = '';
process.stdin.setEncoding('utf8');
for await (const chunk of process.stdin) received += chunk as string;
const order = JSON.parse(received) as Order;
process.stdout.write(`${JSON.stringify(obey())}\n`);

function obey(): object {
  const database: Guarded = new sqlite.DatabaseSync(order.path, { enableForeignKeyConstraints: false, allowExtension: false });
  try {
    // Nobody misses it after a power failure.
    database.exec('PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY');
    database.setAuthorizer?.((action) => (action === ATTACH || action === DETACH ? DENY : OK));
    for (const { file, sql } of order.texts) {
      try {
        database.exec(sql);
      } catch (error) {
        return { state: 'not_possible', why: `${file}: ${(error as Error).message.slice(0, 200)}` };
      }
    }
    return { state: 'applied' };
  } finally {
    database.close();
  }
}
