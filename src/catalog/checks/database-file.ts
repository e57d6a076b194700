import { dirname, isAbsolute, resolve } from 'node:path';
import type { Check, CheckContext, Finding, Severity } from '../../domains/preflight/index.ts';
import { found, shownPath } from './found.ts';
import { serviceEnvironment } from './service-files.ts';

/** @see https://www.sqlite.org/fileformat.html, section 1.3 */
const HEADER = 'SQLite format 3\0';
/** Every page size is a multiple of it, also of an encrypted database. */
const PAGE_BYTES_MIN = 512;
const NOT_IN_USE = /(?:^|_)(?:TEST|TESTS|TESTING|SHADOW|EXAMPLE)(?:_|$)/i;

/** Files that are said to be SQLite databases: is it one, and is the folder there that it is to be made in. */
export const databaseFile: Check = {
  name: 'database_file',
  title: 'database files',
  timeLimitMs: 3000,
  when: 'beside_start',
  isNeeded: async (context) => (await databasesOf(context)).length > 0,
  async run(context) {
    const all = await Promise.all((await databasesOf(context)).map((one) => look(one, context)));
    return all.flat();
  },
};

interface DatabaseFile {
  readonly component: string;
  readonly label: string;
  /** A URL of three slashes is read in two ways; the first that is there is meant. */
  readonly paths: readonly string[];
  /** By the config: the service does use it. */
  readonly isDeclared: boolean;
}

async function databasesOf(context: CheckContext): Promise<readonly DatabaseFile[]> {
  const all: DatabaseFile[] = [];
  for (const { name: component, ...spec } of context.components) {
    const env = await serviceEnvironment({ name: component, ...spec }, context);
    const add = (label: string, written: string, isDeclared: boolean): void => {
      const paths = pathsIn(written, isDeclared).map((path) => (isAbsolute(path) ? path : resolve(spec.cwd, path)));
      if (paths.length > 0 && !all.some((one) => one.paths[0] === paths[0])) all.push({ component, label, paths, isDeclared });
    };
    const declared = spec.database?.trim() ?? '';
    const variable = /^\$\{?(\w+)\}?$/.exec(declared)?.[1];
    const value = variable === undefined ? declared : (env[variable] ?? '');
    if (value !== '') add(variable ?? 'database', value, true);
    for (const name of Object.keys(env).toSorted())
      if (/^sqlite/i.test(env[name] ?? '') && !NOT_IN_USE.test(name)) add(name, env[name] ?? '', false);
  }
  return all;
}

/** The file that `sqlite:…` or a path leads to; none for a database in memory, of a server, or that has yet to be filled in. */
function pathsIn(written: string, isPathTaken: boolean): readonly string[] {
  const [, scheme, behind = ''] = /^([a-z][\w+.-]{1,30}):(.*)$/is.exec(written) ?? [null, undefined, written];
  const path = (behind.split('?')[0] ?? '').trim();
  if (path.length > 1000 || /[\0\n$<>{}%]|:memory:/.test(path) || /^\/*$/.test(path)) return [];
  if (scheme === undefined) return isPathTaken && !path.includes(':') ? [path] : [];
  if (!/^sqlite3?(?:\+\w{1,30})?$/i.test(scheme)) return [];
  if (path.startsWith('////')) return [path.slice(3)];
  // SQLAlchemy takes what follows three slashes as relative, others as absolute
  if (path.startsWith('///')) return [path.slice(3), path.slice(2)];
  return [path.startsWith('//') ? path.slice(2) : path];
}

async function look({ component, label, paths, isDeclared }: DatabaseFile, context: CheckContext): Promise<readonly Finding[]> {
  const { files, projectDir } = context;
  const say = (severity: Severity, code: string, message: string, hint: string): readonly Finding[] => [
    found(context, { severity, code, component, message: `${label}: ${message}`, hint }),
  ];
  for (const path of paths) {
    const stat = await files.stat((await files.realpath(path).catch(() => null)) ?? path).catch(() => null);
    if (stat === null) continue;
    if (stat.kind !== 'file' || stat.sizeBytes === 0) return [];
    const bytes = await files.readRange(path, 0, HEADER.length).catch(() => null);
    const begin = bytes === null ? HEADER : new TextDecoder('latin1').decode(bytes);
    // DuckDB is no SQLite and well
    if (begin === HEADER || begin.slice(8, 12) === 'DUCK') return [];
    // An encrypted database begins with anything, but has whole pages.
    const isSure = stat.sizeBytes % PAGE_BYTES_MIN !== 0 || /^(?:[\x20-\x7e\s]+|\0+)$/.test(begin);
    const hint = 'put a backup in its place (grace snapshots list), or correct the path';
    return say(
      isSure && isDeclared ? 'error' : 'warn',
      'database_file_broken',
      `${shownPath(projectDir, path)} is no SQLite database`,
      hint,
    );
  }
  for (const path of paths) if ((await files.realpath(dirname(path)).catch(() => path)) !== null) return [];
  const [path = ''] = paths.length > 1 ? paths.slice(1) : paths;
  const dir = shownPath(projectDir, dirname(path));
  return say(
    'warn',
    'database_dir_missing',
    `${dir}, the folder of the database, is not there`,
    `mkdir -p ${dir}, unless the service makes it`,
  );
}
