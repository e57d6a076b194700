import { sha256Hex } from '../../kernel/index.ts';

/**
 * The schema of a database as JSON: enough to say later what is gone, and to make a table again exactly as it was.
 * It holds definitions and the records of migration tools; rows of the service's own tables are never read.
 */
export interface SchemaSnapshot {
  readonly format: 1;
  readonly engine: 'postgres' | 'sqlite';
  /** The name of the database; for SQLite, of its file. A snapshot of another database is no reason to repair this one. */
  readonly database: string;
  /** Sorted by schema and name. */
  readonly tables: readonly TableSnapshot[];
  readonly views: readonly ViewSnapshot[];
  readonly enums: readonly EnumSnapshot[];
  readonly history: readonly HistorySnapshot[];
  /** SHA-256 of everything above that describes the schema or a migration; how far sequences counted is left out. */
  readonly digest: string;
}

export interface TableSnapshot {
  /** `main` in SQLite. */
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly ColumnSnapshot[];
  readonly constraints: readonly ConstraintSnapshot[];
  readonly indexes: readonly IndexSnapshot[];
  /** Sequences that a column owns: they go when the table goes. In SQLite, the counter of AUTOINCREMENT. */
  readonly sequences: readonly SequenceSnapshot[];
  readonly triggers: readonly TriggerSnapshot[];
  readonly policies: readonly PolicySnapshot[];
  readonly rowSecurity: 'off' | 'on' | 'forced';
  readonly owner: string | null;
  readonly grants: readonly Grant[];
  readonly isUnlogged: boolean;
  /** Storage parameters, `name=value`. */
  readonly options: readonly string[];
  readonly tablespace: string | null;
  readonly replicaIdentity: string;
  readonly comment: string | null;
  /** The statement that made it; SQLite only. */
  readonly sql: string | null;
  /** Why Grace will not make this table again: it is more than this snapshot can say. Null for ordinary tables. */
  readonly unsupported: string | null;
}

export interface ColumnSnapshot {
  readonly name: string;
  readonly type: string;
  readonly notNull: boolean;
  /** The expression, of a default or of a generated column. */
  readonly default: string | null;
  readonly identity: 'always' | 'by default' | null;
  readonly generated: 'stored' | 'virtual' | null;
  /** Where it is not that of the type. */
  readonly collation: string | null;
  readonly comment: string | null;
  readonly grants: readonly Grant[];
}

export interface ConstraintSnapshot {
  readonly name: string;
  readonly kind: 'check' | 'foreign key' | 'primary key' | 'unique' | 'exclusion';
  readonly definition: string;
  /** The table a foreign key points at. */
  readonly references: { readonly schema: string; readonly name: string } | null;
}

export interface IndexSnapshot {
  readonly name: string;
  readonly definition: string;
  /** The constraint that brings this index with it; null for one that stands alone. */
  readonly constraint: string | null;
  readonly isReplicaIdentity: boolean;
}

export interface SequenceSnapshot {
  readonly schema: string;
  readonly name: string;
  readonly column: string;
  /** An identity column has its sequence inside; a serial one refers to it in its default. */
  readonly isIdentity: boolean;
  readonly type: string;
  readonly start: string;
  readonly increment: string;
  readonly min: string;
  readonly max: string;
  readonly cache: string;
  readonly cycles: boolean;
  readonly owner: string | null;
  readonly grants: readonly Grant[];
  /** How far it had counted. Not part of the digest; a table made again goes on from here, so that ids stay unique. */
  readonly lastValue: string | null;
}

export interface TriggerSnapshot {
  readonly name: string;
  readonly definition: string;
  readonly enabled: 'origin' | 'disabled' | 'replica' | 'always';
}

export interface PolicySnapshot {
  readonly name: string;
  readonly command: 'ALL' | 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE';
  readonly isPermissive: boolean;
  /** Null stands for PUBLIC. */
  readonly roles: readonly (string | null)[];
  readonly using: string | null;
  readonly check: string | null;
}

export interface Grant {
  /** Null stands for PUBLIC. */
  readonly grantee: string | null;
  readonly privilege: string;
  readonly isGrantable: boolean;
}

export interface ViewSnapshot {
  readonly schema: string;
  readonly name: string;
  readonly isMaterialized: boolean;
  readonly definition: string;
  readonly options: readonly string[];
  readonly owner: string | null;
  readonly grants: readonly Grant[];
  readonly indexes: readonly IndexSnapshot[];
  /** Tables and views it selects from, as labels. */
  readonly dependsOn: readonly string[];
}

export interface EnumSnapshot {
  readonly schema: string;
  readonly name: string;
  readonly labels: readonly string[];
}

/** What a migration tool recorded. */
export interface HistorySnapshot {
  readonly schema: string;
  readonly table: string;
  readonly kind: 'list' | 'cursor';
  readonly rows: readonly HistoryRow[];
  /** True when rows were left out: then a row that is not here may still be there. */
  readonly isTruncated: boolean;
}

export interface HistoryRow {
  /** The migration's name as its tool writes it. */
  readonly id: string;
  /** Every column, as text in UTC and ISO form. */
  readonly cells: Readonly<Record<string, string | null>>;
  /** SQLite only: the cells that are not text there, by how they are stored. */
  readonly storage: Readonly<Record<string, 'integer' | 'real' | 'blob'>>;
}

/** What a reader of a catalog brings home. */
export type SchemaContent = Omit<SchemaSnapshot, 'digest'>;

/** Adds the digest. */
export function sealSnapshot(content: SchemaContent): SchemaSnapshot {
  return { ...content, digest: digestOf(content) };
}

/** False when a stored snapshot is not what it was when it was taken. */
export function isIntact(snapshot: SchemaSnapshot): boolean {
  return snapshot.format === 1 && snapshot.digest === digestOf(snapshot);
}

/** `orders`, or `billing.orders` outside the schema that everybody uses: how drift and repairs name a table. */
export function tableLabel(table: { readonly schema: string; readonly name: string }): string {
  return table.schema === 'public' || table.schema === 'main' ? table.name : `${table.schema}.${table.name}`;
}

/** Text that is equal when two definitions are, whatever order a JSON store gave their keys. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    item !== null && typeof item === 'object' && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}

/** A table without what changes while it is used. */
export function definitionOf(table: TableSnapshot): TableSnapshot {
  return { ...table, sequences: table.sequences.map((sequence) => ({ ...sequence, lastValue: null })) };
}

function digestOf({ format, engine, tables, views, enums, history }: SchemaContent): string {
  return sha256Hex(canonical({ format, engine, tables: tables.map(definitionOf), views, enums, history }));
}
