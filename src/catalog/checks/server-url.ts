import { isAbsolute, resolve } from 'node:path';
import type { ServerProtocol, ServerQuestion } from '../../domains/preflight/index.ts';

type Environment = Readonly<Record<string, string>>;

const TIMEOUT_MS = 3000;
const URL_CHARS_MAX = 4000;

interface Scheme {
  readonly protocol: ServerProtocol;
  readonly port: number;
  readonly encryption: ServerQuestion['encryption'];
  readonly verification: ServerQuestion['verification'];
}

/** What drivers do that are told nothing more: PostgreSQL encrypts where it can, the others only where the scheme says so. */
const SCHEMES: Readonly<Record<string, Scheme>> = {
  postgresql: { protocol: 'postgresql', port: 5432, encryption: 'prefer', verification: 'none' },
  mysql: { protocol: 'mysql', port: 3306, encryption: 'prefer', verification: 'none' },
  redis: { protocol: 'redis', port: 6379, encryption: 'off', verification: 'name' },
  rediss: { protocol: 'redis', port: 6379, encryption: 'require', verification: 'name' },
  nats: { protocol: 'nats', port: 4222, encryption: 'prefer', verification: 'name' },
  amqp: { protocol: 'amqp', port: 5672, encryption: 'off', verification: 'name' },
  amqps: { protocol: 'amqp', port: 5671, encryption: 'require', verification: 'name' },
  http: { protocol: 'http', port: 80, encryption: 'off', verification: 'name' },
  https: { protocol: 'http', port: 443, encryption: 'require', verification: 'name' },
  tls: { protocol: 'tls', port: 443, encryption: 'require', verification: 'name' },
};

const ALIASES: Readonly<Record<string, string>> = {
  postgres: 'postgresql',
  pg: 'postgresql',
  psql: 'postgresql',
  postgis: 'postgresql',
  mysql2: 'mysql',
  mariadb: 'mysql',
  valkey: 'redis',
  valkeys: 'rediss',
};

/**
 * Reads a URL as the driver of the service would, in any of its spellings: `postgresql+asyncpg://`, `jdbc:mysql://`, a bare `%` or `@`
 * in a password. Of several hosts the first is asked. What it leaves out comes from the variables of the driver.
 * @returns null when it is of no protocol that is known, or not filled in
 */
export function readServerUrl(written: string, env: Environment, cwd: string): ServerQuestion | null {
  const text = written.trim();
  // `${…}`, `<…>`: somebody has yet to fill it in
  if (text.length > URL_CHARS_MAX || /[\s\0]|\$\{|<[A-Za-z_-]+>/.test(text)) return null;
  const [, name = '', authority = '', path = '', query = ''] =
    /^(?:jdbc:)?([a-z0-9]{2,20})(?:\+[a-z0-9_]{1,30})?:\/\/([^/?#]*@[^/?#]*|[^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?/i.exec(text) ?? [];
  const spelled = name.toLowerCase();
  const scheme = SCHEMES[ALIASES[spelled] ?? spelled];
  if (scheme === undefined) return null;
  const at = authority.lastIndexOf('@');
  const login = at < 0 ? '' : authority.slice(0, at);
  const colon = login.indexOf(':');
  const place = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d{0,5}))?$/.exec(authority.slice(at + 1).split(',')[0] ?? '');
  // no driver goes to another server because this one cannot be read
  if (place === null) return null;
  const [, six, four = '', port] = place;
  const options = new Map([...new URLSearchParams(query)].map(([key, value]) => [key.toLowerCase(), value] as const));
  const filled = (...all: readonly (string | undefined)[]): string | null => all.find((one) => one !== undefined && one !== '') ?? null;
  const user = filled(decode(colon < 0 ? login : login.slice(0, colon)), options.get('user'));
  const password = filled(colon < 0 ? undefined : decode(login.slice(colon + 1)), options.get('password'));
  const number = Number((port || undefined) ?? options.get('port') ?? scheme.port);
  if (!(number >= 1 && number <= 65_535)) return null;
  const file = (value: string | null | undefined): string | null =>
    value === null || value === undefined || value === '' || value === 'system' ? null : isAbsolute(value) ? value : resolve(cwd, value);
  const base: ServerQuestion = {
    protocol: scheme.protocol,
    host: filled(decode(six ?? four), options.get('host')) ?? 'localhost',
    port: number,
    user,
    password,
    database: filled(decode(path)),
    encryption: scheme.encryption,
    verification: scheme.verification,
    caFile: file(env['SSL_CERT_FILE'] ?? env['NODE_EXTRA_CA_CERTS']),
    certFile: null,
    keyFile: null,
    timeoutMs: TIMEOUT_MS,
  };
  switch (scheme.protocol) {
    case 'postgresql':
      return ofPostgresql(base, options, env, file);
    case 'mysql':
      return ofMysql(base, options, env, file);
    case 'redis':
      return {
        ...base,
        // `redis://:secret@host` has no user; a database that is no number is a name for people
        password: base.password ?? filled(env['REDIS_PASSWORD']),
        database: /^\d{1,5}$/.test(base.database ?? '') ? base.database : filled(options.get('db')),
        ...(options.get('ssl_cert_reqs') === 'none' ? { verification: 'none' as const } : {}),
        caFile: file(options.get('ssl_ca_certs')) ?? base.caFile,
      };
    case 'amqp':
      // `amqp://host/` is the virtual host with the empty name for strict readers, and `/` for all that are used
      return { ...base, caFile: file(options.get('cacertfile')) ?? base.caFile };
    case 'nats':
      return { ...base, database: null, user: base.user ?? filled(env['NATS_USER'], env['NATS_TOKEN']), password: natsPassword(base, env) };
    default:
      return { ...base, database: `/${path}${query === '' ? '' : `?${query}`}` };
  }
}

/** A URL of a protocol that is known, filled in, whose host and port nobody can read: neither we nor the URL parser of a driver. */
export function isWrongUrl(written: string, env: Environment, cwd: string): boolean {
  const text = written.trim();
  const scheme = /^([a-z0-9]{2,20}):\/\//i.exec(text)?.[1]?.toLowerCase();
  return (
    scheme !== undefined &&
    SCHEMES[ALIASES[scheme] ?? scheme] !== undefined &&
    text.length <= URL_CHARS_MAX &&
    !/[\s\0<>${}]/.test(text) &&
    !URL.canParse(text) &&
    readServerUrl(text, env, cwd) === null
  );
}

/** One of which only the address is known. */
export function addressAlone(host: string, port: number): ServerQuestion {
  return {
    protocol: 'tcp',
    host: host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host,
    port,
    user: null,
    password: null,
    database: null,
    encryption: 'off',
    verification: 'none',
    caFile: null,
    certFile: null,
    keyFile: null,
    timeoutMs: TIMEOUT_MS,
  };
}

/** The server that PGHOST, MYSQL_HOST or REDIS_HOST describe, for services that are given no URL. */
export function readServerVariables(
  env: Environment,
  cwd: string,
): readonly { readonly name: string; readonly question: ServerQuestion }[] {
  const pick = (name: string, url: string) => {
    const question = env[name] ? readServerUrl(url, env, cwd) : null;
    return question === null ? [] : [{ name, question }];
  };
  const host = (value = ''): string => (value.includes(':') && !value.includes('.') ? `[${value}]` : value);
  const part = (value: string | undefined): string => encodeURIComponent(value ?? '');
  const port = (value: string | undefined): string => (/^\d{1,5}$/.test(value ?? '') ? `:${value}` : '');
  const login = (user: string | undefined, password: string | undefined): string =>
    user || password ? `${part(user)}:${part(password)}@` : '';
  const mysql = env['MYSQL_PASSWORD'] ?? env['MYSQL_PWD'];
  return [
    ...(env['PGHOST']?.startsWith('/')
      ? pick('PGHOST', `postgresql:///?host=${part(env['PGHOST'])}`)
      : pick('PGHOST', `postgresql://${host(env['PGHOST'])}`)),
    ...(env['MYSQL_USER']
      ? pick(
          'MYSQL_HOST',
          `mysql://${login(env['MYSQL_USER'], mysql)}${host(env['MYSQL_HOST'])}${port(env['MYSQL_PORT'])}/${part(env['MYSQL_DATABASE'])}`,
        )
      : []),
    ...pick(
      'REDIS_HOST',
      `redis://${login(env['REDIS_USERNAME'], env['REDIS_PASSWORD'])}${host(env['REDIS_HOST'])}${port(env['REDIS_PORT'])}`,
    ),
  ];
}

type Options = ReadonlyMap<string, string>;
type AsFile = (value: string | null | undefined) => string | null;

/** @see libpq, sections 32.15 (environment) and 32.19 (sslmode); `no-verify` is that of node-postgres */
function ofPostgresql(base: ServerQuestion, options: Options, env: Environment, file: AsFile): ServerQuestion {
  const mode = (
    options.get('sslmode') ??
    (isTrue(options.get('ssl')) ? 'require' : undefined) ??
    env['PGSSLMODE'] ??
    'prefer'
  ).toLowerCase();
  const user = base.user ?? (env['PGUSER'] || env['USER'] || 'postgres');
  const isFromUrl = base.host !== 'localhost';
  const host = isFromUrl ? base.host : env['PGHOST'] || base.host;
  const port = base.port === 5432 ? Number(env['PGPORT']) || 5432 : base.port;
  const caFile = file(options.get('sslrootcert') ?? env['PGSSLROOTCERT']);
  return {
    ...base,
    host: host.startsWith('/') ? `${host}/.s.PGSQL.${port}` : host,
    port,
    user,
    password: base.password ?? (env['PGPASSWORD'] || null),
    database: base.database ?? options.get('dbname') ?? (env['PGDATABASE'] || user),
    encryption: host.startsWith('/') || mode === 'disable' ? 'off' : mode === 'prefer' || mode === 'allow' ? 'prefer' : 'require',
    verification: mode === 'verify-full' ? 'name' : mode === 'verify-ca' ? 'authority' : 'none',
    caFile: caFile ?? base.caFile,
    certFile: file(options.get('sslcert') ?? env['PGSSLCERT']),
    keyFile: file(options.get('sslkey') ?? env['PGSSLKEY']),
  };
}

function ofMysql(base: ServerQuestion, options: Options, env: Environment, file: AsFile): ServerQuestion {
  const mode = (options.get('ssl-mode') ?? options.get('sslmode') ?? options.get('ssl_mode') ?? '').toLowerCase().replaceAll('_', '-');
  const isAsked = isTrue(options.get('usessl')) || isTrue(options.get('ssl')) || options.get('ssl')?.startsWith('{') === true;
  const socket = options.get('socket') ?? options.get('unix_socket');
  return {
    ...base,
    host: socket?.startsWith('/') === true ? socket : base.host,
    password: base.password ?? (env['MYSQL_PWD'] || null),
    encryption:
      socket !== undefined || mode === 'disabled' || mode === 'disable'
        ? 'off'
        : isAsked || ['required', 'require', 'verify-ca', 'verify-identity'].includes(mode)
          ? 'require'
          : 'prefer',
    verification: mode === 'verify-identity' ? 'name' : mode === 'verify-ca' ? 'authority' : 'none',
    caFile: file(options.get('ssl-ca') ?? options.get('ssl_ca')) ?? base.caFile,
  };
}

function natsPassword(base: ServerQuestion, env: Environment): string | null {
  return base.password ?? (base.user === null && env['NATS_USER'] ? env['NATS_PASSWORD'] || null : null);
}

const isTrue = (value: string | undefined): boolean => value === 'true' || value === '1';

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a bare % in a password: then it was not encoded
  }
}
