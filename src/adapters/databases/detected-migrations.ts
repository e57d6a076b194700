import type { Project } from './project-files.ts';

export type MigrationTool =
  | 'prisma'
  | 'drizzle'
  | 'knex'
  | 'sequelize'
  | 'typeorm'
  | 'kysely'
  | 'db-migrate'
  | 'node-pg-migrate'
  | 'flyway'
  | 'liquibase'
  | 'alembic'
  | 'django'
  | 'rails'
  | 'goose'
  | 'dbmate'
  | 'golang-migrate'
  | 'sql';

export type Cells = Readonly<Record<string, string | null>>;

export interface AppliedHistory {
  readonly rows: readonly Cells[];
}

export interface DetectedMigrations {
  readonly tool: MigrationTool;
  readonly folder: string;
  /** In lower case. */
  readonly historyTables: readonly string[];
  /** True when the configuration names another table: then its absence says nothing. */
  readonly hasCustomTable: boolean;
  /** An argument of the deploy command that the tool cannot do without. */
  readonly argument: string | null;
  /** Whether a history table of this name is this tool's, by one of its rows; tools share names. */
  isOwn(row: Cells | null): boolean;
  /** Names of what is in the folder and not applied, in the order they apply. */
  pending(applied: AppliedHistory): readonly string[];
  /** How files and rows find each other; null where the tool's record is more than a list of its files. */
  readonly record: MigrationRecord | null;
}

/** A migration as it is in the project. */
export interface MigrationFile {
  /** As `pending` writes it. */
  readonly name: string;
  readonly key: string;
  /** Relative to the project. */
  readonly path: string;
}

export interface MigrationRecord {
  readonly files: readonly MigrationFile[];
  /** The key of the file that a row stands for; null for rows that stand for none, such as a baseline. */
  keyOf(row: Cells): string | null;
  /** For people, when there is no file that has the name. */
  nameOf(row: Cells): string;
  /** Why a row says that its migration broke halfway; null for one that went well. */
  failureOf?(row: Cells): string | null;
  /** What the tool kept of the file's text when it applied it; null where it kept nothing. */
  checksumOf?(row: Cells): string | null;
  /** Every checksum that the tool accepts for a text. */
  checksumsFor?(text: Buffer): readonly string[];
}

/** More revisions than any project has that we looked at; beyond them the picture is incomplete and says less. */
export const FILES_READ_LIMIT = 2_000;

/** Recognises the migrations of one tool, and what of them is applied; null where it is not that tool. */
export type Detector = (project: Project) => Promise<DetectedMigrations | null>;

/** What a tool says of its migrations, with what most tools have in common. */
export function detected(
  tool: MigrationTool,
  folder: string,
  historyTables: readonly string[],
  pending: DetectedMigrations['pending'],
  more: Partial<Pick<DetectedMigrations, 'hasCustomTable' | 'argument' | 'isOwn' | 'record'>> = {},
): DetectedMigrations {
  const usual = { hasCustomTable: false, argument: null, isOwn: () => true, record: null };
  return { tool, folder: trimmed(folder), historyTables, ...usual, ...more, pending };
}

/** A folder as it is joined: without `./` before it and `/` behind it. */
export function trimmed(folder: string): string {
  return folder.replace(/^(?:\.\/)+/, '').replace(/\/+$/, '') || '.';
}
