import type { ComponentSpec } from '../supervisor/index.ts';

/** How the migrations of a component and the record in its database agree; names as the tool writes them. */
export interface MigrationLook {
  /** `knex`, `typeorm` and so on. */
  readonly tool: string;
  /** Relative to the component's directory. */
  readonly folder: string;
  /** The tool's own command that applies what is pending; null when none is safe to run unattended. */
  readonly apply: readonly string[] | null;
  readonly pending: readonly string[];
  /** Not recorded, although every table they create is there. */
  readonly unrecorded: readonly string[];
  /** Changed since they were applied. */
  readonly edited: readonly string[];
  /** Recorded, and without a file. */
  readonly missing: readonly string[];
  /** Recorded as begun, and not as done. */
  readonly failed: readonly string[];
}

/** Migrations of the components. Looks read files and one table, and change nothing. */
export interface MigrationLooks {
  /** Whether it has migrations and a database; opens no database. */
  isThere(spec: ComponentSpec): Promise<boolean>;
  /** null when there is nothing to look at; `unseen` when the database cannot be looked at, which others tell. */
  look(spec: ComponentSpec): Promise<MigrationLook | 'unseen' | null>;
}
