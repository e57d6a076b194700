import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from 'pg';
import { messageOf, sha256Hex, type Logger } from '../../kernel/index.ts';
import { sweepLeftFolders } from './left-folders.ts';
import type { DatabaseLocation } from './locate.ts';
import { execute, onPostgres, quoteIdentifier } from './postgres-session.ts';
import { formatPostgresUrl, parsePostgresUrl, type PostgresTarget } from './postgres-url.ts';

/** A server under load copies its template slowly. */
const CREATE_MS = 5_000;
/** Dropping writes a checkpoint first, which takes long on a busy server. */
const DROP_MS = 60_000;
/** No run of ours lasts a tenth of it: what is older was left by one that was killed. */
const LEFT_BEHIND_MS = 10 * 60_000;
const PREFIX = 'grace_scratch_';

/**
 * An empty database beside that of the service, for the time of `work`: a file of its own, or a database on the same server. It is
 * removed whatever happens; one that a killed Grace has left is removed by the next, known by its name and its age. While one of ours
 * cannot be removed no other is made.
 * @param logger  told of one that could not be removed
 * @returns  what `work` returns, or why there can be none
 */
export async function withScratch<T>(
  location: DatabaseLocation,
  nowMs: number,
  work: (scratch: DatabaseLocation) => Promise<T>,
  logger?: Logger,
): Promise<T | { readonly state: 'not_possible'; readonly why: string }> {
  return location.engine === 'sqlite' ? withFile(nowMs, work) : withDatabase(location.url, nowMs, work, logger);
}

async function withFile<T>(nowMs: number, work: (scratch: DatabaseLocation) => Promise<T>): Promise<T> {
  await sweepLeftFolders(PREFIX, LEFT_BEHIND_MS, nowMs);
  const folder = await mkdtemp(join(tmpdir(), PREFIX));
  try {
    return await work({ engine: 'sqlite', path: join(folder, 'scratch.db') });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function withDatabase<T>(
  url: string,
  nowMs: number,
  work: (scratch: DatabaseLocation) => Promise<T>,
  logger: Logger | undefined,
): Promise<T | { readonly state: 'not_possible'; readonly why: string }> {
  const target = parsePostgresUrl(url);
  if (target === null) return { state: 'not_possible', why: 'its URL cannot be read' };
  const own = ownPrefix(target);
  const name = `${own}${Math.floor(nowMs / 1000).toString(36)}_${randomBytes(5).toString('hex')}`;
  const why = (await whyNotTidy(url, own, nowMs)) ?? (await whyNotCreated(url, target, name));
  if (why !== null) return { state: 'not_possible', why };
  try {
    return await work({ engine: 'postgres', url: formatPostgresUrl({ ...target, database: name }) });
  } finally {
    try {
      await onPostgres(url, DROP_MS, (client) => drop(client, name));
    } catch (error) {
      // What was found out with it is as true as it was; no other is made until this one is gone.
      notDropped.add(name);
      logger?.warn('a scratch database could not be dropped', { database: name, error: messageOf(error) });
    }
  }
}

/** Those that this process could not drop: it need not wait until they are old to know whose they are. */
const notDropped = new Set<string>();

/** Drops what was left. @returns why it cannot: a server on which nothing can be dropped would fill up with them */
async function whyNotTidy(url: string, own: string, nowMs: number): Promise<string | null> {
  return onPostgres(url, DROP_MS, async (client) => {
    const rows = await execute(
      client,
      `SELECT d.datname AS name FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba
        WHERE r.rolname = current_user AND left(d.datname::text, length($1::text)) = $1::text`,
      [own],
    );
    const names = rows.map(({ name }) => String(name));
    for (const name of names.filter((one) => notDropped.has(one) || isLeftBehind(one, own, nowMs))) {
      try {
        await drop(client, name);
      } catch (error) {
        return `${name}, which an earlier run has left, cannot be dropped: ${messageOf(error).slice(0, 200)}`;
      }
      notDropped.delete(name);
    }
    return null;
  });
}

async function whyNotCreated(url: string, target: PostgresTarget, name: string): Promise<string | null> {
  return onPostgres(url, CREATE_MS, async (client) => {
    const [may] = await execute(
      client,
      'SELECT (rolcreatedb OR rolsuper) AND NOT pg_is_in_recovery() AS may FROM pg_roles WHERE rolname = current_user',
    );
    if (may?.['may'] !== true) return `the role "${target.user}" may not create a database beside it`;
    try {
      await client.query(`CREATE DATABASE ${quoteIdentifier(name)}`);
      return null;
    } catch (error) {
      return `no database can be created beside it: ${messageOf(error).slice(0, 200)}`;
    }
  });
}

/** `WITH (FORCE)`; servers before it, and those made from one (YugabyteDB), take it for a mistake in the statement. */
const FORCE_SINCE = 130_000;

/** Also while somebody of our own role is connected to it: what is ended there has outlived its time. */
async function drop(client: Client, name: string): Promise<void> {
  const [row] = await execute(client, `SELECT current_setting('server_version_num') AS version`);
  if (Number(row?.['version']) >= FORCE_SINCE) {
    await client.query(`DROP DATABASE IF EXISTS ${quoteIdentifier(name)} WITH (FORCE)`);
    return;
  }
  await execute(
    client,
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND usename = current_user AND pid <> pg_backend_pid()',
    [name],
  );
  // It waits by itself, for five seconds, until they are gone.
  await client.query(`DROP DATABASE IF EXISTS ${quoteIdentifier(name)}`);
}

/** Those of other services on the same server have another. */
function ownPrefix({ host, port, database, user }: PostgresTarget): string {
  return `${PREFIX}${sha256Hex(JSON.stringify([host, port, database, user])).slice(0, 10)}_`;
}

function isLeftBehind(name: string, own: string, nowMs: number): boolean {
  const seconds = /^([0-9a-z]{5,8})_[0-9a-f]{10}$/.exec(name.slice(own.length))?.[1];
  return seconds !== undefined && nowMs - Number.parseInt(seconds, 36) * 1000 > LEFT_BEHIND_MS;
}
