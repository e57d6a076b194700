import type { PrimitiveContext } from '../domains/playbooks/index.ts';

/** Repairs inside a database that put back what the last verified boot had, and nothing else. */
export interface DatabaseRepair {
  /**
   * Adds rows to the migrations' history table as they were at the last verified boot.
   * @param migrations  `table/name`, as schemaDrift names them
   * @returns those it really added; what was there already is not among them
   */
  recordMigrations(component: string, migrations: readonly string[]): Promise<{ readonly recorded: readonly string[] }>;
  /** Removes exactly these rows; those that are gone are no error. */
  unrecordMigrations(component: string, migrations: readonly string[]): Promise<void>;
  /**
   * Makes missing tables, empty, with the columns and indexes they had at the last verified boot.
   * @returns those it really made
   */
  restoreTables(component: string, tables: readonly string[]): Promise<{ readonly created: readonly string[] }>;
  /** Drops those of these tables that are empty; one with rows stays and is in `kept`. */
  dropEmptyTables(
    component: string,
    tables: readonly string[],
  ): Promise<{ readonly dropped: readonly string[]; readonly kept: readonly string[] }>;
}

/** The context of primitives that work inside a database; null or absent where Grace cannot reach one. */
type DatabaseContext = PrimitiveContext & { readonly databases?: DatabaseRepair | null };

export function databasesOf(context: PrimitiveContext): DatabaseRepair | null {
  return (context as DatabaseContext).databases ?? null;
}
