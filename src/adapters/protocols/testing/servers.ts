import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { delimiter, join } from 'node:path';
import { tmpdir } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

const START_LIMIT_MS = 60_000;

/** Where a program is; null where it is not installed. Debian keeps those of servers out of the PATH of people. */
export function programOf(...names: readonly string[]): string | null {
  const dirs = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    '/usr/sbin',
    ...[18, 17, 16, 15].map((version) => `/usr/lib/postgresql/${version}/bin`),
  ];
  for (const name of names) for (const dir of dirs) if (existsSync(join(dir, name))) return join(dir, name);
  return null;
}

/** A folder that the user of a server may write to. */
export async function folderFor(user: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'grace-protocol-'));
  await chmod(dir, 0o755);
  if (isRoot()) await chown(dir, idOf(user), -1);
  return dir;
}

/** Servers refuse to run as root. */
export function asUser(user: string, argv: readonly string[]): readonly string[] {
  return isRoot() ? ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--clear-groups', ...argv] : argv;
}

const isRoot = (): boolean => process.getuid?.() === 0;
const idOf = (user: string): number => Number(execFileSync('id', ['-u', user], { encoding: 'utf8' }));

/** A real server, started for a test file and ended with it by its pid. */
export async function startServer(
  argv: readonly string[],
  port: number,
  dir: string,
  env: Record<string, string> = {},
): Promise<() => Promise<void>> {
  const [file = '', ...args] = argv;
  let said = '';
  const child = spawn(file, args, { cwd: '/', detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-4000)));
  const stop = async (): Promise<void> => {
    await end(child);
    await rm(dir, { recursive: true, force: true });
  };
  const until = Date.now() + START_LIMIT_MS;
  while (!(await isListening(port))) {
    if (child.exitCode !== null || Date.now() > until) {
      await stop();
      throw new Error(`${file} does not listen: ${said}`);
    }
    await delay(50);
  }
  return stop;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    return; // gone already
  }
  await ended;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

/** A TCP server that behaves as told, and what it was sent. */
export interface Pretender {
  readonly port: number;
  readonly received: () => string;
  readonly open: () => number;
  stop(): Promise<void>;
}

export async function pretend(behave: (socket: Socket) => void): Promise<Pretender> {
  let received = '';
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
    socket.on('data', (chunk) => (received += chunk.toString('latin1')));
    behave(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    received: () => received,
    open: () => sockets.size,
    stop: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => void server.close(() => resolve()));
    },
  };
}

/** An authority, and certificates that it signed: good, expired, and for another name. Made with openssl. */
export async function makeCertificates(dir: string): Promise<void> {
  const openssl = (...args: readonly string[]): Buffer => execFileSync('openssl', args, { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...newKey, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '30', '-subj', '/CN=Test authority');
  for (const [name, alt, days] of [
    ['good', 'IP:127.0.0.1,DNS:localhost', '30'],
    ['soon', 'IP:127.0.0.1,DNS:localhost', '3'],
    ['other', 'DNS:elsewhere.example', '30'],
  ] as const) {
    openssl('req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    await writeFile(join(dir, `${name}.ext`), `subjectAltName=${alt}\n`);
    openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-days',
      days,
      '-extfile',
      `${name}.ext`,
      '-out',
      `${name}.pem`,
    );
  }
  // `x509 -req` takes no dates in the past; `ca` does
  await writeFile(join(dir, 'index.txt'), '');
  await writeFile(join(dir, 'serial'), '1000\n');
  await writeFile(
    join(dir, 'ca.cnf'),
    '[ca]\ndefault_ca=a\n[a]\ndir=.\ndatabase=index.txt\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\nemail_in_dn=no\nrand_serial=no\n[p]\ncommonName=supplied\n',
  );
  openssl('req', ...newKey, '-keyout', 'expired.key', '-out', 'expired.csr', '-subj', '/CN=expired');
  openssl(
    'ca',
    '-batch',
    '-config',
    'ca.cnf',
    '-cert',
    'ca.pem',
    '-keyfile',
    'ca.key',
    '-in',
    'expired.csr',
    '-out',
    'expired.pem',
    '-startdate',
    '20200101000000Z',
    '-enddate',
    '20210101000000Z',
    '-extfile',
    'good.ext',
    '-notext',
  );
}
