/**
 * A table in which a migration tool keeps what it has applied. `list`: a row for each migration. `cursor`: one row (or
 * one for each branch) that says how far the schema is, so an old row that is gone is progress rather than a loss.
 */
export interface HistoryTable {
  readonly table: string;
  readonly kind: 'list' | 'cursor';
  /** A table of this name without these columns is somebody's data, and never read. */
  readonly columns: readonly string[];
  /** The columns that name a migration; joined with `:`. */
  readonly id: readonly string[];
  readonly orderBy: string;
}

const list = (table: string, columns: readonly string[], id: readonly string[], orderBy: string): HistoryTable => ({
  table,
  kind: 'list',
  columns,
  id,
  orderBy,
});

/** First match wins: where tools share a name, the shape tells them apart. */
const KNOWN: readonly HistoryTable[] = [
  list('migrations', ['id', 'name', 'run_on'], ['name'], 'id'), // db-migrate
  list('migrations', ['id', 'timestamp', 'name'], ['name'], 'id'), // TypeORM
  list('migrations', ['id', 'migration', 'batch'], ['migration'], 'id'), // Laravel
  list('migrations', ['hash', 'previous_hash', 'filename'], ['filename'], 'date'), // graphile-migrate
  list('knex_migrations', ['id', 'name', 'batch', 'migration_time'], ['name'], 'id'),
  list('SequelizeMeta', ['name'], ['name'], 'name'),
  list(
    '_prisma_migrations',
    ['id', 'checksum', 'finished_at', 'migration_name', 'rolled_back_at', 'started_at'],
    ['migration_name'],
    'started_at',
  ),
  list('__drizzle_migrations', ['id', 'hash', 'created_at'], ['hash'], 'created_at'),
  list('kysely_migration', ['name', 'timestamp'], ['name'], 'timestamp'),
  list('pgmigrations', ['id', 'name', 'run_on'], ['name'], 'id'),
  list('mikro_orm_migrations', ['id', 'name', 'executed_at'], ['name'], 'id'),
  list('flyway_schema_history', ['installed_rank', 'version', 'description', 'script', 'success'], ['script'], 'installed_rank'),
  { table: 'alembic_version', kind: 'cursor', columns: ['version_num'], id: ['version_num'], orderBy: 'version_num' },
  list('django_migrations', ['id', 'app', 'name', 'applied'], ['app', 'name'], 'id'),
  { table: 'schema_migrations', kind: 'cursor', columns: ['version', 'dirty'], id: ['version'], orderBy: 'version' }, // golang-migrate
  list('schema_migrations', ['name'], ['name'], 'name'),
  list('schema_migrations', ['filename'], ['filename'], 'filename'),
  list('schema_migrations', ['version'], ['version'], 'version'), // Rails, dbmate, Ecto
  list('goose_db_version', ['id', 'version_id', 'is_applied'], ['version_id'], 'id'),
  list(
    'databasechangelog',
    ['id', 'author', 'filename', 'dateexecuted', 'orderexecuted', 'md5sum'],
    ['id', 'author', 'filename'],
    'orderexecuted',
  ),
  list('_sqlx_migrations', ['version', 'description', 'checksum', 'success'], ['version'], 'version'),
  list('__diesel_schema_migrations', ['version', 'run_on'], ['version'], 'version'),
  list('__EFMigrationsHistory', ['MigrationId', 'ProductVersion'], ['MigrationId'], 'MigrationId'),
];

/** Rows beyond this many (the oldest) are not kept: no project we know of has a tenth of it. */
export const HISTORY_ROWS_LIMIT = 5_000;
/** A longer row holds something else than the record of a migration. */
export const HISTORY_ROW_BYTES_LIMIT = 65_536;

/** The widest record of a migration tool has fourteen columns. */
const COLUMNS_LIMIT = 40;

/** The history a table keeps, judged by its name and its columns; null for tables that hold data. */
export function historyTableOf(table: string, columns: readonly string[]): HistoryTable | null {
  const name = table.toLowerCase();
  if (columns.length > COLUMNS_LIMIT) return null;
  const present = new Set(columns.map((column) => column.toLowerCase()));
  const known = KNOWN.find(
    (entry) => entry.table.toLowerCase() === name && entry.columns.every((column) => present.has(column.toLowerCase())),
  );
  if (known === undefined) return null;
  // Liquibase writes its columns in capitals on some engines: answer in the spelling of this table.
  const spelled = (wanted: string) => columns.find((column) => column.toLowerCase() === wanted.toLowerCase()) ?? columns[0]!;
  return { ...known, id: known.id.map(spelled), orderBy: spelled(known.orderBy) };
}
