import { randomBytes } from 'node:crypto';
import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf, sha256Hex } from '../../kernel/index.ts';
import type { DatabaseLocation } from './locate.ts';
import { execute, onPostgres, quoteIdentifier } from './postgres-session.ts';
import { formatPostgresUrl, parsePostgresUrl, type PostgresTarget } from './postgres-url.ts';

/** Of making and dropping one: a server under load copies its template slowly. */
const TIMEOUT_MS = 5_000;
/** No run of ours lasts a tenth of it: what is older was left by one that was killed. */
const LEFT_BEHIND_MS = 10 * 60_000;
const PREFIX = 'grace_scratch_';

/**
 * An empty database beside that of the service, for the time of `work`: a file of its own, or a database on the same server. It is
 * removed whatever happens; one that a killed Grace has left is removed by the next, known by its name and its age.
 * @returns  what `work` returns, or why there can be none
 */
export async function withScratch<T>(
  location: DatabaseLocation,
  nowMs: number,
  work: (scratch: DatabaseLocation) => Promise<T>,
): Promise<T | { readonly state: 'not_possible'; readonly why: string }> {
  return location.engine === 'sqlite' ? withFile(nowMs, work) : withDatabase(location.url, nowMs, work);
}

async function withFile<T>(nowMs: number, work: (scratch: DatabaseLocation) => Promise<T>): Promise<T> {
  await sweepFolders(nowMs);
  const folder = await mkdtemp(join(tmpdir(), PREFIX));
  try {
    return await work({ engine: 'sqlite', path: join(folder, 'scratch.db') });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function sweepFolders(nowMs: number): Promise<void> {
  for (const name of await readdir(tmpdir()).catch((): string[] => [])) {
    if (!name.startsWith(PREFIX)) continue;
    const path = join(tmpdir(), name);
    const found = await lstat(path).catch(() => null);
    // Another user's is not ours, whatever it is called.
    if (found?.isDirectory() && found.uid === process.getuid?.() && nowMs - found.mtimeMs > LEFT_BEHIND_MS)
      await rm(path, { recursive: true, force: true }).catch(() => {});
  }
}

async function withDatabase<T>(
  url: string,
  nowMs: number,
  work: (scratch: DatabaseLocation) => Promise<T>,
): Promise<T | { readonly state: 'not_possible'; readonly why: string }> {
  const target = parsePostgresUrl(url);
  if (target === null) return { state: 'not_possible', why: 'its URL cannot be read' };
  const own = ownPrefix(target);
  const name = `${own}${Math.floor(nowMs / 1000).toString(36)}_${randomBytes(5).toString('hex')}`;
  const drop = (scratch: string) => `DROP DATABASE IF EXISTS ${quoteIdentifier(scratch)} WITH (FORCE)`;
  const why = await onPostgres(url, TIMEOUT_MS, async (client) => {
    const [may] = await execute(
      client,
      'SELECT (rolcreatedb OR rolsuper) AND NOT pg_is_in_recovery() AS may FROM pg_roles WHERE rolname = current_user',
    );
    if (may?.['may'] !== true) return `the role "${target.user}" may not create a database beside it`;
    const left = await execute(
      client,
      `SELECT d.datname AS name FROM pg_database d JOIN pg_roles r ON r.oid = d.datdba WHERE r.rolname = current_user AND starts_with(d.datname, $1)`,
      [own],
    );
    for (const { name: other } of left)
      if (typeof other === 'string' && isLeftBehind(other, own, nowMs)) await client.query(drop(other)).catch(() => {});
    try {
      await client.query(`CREATE DATABASE ${quoteIdentifier(name)}`);
      return null;
    } catch (error) {
      return `no database can be created beside it: ${messageOf(error).slice(0, 200)}`;
    }
  });
  if (why !== null) return { state: 'not_possible', why };
  try {
    return await work({ engine: 'postgres', url: formatPostgresUrl({ ...target, database: name }) });
  } finally {
    await onPostgres(url, TIMEOUT_MS, (client) => client.query(drop(name)));
  }
}

/** Those of other services on the same server have another. */
function ownPrefix({ host, port, database, user }: PostgresTarget): string {
  return `${PREFIX}${sha256Hex(JSON.stringify([host, port, database, user])).slice(0, 10)}_`;
}

function isLeftBehind(name: string, own: string, nowMs: number): boolean {
  const seconds = /^([0-9a-z]{5,8})_[0-9a-f]{10}$/.exec(name.slice(own.length))?.[1];
  return seconds !== undefined && nowMs - Number.parseInt(seconds, 36) * 1000 > LEFT_BEHIND_MS;
}
