import type { ColumnSnapshot, HistoryRow, HistorySnapshot, TableSnapshot } from './schema-snapshot.ts';

/** It must not act, and changed nothing. The reason is for people. */
export interface Refused {
  readonly state: 'refused';
  readonly reason: string;
}

export interface Restored {
  readonly state: 'restored';
  readonly tables: readonly string[];
  /** `table/constraint`: foreign keys of other tables that had gone with the table and are back. */
  readonly foreignKeys: readonly string[];
  /**
   * Those among them that are there for new rows only (NOT VALID): rows that are there point at rows that were lost.
   * A person decides what becomes of them, then runs ALTER TABLE … VALIDATE CONSTRAINT.
   */
  readonly notValidated: readonly string[];
  readonly views: readonly string[];
  readonly enums: readonly string[];
}

export interface Dropped {
  readonly state: 'dropped';
  /** Those that were there; the others were gone already. */
  readonly tables: readonly string[];
}

/** A column of a table, as the snapshot has both. */
export interface ColumnOfTable {
  readonly label: string;
  readonly table: TableSnapshot;
  readonly column: ColumnSnapshot;
}

export interface RestoredColumns {
  readonly state: 'restored';
  /** `table.column` of those that were added; the others were there. */
  readonly columns: readonly string[];
  /** What had gone with them and is back, in the order in which it was made. */
  readonly made: readonly MadeWithColumns[];
  /** `table/name` of constraints and indexes that the rows without values do not allow, and NOT NULL as `table.column`. */
  readonly leftOut: readonly string[];
}

export interface MadeWithColumns {
  readonly kind: 'view' | 'materialized view' | 'index';
  readonly schema: string;
  readonly name: string;
}

export interface DroppedColumns {
  readonly state: 'dropped';
  readonly columns: readonly string[];
}

export interface Recorded {
  readonly state: 'recorded';
  /** `table/name` of rows this call wrote (or, for `unrecordMigrations`, removed). */
  readonly ids: readonly string[];
  /** Those that needed nothing. */
  readonly unchanged: readonly string[];
}

/** Rows to write to, or remove from, one history table. */
export interface RowsOfTable {
  readonly label: string;
  readonly table: TableSnapshot;
  readonly history: HistorySnapshot;
  readonly rows: readonly HistoryRow[];
}
