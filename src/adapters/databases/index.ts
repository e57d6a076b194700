// The databases of the services Grace guards: where they are, what their schema was when all was well, what is missing
// since, and how to bring exactly that back. Looking is read-only and bounded; rows of users are never read, except by
// `databaseCopies`, which copies whole databases and puts them back.
export { databaseCopies, type DatabaseCopiesOptions } from './database-copies.ts';
export {
  DatabaseDriverMissing,
  DatabaseLoginRefused,
  DatabaseQueryFailed,
  DatabaseRestoreRefused,
  DatabaseTimeout,
  DatabaseToolFailed,
  DatabaseTooLarge,
  DatabaseUnreachable,
} from './errors.ts';
export { describeLocation, locateDatabase, type DatabaseLocation } from './locate.ts';
export { findOnlySqlite } from './find-sqlite.ts';
export { findMigrationFolder, type MigrationFolder, type MigrationTool } from './migration-folder.ts';
export { readMigrationState } from './migration-state.ts';
export { migrationsApplier } from './scratch/apply-migrations.ts';
export { declaredSchema } from './scratch/expected-sql.ts';
export {
  dropEmptyColumns,
  dropEmptyTables,
  recordMigrations,
  restoreColumns,
  restoreTables,
  unrecordMigrations,
  type RepairOptions,
} from './repair.ts';
export { compareSchema, hasDrifted, type SchemaComparison } from './schema-drift.ts';
export { isIntact, tableLabel, type HistorySnapshot, type SchemaSnapshot, type TableSnapshot } from './schema-snapshot.ts';
export { lookAtSchema, type SchemaLookOrder } from './schema-look.ts';
export type { ExpectedPorts, FailedAttempt } from './expected-schema.ts';
export { takeSnapshot, type SnapshotOptions } from './take-snapshot.ts';
export type { MadeWithColumns, Dropped, Recorded, Refused, Restored } from './repair-result.ts';
