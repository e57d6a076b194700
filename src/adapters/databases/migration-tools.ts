import { crc32 } from 'node:zlib';
import { sha256Hex } from '../../kernel/index.ts';
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

type Detector = (project: Project) => Promise<DetectedMigrations | null>;

const SCRIPT_FILE = /\.(?:[cm]?[jt]s|coffee)$/;
const COMMON_FOLDERS = [
  'migrations',
  'db/migrations',
  'src/migrations',
  'src/db/migrations',
  'database/migrations',
  'sql/migrations',
  'src/database/migrations',
] as const;

const prisma: Detector = async (project) => {
  const config = await project.read(project.find(/^prisma\.config\.[cm]?[jt]s$/) ?? 'prisma.config.ts');
  const folder = stringAfter(config, /migrations\s*:\s*\{[^}]{0,300}?path\s*:/) ?? 'prisma/migrations';
  const names = await project.list(folder);
  if (
    config === '' &&
    !(await project.list('prisma')).some((name) => name.endsWith('.prisma') || name === 'schema' || name === 'migrations')
  )
    return null;
  const migrations = names.filter((name) => /^\d/.test(name) && !name.includes('.'));
  return detected(
    'prisma',
    folder,
    ['_prisma_migrations'],
    ({ rows }) => {
      const applied = new Set(
        rows.filter((row) => row['finished_at'] != null && row['rolled_back_at'] == null).map((row) => row['migration_name']),
      );
      return migrations.filter((name) => !applied.has(name));
    },
    {
      record: {
        files: migrations.map((name) => ({ name, key: name, path: `${trimmed(folder)}/${name}/migration.sql` })),
        keyOf: (row) => (row['rolled_back_at'] == null ? (row['migration_name'] ?? null) : null),
        nameOf: (row) => row['migration_name'] ?? '',
        failureOf: (row) => (row['finished_at'] == null && row['rolled_back_at'] == null ? 'it was begun and never finished' : null),
        checksumOf: (row) => row['checksum'] ?? null,
        // Prisma takes a file for the same when only its line endings were changed, as Git does.
        checksumsFor: (text) => sameButForLineEndings(text).map((bytes) => sha256Hex(bytes)),
      },
    },
  );
};

const drizzle: Detector = async (project) => {
  const file = project.find(/^drizzle\.config\.(?:[cm]?[jt]s|json)$/);
  if (file === null) return null;
  const config = await project.read(file);
  const folder = stringAfter(config, /["']?\bout["']?\s*:/) ?? 'drizzle';
  const entries = journalEntries(await project.read(`${trimmed(folder)}/meta/_journal.json`));
  return detected(
    'drizzle',
    folder,
    ['__drizzle_migrations'],
    ({ rows }) => {
      // Drizzle applies what is newer than the newest it has recorded, and never what is missing in between.
      const latest = Math.max(...rows.map((row) => Number(row['created_at'] ?? Number.NEGATIVE_INFINITY)), Number.NEGATIVE_INFINITY);
      return entries.filter(({ when }) => when > latest).map(({ tag }) => tag);
    },
    {
      hasCustomTable: /["']?\btable["']?\s*:/.test(config),
      record: {
        files: entries.map(({ tag, when }) => ({ name: tag, key: String(when), path: `${trimmed(folder)}/${tag}.sql` })),
        keyOf: (row) => row['created_at'] ?? null,
        nameOf: (row) => `the one of ${stampOf(row['created_at'])}`,
        checksumOf: (row) => row['hash'] ?? null,
        checksumsFor: (text) => sameButForLineEndings(text).map((bytes) => sha256Hex(bytes)),
      },
    },
  );
};

const knex: Detector = async (project) => {
  const file = project.find(/^knexfile\.[cm]?[jt]s$/);
  if (file === null && !project.dependencies.has('knex')) return null;
  const config = file === null ? '' : await project.read(file);
  const folder =
    stringAfter(config, /migrations\s*:\s*\{[^}]{0,500}?directory\s*:/) ?? (await firstFolder(project, SCRIPT_FILE)) ?? 'migrations';
  const files = (await project.list(folder)).filter((name) => SCRIPT_FILE.test(name) && !/\.d\.[cm]?ts$/.test(name));
  if (file === null && files.length === 0) return null;
  return detected('knex', folder, ['knex_migrations'], without(files, 'name'), {
    hasCustomTable: /\btableName\s*:/.test(config),
    record: byName(folder, files, 'name'),
  });
};

const sequelize: Detector = async (project) => {
  if (!project.names.has('.sequelizerc') && !project.dependencies.has('sequelize-cli') && !project.dependencies.has('umzug')) return null;
  const config = await project.read('.sequelizerc');
  const joined = /['"]migrations-path['"]\s*:\s*path\.(?:resolve|join)\(([^)]{0,300})\)/.exec(config)?.[1];
  const folder =
    joined === undefined
      ? (stringAfter(config, /['"]migrations-path['"]\s*:/) ?? (await firstFolder(project, SCRIPT_FILE)) ?? 'migrations')
      : [...joined.matchAll(/['"]([^'"]+)['"]/g)].map(([, part]) => part).join('/');
  const files = (await project.list(folder)).filter((name) => SCRIPT_FILE.test(name) && !/\.d\.[cm]?ts$/.test(name));
  return detected('sequelize', folder, ['sequelizemeta'], without(files, 'name'), {
    hasCustomTable: /migrationStorageTableName/.test(config + (await project.read('config/config.json'))),
    record: byName(folder, files, 'name'),
  });
};

const typeorm: Detector = async (project) => {
  if (!project.dependencies.has('typeorm')) return null;
  let source: string | null = null;
  for (const folder of ['.', 'src', 'dist', 'src/db', 'src/database', 'dist/db', 'dist/database']) {
    const name = (await project.list(folder)).find((candidate) => /^(?:data-source|datasource|ormconfig)\.[cm]?js$/i.test(candidate));
    source ??= name === undefined ? null : folder === '.' ? name : `${folder}/${name}`;
  }
  const folder = (await firstFolder(project, /^\d+-.+\.[cm]?[jt]s$/)) ?? 'migrations';
  const files = (await project.list(folder)).filter((name) => /^\d+-.+\.[cm]?[jt]s$/.test(name) && !/\.d\.[cm]?ts$/.test(name));
  return detected(
    'typeorm',
    folder,
    ['migrations'],
    ({ rows }) => {
      const stamps = new Set(rows.map((row) => row['timestamp']));
      return files.filter((name) => !stamps.has(/^\d+/.exec(name)![0])).map(withoutExtension);
    },
    {
      argument: source,
      isOwn: (row) => row === null || 'timestamp' in row,
      record: {
        files: files.map((name) => ({ name: withoutExtension(name), key: /^\d+/.exec(name)![0], path: `${folder}/${name}` })),
        keyOf: (row) => row['timestamp'] ?? null,
        nameOf: (row) => row['name'] ?? '',
      },
    },
  );
};

const kysely: Detector = async (project) => {
  const file =
    project.find(/^kysely\.config\.[cm]?[jt]s$/) ??
    ((await project.list('.config')).find((name) => /^kysely\.config\.[cm]?[jt]s$/.test(name)) ? '.config/kysely.config.ts' : null);
  if (file === null && !project.dependencies.has('kysely')) return null;
  const config = file === null ? '' : await project.read(file);
  const folder = stringAfter(config, /migrationFolder\s*:/) ?? (await firstFolder(project, SCRIPT_FILE)) ?? 'migrations';
  const files = (await project.list(folder)).filter((name) => SCRIPT_FILE.test(name) && !/\.d\.[cm]?ts$/.test(name));
  if (file === null && files.length === 0) return null;
  return detected('kysely', folder, ['kysely_migration'], without(files, 'name'), {
    hasCustomTable: /migrationTableName\s*:/.test(config),
    record: byName(folder, files, 'name'),
  });
};

const dbMigrate: Detector = async (project) => {
  if (!project.dependencies.has('db-migrate')) return null;
  const folder = 'migrations';
  const files = (await project.list(folder)).filter((name) => /^\d.*\.[cm]?[jt]s$/.test(name));
  const config = await project.read('.db-migraterc');
  return detected('db-migrate', folder, ['migrations'], without(files, 'name'), {
    hasCustomTable: /"(?:table|migration-table)"/.test(config),
    isOwn: (row) => row === null || 'run_on' in row,
  });
};

const nodePgMigrate: Detector = async (project) => {
  if (!project.dependencies.has('node-pg-migrate')) return null;
  const commands = Object.values(project.scripts)
    .filter((body) => body.includes('node-pg-migrate'))
    .join('\n');
  const folder = /(?:\s-m|--migrations-dir)[\s=]+["']?([\w./-]+)/.exec(commands)?.[1] ?? 'migrations';
  const files = (await project.list(folder)).filter(
    (name) => /^\d.*\.(?:[cm]?[jt]s|sql)$/.test(name) && !/\.d\.[cm]?ts$|\.down\.sql$/.test(name),
  );
  return detected(
    'node-pg-migrate',
    folder,
    ['pgmigrations'],
    ({ rows }) => {
      const applied = new Set(rows.map((row) => row['name']));
      return files.map((name) => withoutExtension(name.replace(/\.up\.sql$/, '.sql'))).filter((name) => !applied.has(name));
    },
    {
      hasCustomTable: /(?:\s-t|--migrations-table)[\s=]/.test(commands),
      record: {
        files: files.map((name) => {
          const key = withoutExtension(name.replace(/\.up\.sql$/, '.sql'));
          return { name: key, key, path: `${trimmed(folder)}/${name}` };
        }),
        keyOf: (row) => row['name'] ?? null,
        nameOf: (row) => row['name'] ?? '',
      },
    },
  );
};

const flyway: Detector = async (project) => {
  const config = (await project.read('flyway.conf')) + (await project.read('flyway.toml')) + (await project.read('conf/flyway.conf'));
  const configured = /filesystem:([\w./-]+)/.exec(config)?.[1];
  const versioned = /^V[\d._]+__.+\.(?:sql|java)$/;
  const folder = await firstOf(
    [...(configured ? [configured] : []), 'db/migration', 'src/main/resources/db/migration', 'sql', 'migrations'],
    async (path) => (await project.list(path)).some((name) => versioned.test(name)),
  );
  if (folder === null) return null;
  const files = (await project.list(folder)).filter((name) => versioned.test(name));
  return detected(
    'flyway',
    folder,
    ['flyway_schema_history'],
    ({ rows }) => {
      const applied = new Set(
        rows.filter((row) => isTrue(row['success'])).flatMap((row) => (row['version'] == null ? [] : [versionKey(row['version'])])),
      );
      const baselines = rows
        .filter((row) => row['type'] === 'BASELINE' && row['version'] != null)
        .map((row) => versionKey(row['version']!));
      return files
        .map((name) => ({ name, version: versionKey(/^V([\d._]+)__/.exec(name)![1]!) }))
        .filter(({ version }) => !applied.has(version) && !baselines.some((baseline) => compareVersions(version, baseline) <= 0))
        .toSorted((a, b) => compareVersions(a.version, b.version))
        .map(({ name }) => name);
    },
    {
      hasCustomTable: /^\s*(?:flyway\.)?table\s*=/m.test(config),
      record: {
        files: files.map((name) => ({ name, key: versionKey(/^V([\d._]+)__/.exec(name)![1]!), path: `${trimmed(folder)}/${name}` })),
        keyOf: (row) =>
          row['version'] == null || !/^(?:SQL|JDBC|SPRING_JDBC|SCRIPT)$/.test(row['type'] ?? 'SQL') ? null : versionKey(row['version']),
        nameOf: (row) => row['script'] ?? row['version'] ?? '',
        failureOf: (row) => (isTrue(row['success']) ? null : 'it ended with an error'),
        checksumOf: (row) => (row['type'] === 'SQL' ? (row['checksum'] ?? null) : null),
        checksumsFor: (text) => [String(flywayChecksum(text))],
      },
    },
  );
};

const liquibase: Detector = async (project) => {
  const file = project.find(/^(?:liquibase\.properties|(?:db\.)?changelog.*\.(?:xml|ya?ml|json|sql))$/);
  // Its change sets live in files that include files, in four formats: what is pending only it can tell.
  return file === null ? null : detected('liquibase', '.', ['databasechangelog'], () => []);
};

const alembic: Detector = async (project) => {
  if (!project.names.has('alembic.ini')) return null;
  const location = /^\s*script_location\s*=\s*(.+?)\s*$/m.exec(await project.read('alembic.ini'))?.[1] ?? 'alembic';
  const folder = `${trimmed(location.replace(/^%\(here\)s\/?/, ''))}/versions`;
  const revisions: (Revision & { readonly path: string })[] = [];
  for (const name of (await project.list(folder)).filter((candidate) => candidate.endsWith('.py')).slice(0, FILES_READ_LIMIT)) {
    const text = await project.read(`${folder}/${name}`);
    const id = /^revision\s*(?::[^=\n]+)?=\s*['"]([^'"]+)['"]/m.exec(text)?.[1];
    const parents = /^down_revision\s*(?::[^=\n]+)?=\s*(\([^)]*\)|[^\n]+)/m.exec(text)?.[1] ?? '';
    if (id !== undefined)
      revisions.push({ id, path: `${folder}/${name}`, parents: [...parents.matchAll(/['"]([^'"]+)['"]/g)].map(([, parent]) => parent!) });
  }
  return detected(
    'alembic',
    folder,
    ['alembic_version'],
    ({ rows }) => {
      const byId = new Map(revisions.map((revision) => [revision.id, revision]));
      const applied = new Set<string>();
      const queue = rows.flatMap((row) => row['version_num'] ?? []);
      // A revision that the folder does not know is ahead of this release: then we cannot say what is below it.
      if (queue.some((id) => !byId.has(id))) return [];
      for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
        if (applied.has(id)) continue;
        applied.add(id);
        queue.push(...(byId.get(id)?.parents ?? []));
      }
      return parentsFirst(revisions).filter((id) => !applied.has(id));
    },
    {
      record: {
        files: revisions.map(({ id, path }) => ({ name: id, key: id, path })),
        keyOf: (row) => row['version_num'] ?? null,
        nameOf: (row) => row['version_num'] ?? '',
      },
    },
  );
};

const django: Detector = async (project) => {
  if (!project.names.has('manage.py')) return null;
  const migrations: { readonly app: string; readonly name: string }[] = [];
  const folders = [...project.names].filter((name) => /^\w+$/.test(name) && !/^(?:node_modules|venv|static|media)$/.test(name));
  const nested = await Promise.all(
    folders
      .slice(0, FOLDERS_LIMIT)
      .map(async (folder) => [
        folder,
        ...(await project.list(folder)).filter((name) => /^\w+$/.test(name)).map((name) => `${folder}/${name}`),
      ]),
  );
  for (const folder of nested.flat().slice(0, FOLDERS_LIMIT)) {
    const app = folder.split('/').at(-1)!;
    for (const file of (await project.list(`${folder}/migrations`)).filter((name) => /^\d{4}_\w+\.py$/.test(name))) {
      // A squashed migration counts as applied when those it replaces are: left to Django to say.
      if (migrations.length < FILES_READ_LIMIT && !/^\s*replaces\s*=/m.test(await project.read(`${folder}/migrations/${file}`)))
        migrations.push({ app, name: withoutExtension(file) });
    }
  }
  return detected('django', '.', ['django_migrations'], ({ rows }) => {
    const applied = new Set(rows.map((row) => `${row['app']}.${row['name']}`));
    return migrations.map(({ app, name }) => `${app}.${name}`).filter((id) => !applied.has(id));
  });
};

const rails: Detector = async (project) => {
  const files = (await project.list('db/migrate')).filter((name) => /^\d+_\w+\.rb$/.test(name));
  if (files.length === 0) return null;
  return detected(
    'rails',
    'db/migrate',
    ['schema_migrations'],
    byVersion(files, (row) => row['version'] ?? null),
    {
      isOwn: isVersioned,
      record: {
        files: files.map((name) => ({ name: withoutExtension(name), key: /^\d+/.exec(name)![0], path: `db/migrate/${name}` })),
        keyOf: (row) => row['version'] ?? null,
        nameOf: (row) => row['version'] ?? '',
      },
    },
  );
};

const goose: Detector = async (project) => {
  const folder = await sqlFolder(project, /^--\s*\+goose\s+Up/m);
  if (folder === null) return null;
  const files = (await project.list(folder)).filter((name) => /^\d+_.+\.(?:sql|go)$/.test(name) && !name.endsWith('_test.go'));
  return detected('goose', folder, ['goose_db_version'], ({ rows }) => {
    const state = new Map(
      rows.toSorted((a, b) => Number(a['id']) - Number(b['id'])).map((row) => [row['version_id'], isTrue(row['is_applied'])]),
    );
    return files.filter((name) => state.get(String(BigInt(/^\d+/.exec(name)![0]))) !== true);
  });
};

const dbmate: Detector = async (project) => {
  const folder = await sqlFolder(project, /^--\s*migrate:up/m);
  if (folder === null) return null;
  const files = (await project.list(folder)).filter((name) => /^\d+.*\.sql$/.test(name));
  return detected(
    'dbmate',
    folder,
    ['schema_migrations'],
    byVersion(files, (row) => row['version'] ?? null),
    { isOwn: isVersioned },
  );
};

const golangMigrate: Detector = async (project) => {
  const folder = await firstOf(COMMON_FOLDERS, async (path) => (await project.list(path)).some((name) => /^\d+_.+\.up\.sql$/.test(name)));
  if (folder === null) return null;
  const files = (await project.list(folder)).filter((name) => /^\d+_.+\.up\.sql$/.test(name));
  return detected(
    'golang-migrate',
    folder,
    ['schema_migrations'],
    ({ rows }) => {
      const current = rows[0]?.['version'];
      return files.filter((name) => current == null || BigInt(/^\d+/.exec(name)![0]) > BigInt(current));
    },
    { isOwn: (row) => row === null || 'dirty' in row },
  );
};

/** Numbered SQL files and a table of names: what small services write for themselves. */
const sql: Detector = async (project) => {
  const isMigration = (name: string) => /^\d+.*\.sql$/.test(name) && !/(?:\.down|\.rollback|\.undo)\.sql$/i.test(name);
  const folder = await firstOf(COMMON_FOLDERS, async (path) => (await project.list(path)).some(isMigration));
  if (folder === null) return null;
  const files = (await project.list(folder)).filter(isMigration);
  return detected(
    'sql',
    folder,
    ['schema_migrations', 'migrations'],
    ({ rows }) => {
      const applied = new Set(
        rows.flatMap((row) => row['name'] ?? row['filename'] ?? row['version'] ?? []).map((id) => withoutExtension(id.split('/').at(-1)!)),
      );
      const numbers = new Set([...applied].filter((id) => /^\d+$/.test(id)).map((id) => BigInt(id)));
      return files.map(withoutExtension).filter((name) => !applied.has(name) && !numbers.has(BigInt(/^\d+/.exec(name)![0])));
    },
    // Who keeps the record, and where, only the project knows: without a table we recognise, nothing is said.
    { hasCustomTable: !/schema_migrations/.test(await scriptTexts(project)) },
  );
};

/** The most telling traces first: a config file of its own, then a dependency, then the shape of files. */
export const MIGRATION_TOOLS: readonly Detector[] = [
  prisma,
  drizzle,
  sequelize,
  typeorm,
  dbMigrate,
  nodePgMigrate,
  knex,
  kysely,
  flyway,
  liquibase,
  alembic,
  django,
  rails,
  goose,
  dbmate,
  golangMigrate,
  sql,
];

/** More revisions than any project has that we looked at; beyond them the picture is incomplete and says less. */
const FILES_READ_LIMIT = 2_000;
const FOLDERS_LIMIT = 300;

interface Revision {
  readonly id: string;
  readonly parents: readonly string[];
}

function detected(
  tool: MigrationTool,
  folder: string,
  historyTables: readonly string[],
  pending: DetectedMigrations['pending'],
  more: Partial<Pick<DetectedMigrations, 'hasCustomTable' | 'argument' | 'isOwn' | 'record'>> = {},
): DetectedMigrations {
  const usual = { hasCustomTable: false, argument: null, isOwn: () => true, record: null };
  return { tool, folder: trimmed(folder), historyTables, ...usual, ...more, pending };
}

/** A row for each file, under its name; whether it is built or a source does not count. */
function byName(folder: string, files: readonly string[], column: string): MigrationRecord {
  const bare = (name: string) => withoutExtension(name.split('/').at(-1)!);
  return {
    files: files.map((name) => ({ name: withoutExtension(name), key: bare(name), path: `${trimmed(folder)}/${name}` })),
    keyOf: (row) => (row[column] == null ? null : bare(row[column])),
    nameOf: (row) => bare(row[column] ?? ''),
  };
}

function sameButForLineEndings(text: Buffer): readonly Buffer[] {
  const unix = text.toString('latin1').replaceAll('\r\n', '\n');
  return [text, Buffer.from(unix, 'latin1'), Buffer.from(unix.replaceAll('\n', '\r\n'), 'latin1')];
}

/** CRC-32 over the lines without their ends, as a signed number. See `ChecksumCalculator` of Flyway. */
function flywayChecksum(text: Buffer): number {
  const lines = text
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\r|\n/);
  return lines.reduce((sum, line) => crc32(line, sum), 0) | 0;
}

function stampOf(milliseconds: string | null | undefined): string {
  const date = new Date(Number(milliseconds));
  return Number.isNaN(date.getTime()) ? 'an unknown time' : date.toISOString();
}

/** Files whose name is not in a column; built files have another extension than their source, and some tools add a `/`. */
function without(files: readonly string[], column: string): DetectedMigrations['pending'] {
  return ({ rows }) => {
    const applied = new Set(rows.flatMap((row) => row[column] ?? []).map((name) => withoutExtension(name.split('/').at(-1)!)));
    return files.map(withoutExtension).filter((name) => !applied.has(name));
  };
}

/** Files whose leading number is not among the versions. */
function byVersion(files: readonly string[], versionOf: (row: Cells) => string | null): DetectedMigrations['pending'] {
  return ({ rows }) => {
    const applied = new Set(rows.map(versionOf));
    return files.filter((name) => !applied.has(/^\d+/.exec(name)![0])).map(withoutExtension);
  };
}

function isVersioned(row: Cells | null): boolean {
  return row === null || ('version' in row && !('dirty' in row));
}

function isTrue(text: string | null | undefined): boolean {
  return text === 'true' || text === 't' || text === '1';
}

function withoutExtension(name: string): string {
  return name.replace(/\.(?:[cm]?[jt]s|coffee|sql|py|rb)$/, '');
}

function trimmed(folder: string): string {
  return folder.replace(/^(?:\.\/)+/, '').replace(/\/+$/, '') || '.';
}

/** The string literal that follows; configs are read as text, since running them would be running the service's code. */
function stringAfter(text: string, before: RegExp): string | null {
  return new RegExp(`${before.source}\\s*['"\`]([^'"\`$\\n]{1,200})['"\`]`).exec(text)?.[1] ?? null;
}

function firstFolder(project: Project, file: RegExp): Promise<string | null> {
  return firstOf(COMMON_FOLDERS, async (path) => (await project.list(path)).some((name) => file.test(name)));
}

/** The folder whose first SQL file has the mark of a tool. */
function sqlFolder(project: Project, mark: RegExp): Promise<string | null> {
  return firstOf([...COMMON_FOLDERS, 'db/migrate'], async (path) => {
    const name = (await project.list(path)).find((candidate) => candidate.endsWith('.sql'));
    return name !== undefined && mark.test(await project.read(`${path}/${name}`));
  });
}

async function scriptTexts(project: Project): Promise<string> {
  const candidates = (await project.list('.')).filter((name) => /^(?:db-?)?migrat\w*\.[cm]?[jt]s$/.test(name));
  return (await Promise.all(candidates.slice(0, 10).map((name) => project.read(name)))).join('\n');
}

async function firstOf(paths: readonly string[], isRight: (path: string) => Promise<boolean>): Promise<string | null> {
  for (const path of paths) if (await isRight(path)) return path;
  return null;
}

function journalEntries(text: string): readonly { readonly tag: string; readonly when: number }[] {
  try {
    const entries = (JSON.parse(text) as { entries?: unknown }).entries;
    return Array.isArray(entries)
      ? entries.filter((entry): entry is { tag: string; when: number } => typeof entry?.tag === 'string' && typeof entry?.when === 'number')
      : [];
  } catch {
    return []; // no journal, or a damaged one: then the folder tells nothing
  }
}

/** `01.2_0` and `1.2` are the same version to Flyway. */
function versionKey(version: string): string {
  return version
    .split(/[._]/)
    .map((part) => part.replace(/^0+(?=\d)/, ''))
    .join('.')
    .replace(/(?:\.0)+$/, '');
}

function compareVersions(a: string, b: string): number {
  const [left, right] = [a.split('.'), b.split('.')];
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = BigInt(left[index] || '0') - BigInt(right[index] || '0');
    if (difference !== 0n) return difference < 0n ? -1 : 1;
  }
  return 0;
}

function parentsFirst(revisions: readonly Revision[]): readonly string[] {
  const known = new Set(revisions.map(({ id }) => id));
  const placed = new Set<string>();
  let left = revisions;
  while (left.length > 0) {
    const ready = left.filter(({ parents }) => parents.every((parent) => placed.has(parent) || !known.has(parent)));
    if (ready.length === 0) break; // a cycle: Alembic itself will refuse it
    for (const { id } of ready) placed.add(id);
    left = left.filter(({ id }) => !placed.has(id));
  }
  return [...placed];
}
