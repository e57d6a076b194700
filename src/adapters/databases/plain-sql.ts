import { sha256Hex } from '../../kernel/index.ts';
import type { MigrationFolder } from './migration-folder.ts';
import { openProject, type Project } from './project-files.ts';
import { schemaPart, sqlStatements, whyItMayReach } from './sql-reach.ts';

/** SQL that makes a schema, in order, as far as it can be run without the tool it was written for. */
export type PlainSql =
  | { readonly state: 'found'; readonly texts: readonly SqlText[]; readonly digest: string }
  | { readonly state: 'not_possible'; readonly why: string };

export interface SqlText {
  /** Relative to the project. */
  readonly file: string;
  readonly sql: string;
}

/** More than any project we know of has. */
const FILES_MAX = 2_000;
const BYTES_MAX = 16 * 1024 * 1024;
/** What `Project.read` gives at most: such a file may go on. */
const FILE_BYTES_MAX = 256 * 1024;
/** Where tools and people put the whole schema, the most explicit first. */
const SCHEMA_FILES = ['db/structure.sql', 'db/schema.sql', 'database/schema.sql', 'sql/schema.sql', 'schema.sql', 'structure.sql'] as const;

const IS_MIGRATION: Partial<Readonly<Record<MigrationFolder['tool'], RegExp>>> = {
  sql: /^\d+.*\.sql$/,
  drizzle: /^\d+.*\.sql$/,
  'golang-migrate': /^\d+_.+\.up\.sql$/,
  dbmate: /^\d+.*\.sql$/,
  goose: /^\d+_.+\.(?:sql|go)$/,
  flyway: /^[VR][\d._]*__.+\.sql$/,
  'node-pg-migrate': /^\d+.*\.sql$/,
  prisma: /^\d[^.]*$/,
};

/** The migrations of a folder whose tool writes plain SQL; null where it does not. */
export async function plainMigrations(cwd: string, { tool, folder }: Pick<MigrationFolder, 'tool' | 'folder'>): Promise<PlainSql | null> {
  const pattern = IS_MIGRATION[tool];
  if (pattern === undefined) return null;
  const project = await openProject(cwd);
  const all = await project.list(folder);
  const names = all.filter((name) => pattern.test(name) && !/\.(?:down|rollback|undo)\.sql$/i.test(name)).toSorted(byNumber);
  // Some of its migrations are code.
  if (names.length === 0 || (tool === 'node-pg-migrate' && all.some((name) => /^\d+.*\.[cm]?[jt]s$/.test(name)))) return null;
  const code = names.find((name) => name.endsWith('.go'));
  if (code !== undefined) return { state: 'not_possible', why: `${folder}/${code} is code` };
  return readAll(
    project,
    names.map((name) => (tool === 'prisma' ? `${folder}/${name}/migration.sql` : `${folder}/${name}`)),
  );
}

/** The schema as one file: the one that the config names, or one of the usual. */
export async function schemaFile(cwd: string, named: string | null): Promise<(PlainSql & { readonly file: string }) | null> {
  const project = await openProject(cwd);
  for (const file of named === null ? SCHEMA_FILES : [named]) {
    if (named === null && (await project.read(file)) === '') continue;
    return { ...(await readAll(project, [file])), file };
  }
  return null;
}

async function readAll(project: Project, files: readonly string[]): Promise<PlainSql> {
  if (files.length > FILES_MAX) return { state: 'not_possible', why: `there are more than ${FILES_MAX} files` };
  const texts: SqlText[] = [];
  let bytes = 0;
  for (const file of files) {
    const text = await project.read(file);
    bytes += text.length;
    if (text === '') return { state: 'not_possible', why: `${file} is empty or cannot be read` };
    if (text.length >= FILE_BYTES_MAX || bytes > BYTES_MAX) return { state: 'not_possible', why: `${file} is too large` };
    const forward = forwardPart(text);
    const statements = sqlStatements(forward);
    const why = whyNotRun(forward) ?? whyItMayReach(statements);
    if (why !== null) return { state: 'not_possible', why: `${file} ${why}` };
    texts.push({ file, sql: schemaPart(forward, statements) });
  }
  return { state: 'found', texts, digest: sha256Hex(JSON.stringify(texts)) };
}

/** Without the way back, and without what a dump says to its own client. */
function forwardPart(text: string): string {
  const down = /^--\s{0,9}(?:\+goose\s{1,9}|\+migrate\s{1,9}|migrate:)?down\b.*$/im.exec(text);
  return (down === null ? text : text.slice(0, down.index)).replaceAll(/^\\(?:un)?restrict\b.*$/gm, '');
}

function whyNotRun(sql: string): string | null {
  if (/^\\[a-z!]/m.test(sql)) return 'has commands of psql';
  if (/^\.[a-z]/m.test(sql)) return 'has commands of the sqlite3 shell';
  return /\$\{[\w.:-]+\}/.test(sql) ? 'has placeholders' : null;
}

/** `2_b` before `10_a`; versions of Flyway part by part, what it repeats last. */
function byNumber(a: string, b: string): number {
  const parts = (name: string): readonly string[] => (/^V?([\d._]*)/.exec(name)?.[1] ?? '').split(/[._]/).filter((part) => part !== '');
  const [left, right] = [parts(a), parts(b)];
  if (a.startsWith('R') !== b.startsWith('R')) return a.startsWith('R') ? 1 : -1;
  for (let at = 0; at < Math.max(left.length, right.length); at += 1) {
    const difference = BigInt(left[at] ?? '0') - BigInt(right[at] ?? '0');
    if (difference !== 0n) return difference < 0n ? -1 : 1;
  }
  return a < b ? -1 : 1;
}
