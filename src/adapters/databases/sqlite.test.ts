import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  compareSchema,
  dropEmptyColumns,
  dropEmptyTables,
  recordMigrations,
  restoreColumns,
  restoreTables,
  takeSnapshot,
  unrecordMigrations,
  type DatabaseLocation,
} from './index.ts';

const SCHEMA = `
  CREATE TABLE customers (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE);
  CREATE TABLE orders (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    total REAL NOT NULL DEFAULT (1.5) CHECK (total >= 0),
    doubled REAL GENERATED ALWAYS AS (total * 2) STORED
  );
  ALTER TABLE orders ADD COLUMN priority INTEGER NOT NULL DEFAULT 0 CHECK (priority BETWEEN 0 AND 9);
  CREATE INDEX open_orders ON orders (priority DESC) WHERE total > 0;
  CREATE TABLE lines (order_id INTEGER NOT NULL REFERENCES orders (id) ON DELETE CASCADE, PRIMARY KEY (order_id)) WITHOUT ROWID;
  CREATE TRIGGER on_order AFTER INSERT ON orders BEGIN UPDATE customers SET email = email; END;
  CREATE VIEW totals AS SELECT sum(total) FROM orders;
  CREATE VIRTUAL TABLE words USING fts5(body);
  CREATE TABLE schema_migrations (name TEXT PRIMARY KEY, applied_at INTEGER NOT NULL, took REAL, checksum BLOB);
  INSERT INTO schema_migrations VALUES ('0001_first', 1700000000000, 0.1, x'00ff'), ('0002_second', 1700000000001, 12.125, NULL), ('0003_third', 3, NULL, NULL);
  INSERT INTO customers VALUES (1, 'private@example.org');
  INSERT INTO orders (customer_id) VALUES (1), (1), (1);
  INSERT INTO lines VALUES (1);
`;

describe('a SQLite database', () => {
  let dir: string;
  let path: string;
  let location: DatabaseLocation;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'grace-sqlite-'));
    path = join(dir, 'orders.db');
    location = { engine: 'sqlite', path };
    sql('PRAGMA journal_mode = WAL');
    sql(SCHEMA);
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  function sql(text: string): void {
    const database = new DatabaseSync(path, { enableForeignKeyConstraints: false });
    database.exec(text);
    database.close();
  }
  function rows(text: string): readonly unknown[] {
    const database = new DatabaseSync(path);
    const found = database.prepare(text).all();
    database.close();
    return found.map((row) => ({ ...row }));
  }

  it('comes back from a dropped table with exactly the schema it had, and goes on counting', async () => {
    const before = await takeSnapshot(location);
    sql('DROP TABLE orders');
    const drift = compareSchema(before, await takeSnapshot(location))!;
    expect(drift.missingTables).toEqual(['orders']);
    expect(await restoreTables(location, before, drift.missingTables)).toMatchObject({ state: 'restored', tables: ['orders'] });
    expect((await takeSnapshot(location)).digest).toBe(before.digest);
    sql('INSERT INTO orders (customer_id) VALUES (1)');
    expect(rows('SELECT id FROM orders')).toEqual([{ id: 4 }]);
    expect(rows('SELECT order_id FROM lines')).toEqual([{ order_id: 1 }]);
  });

  it('adds dropped columns again, with their index, and takes them back while they hold nothing', async () => {
    sql(
      "CREATE TABLE notes (id INTEGER PRIMARY KEY, kind TEXT NOT NULL DEFAULT 'plain', seen INTEGER NOT NULL, at TEXT DEFAULT (datetime('now')))",
    );
    sql('CREATE INDEX notes_kind ON notes (kind)');
    sql("INSERT INTO notes (kind, seen) VALUES ('odd', 1)");
    const before = await takeSnapshot(location);
    sql('DROP INDEX notes_kind; ALTER TABLE notes DROP COLUMN kind; ALTER TABLE notes DROP COLUMN seen; ALTER TABLE notes DROP COLUMN at');
    const broken = await takeSnapshot(location);
    const { missingColumns } = compareSchema(before, broken)!;
    expect(missingColumns).toEqual(['notes.kind', 'notes.seen', 'notes.at']);
    const restored = await restoreColumns(location, before, missingColumns);
    // There is a row: it has no value for what must not be null, and SQLite computes none for it.
    expect(restored).toMatchObject({ state: 'restored', columns: missingColumns, leftOut: ['notes.seen', 'notes.at'] });
    expect(rows('SELECT id, kind, seen, at FROM notes')).toEqual([{ id: 1, kind: 'plain', seen: null, at: null }]);
    expect(rows("SELECT name FROM sqlite_schema WHERE name = 'notes_kind'")).toHaveLength(1);
    const made = restored.state === 'restored' ? restored.made : [];
    sql("UPDATE notes SET kind = 'used'");
    expect(await dropEmptyColumns(location, before, missingColumns, made)).toMatchObject({ state: 'refused' });
    sql("UPDATE notes SET kind = 'plain'");
    expect(await dropEmptyColumns(location, before, missingColumns, made)).toEqual({ state: 'dropped', columns: missingColumns });
    expect(await dropEmptyColumns(location, before, missingColumns, made)).toEqual({ state: 'dropped', columns: [] });
    expect((await takeSnapshot(location)).digest).toBe(broken.digest);
  });

  it('refuses a column that it could not make again as it was', async () => {
    const before = await takeSnapshot(location);
    expect(await restoreColumns(location, before, ['orders.doubled'])).toMatchObject({ reason: '"orders.doubled" is a generated column' });
    expect(await restoreColumns(location, before, ['orders.unknown'])).toMatchObject({
      reason: 'the snapshot has no column "orders.unknown"',
    });
    sql('DROP TABLE lines');
    expect(await restoreColumns(location, before, ['lines.order_id'])).toMatchObject({
      reason: 'there is no table "lines": restore it first',
    });
  });

  it('never reads rows of users, and leaves no file behind', async () => {
    const names = readdirSync(dir);
    expect(JSON.stringify(await takeSnapshot(location))).not.toContain('private');
    expect(readdirSync(dir)).toEqual(names);
  });

  it('leaves the shadows of a virtual table alone, and does not make one', async () => {
    const before = await takeSnapshot(location);
    expect(before.tables.map(({ name }) => name)).toEqual(['customers', 'lines', 'orders', 'schema_migrations', 'words']);
    sql('DROP TABLE words');
    expect(await restoreTables(location, before, ['words'])).toMatchObject({
      state: 'refused',
      reason: expect.stringContaining('virtual'),
    });
  });

  it('refuses a table that exists in another spelling, and changes nothing', async () => {
    const before = await takeSnapshot(location);
    sql('DROP TABLE orders; DROP TABLE lines; CREATE TABLE ORDERS (id INTEGER)');
    expect(await restoreTables(location, before, ['lines', 'orders'])).toEqual({ state: 'refused', reason: '"orders" exists' });
    expect(rows(`SELECT name FROM sqlite_schema WHERE name = 'lines'`)).toEqual([]);
  });

  it('takes a restored table back while it is empty, and never one with rows', async () => {
    const before = await takeSnapshot(location);
    sql('DROP TABLE orders');
    const broken = await takeSnapshot(location);
    await restoreTables(location, before, ['orders']);
    sql('INSERT INTO orders (customer_id) VALUES (1)');
    expect(await dropEmptyTables(location, before, ['orders'])).toEqual({ state: 'refused', reason: 'table "orders" has rows' });
    sql('DELETE FROM orders');
    expect(await dropEmptyTables(location, before, ['orders'])).toEqual({ state: 'dropped', tables: ['orders'] });
    expect(await dropEmptyTables(location, before, ['orders'])).toEqual({ state: 'dropped', tables: [] });
    expect((await takeSnapshot(location)).digest).toBe(broken.digest);
    expect(rows('SELECT order_id FROM lines')).toEqual([{ order_id: 1 }]);
  });

  it('records a lost migration again in the types it had, and takes it back', async () => {
    const before = await takeSnapshot(location);
    sql(`DELETE FROM schema_migrations WHERE name < '0003'`);
    const broken = await takeSnapshot(location);
    const ids = compareSchema(before, broken)!.unrecordedMigrations;
    expect(ids).toEqual(['schema_migrations/0001_first', 'schema_migrations/0002_second']);
    expect(await recordMigrations(location, before, ids)).toEqual({ state: 'recorded', ids, unchanged: [] });
    expect(await recordMigrations(location, before, ids)).toEqual({ state: 'recorded', ids: [], unchanged: ids });
    expect((await takeSnapshot(location)).digest).toBe(before.digest);
    expect(rows(`SELECT took, typeof(applied_at) AS t, hex(checksum) AS c FROM schema_migrations WHERE name = '0001_first'`)).toEqual([
      { took: 0.1, t: 'integer', c: '00FF' },
    ]);
    expect(await unrecordMigrations(location, before, ids)).toEqual({ state: 'recorded', ids, unchanged: [] });
    expect((await takeSnapshot(location)).digest).toBe(broken.digest);
  });

  it('names columns that are gone', async () => {
    const before = await takeSnapshot(location);
    sql(
      'DROP TRIGGER on_order; CREATE TABLE new_customers (id INTEGER PRIMARY KEY); DROP TABLE customers; ALTER TABLE new_customers RENAME TO customers',
    );
    expect(compareSchema(before, await takeSnapshot(location))).toMatchObject({ missingTables: [], missingColumns: ['customers.email'] });
  });

  it('lets one of two repairs at once do the work', async () => {
    const before = await takeSnapshot(location);
    sql('DROP TABLE orders');
    const outcomes = await Promise.all([restoreTables(location, before, ['orders']), restoreTables(location, before, ['orders'])]);
    expect(outcomes.map(({ state }) => state).toSorted()).toEqual(['refused', 'restored']);
    expect((await takeSnapshot(location)).digest).toBe(before.digest);
  });

  it('waits for the write lock without holding up the process, then gives up', async () => {
    const before = await takeSnapshot(location);
    sql('DROP TABLE lines');
    const holder = new DatabaseSync(path);
    holder.exec('BEGIN IMMEDIATE');
    let ticks = 0;
    const ticking = setInterval(() => (ticks += 1), 10);
    await expect(restoreTables(location, before, ['lines'], { timeoutMs: 400 })).rejects.toMatchObject({
      code: 'GRACE_DATABASES_TIMEOUT',
      retryable: true,
    });
    clearInterval(ticking);
    expect(ticks).toBeGreaterThan(3);
    expect((await takeSnapshot(location)).tables.some(({ name }) => name === 'lines')).toBe(false);
    setTimeout(() => holder.exec('ROLLBACK'), 50);
    expect(await restoreTables(location, before, ['lines'])).toMatchObject({ state: 'restored' });
    holder.close();
  });

  it('does not make a file where there is none', async () => {
    const gone: DatabaseLocation = { engine: 'sqlite', path: join(dir, 'gone.db') };
    await expect(takeSnapshot(gone)).rejects.toMatchObject({ code: 'GRACE_DATABASES_UNREACHABLE' });
    const before = await takeSnapshot(location);
    await expect(restoreTables(gone, before, ['orders'])).rejects.toMatchObject({ code: 'GRACE_DATABASES_UNREACHABLE' });
    expect(readdirSync(dir)).not.toContain('gone.db');
  });

  it('says that a file is no database', async () => {
    writeFileSync(join(dir, 'text.db'), 'not a database, but long enough to be looked at '.repeat(40));
    await expect(takeSnapshot({ engine: 'sqlite', path: join(dir, 'text.db') })).rejects.toMatchObject({
      code: 'GRACE_DATABASES_UNREACHABLE',
    });
  });

  it('is looked at while a process that died has left its WAL', async () => {
    execFileSync(process.execPath, [
      '--input-type=module',
      '-e',
      `import { DatabaseSync } from 'node:sqlite'; const d = new DatabaseSync(process.argv[1]); d.exec('CREATE TABLE late (id INTEGER)'); process.exit(0)`,
      path,
    ]);
    expect((await takeSnapshot(location)).tables.map(({ name }) => name)).toContain('late');
  });
});
