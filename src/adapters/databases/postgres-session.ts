import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import { codeOf, messageOf, type GraceError } from '../../kernel/index.ts';
import { DatabaseDriverMissing, DatabaseLoginRefused, DatabaseQueryFailed, DatabaseTimeout, DatabaseUnreachable } from './errors.ts';
import { describePostgres, parsePostgresUrl, type PostgresTarget } from './postgres-url.ts';

/** Connecting never takes longer, whatever the caller allows: a probe that waits is a symptom by itself. */
const CONNECT_LIMIT_MS = 1_800;
/** A server that does not take our goodbye is left alone after this long. */
const GOODBYE_LIMIT_MS = 300;

export interface SessionOptions {
  /** Limit of each statement. */
  readonly timeoutMs: number;
  /** Limit of waiting for a lock that somebody else holds. */
  readonly lockTimeoutMs: number;
  readonly access: 'read only' | 'read write';
}

/**
 * One transaction on a connection of its own. It is rolled back when `work` throws, or when `commit` says no.
 * The search path is empty, so that whatever the server prints is qualified; times are printed in UTC.
 * `SET LOCAL` rather than start-up parameters: poolers such as PgBouncer refuse those.
 * @throws DatabaseUnreachable, DatabaseLoginRefused, DatabaseTimeout, DatabaseQueryFailed, DatabaseDriverMissing
 */
export async function inPostgres<T>(
  url: string,
  options: SessionOptions,
  work: (client: Client) => Promise<T>,
  commit: (result: T) => boolean,
): Promise<T> {
  const target = readTarget(url);
  const client = await connect(target, Math.min(options.timeoutMs, CONNECT_LIMIT_MS), options.timeoutMs);
  try {
    await client.query(openingOf(options));
    const result = await work(client);
    await client.query(commit(result) ? 'COMMIT' : 'ROLLBACK');
    return result;
  } catch (error) {
    throw failureOf(error, target, options.timeoutMs);
  } finally {
    await close(client);
  }
}

/**
 * A connection without a transaction, for what PostgreSQL does outside of one: making and dropping databases.
 * @throws as `inPostgres`
 */
export async function onPostgres<T>(url: string, timeoutMs: number, work: (client: Client) => Promise<T>): Promise<T> {
  const target = readTarget(url);
  const client = await connect(target, Math.min(timeoutMs, CONNECT_LIMIT_MS), timeoutMs);
  try {
    await client.query(`SET statement_timeout = ${Math.ceil(timeoutMs)}; SET lock_timeout = ${Math.ceil(timeoutMs)}`);
    return await work(client);
  } catch (error) {
    throw failureOf(error, target, timeoutMs);
  } finally {
    await close(client);
  }
}

/** SQLSTATE of a PostgreSQL error, if it is one. */
export function sqlStateOf(error: unknown): string | null {
  const code = codeOf(error);
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) ? code : null;
}

/** One statement, never two: the extended protocol refuses a second one hidden in a stored definition. */
export async function execute(client: Client, text: string, values: readonly unknown[] = []): Promise<readonly Record<string, unknown>[]> {
  const query = { text, values: [...values], queryMode: 'extended' }; // an option its types do not know yet
  const result = await client.query<Record<string, unknown>>(query);
  return result.rows;
}

/** Several fixed statements in one round trip; the rows of each. */
export async function executeAll(client: Client, statements: readonly string[]): Promise<readonly (readonly Record<string, unknown>[])[]> {
  if (statements.length === 0) return [];
  const results = (await client.query(statements.join(';\n'))) as unknown as
    | { rows: Record<string, unknown>[] }
    | { rows: Record<string, unknown>[] }[];
  return (Array.isArray(results) ? results : [results]).map(({ rows }) => rows);
}

export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function quoteLiteral(text: string): string {
  const quoted = `'${text.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`;
  return text.includes('\\') ? `E${quoted}` : quoted;
}

function readTarget(url: string): PostgresTarget {
  const target = parsePostgresUrl(url);
  if (target !== null) return target;
  throw new DatabaseUnreachable(
    'PostgreSQL database',
    'its URL cannot be read',
    'correct the URL: postgresql://user:password@host:5432/name',
  );
}

function openingOf(options: SessionOptions): string {
  const { timeoutMs, lockTimeoutMs, access } = options;
  return [
    `BEGIN ISOLATION LEVEL ${access === 'read only' ? 'REPEATABLE READ' : 'READ COMMITTED'} ${access.toUpperCase()}`,
    `SET LOCAL statement_timeout = ${Math.ceil(timeoutMs)}`,
    `SET LOCAL lock_timeout = ${Math.ceil(lockTimeoutMs)}`,
    `SET LOCAL idle_in_transaction_session_timeout = ${Math.ceil(timeoutMs) + 1_000}`,
    `SET LOCAL search_path = ''`,
    `SET LOCAL timezone = 'UTC'`,
    `SET LOCAL datestyle = 'ISO, YMD'`,
    `SET LOCAL intervalstyle = 'postgres'`,
    `SET LOCAL bytea_output = 'hex'`,
    `SET LOCAL extra_float_digits = 3`,
    `SET LOCAL quote_all_identifiers = off`,
    // A row policy must not make a full table look empty: then we want the error.
    `SET LOCAL row_security = off`,
  ].join('; ');
}

async function connect(target: PostgresTarget, connectLimitMs: number, queryLimitMs: number): Promise<Client> {
  const deadline = performance.now() + connectLimitMs;
  let lastError: unknown;
  for (const ssl of await sslAttempts(target)) {
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) break;
    try {
      return await connectOnce(target, ssl, leftMs, queryLimitMs);
    } catch (error) {
      lastError = error;
      const isAboutEncryption = sqlStateOf(error) === '28000' || /does not support SSL|no encryption|SSL off/i.test(messageOf(error));
      if (!isAboutEncryption) break;
    }
  }
  throw failureOf(lastError, target, connectLimitMs);
}

async function connectOnce(target: PostgresTarget, ssl: SslSettings, connectLimitMs: number, queryLimitMs: number): Promise<Client> {
  const driver = await import('pg').catch(() => null);
  if (driver === null) throw new DatabaseDriverMissing();
  const client = new driver.Client({
    host: target.host,
    port: target.port,
    database: target.database,
    user: target.user,
    ...(target.password === null ? {} : { password: target.password }),
    ssl,
    connectionTimeoutMillis: Math.max(1, Math.floor(connectLimitMs)),
    // The server's own limit comes first; this one is for a server that has stopped answering at all.
    query_timeout: queryLimitMs + 500,
    application_name: 'grace',
  });
  client.on('error', () => {}); // a connection lost between two queries: the next query reports it
  try {
    await client.connect();
    return client;
  } catch (error) {
    await close(client);
    throw error;
  }
}

type SslSettings = false | { rejectUnauthorized: boolean; ca?: string; cert?: string; key?: string; checkServerIdentity?: () => undefined };

/** As libpq reads `sslmode`; without one: plain, then encrypted when the server insists. */
async function sslAttempts(target: PostgresTarget): Promise<readonly SslSettings[]> {
  const mode = target.sslMode ?? 'allow';
  if (mode === 'disable' || target.host.startsWith('/')) return [false];
  const [ca, cert, key] = await Promise.all([target.sslRootCert, target.sslCert, target.sslKey].map(readCertificate));
  const files = { ...(ca ? { ca } : {}), ...(cert ? { cert } : {}), ...(key ? { key } : {}) };
  const lenient: SslSettings = { rejectUnauthorized: false, ...files };
  if (mode === 'allow') return [false, lenient];
  if (mode === 'prefer') return [lenient, false];
  if (mode === 'verify-full') return [{ rejectUnauthorized: true, ...files }];
  if (mode === 'verify-ca' || ca) return [{ rejectUnauthorized: true, ...files, checkServerIdentity: () => undefined }];
  return [lenient];
}

async function readCertificate(path: string | null): Promise<string | null> {
  // A file we cannot read shows as a refused connection, which says more than we could here.
  return path === null || path === 'system' ? null : readFile(path, 'utf8').catch(() => null);
}

async function close(client: Client): Promise<void> {
  const left = new AbortController();
  await Promise.race([client.end().catch(() => {}), delay(GOODBYE_LIMIT_MS, undefined, { signal: left.signal }).catch(() => {})]);
  left.abort();
  (client as unknown as { connection?: { stream?: { destroy(): void } } }).connection?.stream?.destroy();
}

const NETWORK = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'ENOENT',
  'EACCES',
  'EPIPE',
  'EADDRNOTAVAIL',
]);

function failureOf(error: unknown, target: PostgresTarget, limitMs: number): GraceError {
  if (error instanceof DatabaseDriverMissing) return error;
  const database = describePostgres(target);
  const sqlState = sqlStateOf(error);
  const code = codeOf(error);
  const text = withoutPassword(messageOf(error), target.password);
  const listens = `check that PostgreSQL runs and listens at ${target.host}${target.host.startsWith('/') ? '' : `:${target.port}`}`;
  if (code !== undefined && NETWORK.has(code)) return new DatabaseUnreachable(database, code, listens);
  if (error === undefined || /timeout expired|timeout exceeded/i.test(text))
    return new DatabaseUnreachable(database, `no answer within ${Math.round(limitMs)} ms`, listens);
  if (sqlState === '3D000')
    return new DatabaseUnreachable(database, 'the server has no database of this name', 'correct the name, or create the database');
  if (sqlState?.startsWith('28') || /client password must be/.test(text)) return new DatabaseLoginRefused(database, text, sqlState ?? null);
  if (sqlState === '57014' || sqlState === '55P03' || /Query read timeout/i.test(text)) return new DatabaseTimeout(database, limitMs, text);
  if (
    sqlState?.startsWith('57P') ||
    sqlState?.startsWith('53') ||
    sqlState?.startsWith('08') ||
    /Connection terminated|Client has encountered/i.test(text)
  )
    return new DatabaseUnreachable(database, text, 'the server is starting, stopping or full: try again shortly');
  if (/SSL|certificate|self.signed/i.test(text))
    return new DatabaseUnreachable(database, text, 'compare sslmode and certificates with those of the server');
  return new DatabaseQueryFailed(database, text, sqlState);
}

export function withoutPassword(text: string, password: string | null): string {
  if (password === null || password.length < 4) return text;
  return text.replaceAll(password, '[redacted]').replaceAll(encodeURIComponent(password), '[redacted]');
}
