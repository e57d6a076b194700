import type { ComponentSpec } from '../supervisor/index.ts';
import type { DatabaseSchema, SchemaEngine } from '../schema/index.ts';

/** Migrations of a service, and an empty database to apply them to. */
export interface MigrationsOrder {
  /** The folder of the component, where its tool is configured. */
  readonly projectDir: string;
  /** `knex`, `typeorm` and so on, as the adapter tells them apart. */
  readonly tool: string;
  /** Relative to the project. */
  readonly folder: string;
  readonly engine: SchemaEngine;
  /** A PostgreSQL URL, or the path of a SQLite file that does not exist yet. It names no database of the service. */
  readonly scratchUrl: string;
  /** What the service is started with; where it names the database of the service, `scratchUrl` has to stand instead. */
  readonly env: Readonly<Record<string, string>>;
  readonly timeLimitMs: number;
}

/** `not_possible`: they could not be applied whole; `why` is for people and holds no secret. */
export type MigrationsApplied = { readonly state: 'applied' } | { readonly state: 'not_possible'; readonly why: string };

/** Applies migrations with their own tool, in a bounded process. Never touches the database of the service. */
export type ApplyMigrations = (order: MigrationsOrder, signal: AbortSignal) => Promise<MigrationsApplied>;

/** The schema of a component's database as it is and as it should be. */
export type SchemaLook =
  | {
      readonly state: 'looked';
      readonly actual: DatabaseSchema;
      /** null when no source could tell. */
      readonly expected: { readonly source: SchemaSource; readonly name: string; readonly schema: DatabaseSchema } | null;
      /** Of the sources before it: why they could not tell. */
      readonly leftOut: readonly string[];
      /** Migrations that are not applied yet, and the folder they are in. */
      readonly pending: readonly string[];
      /** Recorded at the last good boot, and not now. */
      readonly unrecorded: readonly string[];
    }
  /** `absent`: there is no such server or file, which others tell. */
  | { readonly state: 'absent' | 'unreadable'; readonly problem: string };

/**
 * `migrations`: applied to an empty database, and recorded in the live one; `unrecorded_migrations` where nobody can tell whether they
 * are applied there. `schema_file`: applied likewise; `named_file` when the config names it. `last_good_boot`:
 * as it was then.
 */
export type SchemaSource = 'migrations' | 'unrecorded_migrations' | 'schema_file' | 'named_file' | 'last_good_boot';

/** The databases of the components. Looks change nothing, and keep within their own limits. */
export interface SchemaLooks {
  /** Whether it has one that can be looked at; opens nothing. */
  isThere(spec: ComponentSpec): Promise<boolean>;
  /** null when there is none. */
  look(spec: ComponentSpec, signal: AbortSignal): Promise<SchemaLook | null>;
}
