import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';

const run = promisify(execFile);
/** Debian keeps the server's binaries out of PATH, one folder for each major version. */
const BINARIES = [15, 16, 17, 18].map((version) => `/usr/lib/postgresql/${version}/bin`).find((dir) => existsSync(join(dir, 'initdb')));

/** A PostgreSQL server of its own, for the time of a test file. */
export interface TestServer {
  readonly port: number;
  readonly password: string;
  url(database: string, credentials?: { user?: string; password?: string }): string;
  query(database: string, sql: string): Promise<readonly Record<string, unknown>[]>;
  stop(): Promise<void>;
}

export const POSTGRES_MISSING = BINARIES === undefined ? 'PostgreSQL binaries are not installed: these tests are skipped' : null;

export async function startPostgres(): Promise<TestServer> {
  const dir = await mkdtemp(join(tmpdir(), 'grace-postgres-'));
  const isRoot = process.getuid?.() === 0;
  // The server refuses to run as root.
  const as = (command: string, argv: readonly string[]): [string, string[]] =>
    isRoot ? ['setpriv', ['--reuid=postgres', '--regid=postgres', '--clear-groups', command, ...argv]] : [command, [...argv]];
  if (isRoot) {
    const { stdout } = await run('id', ['-u', 'postgres']);
    await chown(dir, Number(stdout), -1);
  }
  await chmod(dir, 0o700);
  const data = join(dir, 'data');
  await run(...as(join(BINARIES!, 'initdb'), ['-D', data, '-U', 'admin', '-A', 'trust', '--no-sync', '-E', 'UTF8', '--locale=C.UTF-8']), {
    cwd: '/',
  });
  const port = await freePort();
  const server = spawn(
    ...as(join(BINARIES!, 'postgres'), [
      '-D',
      data,
      '-p',
      String(port),
      '-h',
      '127.0.0.1',
      '-k',
      dir,
      '-c',
      'fsync=off',
      '-c',
      'log_min_messages=fatal',
    ]),
    {
      cwd: '/',
      stdio: 'ignore',
    },
  );
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  const password = 's3cret/pass@word';
  const url = (database: string, { user = 'admin', password: given = password } = {}) =>
    `postgresql://${user}:${encodeURIComponent(given)}@127.0.0.1:${port}/${database}`;
  const query = async (database: string, sql: string) => {
    const client = new Client({ connectionString: url(database) });
    await client.connect();
    try {
      return ((await client.query(sql)) as { rows: Record<string, unknown>[] }).rows ?? [];
    } finally {
      await client.end();
    }
  };
  for (let attempt = 0; ; attempt += 1) {
    try {
      await query('postgres', 'SELECT 1');
      break;
    } catch (error) {
      if (attempt === 200) throw error;
      await delay(50);
    }
  }
  const stop = async () => {
    server.kill('SIGINT'); // fast shutdown: setpriv has become the server, so this is its pid
    await ended;
    await rm(dir, { recursive: true, force: true });
  };
  // From here on a password is asked for.
  await query('postgres', `ALTER USER admin PASSWORD '${password}'`);
  const [hba] = await query('postgres', `SELECT setting FROM pg_settings WHERE name = 'hba_file'`);
  await writeFile(String(hba!['setting']), 'host all all 127.0.0.1/32 scram-sha-256\n');
  await query('postgres', 'SELECT pg_reload_conf()');
  return { port, password, url, query, stop };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
