import type { DatabaseLocation } from '../locate.ts';
import { parsePostgresUrl, type PostgresTarget } from '../postgres-url.ts';

type Environment = Readonly<Record<string, string>>;

export interface ScratchEnvironment {
  readonly env: Environment;
  /** Names whose value is now that of the scratch database. */
  readonly replaced: ReadonlySet<string>;
}

/** A scratch database as a tool is told of it. */
export type ScratchAddress =
  | { readonly engine: 'postgres'; readonly target: PostgresTarget }
  | Extract<DatabaseLocation, { engine: 'sqlite' }>;

const URL_NAME =
  /(?:^|_)(?:DATABASE|DB|POSTGRES|POSTGRESQL|PG|PRISMA|SQL|SQLITE|SQLALCHEMY_DATABASE|DIRECT)_(?:\w+_)?(?:URL|URI|DSN|CONNECTION|CONNECTION_STRING)$|^DATABASE$|^DSN$/;
const PART_NAME =
  /(?:^PG|(?:^|_)(?:POSTGRES|POSTGRESQL|DB|DATABASE|TYPEORM|SQL|SQLITE)_)(HOST|HOSTNAME|SERVER|PORT|USER|USERNAME|PASSWORD|PASS|PWD|DATABASE|NAME|DB|DBNAME|FILE|FILENAME|PATH|STORAGE)$/;
/** They would add to a connection what is not in its URL, or take something away. */
const TAKEN_AWAY =
  /^(?:PGHOSTADDR|PGSERVICE|PGSERVICEFILE|PGPASSFILE|PGOPTIONS|PGSSLROOTCERT|PGSSLCERT|PGSSLKEY|PGREQUIRESSL|PGCHANNELBINDING)$/;
const FILE_VALUE = /^(?:(?:sqlite3?|file|libsql):|[^\s:]*\.(?:db3?|sqlite3?|s3db)(?:\?|$))/i;

/**
 * The environment of a service in which everything that leads to a database leads to the scratch one.
 * @param read  names that the tool's configuration reads, also when they are not set
 */
export function pointAt(address: ScratchAddress, env: Environment, read: ReadonlySet<string>): ScratchEnvironment {
  const out: Record<string, string> = {};
  const replaced = new Set<string>();
  const set = (name: string, value: string): void => {
    out[name] = value;
    replaced.add(name);
  };
  for (const name of new Set([...Object.keys(env), ...read, ...ALWAYS])) {
    const old = env[name];
    if (TAKEN_AWAY.test(name)) continue;
    const part = PART_NAME.exec(name)?.[1];
    const isUrl = URL_NAME.test(name) || (old !== undefined && (parsePostgresUrl(old) !== null || FILE_VALUE.test(old)));
    const value = isUrl
      ? urlFor(address, old)
      : part === undefined || (address.engine === 'sqlite' && name.startsWith('PG'))
        ? null
        : partFor(address, part);
    if (value !== null) set(name, value);
    else if (old !== undefined && !isUrl && part === undefined) out[name] = old;
  }
  if (address.engine === 'postgres') set('PGSSLMODE', 'disable');
  return { env: out, replaced };
}

/** Tools and drivers read these without being told to. */
const ALWAYS = ['DATABASE_URL', 'PGHOST', 'PGPORT', 'PGUSER', 'PGPASSWORD', 'PGDATABASE'] as const;

function urlFor(address: ScratchAddress, old: string | undefined): string {
  if (address.engine === 'sqlite') {
    // In the form in which it was: a driver that takes a path does not take a URL.
    const scheme = old === undefined ? 'file:' : (/^(?:(?:sqlite3?|file|libsql):(?:\/\/)?)?/i.exec(old)?.[0] ?? '');
    return `${scheme}${address.path}`;
  }
  const { user, password, host, port, database } = address.target;
  const login = `${encodeURIComponent(user)}${password === null ? '' : `:${encodeURIComponent(password)}`}`;
  // A schema is part of where the tables go, and Prisma has it in the URL.
  const schema = old === undefined || !URL.canParse(old) ? null : new URL(old).searchParams.get('schema');
  const query = new URLSearchParams({ sslmode: 'disable', ...(schema === null ? {} : { schema }) });
  return `postgresql://${login}@${host}:${port}/${encodeURIComponent(database)}?${query}`;
}

/** Null for a part that such a database does not have. */
function partFor(address: ScratchAddress, part: string): string | null {
  if (address.engine === 'sqlite') return /^(?:NAME|DATABASE|DB|DBNAME|FILE|FILENAME|PATH|STORAGE)$/.test(part) ? address.path : null;
  const { target } = address;
  switch (part) {
    case 'HOST':
    case 'HOSTNAME':
    case 'SERVER':
      return target.host;
    case 'PORT':
      return String(target.port);
    case 'USER':
    case 'USERNAME':
      return target.user;
    case 'PASSWORD':
    case 'PASS':
    case 'PWD':
      return target.password ?? '';
    case 'DATABASE':
    case 'NAME':
    case 'DB':
    case 'DBNAME':
      return target.database;
    default:
      return null;
  }
}
