export type SchemaEngine = 'postgres' | 'sqlite';

/** The schema of a database, as far as a service depends on it. Texts stand as the database itself tells them. */
export interface DatabaseSchema {
  readonly engine: SchemaEngine;
  readonly tables: readonly SchemaTable[];
  readonly views: readonly SchemaView[];
  /** PostgreSQL only. */
  readonly enums: readonly SchemaEnum[];
  /** Schemas in which a name without one is looked for, in this order. */
  readonly searchPath: readonly string[];
}

export interface SchemaTable {
  /** `main` in SQLite. */
  readonly schema: string;
  readonly name: string;
  readonly columns: readonly SchemaColumn[];
  readonly rules: readonly SchemaRule[];
  readonly indexes: readonly SchemaIndex[];
  /** SQLite: types are enforced as they are written. */
  readonly isStrict: boolean;
  /** The statement that made it, where the database keeps it (SQLite). */
  readonly sql: string | null;
  /** Why Grace would not make it: partitioned, virtual, inherits. Null for ordinary tables. */
  readonly unsupported: string | null;
}

export interface SchemaColumn {
  readonly name: string;
  readonly type: string;
  readonly isNullable: boolean;
  /** An expression; of a generated column the one it is made by, where it is known. */
  readonly default: string | null;
  readonly generated: 'stored' | 'virtual' | null;
  /** GENERATED … AS IDENTITY. */
  readonly identity: 'always' | 'by default' | null;
}

/** A key, or a condition that rows have to meet. */
export interface SchemaRule {
  readonly kind: 'primary key' | 'foreign key' | 'unique' | 'check' | 'exclusion';
  /** Empty where nobody gave it one. */
  readonly name: string;
  /** As it stands behind ADD CONSTRAINT and its name. */
  readonly definition: string;
}

/** One that stands by itself; those that belong to a key are part of it. */
export interface SchemaIndex {
  readonly name: string;
  readonly isUnique: boolean;
  /** The whole statement. */
  readonly sql: string;
}

export interface SchemaView {
  readonly schema: string;
  readonly name: string;
  readonly isMaterialized: boolean;
  /** The query in PostgreSQL, the whole statement in SQLite. */
  readonly definition: string;
}

export interface SchemaEnum {
  readonly schema: string;
  readonly name: string;
  readonly labels: readonly string[];
}

/** `orders`, or `billing.orders` outside the schema that everybody uses. */
export function labelOf({ schema, name }: { readonly schema: string; readonly name: string }): string {
  return schema === 'public' || schema === 'main' ? name : `${schema}.${name}`;
}
