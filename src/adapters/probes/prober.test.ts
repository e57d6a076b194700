import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { ProbeTarget } from '../../domains/health/index.ts';
import { nodeClock } from '../node/clock.ts';
import { nodeFiles } from '../node/files.ts';
import { nodeSpawner } from '../node/spawner.ts';
import { nodeProber } from './prober.ts';

const prober = nodeProber(nodeClock, nodeFiles, nodeSpawner);
const OPENSSL = 'openssl';
/** Long enough to never matter, and short enough to wait for. */
const [PATIENT_MS, SHORT_MS] = [20_000, 60];

let dir = '';
beforeAll(() => void (dir = mkdtempSync(join(tmpdir(), 'grace-probes-'))));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const probe = (target: ProbeTarget, timeoutMs = PATIENT_MS, pid: number | null = null) =>
  prober.probe(target, { cwd: dir, env: { PATH: process.env['PATH'] ?? '', WORD: 'hello' }, timeoutMs, pid });

async function listening(server: Server, host = '127.0.0.1'): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.listen(0, host);
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

const http = async (
  answer: RequestListener,
  change: Partial<Extract<ProbeTarget, { kind: 'http' }>> = {},
  path = '/health',
): Promise<ProbeTarget> => ({
  kind: 'http',
  url: `http://127.0.0.1:${await listening(createHttpServer(answer))}${path}`,
  expectStatus: null,
  caFile: null,
  ...change,
});

/** A server that says these bytes to whoever asks, and hangs up. */
const saying = (bytes: string): Server =>
  createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(bytes));
  });

async function unusedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

describe('http', () => {
  test.each([200, 204, 302])('%d is an answer', async (status) => {
    expect(await probe(await http((_q, r) => r.writeHead(status).end()))).toMatchObject({ outcome: 'pass', detail: '' });
  });

  test.each([404, 500, 503])('%d is none, and what it says is kept', async (status) => {
    expect(await probe(await http((_q, r) => r.writeHead(status).end('no database')))).toMatchObject({
      outcome: 'fail',
      detail: `HTTP ${status}: no database`,
    });
  });

  test('a status that is expected passes, whatever it is, and no other does', async () => {
    expect(await probe(await http((_q, r) => r.writeHead(401).end(), { expectStatus: [401, 403] }))).toMatchObject({ outcome: 'pass' });
    expect(await probe(await http((_q, r) => r.writeHead(200).end(), { expectStatus: [401, 403] }))).toMatchObject({
      outcome: 'fail',
      detail: 'HTTP 200',
    });
  });

  test('asks for exactly the path and query it was given, under the host it was given', async () => {
    const seen: unknown[] = [];
    await probe(
      await http(
        (q, r) => {
          seen.push(q.method, q.url, q.headers['user-agent']);
          r.end();
        },
        {},
        '/health/live?deep=1',
      ),
    );
    expect(seen).toEqual(['GET', '/health/live?deep=1', 'grace-probe']);
  });

  test('a long error page is cut', async () => {
    const { detail } = await probe(await http((_q, r) => r.writeHead(500).end('x'.repeat(1_000_000))));
    expect(detail.length).toBeLessThan(400);
    expect(detail).toMatch(/^HTTP 500: x+$/);
  });

  test('an error page that never ends is not waited for', async () => {
    const { detail, latencyMs } = await probe(await http((_q, r) => void r.writeHead(500).write('half a page')), SHORT_MS);
    expect(detail).not.toBe('');
    expect(latencyMs).toBeLessThan(PATIENT_MS);
  });

  test('a server that accepts and says nothing has no answer', async () => {
    expect(await probe(await http(() => undefined), SHORT_MS)).toMatchObject({
      outcome: 'fail',
      detail: `no answer within ${SHORT_MS} ms`,
    });
  });

  test('a port where nobody listens refuses', async () => {
    const url = `http://127.0.0.1:${await unusedPort()}/`;
    expect(await probe({ kind: 'http', url, expectStatus: null, caFile: null })).toMatchObject({
      outcome: 'fail',
      detail: 'connection refused',
    });
  });

  test.each([
    ['hangs up at once', ''],
    ['speaks another protocol', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['sends noise', '\0\x01\x02\x03'],
  ])('a server that %s fails', async (_what, bytes) => {
    const port = await listening(saying(bytes));
    const result = await probe({ kind: 'http', url: `http://127.0.0.1:${port}/`, expectStatus: null, caFile: null });
    expect(result.outcome).toBe('fail');
    expect(result.detail).not.toBe('');
  });

  test('an answer that comes byte by byte is put together', async () => {
    const port = await listening(
      createServer((socket) => {
        socket.on('error', () => undefined);
        socket.setNoDelay(true);
        socket.once('data', () => {
          const bytes = 'HTTP/1.1 503 Busy\r\nContent-Length: 5\r\n\r\nlater'.split('');
          const next = (): void => void (bytes.length === 0 ? socket.end() : socket.write(bytes.shift() ?? '', () => setImmediate(next)));
          next();
        });
      }),
    );
    expect((await probe({ kind: 'http', url: `http://127.0.0.1:${port}/`, expectStatus: null, caFile: null })).detail).toBe(
      'HTTP 503: later',
    );
  });

  test('IPv6 works where the machine has it', async () => {
    const port = await listening(
      createHttpServer((_q, r) => void r.end()),
      '::1',
    ).catch(() => null);
    if (port === null) return;
    expect(await probe({ kind: 'http', url: `http://[::1]:${port}/`, expectStatus: null, caFile: null })).toMatchObject({
      outcome: 'pass',
    });
  });

  test('a host whose name cannot be looked up was not asked: nothing is known', async () => {
    expect(await probe({ kind: 'http', url: 'http://no-such-host.invalid/', expectStatus: null, caFile: null })).toMatchObject({
      outcome: 'unknown',
      detail: expect.stringMatching(/host not found|EAI_AGAIN/),
    });
  });

  test('over TLS a certificate that nobody signed does not hide that it answers', async () => {
    const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
    execFileSync(
      OPENSSL,
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-keyout',
        key,
        '-out',
        cert,
        '-days',
        '1',
        '-subj',
        '/CN=localhost',
      ],
      { stdio: 'ignore' },
    );
    const port = await listening(createHttpsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_q, r) => void r.end()));
    const url = `https://127.0.0.1:${port}/`;
    expect(await probe({ kind: 'http', url, expectStatus: null, caFile: null })).toMatchObject({ outcome: 'pass' });
    expect((await probe({ kind: 'http', url: url.replace('https', 'http'), expectStatus: null, caFile: null })).outcome).toBe('fail');
  });
});

describe('tcp', () => {
  test('an open port passes, a closed one refuses, an unknown host is named', async () => {
    expect(await probe({ kind: 'tcp', host: '127.0.0.1', port: await listening(createServer()) })).toMatchObject({ outcome: 'pass' });
    expect(await probe({ kind: 'tcp', host: '127.0.0.1', port: await unusedPort() })).toMatchObject({
      outcome: 'fail',
      detail: 'connection refused',
    });
    expect((await probe({ kind: 'tcp', host: 'no-such-host.invalid', port: 80 })).outcome).toBe('unknown');
  });

  test('a failure always says something: nothing said means it passed', async () => {
    for (const host of ['localhost', '255.255.255.255', '0.0.0.1', 'ff02::1']) {
      const result = await probe({ kind: 'tcp', host, port: await unusedPort() }, 300);
      expect([host, result.outcome, result.detail === '']).toEqual([host, 'fail', false]);
    }
  });
});

describe('a command', () => {
  const run = (script: string, timeoutMs = PATIENT_MS) => probe({ kind: 'command', argv: ['/bin/sh', '-c', script] }, timeoutMs);

  test('passes with exit code 0, in the directory and environment of its component', async () => {
    expect(await run(`test "$WORD" = hello && test "$PWD" = "${dir}"`)).toMatchObject({ outcome: 'pass' });
  });

  test('fails with another one, and what it said is kept', async () => {
    expect(await run('echo out; echo "cart is empty" >&2; exit 3')).toMatchObject({ outcome: 'fail', detail: 'exit 3: cart is empty' });
    expect(await run('echo out; exit 1')).toMatchObject({ detail: 'exit 1: out' });
    expect(await run('exit 1')).toMatchObject({ detail: 'exit 1' });
  });

  test('names the signal that ended it', async () => {
    expect((await run('kill -SEGV $$')).detail).toContain('SIGSEGV');
  });

  test('is ended with everything it started when it takes too long', async () => {
    expect(await run('sleep 1000 & sleep 1000', SHORT_MS)).toMatchObject({ outcome: 'fail', detail: `no result within ${SHORT_MS} ms` });
  });

  test('that does not exist has not looked: nothing is known', async () => {
    expect(await probe({ kind: 'command', argv: ['no-such-check'] })).toMatchObject({
      outcome: 'unknown',
      detail: 'cannot run no-such-check: ENOENT',
    });
  });
});

describe('the age of a file', () => {
  test('young enough passes, too old or absent fails', async () => {
    const path = join(dir, 'heartbeat');
    const target: ProbeTarget = { kind: 'file_age', path, maxAgeMs: 60_000 };
    expect(await probe(target)).toMatchObject({ outcome: 'fail', detail: `${path} does not exist` });
    writeFileSync(path, '');
    expect(await probe(target)).toMatchObject({ outcome: 'pass' });
    utimesSync(path, new Date(), new Date(Date.now() - 61_000));
    expect(await probe(target)).toMatchObject({ outcome: 'fail', detail: expect.stringMatching(/ms old, more than 60000 ms/) });
  });
});

test('a process that runs passes, none fails', async () => {
  expect(await probe({ kind: 'process' }, PATIENT_MS, 1)).toMatchObject({ outcome: 'pass' });
  expect(await probe({ kind: 'process' })).toMatchObject({ outcome: 'fail', detail: 'it does not run' });
});
