import { dirname, join, normalize } from 'node:path';
import type { DetectedMigrations } from '../detected-migrations.ts';
import type { Project } from '../project-files.ts';
import { pointAt } from './scratch-environment.ts';

/** Where a tool takes its connection from, as its configuration says. */
export interface ConnectionSources {
  /** Variables of the environment that it reads. */
  readonly variables: ReadonlySet<string>;
  /** What stands in its files themselves; null when nothing does. */
  readonly literal: Literal | null;
  /** Whether a path in it begins at the project or at the configuration: in a copy that is the copy. */
  readonly beginsAtProject: boolean;
  /** Files that were read; none when the configuration was not found. */
  readonly files: number;
}

export interface Literal {
  readonly file: string;
  readonly line: number;
  readonly what: string;
}

/** A config with what it imports: deeper, or more, is the service's own code rather than settings. */
const FILES_MAX = 30;
const VARIABLE = /\bprocess\.env(?:\.(\w+)|\[\s*['"`](\w+)['"`]\s*\])|\benv\(\s*['"`](\w+)['"`]|\buse_env_variable['"]?\s*:\s*['"`](\w+)/g;
const TAKEN_APART = /\{([^{}]{1,2000})\}\s*=\s*(?:globalThis\.)?process\.env\b/g;
const IMPORTED = /\b(?:from|require\(|import\(?)\s*['"`](\.{1,2}\/[^'"`\n]{1,200})['"`]/g;

/** A fallback is used when the variable is not set, and it is: so a literal after `??` or `||` does not count. */
const FALLBACK = /(?:\?\?|\|\|)\s*$/;
const SERVER_URL = /['"`]\s*(?:jdbc:)?(?:postgres|postgresql|pg|mysql|mariadb|mssql|sqlserver|cockroachdb):\/\//gi;
const SERVER_PART = /(?:^|[\s{,])["']?(?:host|hostname|server|socketPath|database|dbname)["']?\s*:\s*["'`](?!\s*["'`])/g;
const FILE_PART = /(?:^|[\s{,])["']?(?:filename|storage|database|url|connection)["']?\s*:\s*["'`](?!:memory:)(?!\s*["'`])/g;
/** Wherever a path may be put together from: what leads out of the project leads out of its copy. */
const FILE_ANYWHERE =
  /(?<!(?:__dirname|import\.meta\.dirname|\bcwd\(\))\s{0,9}\+\s{0,9})(?<!\b(?:from|require\(|import\(?)\s{0,9})["'`](?:file:[^"'`\n]|\/|~|\.\.(?:\/|["'`]))|\b(?:homedir|userInfo|readFileSync|readFile)\(|\bos\./g;
const AT_PROJECT = /\b__dirname\b|\bimport\.meta\b|\bcwd\(\)/;
/** After a variable that is replaced; one that is not may be unset, and then the literal counts. */
const FALLBACK_OF = /\bprocess\.env(?:\.(\w{1,100})|\[\s{0,9}['"`](\w{1,100})['"`]\s{0,9}\])\s{0,9}(?:\?\?|\|\|)\s{0,9}$/;

/**
 * Reads the configuration as text: running it would be running the service's code.
 * @param engine  of the scratch database: a file beside the project is harmless to a server, and the copy has none
 * @param argv    the command: its options may name another configuration
 */
export async function findSources(
  project: Project,
  detected: DetectedMigrations,
  engine: 'postgres' | 'sqlite',
  argv: readonly string[],
): Promise<ConnectionSources> {
  const variables = new Set<string>();
  let literal: Literal | null = null;
  let beginsAtProject = false;
  const files = await configFiles(project, [...(await startingFiles(project, detected)), ...namedIn(argv)]);
  for (const [file, text] of files) {
    for (const match of text.matchAll(VARIABLE)) variables.add((match[1] ?? match[2] ?? match[3] ?? match[4])!);
    for (const [, names] of text.matchAll(TAKEN_APART))
      for (const part of names!.split(',')) {
        const name = /^\s*(\w+)/.exec(part)?.[1];
        if (name !== undefined) variables.add(name);
      }
    literal ??= literalIn(file, text, engine);
    beginsAtProject ||= AT_PROJECT.test(text);
  }
  return { variables, literal, beginsAtProject, files: files.size };
}

async function configFiles(project: Project, queue: string[]): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (let file = queue.shift(); file !== undefined && found.size < FILES_MAX; file = queue.shift()) {
    if (found.has(file) || file.startsWith('..')) continue;
    const text = withoutComments(file, await project.read(file));
    if (text === '') continue;
    found.set(file, text);
    for (const [, path] of text.matchAll(IMPORTED)) queue.push(...spellings(normalize(join(dirname(file), path!))));
  }
  return found;
}

/** Words of a command that may be files of the project. */
function namedIn(argv: readonly string[]): readonly string[] {
  return argv
    .slice(1)
    .map((word) => normalize(word.replace(/^-[\w-]*=/, '')))
    .filter((word) => /\.(?:[cm]?[jt]s|json|prisma)$/.test(word));
}

async function startingFiles(project: Project, { tool, argument }: DetectedMigrations): Promise<string[]> {
  const named = (pattern: RegExp) => [...project.names].filter((name) => pattern.test(name));
  const under = async (dir: string, pattern: RegExp) =>
    (await project.list(dir)).filter((name) => pattern.test(name)).map((name) => `${dir}/${name}`);
  switch (tool) {
    case 'prisma':
      return [
        ...named(/^prisma\.config\.|^schema\.prisma$/),
        ...(await under('prisma', /\.prisma$/)),
        ...(await under('prisma/schema', /\.prisma$/)),
      ];
    case 'drizzle':
      return named(/^drizzle\.config\./);
    case 'knex':
      return named(/^knexfile\./);
    case 'kysely':
      return [...named(/^kysely\.config\./), ...(await under('.config', /^kysely\.config\./))];
    case 'sequelize': {
      const quoted = [...(await project.read('.sequelizerc')).matchAll(/['"]([\w.-]+\.(?:[cm]?js|json))['"]/g)].map(([, name]) => name!);
      return [
        '.sequelizerc',
        ...(await under('config', /^config\.(?:[cm]?js|json)$/)),
        ...quoted.flatMap((name) => [name, `config/${name}`, `db/${name}`]),
      ];
    }
    case 'node-pg-migrate':
      return [...(await under('config', /\.(?:[cm]?[jt]s|json)$/)), ...named(/^\.?node-pg-migrate/)];
    case 'typeorm':
      return argument === null ? [] : [argument];
    default:
      return [];
  }
}

/** A path of an import may leave out its extension, or name what the file is called when it is built. */
function spellings(path: string): readonly string[] {
  const bare = path.replace(/\.[cm]?js$/, '');
  return [path, ...['.ts', '.js', '.mts', '.cts', '.cjs', '.json', '/index.ts', '/index.js'].map((end) => bare + end)];
}

/** Lines keep their numbers. */
export function withoutComments(file: string, text: string): string {
  const blank = (part: string) => part.replaceAll(/[^\n]/g, ' ');
  return file.endsWith('.json') ? text : text.replaceAll(/\/\*[^]{0,20000}?\*\//g, blank).replaceAll(/(?<=^|[\s;,{])\/\/.*$/gm, blank);
}

function literalIn(file: string, text: string, engine: 'postgres' | 'sqlite'): Literal | null {
  const patterns: readonly (readonly [RegExp, string])[] = [
    [SERVER_URL, 'the address of a database server'],
    [SERVER_PART, 'part of a connection'],
    ...(engine === 'sqlite'
      ? ([
          [FILE_PART, 'a database'],
          [FILE_ANYWHERE, 'a file'],
        ] as const)
      : []),
  ];
  for (const [pattern, what] of patterns)
    for (const { index } of text.matchAll(pattern))
      if (!isFallback(text, index, engine)) return { file, line: text.slice(0, index + 1).split('\n').length, what };
  return null;
}

function isFallback(text: string, index: number, engine: 'postgres' | 'sqlite'): boolean {
  if (engine === 'postgres') return FALLBACK.test(text.slice(Math.max(0, index - 20), index));
  const found = FALLBACK_OF.exec(text.slice(Math.max(0, index - 300), index));
  const name = found?.[1] ?? found?.[2];
  return name !== undefined && pointAt({ engine, path: '/' }, {}, new Set([name])).replaced.has(name);
}
