import type { SchemaEngine, SchemaIndex, SchemaRule, SchemaView } from './schema.ts';
import { joined, sqlTokens } from './sql-words.ts';

/** A key or a condition without its name, and without what is the same said or unsaid. */
export function canonicalRule({ kind, definition }: SchemaRule): string {
  const text = joined(sqlTokens(definition))
    .replaceAll(/ on (?:delete|update) no action| match simple| not deferrable| initially immediate| not valid/g, '')
    // PostgreSQL adds casts and parentheses to conditions as it likes, and not the same in each version
    .replaceAll(/ :: [a-z]+(?: varying)?(?: \[ \])*/g, '');
  return kind === 'check'
    ? `check ${text
        .replaceAll(/[()]/g, '')
        .replaceAll(/\s+/g, ' ')
        .replace(/^check /, '')
        .trim()}`
    : text;
}

/** An index without its name: `CREATE UNIQUE INDEX name ON public.orders USING btree (a)`. */
export function canonicalIndex(engine: SchemaEngine, index: SchemaIndex): string {
  const tokens = sqlTokens(index.sql);
  const on = tokens.findIndex(({ kind, value }) => kind === 'word' && value === 'on');
  const rest = joined(tokens.slice(on))
    .replaceAll(/ using btree(?= )/g, '')
    .replace(/^on only /, 'on ');
  const plain = engine === 'sqlite' ? rest.replaceAll(/ collate binary(?=[ ,])| asc(?=[ ,])/g, '').replace(/^on main \. /, 'on ') : rest;
  return `${index.isUnique ? 'unique ' : ''}${plain}`;
}

export function canonicalView({ definition }: SchemaView): string {
  return joined(sqlTokens(definition))
    .replace(/ ;$/, '')
    .replace(/^create view if not exists /, 'create view ');
}
