/** Where a PostgreSQL server is and who asks; everything a connection needs, spelled out. */
export interface PostgresTarget {
  /** A host name, an address, or the directory of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string | null;
  readonly sslMode: string | null;
  readonly sslRootCert: string | null;
  readonly sslCert: string | null;
  readonly sslKey: string | null;
}

type Environment = Readonly<Record<string, string | undefined>>;
type Parts = Readonly<Record<string, string | undefined>>;

/** `postgresql+asyncpg://` (SQLAlchemy), `jdbc:postgresql://`, `pg://`: all the same server. */
const URL_SHAPE = /^(?:jdbc:)?(?:postgres|postgresql|pg|psql|postgis)(?:\+[a-z0-9_]+)?:\/\/([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/is;
const PORT_DEFAULT = 5432;

/**
 * Reads a PostgreSQL URL in any of its spellings, or a `host=… dbname=…` string. What it leaves out comes from the PG*
 * variables of the service, as libpq would have it.
 * @returns null when this is not about PostgreSQL
 */
export function parsePostgresUrl(text: string, env: Environment = {}): PostgresTarget | null {
  const url = URL_SHAPE.exec(text.trim());
  if (url) return complete(partsOfUrl(url[1] ?? '', url[2] ?? '', url[3] ?? ''), env);
  if (!/^\s*[a-z_]+\s*=/i.test(text) || !/(?:^|\s)(?:host|hostaddr|dbname)\s*=/.test(text)) return null;
  return complete(partsOfKeywords(text), env);
}

/** The server that PGHOST, PGDATABASE and their like describe. */
export function postgresFromEnvironment(env: Environment): PostgresTarget | null {
  return complete({}, env);
}

/** One spelling that every reader of `DatabaseLocation` understands. It holds the password: never log it. */
export function formatPostgresUrl(target: PostgresTarget): string {
  const query = new URLSearchParams();
  const isSocket = target.host.startsWith('/');
  if (isSocket) query.set('host', target.host);
  if (target.sslMode !== null) query.set('sslmode', target.sslMode);
  if (target.sslRootCert !== null) query.set('sslrootcert', target.sslRootCert);
  if (target.sslCert !== null) query.set('sslcert', target.sslCert);
  if (target.sslKey !== null) query.set('sslkey', target.sslKey);
  const password = target.password === null ? '' : `:${encodeURIComponent(target.password)}`;
  const host = isSocket ? '' : target.host.includes(':') ? `[${target.host}]` : target.host;
  const tail = query.size === 0 ? '' : `?${query.toString()}`;
  return `postgresql://${encodeURIComponent(target.user)}${password}@${host}:${target.port}/${encodeURIComponent(target.database)}${tail}`;
}

/** For people: without user and password. */
export function describePostgres(target: PostgresTarget): string {
  const where = target.host.startsWith('/') ? `socket ${target.host}` : `${target.host}:${target.port}`;
  return `PostgreSQL database "${target.database}" at ${where}`;
}

function partsOfUrl(authority: string, path: string, query: string): Parts {
  const at = authority.lastIndexOf('@');
  const credentials = at === -1 ? '' : authority.slice(0, at);
  const colon = credentials.indexOf(':');
  // Of several hosts (a cluster) the first is asked: it is the one that is written first for a reason.
  const address = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d*))?$/.exec(authority.slice(at + 1).split(',')[0] ?? '');
  const found: Record<string, string | undefined> = {
    user: decode(colon === -1 ? credentials : credentials.slice(0, colon)),
    password: colon === -1 ? '' : decode(credentials.slice(colon + 1)),
    host: decode(address?.[1] ?? address?.[2] ?? ''),
    port: address?.[3],
    dbname: decode(path),
  };
  for (const [name, value] of new URLSearchParams(query)) if (value !== '') found[name.toLowerCase()] = value;
  if (found['ssl'] === 'true' || found['ssl'] === '1') found['sslmode'] ??= 'require';
  return found;
}

function partsOfKeywords(text: string): Parts {
  const found: Record<string, string> = {};
  for (const [, name, quoted, bare] of text.matchAll(/([a-z_]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|(\S*))/gi))
    found[name!.toLowerCase()] = (quoted ?? bare ?? '').replaceAll(/\\(.)/g, '$1');
  return found;
}

function complete(parts: Parts, env: Environment): PostgresTarget | null {
  const user = first(parts['user'], env['PGUSER'], env['USER'], env['LOGNAME']) ?? 'postgres';
  const port = Number(first(parts['port'], env['PGPORT']) ?? PORT_DEFAULT);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return null;
  return {
    host: first(parts['host'], parts['hostaddr'], env['PGHOST'], env['PGHOSTADDR']) ?? 'localhost',
    port,
    database: first(parts['dbname'], parts['database'], env['PGDATABASE']) ?? user,
    user,
    password: first(parts['password'], env['PGPASSWORD']),
    sslMode: first(parts['sslmode'], env['PGSSLMODE']),
    sslRootCert: first(parts['sslrootcert'], env['PGSSLROOTCERT']),
    sslCert: first(parts['sslcert'], env['PGSSLCERT']),
    sslKey: first(parts['sslkey'], env['PGSSLKEY']),
  };
}

function first(...candidates: readonly (string | undefined)[]): string | null {
  return candidates.find((candidate) => candidate !== undefined && candidate !== '') ?? null;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a bare % in a password: then it was not encoded
  }
}
