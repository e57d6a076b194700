import type { DatabaseSchema, SchemaColumn, SchemaEngine, SchemaIndex, SchemaRule, SchemaTable } from './schema.ts';

const SERIALS: Readonly<Record<string, string>> = { smallint: 'smallserial', integer: 'serial', bigint: 'bigserial' };

/** Any name, as both engines read it. */
export function quotedName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** With its schema, unless it is the one that everybody uses. */
export function quotedTable({ schema, name }: { readonly schema: string; readonly name: string }): string {
  return schema === 'main' || schema === 'public' ? quotedName(name) : `${quotedName(schema)}.${quotedName(name)}`;
}

export function createTable(engine: SchemaEngine, table: SchemaTable): string {
  if (table.sql !== null) return oneLine(table.sql);
  const columns = table.columns.map((column) => columnText(engine, column));
  const rules = table.rules.map((rule) => `${rule.name === '' ? '' : `CONSTRAINT ${quotedName(rule.name)} `}${rule.definition}`);
  return `CREATE TABLE ${quotedTable(table)} (${[...columns, ...rules].join(', ')})`;
}

export function dropTable(table: SchemaTable): string {
  return `DROP TABLE ${quotedTable(table)}`;
}

export function addColumn(engine: SchemaEngine, table: SchemaTable, column: SchemaColumn): string {
  return `ALTER TABLE ${quotedTable(table)} ADD COLUMN ${columnText(engine, column)}`;
}

export function dropColumn(table: SchemaTable, column: SchemaColumn): string {
  return `ALTER TABLE ${quotedTable(table)} DROP COLUMN ${quotedName(column.name)}`;
}

/** SQLite changes no column in place: a table is made anew and its rows are copied. */
export function alterType(engine: SchemaEngine, table: SchemaTable, column: SchemaColumn): string | null {
  return engine === 'sqlite' ? null : `${alter(table, column)} TYPE ${column.type} USING ${quotedName(column.name)}::${column.type}`;
}

export function alterNullability(engine: SchemaEngine, table: SchemaTable, column: SchemaColumn): string | null {
  return engine === 'sqlite' ? null : `${alter(table, column)} ${column.isNullable ? 'DROP' : 'SET'} NOT NULL`;
}

export function alterDefault(engine: SchemaEngine, table: SchemaTable, column: SchemaColumn): string | null {
  if (engine === 'sqlite') return null;
  if (column.identity !== null) return `${alter(table, column)} ADD GENERATED ${column.identity.toUpperCase()} AS IDENTITY`;
  return column.default === null ? `${alter(table, column)} DROP DEFAULT` : `${alter(table, column)} SET DEFAULT ${column.default}`;
}

export function addRule(engine: SchemaEngine, table: SchemaTable, { kind, name, definition }: SchemaRule): string | null {
  // The only rule that SQLite takes later is a unique index.
  if (engine === 'sqlite' && kind === 'unique')
    return `CREATE UNIQUE INDEX ${quotedName(`${table.name}_unique`)} ON ${quotedName(table.name)} ${definition.replace(/^UNIQUE\s*/i, '')}`;
  if (engine === 'sqlite') return null;
  return `ALTER TABLE ${quotedTable(table)} ADD ${name === '' ? '' : `CONSTRAINT ${quotedName(name)} `}${definition}`;
}

export function dropRule(engine: SchemaEngine, table: SchemaTable, { name }: SchemaRule): string | null {
  return engine === 'sqlite' || name === '' ? null : `ALTER TABLE ${quotedTable(table)} DROP CONSTRAINT ${quotedName(name)}`;
}

export function replaceIndex(table: SchemaTable, had: SchemaIndex, wanted: SchemaIndex): string {
  return `${dropIndex(table, had)}; ${oneLine(wanted.sql)}`;
}

export function dropIndex({ schema }: SchemaTable, { name }: SchemaIndex): string {
  return `DROP INDEX ${quotedTable({ schema, name })}`;
}

export function createView(engine: SchemaEngine, view: DatabaseSchema['views'][number]): string {
  if (engine === 'sqlite') return oneLine(view.definition);
  return oneLine(`CREATE ${view.isMaterialized ? 'MATERIALIZED ' : ''}VIEW ${quotedTable(view)} AS ${view.definition}`);
}

export function createEnum(type: DatabaseSchema['enums'][number]): string {
  return `CREATE TYPE ${quotedTable(type)} AS ENUM (${type.labels.map(quotedText).join(', ')})`;
}

export function addLabel(type: DatabaseSchema['enums'][number], label: string): string {
  return `ALTER TYPE ${quotedTable(type)} ADD VALUE ${quotedText(label)}`;
}

/**
 * Without comments and line breaks, which a report cannot hold: a comment would go on to the end of the line that is left. What is quoted
 * stays as it is. An end that is missing is the end of the text, so that no text is walked twice.
 */
export function oneLine(sql: string): string {
  return sql
    .replaceAll(/'(?:[^']|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)|(?:\s|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$))+/g, (piece) =>
      /^['"]/.test(piece) ? piece : ' ',
    )
    .trim();
}

function alter(table: SchemaTable, column: SchemaColumn): string {
  return `ALTER TABLE ${quotedTable(table)} ALTER COLUMN ${quotedName(column.name)}`;
}

function columnText(engine: SchemaEngine, column: SchemaColumn): string {
  // Its sequence is made with it.
  const isSerial = engine === 'postgres' && column.identity === null && /^nextval\(/i.test(column.default ?? '') && column.type in SERIALS;
  const parts = [quotedName(column.name), isSerial ? (SERIALS[column.type] ?? column.type) : column.type];
  if (column.generated !== null) parts.push(`GENERATED ALWAYS AS (${column.default ?? '…'}) ${column.generated.toUpperCase()}`);
  else if (column.default !== null && !isSerial)
    parts.push(`DEFAULT ${engine === 'sqlite' ? inParentheses(column.default) : column.default}`);
  if (column.identity !== null) parts.push(`GENERATED ${column.identity.toUpperCase()} AS IDENTITY`);
  if (!column.isNullable) parts.push('NOT NULL');
  return parts.filter((part) => part !== '').join(' ');
}

/** What is no literal may not stand alone in SQLite. */
function inParentheses(text: string): string {
  return /^(?:[-+]?[\d.]+|'[^']*'|\(.*\)|null|true|false|current_(?:time|date|timestamp))$/is.test(text) ? text : `(${text})`;
}

function quotedText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
