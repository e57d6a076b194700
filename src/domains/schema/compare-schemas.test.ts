import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareSchemas, tablesTwice } from './index.ts';
import type { DatabaseSchema, SchemaColumn, SchemaEngine, SchemaTable } from './schema.ts';
import { sqlTokens } from './sql-words.ts';

function column(name: string, type: string, more: Partial<SchemaColumn> = {}): SchemaColumn {
  return { name, type, isNullable: true, default: null, generated: null, identity: null, ...more };
}

function table(name: string, columns: readonly SchemaColumn[], more: Partial<SchemaTable> = {}): SchemaTable {
  return { schema: 'public', name, columns, rules: [], indexes: [], isStrict: false, sql: null, unsupported: null, ...more };
}

function schema(tables: readonly SchemaTable[], more: Partial<DatabaseSchema> = {}): DatabaseSchema {
  return { engine: 'postgres', tables, views: [], enums: [], searchPath: ['public'], ...more };
}

/** `kind table.part`. */
function inShort(expected: DatabaseSchema, actual: DatabaseSchema): readonly string[] {
  return compareSchemas(expected, actual).map(({ kind, table: of, part }) => `${kind} ${of}${part === '' ? '' : `.${part}`}`);
}

/** What two spellings of one column differ in. */
function between(engine: SchemaEngine, a: Partial<SchemaColumn>, b: Partial<SchemaColumn>): readonly string[] {
  const of = (more: Partial<SchemaColumn>) => schema([table('t', [column('c', 'text', more)])], { engine });
  return compareSchemas(of(a), of(b)).map(({ kind }) => kind);
}

describe('types that are the same', () => {
  test.each([
    ['postgres', 'int4', 'integer'],
    ['postgres', 'varchar(255)', 'character varying(255)'],
    ['postgres', 'timestamptz', 'timestamp with time zone'],
    ['postgres', 'timestamptz(3)', 'timestamp(3) with time zone'],
    ['postgres', 'numeric(10, 2)', 'NUMERIC(10,2)'],
    ['postgres', 'int8[]', 'bigint[]'],
    ['postgres', 'pg_catalog.bool', 'boolean'],
    ['sqlite', 'VARCHAR(255)', 'text'],
    ['sqlite', 'BIGINT', 'integer'],
    ['sqlite', 'DOUBLE PRECISION', 'float'],
    ['sqlite', '', 'blob'],
    ['sqlite', 'DATETIME', 'decimal(10,2)'],
  ] as const)('in %s: %s and %s', (engine, a, b) => {
    expect(between(engine, { type: a }, { type: b })).toEqual([]);
  });
  test.each([
    ['postgres', 'integer', 'bigint'],
    ['postgres', 'varchar(255)', 'varchar(100)'],
    ['postgres', 'timestamp', 'timestamptz'],
    ['postgres', 'integer', 'integer[]'],
    ['postgres', 'public."Mood"', 'public.mood'],
    ['sqlite', 'TEXT', 'INTEGER'],
    ['sqlite', '', 'NUMERIC'],
  ] as const)('and that are not, in %s: %s and %s', (engine, a, b) => {
    expect(between(engine, { type: a }, { type: b })).toEqual(['type_differs']);
  });
  test('in a STRICT table of SQLite the words count', () => {
    const of = (type: string) => schema([table('t', [column('c', type)], { isStrict: true })], { engine: 'sqlite' });
    expect(inShort(of('INT'), of('INTEGER'))).toEqual([]);
    expect(inShort(of('ANY'), of('BLOB'))).toEqual(['type_differs t.c']);
  });
});

describe('defaults that are the same', () => {
  test.each([
    ['postgres', "'x'::text", "'x'::character varying"],
    ['postgres', "'{}'::text[]", "'{}'"],
    ['postgres', 'now()', 'CURRENT_TIMESTAMP'],
    ['postgres', "'0'::numeric(10,2)", '0'],
    ['postgres', 'NULL::character varying', null],
    ['postgres', '((1))', '1'],
    ['postgres', '\'a\'::public."Odd Kind"', "'a'"],
    ['sqlite', "(datetime('now'))", 'CURRENT_TIMESTAMP'],
    ['sqlite', '"x"', "'x'"],
    ['sqlite', 'TRUE', '1'],
    ['sqlite', 'NULL', null],
  ] as const)('in %s: %s and %s', (engine, a, b) => {
    expect(between(engine, { default: a }, { default: b })).toEqual([]);
  });
  test.each([
    ['postgres', "'x'::text", "'X'::text"],
    ['postgres', "'now'", 'now()'],
    ['postgres', '(1) + (2)', '1 + 3'],
    ['sqlite', '0', null],
    ['sqlite', "'it''s'", "'its'"],
  ] as const)('and that are not, in %s: %s and %s', (engine, a, b) => {
    expect(between(engine, { default: a }, { default: b })).toEqual(['default_differs']);
  });
  test('serial and identity both number the rows', () => {
    const serial = { type: 'integer', default: "nextval('public.t_id_seq'::regclass)" };
    expect(between('postgres', serial, { type: 'integer', identity: 'by default' })).toEqual([]);
    expect(between('postgres', serial, { type: 'integer' })).toEqual(['default_differs']);
  });
});

describe('what is different', () => {
  test('is told by name, with what would mend it and whether that can lose something', () => {
    const expected = schema([
      table('users', [
        column('id', 'bigint', { isNullable: false, identity: 'always' }),
        column('email', 'text', { isNullable: false }),
        column('note', 'text'),
        column('name', 'text', { isNullable: false }),
        column('age', 'integer'),
      ]),
      table('orders', [column('id', 'integer', { default: "nextval('public.orders_id_seq'::regclass)", isNullable: false })]),
    ]);
    const actual = schema([
      table('users', [
        column('id', 'integer', { isNullable: false, identity: 'always' }),
        column('email', 'text'),
        column('age', 'bigint'),
        column('tenant', 'uuid', { isNullable: false }),
      ]),
      table('old', []),
    ]);
    expect(compareSchemas(expected, actual).map(({ kind, part, care, statement }) => [kind, part, care, statement])).toEqual([
      ['type_differs', 'id', 'asks_rows', 'ALTER TABLE "users" ALTER COLUMN "id" TYPE bigint USING "id"::bigint'],
      ['nullability_differs', 'email', 'asks_rows', 'ALTER TABLE "users" ALTER COLUMN "email" SET NOT NULL'],
      ['column_missing', 'note', 'adds', 'ALTER TABLE "users" ADD COLUMN "note" text'],
      ['column_missing', 'name', 'asks_rows', 'ALTER TABLE "users" ADD COLUMN "name" text NOT NULL'],
      ['type_differs', 'age', 'changes', 'ALTER TABLE "users" ALTER COLUMN "age" TYPE integer USING "age"::integer'],
      ['column_extra', 'tenant', 'changes', 'ALTER TABLE "users" DROP COLUMN "tenant"'],
      ['table_missing', '', 'adds', 'CREATE TABLE "orders" ("id" serial NOT NULL)'],
      ['table_extra', '', 'changes', 'DROP TABLE "old"'],
    ]);
  });

  test('is no difference where keys and indexes only have other names', () => {
    const of = (name: string) =>
      schema([
        table('t', [column('a', 'text')], {
          rules: [
            { kind: 'unique', name, definition: 'UNIQUE (a)' },
            { kind: 'foreign key', name: `${name}_fk`, definition: 'FOREIGN KEY (a) REFERENCES public.o(a) ON DELETE NO ACTION' },
          ],
          indexes: [{ name: `${name}_i`, isUnique: false, sql: `CREATE INDEX ${name}_i ON public.t USING btree (lower(a))` }],
        }),
      ]);
    expect(inShort(of('one'), of('two'))).toEqual([]);
  });

  test('a unique index keeps values unique as well as a key does', () => {
    const key = schema([table('t', [column('a', 'text')], { rules: [{ kind: 'unique', name: 'k', definition: 'UNIQUE (a)' }] })]);
    const index = schema([
      table('t', [column('a', 'text')], {
        indexes: [{ name: 'i', isUnique: true, sql: 'CREATE UNIQUE INDEX i ON public.t USING btree (a)' }],
      }),
    ]);
    const partial = schema([
      table('t', [column('a', 'text')], {
        indexes: [{ name: 'i', isUnique: true, sql: 'CREATE UNIQUE INDEX i ON public.t USING btree (a) WHERE (b > 1)' }],
      }),
    ]);
    expect([inShort(key, index), inShort(index, key)]).toEqual([[], []]);
    expect(inShort(key, partial)).toEqual(['rule_missing t.k', 'index_extra t.i']);
  });

  test('a key of a column that is missing is told with the column, once', () => {
    const rules = [{ kind: 'foreign key', name: 'fk', definition: 'FOREIGN KEY (owner) REFERENCES public.users(id)' }] as const;
    expect(
      inShort(
        schema([table('t', [column('a', 'text'), column('owner', 'integer')], { rules })]),
        schema([table('t', [column('a', 'text')])]),
      ),
    ).toEqual(['column_missing t.owner']);
  });

  test('a table of another schema is said to be there', () => {
    const [found] = compareSchemas(schema([table('t', [])]), schema([table('t', [], { schema: 'app' })]));
    expect(found).toMatchObject({ kind: 'table_missing', actual: 'app.t' });
  });

  test('names are compared as the engine does: SQLite without regard to case', () => {
    const of = (name: string, engine: SchemaEngine) => schema([table(name, [column(name, 'text')], { schema: 'main' })], { engine });
    expect(inShort(of('Users', 'sqlite'), of('users', 'sqlite'))).toEqual([]);
    expect(inShort(of('Users', 'postgres'), of('users', 'postgres'))).toEqual(
      ['table_missing main.Users', 'table_extra main.users'].map((t) => t.replace('main.', '')),
    );
  });

  test('hostile names are quoted in every statement', () => {
    const name = 'a"; DROP TABLE users; --';
    const [missing] = compareSchemas(schema([table(name, [column('select', 'text')])]), schema([]));
    expect(missing?.statement).toBe('CREATE TABLE "a""; DROP TABLE users; --" ("select" text)');
  });
});

test('tables of one name in two schemas of the search path are told, and which one is meant', () => {
  const tables = [
    table('users', [], { schema: 'public' }),
    table('users', [], { schema: 'app' }),
    table('users', [], { schema: 'archive' }),
  ];
  const [found, ...others] = tablesTwice(schema(tables, { searchPath: ['app', 'public'] }));
  expect(found).toMatchObject({ kind: 'table_twice', actual: 'app.users, public.users' });
  expect(others).toEqual([]);
  expect(tablesTwice(schema(tables, { searchPath: ['public'] }))).toEqual([]);
});

test('whatever stands in a definition is taken apart, and ends', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(...`' " \` [ ] ( ) :: , ; - * / $ a Z 0 . \n é`.split(' '), ' '), maxLength: 200 }),
      (text) => {
        sqlTokens(text);
        expect(between('postgres', { default: text }, { default: text })).toEqual([]);
      },
    ),
  );
});

test('a statement is one line, in which no comment swallows what follows', () => {
  const sql = `CREATE TABLE t ( -- the "first'\n  a TEXT DEFAULT '-- no\n  comment', /* b\n */ "c  d" INT\n)`;
  const [found] = compareSchemas(schema([table('t', [], { sql })], { engine: 'sqlite' }), schema([], { engine: 'sqlite' }));
  expect(found?.statement).toBe(`CREATE TABLE t ( a TEXT DEFAULT '-- no\n  comment', "c  d" INT )`);
});

test.each(["'", '"', '/*', '--', '(', `"'`, '[', '::('])('a definition of nothing but %s is no way to keep Grace busy', (piece) => {
  const of = (sql: string) => schema([table('t', [column('c', 'text', { default: sql })], { sql })], { engine: 'sqlite' });
  const long = piece.repeat(50_000);
  expect(inShort(of(long), schema([], { engine: 'sqlite' }))).toEqual(['table_missing t']);
  expect(inShort(of(long), of(long))).toEqual([]);
});
