import type { DatabaseSchema } from '../../domains/schema/index.ts';
import { historyTableOf } from './migration-history.ts';
import type { SchemaContent, TableSnapshot } from './schema-snapshot.ts';
import { sqliteTablesOf } from './sqlite-model.ts';

/** That of a partitioned table alone is not in use until each partition has one; without the word they are made with it. */
const ON_ONLY = /^(CREATE (?:UNIQUE )?INDEX (?:"(?:[^"]|"")*"|\S+) ON )ONLY /;

/** What migration tools keep beside their records. */
const BOOKKEEPING = new Set([
  'knex_migrations_lock',
  'kysely_migration_lock',
  'databasechangeloglock',
  'ar_internal_metadata',
  'typeorm_metadata',
  'sequelizedata',
  '__efmigrationslock',
]);

/**
 * The schema as the service sees it: without the tables in which migration tools keep their records.
 * @param searchPath  of the connections of the service; only what lies in it can be meant by a name alone
 */
export function modelOf(snapshot: SchemaContent, searchPath: readonly string[]): DatabaseSchema {
  const tables = snapshot.tables.filter((table) => !isBookkeeping(table));
  return {
    engine: snapshot.engine,
    tables: snapshot.engine === 'sqlite' ? sqliteTablesOf(tables) : tables.map(postgresTable),
    views: snapshot.views.map(({ schema, name, isMaterialized, definition }) => ({ schema, name, isMaterialized, definition })),
    enums: snapshot.enums,
    searchPath,
  };
}

export function isBookkeeping({ name, columns }: TableSnapshot): boolean {
  const names = columns.map((column) => column.name);
  return BOOKKEEPING.has(name.toLowerCase()) || historyTableOf(name, names) !== null;
}

function postgresTable(table: TableSnapshot): DatabaseSchema['tables'][number] {
  return {
    schema: table.schema,
    name: table.name,
    columns: table.columns.map((column) => ({
      name: column.name,
      type: column.type,
      isNullable: !column.notNull,
      default: column.default,
      generated: column.generated,
      identity: column.identity,
    })),
    rules: table.constraints.map(({ kind, name, definition }) => ({ kind, name, definition })),
    indexes: table.indexes
      .filter(({ constraint }) => constraint === null)
      .map(({ name, definition }) => ({ name, isUnique: definition.startsWith('CREATE UNIQUE '), sql: definition.replace(ON_ONLY, '$1') })),
    isStrict: false,
    sql: null,
    unsupported: table.unsupported,
  };
}
