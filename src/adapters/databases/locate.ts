import { existsSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describePostgres, formatPostgresUrl, parsePostgresUrl, postgresFromEnvironment } from './postgres-url.ts';

/** Where the database of a service is. `url` holds the password: it goes to the driver and nowhere else. */
export type DatabaseLocation = { readonly engine: 'postgres'; readonly url: string } | { readonly engine: 'sqlite'; readonly path: string };

type Environment = Readonly<Record<string, string | undefined>>;

const URL_NAMES = [
  'DATABASE_URL',
  'POSTGRES_URL',
  'POSTGRESQL_URL',
  'POSTGRES_PRISMA_URL',
  'PG_URL',
  'DB_URL',
  'SQLALCHEMY_DATABASE_URI',
  'SQLALCHEMY_DATABASE_URL',
] as const;
const PATH_NAMES = ['DATABASE_PATH', 'DATABASE_FILE', 'DB_PATH', 'DB_FILE'] as const;
const SQLITE_FILE = /\.(?:db|db3|sqlite|sqlite3|s3db)$/i;

/**
 * Finds the database a service uses, from what its configuration declares or else from its environment.
 * @param declared  a URL, a file path, or `$NAME` / `${NAME}` for a variable of `env`; null to look in `env`
 * @param cwd       the directory the service runs in: relative paths start there
 * @returns         null when there is none, when it lives in memory, or when it is of an engine we do not know
 */
export function locateDatabase(env: Environment, declared: string | null, cwd: string): DatabaseLocation | null {
  if (declared !== null && declared.trim() !== '') {
    const name = /^\$(?:\{(\w+)\}|(\w+))$/.exec(declared.trim());
    const value = name ? env[(name[1] ?? name[2])!] : declared;
    return value ? (parseUrl(value, env, cwd) ?? parsePath(value, cwd)) : null;
  }
  return fromUrls(env, cwd) ?? fromPostgresVariables(env) ?? fromPaths(env, cwd);
}

/** For people: without user and password. */
export function describeLocation(location: DatabaseLocation): string {
  if (location.engine === 'sqlite') return `SQLite database ${location.path}`;
  const target = parsePostgresUrl(location.url);
  return target === null ? 'PostgreSQL database' : describePostgres(target);
}

function fromUrls(env: Environment, cwd: string): DatabaseLocation | null {
  for (const name of URL_NAMES) {
    const value = env[name];
    const found = value ? (parseUrl(value, env, cwd) ?? (SQLITE_FILE.test(value) ? parsePath(value, cwd) : null)) : null;
    if (found) return found;
  }
  return null;
}

function fromPostgresVariables(env: Environment): DatabaseLocation | null {
  // The names of the official container image, for services that pass them on.
  const isImage = Boolean(env['POSTGRES_HOST'] && (env['POSTGRES_DB'] || env['POSTGRES_USER']));
  if (!env['PGHOST'] && !env['PGDATABASE'] && !isImage) return null;
  const target = postgresFromEnvironment(
    isImage && !env['PGHOST']
      ? {
          ...env,
          PGHOST: env['POSTGRES_HOST'],
          PGPORT: env['POSTGRES_PORT'],
          PGUSER: env['POSTGRES_USER'],
          PGPASSWORD: env['POSTGRES_PASSWORD'],
          PGDATABASE: env['POSTGRES_DB'] ?? env['POSTGRES_USER'],
        }
      : env,
  );
  return target === null ? null : { engine: 'postgres', url: formatPostgresUrl(target) };
}

function fromPaths(env: Environment, cwd: string): DatabaseLocation | null {
  for (const name of PATH_NAMES) {
    const value = env[name];
    const found = value ? (parseUrl(value, env, cwd) ?? parsePath(value, cwd)) : null;
    if (found) return found;
  }
  for (const name of Object.keys(env)
    .filter((key) => key.startsWith('SQLITE_'))
    .toSorted()) {
    const value = env[name];
    if (!value) continue;
    // SQLITE_TMPDIR and SQLITE_BUSY_TIMEOUT are no databases: without a telling name, the value must look like a file.
    const isNamed = /^SQLITE_(?:PATH|FILE|FILENAME|DB|DB_PATH|DB_FILE|DATABASE|DATABASE_PATH|DATABASE_FILE)$/.test(name);
    const found = parseUrl(value, env, cwd) ?? (isNamed || SQLITE_FILE.test(value) ? parsePath(value, cwd) : null);
    if (found) return found;
  }
  return null;
}

function parseUrl(text: string, env: Environment, cwd: string): DatabaseLocation | null {
  const target = parsePostgresUrl(text, env);
  if (target !== null) return { engine: 'postgres', url: formatPostgresUrl(target) };
  const path = parseSqliteUrl(text.trim(), cwd);
  return path === null ? null : { engine: 'sqlite', path };
}

function parsePath(text: string, cwd: string): DatabaseLocation | null {
  const path = text.trim();
  if (path === '' || path === ':memory:' || /^[a-z][a-z0-9+.-]+:/i.test(path) || /[\0\n]/.test(path)) return null;
  return { engine: 'sqlite', path: resolve(cwd, path) };
}

/**
 * `sqlite:///x` is relative for SQLAlchemy (four slashes make it absolute) and absolute for sqlx: the file that exists
 * decides, then SQLAlchemy, which has more users.
 */
function parseSqliteUrl(text: string, cwd: string): string | null {
  const shape = /^(?:jdbc:)?(sqlite3?(\+\w+)?|file):([^?#]*)/i.exec(text);
  if (!shape) return null;
  const [, scheme, driver] = shape;
  const rest = decode(shape[3] ?? '');
  if (rest === '' || rest.includes(':memory:') || /[?&]mode=memory\b/.test(text)) return null;
  if (scheme!.toLowerCase() === 'file') return parseFileUrl(rest, cwd);
  if (rest.startsWith('////')) return rest.slice(3);
  if (rest.startsWith('///')) {
    const relative = resolve(cwd, rest.slice(3));
    if (rest.length === 3) return null;
    return driver === undefined && !existsSync(relative) && existsSync(rest.slice(2)) ? rest.slice(2) : relative;
  }
  const path = rest.startsWith('//') ? rest.slice(2) : rest;
  return path === '' ? null : resolve(cwd, path);
}

function parseFileUrl(rest: string, cwd: string): string | null {
  if (rest.startsWith('///')) return fileURLToPath(`file://${encodeURI(rest.slice(2))}`);
  const path = rest.startsWith('//') ? rest.slice(2) : rest;
  if (path === '') return null;
  if (isAbsolute(path)) return path;
  // Prisma up to version 6 counts from the folder of its schema.
  const besideSchema = join(cwd, 'prisma', path);
  return !existsSync(resolve(cwd, path)) && existsSync(besideSchema) ? besideSchema : resolve(cwd, path);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a bare % in a file name: then it was not encoded
  }
}
