import type { SchemaEngine } from './schema.ts';

/** Names that PostgreSQL takes for another. See its documentation, chapter 8, table 8.1. */
const POSTGRES_ALIASES: Readonly<Record<string, string>> = {
  int: 'integer',
  int2: 'smallint',
  int4: 'integer',
  int8: 'bigint',
  serial: 'integer',
  serial2: 'smallint',
  serial4: 'integer',
  serial8: 'bigint',
  smallserial: 'smallint',
  bigserial: 'bigint',
  float: 'double precision',
  float4: 'real',
  float8: 'double precision',
  bool: 'boolean',
  decimal: 'numeric',
  varchar: 'character varying',
  char: 'character',
  bpchar: 'character',
  varbit: 'bit varying',
  timestamp: 'timestamp without time zone',
  timestamptz: 'timestamp with time zone',
  time: 'time without time zone',
  timetz: 'time with time zone',
};

/**
 * One spelling of a type. In SQLite it is the affinity, which is all that SQLite makes of it, except in a STRICT table.
 * @see https://www.sqlite.org/datatype3.html#determination_of_column_affinity
 */
export function canonicalType(engine: SchemaEngine, type: string, isStrict = false): string {
  const plain = type.trim().replaceAll(/\s+/g, ' ');
  if (engine === 'postgres') return postgresType(plain);
  const upper = plain.toUpperCase();
  if (isStrict) return upper === 'INT' ? 'INTEGER' : upper;
  if (upper.includes('INT')) return 'INTEGER';
  if (/CHAR|CLOB|TEXT/.test(upper)) return 'TEXT';
  if (upper === '' || upper.includes('BLOB')) return 'BLOB';
  return /REAL|FLOA|DOUB/.test(upper) ? 'REAL' : 'NUMERIC';
}

/** Whether each value of one type is a value of the other: then changing it loses nothing, though it may rewrite the table. */
export function isWider(from: string, to: string): boolean {
  const order = ['smallint', 'integer', 'bigint'];
  const [a, b] = [postgresType(from), postgresType(to)];
  if (order.includes(a) && order.includes(b)) return order.indexOf(b) > order.indexOf(a);
  const [left, right] = [/^character varying(?:\((\d+)\))?$/.exec(a), /^character varying(?:\((\d+)\))?$/.exec(b)];
  if (left === null) return false;
  return b === 'text' || (right !== null && Number(right[1] ?? Infinity) > Number(left[1] ?? Infinity));
}

function postgresType(type: string): string {
  // a name in quotes is somebody's own type
  if (type.includes('"')) return type;
  const parts = /^([a-z_][a-z0-9_. ]*?)\s*(\([\d, ]*\))?((?: with(?:out)? time zone)?)\s*((?:\[\])*)$/i.exec(
    type.toLowerCase().slice(0, 500),
  );
  if (parts === null) return type;
  const [, name = '', size = '', zone = '', array = ''] = parts;
  const bare = name.startsWith('pg_catalog.') ? name.slice('pg_catalog.'.length) : name;
  // `timestamp(3) with time zone` says its zone behind the size
  const full = zone === '' ? (POSTGRES_ALIASES[bare] ?? bare) : `${bare}${zone}`;
  return `${full}${size.replaceAll(' ', '')}${array}`;
}
