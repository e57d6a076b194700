import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { MigrationLook } from '../../domains/preflight/index.ts';
import { deployCommand } from './deploy-command.ts';
import { historyOf, pendingOf, toolInUse } from './migration-folder.ts';
import type { Cells, DetectedMigrations, MigrationFile, MigrationRecord } from './detected-migrations.ts';
import { openProject, type Project } from './project-files.ts';
import { openRegularFile } from './regular-file.ts';
import type { SchemaSnapshot } from './schema-snapshot.ts';

/** A longer migration is data rather than a schema: it is hashed up to here, and so not at all. */
const FILE_BYTES_LIMIT = 4 * 1024 * 1024;
/** More than any project has that we looked at. */
const FILES_LIMIT = 2_000;

/**
 * Compares the migrations of a project with what its tool recorded, from files and the snapshot; the tool is not run.
 * @param now  the database as it is
 * @returns    null when the project has no migrations
 */
export async function readMigrationState(cwd: string, now: SchemaSnapshot): Promise<MigrationLook | null> {
  const project = await openProject(cwd);
  const detected = await toolInUse(project, now);
  if (detected === null) return null;
  const recorded = await recordedOf(detected, project, now);
  // One that broke halfway is open too, and what it needs first is something else.
  const open = pendingOf(detected, now).filter((name) => !recorded.failed.includes(name));
  const unrecorded = await unrecordedOf(detected, open, project, now);
  return {
    tool: detected.tool,
    folder: detected.folder,
    apply: await deployCommand(project, detected),
    pending: open.filter((name) => !unrecorded.includes(name)),
    unrecorded,
    ...recorded,
  };
}

type Recorded = Pick<MigrationLook, 'edited' | 'missing' | 'failed'>;

async function recordedOf(detected: DetectedMigrations, project: Project, now: SchemaSnapshot): Promise<Recorded> {
  const { record } = detected;
  const history = historyOf(detected, now);
  if (record === null || history === null || history.isTruncated) return { edited: [], missing: [], failed: [] };
  const files = new Map(record.files.slice(0, FILES_LIMIT).map((file) => [file.key, file]));
  const edited: string[] = [];
  const missing: string[] = [];
  const failed: string[] = [];
  let known = 0;
  for (const row of history.rows) {
    const key = record.keyOf(row);
    if (key === null) continue;
    const listed = files.get(key);
    // A journal may name a file that is gone, and a folder may have lost what was in it.
    const file = listed !== undefined && (await isThere(join(project.cwd, listed.path))) ? listed : undefined;
    if (file !== undefined) known += 1;
    if (record.failureOf?.(row) != null) failed.push(listed?.name ?? record.nameOf(row));
    else if (file === undefined) missing.push(listed?.name ?? record.nameOf(row));
    else if (await isEdited(record, row, file, project)) edited.push(file.name);
  }
  // Not one of them is here: then these are not the files that were applied, or the files were left out of this release.
  return { edited, missing: known === 0 ? [] : missing, failed };
}

async function isEdited(record: MigrationRecord, row: Cells, file: MigrationFile, project: Project): Promise<boolean> {
  const kept = record.checksumOf?.(row) ?? null;
  if (kept === null || record.checksumsFor === undefined) return false;
  const text = await readWhole(join(project.cwd, file.path));
  return text !== null && !record.checksumsFor(text).includes(kept);
}

/** Also when we may not look. */
async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    (error: unknown) => (error as NodeJS.ErrnoException).code !== 'ENOENT',
  );
}

/** Null when it cannot be read, or not to its end: a part has another checksum. */
async function readWhole(path: string): Promise<Buffer | null> {
  try {
    await using file = await openRegularFile(path);
    if (file === null) return null;
    const { size } = await file.stat();
    return size > FILE_BYTES_LIMIT ? null : await file.readFile();
  } catch {
    return null; // what is missing is told by its name
  }
}

/** `CREATE TABLE "public"."users"`, and `createTable('users'` of Knex, Sequelize, TypeORM and Kysely. */
const CREATED = /\bcreate\s+table\s+(?!if\b)(?:["`[]?\w+["`\]]?\s*\.\s*)?["`[]?(\w+)|\bcreateTable\(\s*['"`](\w+)/gi;

/** Of what is not in the record, the migrations whose every table is there already. Those that create none cannot be told. */
async function unrecordedOf(
  { record }: DetectedMigrations,
  open: readonly string[],
  project: Project,
  now: SchemaSnapshot,
): Promise<readonly string[]> {
  const files = record?.files.filter(({ name }) => open.includes(name)).slice(0, FILES_LIMIT) ?? [];
  const tables = new Set(now.tables.map(({ name }) => name.toLowerCase()));
  const found: string[] = [];
  for (const { name, path } of files) {
    const created = [...firstPart(await project.read(path)).matchAll(CREATED)].map(([, sql, call]) => (sql ?? call)!.toLowerCase());
    // What one migration creates and a later one drops is not there: then the later ones decide nothing about this one.
    if (created.length > 0 && created.every((table) => tables.has(table))) found.push(name);
  }
  return found;
}

const DOWN =
  /^--\s*(?:Down Migration|migrate:down|\+goose Down)|\bexports\.down\b|\bexport\s+(?:async\s+)?(?:const|function)\s+down\b|\bdown\s*[:(]/im;

/** Without the part that goes back, and without comments: a table named there was not made by this migration. */
function firstPart(text: string): string {
  const down = DOWN.exec(text);
  return text.slice(0, down?.index ?? text.length).replaceAll(/^\s*(?:--|\/\/).*$/gm, '');
}
