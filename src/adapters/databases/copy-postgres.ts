import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { Client } from 'pg';
import type { DatabaseProof, PartProof } from '../../domains/snapshots/index.ts';
import { sha256Hex, type Spawner } from '../../kernel/index.ts';
import { DatabaseRestoreRefused, DatabaseTimeout, DatabaseToolFailed } from './errors.ts';
import { readPostgresCatalog } from './postgres-catalog.ts';
import { execute, inPostgres, quoteIdentifier, withoutPassword } from './postgres-session.ts';
import { describePostgres, parsePostgresUrl, type PostgresTarget } from './postgres-url.ts';
import { canonical, definitionOf, tableLabel } from './schema-snapshot.ts';

export interface PostgresTools {
  readonly spawner: Spawner;
  /** PATH and HOME of the service: where the tools are, and its `.pgpass`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs: number;
  /** Makes checksums of rows that nobody without the key can compare with guesses. */
  readonly key: Uint8Array;
}

/** How large the database is on the server; a dump is nearly always smaller. */
export function postgresBytes(url: string, timeoutMs: number): Promise<number> {
  return read(url, timeoutMs, async (client) => {
    const [row] = await execute(client, 'SELECT pg_catalog.pg_database_size(pg_catalog.current_database()) AS bytes');
    return Number(row?.['bytes']);
  });
}

/** `pg_dump` of one state of the database, and what was in it in that very state: both go by one exported snapshot. */
export function dumpPostgres(url: string, to: string, tools: PostgresTools, signal: AbortSignal): Promise<DatabaseProof> {
  return read(url, tools.timeoutMs, async (client) => {
    const [row] = await execute(
      client,
      `SELECT pg_catalog.pg_export_snapshot() AS snapshot, pg_catalog.current_setting('server_version_num') AS version`,
    );
    const program = await toolFor('pg_dump', Number(row?.['version']), tools);
    const argv = [program, '--format=custom', '--no-password', `--snapshot=${String(row?.['snapshot'])}`, `--file=${to}`];
    await runTool('pg_dump', argv, url, tools, signal);
    return proofOf(client, tools.key, signal);
  });
}

export function provePostgres(url: string, tools: PostgresTools, signal: AbortSignal): Promise<DatabaseProof> {
  return read(url, tools.timeoutMs, (client) => proofOf(client, tools.key, signal));
}

/**
 * `pg_restore` in one transaction: everything of the dump is there again, or nothing was changed. Tables that were made since
 * stay; where one of them leans on what would be replaced, the server refuses, and so do we.
 * @throws DatabaseToolFailed, DatabaseRestoreRefused, DatabaseTimeout
 */
export async function restorePostgres(url: string, from: string, tools: PostgresTools, signal: AbortSignal): Promise<void> {
  const version = await read(url, tools.timeoutMs, async (client) => {
    const [row] = await execute(client, `SELECT pg_catalog.current_setting('server_version_num') AS version`);
    return Number(row?.['version']);
  });
  const program = await toolFor('pg_restore', version, tools);
  const { database } = targetOf(url);
  const argv = [
    program,
    '--single-transaction',
    '--exit-on-error',
    '--clean',
    '--if-exists',
    '--no-password',
    `--dbname=${database}`,
    from,
  ];
  await runTool('pg_restore', argv, url, tools, signal);
}

function read<T>(url: string, timeoutMs: number, work: (client: Client) => Promise<T>): Promise<T> {
  return inPostgres(url, { timeoutMs, lockTimeoutMs: LOCK_WAIT_MS, access: 'read only' }, work, () => false);
}

const LOCK_WAIT_MS = 10_000;

async function proofOf(client: Client, key: Uint8Array, signal: AbortSignal): Promise<DatabaseProof> {
  const { content } = await readPostgresCatalog(client);
  // The seed of the server's own hash: 64 bits of the key's digest.
  const seed = BigInt.asIntN(64, BigInt(`0x${sha256Hex(key).slice(0, 16)}`));
  const bare = (name: string, part: object): PartProof => ({ name, rows: 0, definition: sha256Hex(canonical(part)), content: '' });
  const parts: PartProof[] = [
    ...content.views.map((view) => bare(`view ${tableLabel(view)}`, view)),
    ...content.enums.map((type) => bare(`type ${tableLabel(type)}`, type)),
  ];
  for (const table of content.tables) {
    signal.throwIfAborted();
    // A sum does not mind the order in which rows come.
    const [row] = await execute(
      client,
      `SELECT count(*)::text AS rows, coalesce(sum(pg_catalog.hashtextextended(t.*::text, ${seed})), 0)::text AS content
       FROM ONLY ${quoteIdentifier(table.schema)}.${quoteIdentifier(table.name)} AS t`,
    );
    parts.push({
      name: `table ${tableLabel(table)}`,
      rows: Number(row?.['rows']),
      definition: sha256Hex(canonical(definitionOf(table))),
      content: String(row?.['content']),
    });
  }
  return { parts: parts.toSorted((a, b) => (a.name < b.name ? -1 : 1)) };
}

/**
 * The tool of the server's own version where it is installed: a newer one writes settings that an older server does not know.
 * Debian keeps each version in a folder of its own.
 */
async function toolFor(tool: 'pg_dump' | 'pg_restore', version: number, { env }: PostgresTools): Promise<string> {
  const folders = [`/usr/lib/postgresql/${Math.floor(version / 10_000)}/bin`, ...(env['PATH'] ?? USUAL_PATH).split(delimiter)];
  for (const folder of folders.filter((dir) => dir.startsWith('/'))) {
    const path = join(folder, tool);
    const isThere = await access(path).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  throw new DatabaseToolFailed(
    tool,
    'PostgreSQL',
    'it is not installed',
    'install the client programs of PostgreSQL, of the version of the server',
  );
}

const USUAL_PATH = '/usr/local/bin:/usr/bin:/bin';

/** The password goes through the environment alone: an argument can be read by everybody on the machine. */
async function runTool(tool: string, argv: readonly string[], url: string, tools: PostgresTools, signal: AbortSignal): Promise<void> {
  const target = targetOf(url);
  const name = describePostgres(target);
  const result = await tools.spawner.run(argv, { cwd: '/', env: environmentFor(target, tools.env), timeoutMs: tools.timeoutMs, signal });
  signal.throwIfAborted();
  if (result.timedOut) throw new DatabaseTimeout(name, tools.timeoutMs, `${tool} did not finish`);
  if (result.exitCode === 0) return;
  const problem = withoutPassword(firstError(result.stderr) || result.spawnErrorCode || 'it ended without a word', target.password);
  if (tool === 'pg_restore' && /other objects depend on it|must be owner|permission denied/.test(problem))
    throw new DatabaseRestoreRefused(name, problem);
  throw new DatabaseToolFailed(tool, name, problem, 'nothing was changed; see what the message names');
}

/** The first line that says what is wrong, without the name of the program before it; the rest are consequences. */
function firstError(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const line = lines.find((text) => text.includes('error:')) ?? lines[0] ?? '';
  return line.slice(0, ERROR_CHARS_MAX).replace(/^pg_\w+: (?:\[[^\]]{0,80}\] )?(?:error: )?/, '');
}

const ERROR_CHARS_MAX = 500;

function environmentFor(target: PostgresTarget, env: PostgresTools['env']): Record<string, string> {
  const settings: Readonly<Record<string, string | null | undefined>> = {
    PATH: env['PATH'] ?? USUAL_PATH,
    HOME: env['HOME'],
    LC_ALL: 'C.UTF-8',
    PGHOST: target.host,
    PGPORT: String(target.port),
    PGDATABASE: target.database,
    PGUSER: target.user,
    PGPASSWORD: target.password,
    PGSSLMODE: target.sslMode,
    PGSSLROOTCERT: target.sslRootCert,
    PGSSLCERT: target.sslCert,
    PGSSLKEY: target.sslKey,
    PGAPPNAME: 'grace',
    PGCONNECT_TIMEOUT: '5',
  };
  return Object.fromEntries(Object.entries(settings).flatMap(([key, value]) => (value == null ? [] : [[key, value]])));
}

function targetOf(url: string): PostgresTarget {
  const target = parsePostgresUrl(url);
  if (target === null) throw new DatabaseToolFailed('pg_dump', 'PostgreSQL', 'its URL cannot be read', 'correct the URL of the database');
  return target;
}
