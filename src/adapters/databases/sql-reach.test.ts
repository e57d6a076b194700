import { expect, test } from 'vitest';
import { reachesBeyond, schemaPart, sqlStatements, whyItMayReach } from './sql-reach.ts';

const why = (sql: string): string | null => whyItMayReach(sqlStatements(sql));

test.each([
  'CREATE ROLE evil',
  'create /* a */ user evil',
  'GRANT admin TO app',
  'REVOKE admin FROM app',
  `DO $$ BEGIN EXECUTE 'GRANT ' || quote_ident('admin') || ' TO app'; END $$`,
  `DO $do$ BEGIN EXECUTE who || ' x'; END $do$`,
  'SET ROLE admin',
  'SET LOCAL ROLE admin',
  'SET SESSION AUTHORIZATION admin',
  `SELECT set_config('role', 'admin', false)`,
  `COMMENT ON ROLE app IS 'mine'`,
  `COMMENT ON DATABASE app IS 'mine'`,
  `SECURITY LABEL FOR anon ON ROLE app IS 'MASKED'`,
  'ALTER SYSTEM SET work_mem = 1',
  'ALTER DATABASE app SET work_mem = 1',
  `CREATE SUBSCRIPTION s CONNECTION 'host=db' PUBLICATION p`,
  'CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw',
  'CREATE USER MAPPING FOR app SERVER s',
  'CREATE FOREIGN TABLE t (a int) SERVER s',
  `SELECT pg_create_logical_replication_slot('s', 'pgoutput')`,
  `SELECT pg_drop_replication_slot('s')`,
  `INSERT INTO t SELECT pg_logical_emit_message(true, 'a', 'b')`,
  `SELECT cron.schedule('0 3 * * *', 'DELETE FROM t')`,
  `SELECT net.http_post('https://db')`,
  `UPDATE t SET a = http_get('https://db')`,
  `SELECT * FROM dblink('dbname=live', 'DROP TABLE t')`,
  `INSERT INTO t SELECT pg_read_file('/etc/passwd')`,
  `INSERT INTO t SELECT "pg_read_file" ('/etc/passwd')`,
  `SELECT lo_import('/etc/passwd')`,
  'SELECT pg_terminate_backend(1)',
  'UPDATE t SET a = pg_promote()',
  'UPDATE t SET a = pg_switch_wal()',
  'SELECT pg_reload_conf()',
  `CREATE FUNCTION f() RETURNS void LANGUAGE plpython3u AS $$ import os $$`,
  'CREATE EXTENSION pg_cron',
  `SELECT my_own_function('x')`,
  'CALL my_own_procedure()',
  `LOAD 'auto_explain'`,
  'EXECUTE something',
  `SET standard_conforming_strings = off; SELECT '\\'; CREATE TABLE t (a int)`,
  'COPY t FROM stdin',
  `SELECT E'\\'', my_own_function('x')`,
])('is not run beside a live database: %s', (sql) => {
  expect(why(`CREATE TABLE a (b int); ${sql};`)).toMatch(/^(?:has|calls) a .+/);
});

test('names the first words of a statement that it does not know', () => {
  expect(why('CALL  refresh(1)')).toBe('has a statement of which it is not known that it stays in its database: CALL refresh 1) …');
  expect(why('GRANT admin TO app')).toBe('has a statement that reaches beyond its database: GRANT admin TO');
});

test.each([
  `SET standard_conforming_strings = on; SELECT pg_catalog.set_config('search_path', '', false); SET default_table_access_method = heap`,
  `CREATE TABLE public.role (id integer NOT NULL, server text, language varchar(9), copy text); CREATE INDEX by_server ON role (server); ALTER TABLE ONLY public.role ADD CONSTRAINT k PRIMARY KEY (id)`,
  `CREATE UNIQUE INDEX CONCURRENTLY i ON t (lower(a)) WHERE b IS NOT NULL; DROP INDEX IF EXISTS i; COMMENT ON COLUMN t.a IS 'from; here'`,
  `DO $$ BEGIN CREATE TYPE mood AS ENUM ('a', 'b'); EXCEPTION WHEN duplicate_object THEN null; END $$`,
  `CREATE OR REPLACE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN PERFORM pg_notify('a', 'b'); RETURN NEW; END $f$`,
  `CREATE TRIGGER t BEFORE UPDATE ON a FOR EACH ROW EXECUTE FUNCTION f()`,
  `CREATE EXTENSION IF NOT EXISTS "uuid-ossp"; SELECT setval(pg_get_serial_sequence('t', 'id'), coalesce(max(id), 1)) FROM t`,
  `CREATE TRIGGER t AFTER INSERT ON a BEGIN UPDATE b SET n = n + 1; SELECT CASE WHEN new.x THEN RAISE(ABORT, 'no') END; END; PRAGMA foreign_keys = ON`,
  `-- CREATE ROLE is for somebody else\n/* pg_read_file('x') */ INSERT INTO t VALUES ('it''s', 1)`,
  'BEGIN; GRANT SELECT ON t TO app; ALTER TABLE t OWNER TO app; COMMIT',
])('is run: %s', (sql) => {
  expect(why(sql)).toBe(null);
});

test('a program may ask for what it likes, as long as that stays in its database', () => {
  expect(reachesBeyond('SELECT pg_advisory_lock(1), my_own_function(2) -- GRANT a TO b')).toBe(null);
  expect(reachesBeyond('CREATE TABLE a (b int); GRANT admin TO app')).toBe('GRANT admin TO');
});

test('statements are cut where no quotes, comment or body is open', () => {
  const sql = `SELECT ';''' /* ; */, "a;b" ; DO $x$ ; $$ ; $x$ ;; SELECT E'\\';' -- ;\n, $1`;
  expect(sqlStatements(sql).map(({ text }) => text)).toEqual([`SELECT ';'''  , "a;b"`, 'DO $x$ ; $$ ; $x$', `SELECT E'\\';'  , $1`]);
  for (const open of [`'`, '"', '$$', '/*', `E'\\`]) expect(sqlStatements(`SELECT ${open};`)).toHaveLength(1);
});

test('what is no part of a schema is left out, in any number of lines', () => {
  const sql = 'CREATE SCHEMA public;\nGRANT SELECT,\n INSERT ON t TO app;\nCREATE TABLE t (a);\nALTER TABLE t OWNER TO app;';
  expect(
    schemaPart(sql, sqlStatements(sql))
      .replaceAll(/[\s;]+/g, ' ')
      .trim(),
  ).toBe('CREATE TABLE t (a)');
  expect(schemaPart(sql, sqlStatements(sql)).split('\n')).toHaveLength(5);
});

// A line of 100 KB took 1.8 s, four times as much for twice the length.
test('a megabyte of one line is read in one pass', () => {
  for (const part of ['GRANT x ON ', 'GRANT ', `'`, '$a$', '/*', 'CREATE ', 'a(', 'COMMENT '])
    expect(
      sqlStatements(part.repeat(1_000_000 / part.length)).map(({ text }) => schemaPart(text, sqlStatements(text)).length),
    ).toHaveLength(1);
  expect(why('GRANT x ON '.repeat(100_000))).toBe(null);
  expect(why('GRANT x '.repeat(100_000))).toBe(null);
}, 30_000);
