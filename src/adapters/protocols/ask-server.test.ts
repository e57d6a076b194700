import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, chown, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { ServerAnswer, ServerProtocol, ServerQuestion } from '../../domains/preflight/index.ts';
import { askServer } from './ask-server.ts';
import { asUser, folderFor, freePort, makeCertificates, pretend, programOf, startServer } from './testing/servers.ts';

const question = (protocol: ServerProtocol, port: number, change: Partial<ServerQuestion> = {}): ServerQuestion => ({
  protocol,
  host: '127.0.0.1',
  port,
  user: null,
  password: null,
  database: null,
  encryption: 'off',
  verification: 'name',
  caFile: null,
  certFile: null,
  keyFile: null,
  timeoutMs: 5000,
  ...change,
});

const ask = (...of: Parameters<typeof question>): Promise<ServerAnswer> => askServer(question(...of), new AbortController().signal);
const failure = async (...of: Parameters<typeof question>): Promise<string> => {
  const answer = await ask(...of);
  return answer.state === 'failed' ? `${answer.failure}: ${answer.problem}` : `answered ${answer.product}`;
};

let certificates = '';
beforeAll(async () => {
  certificates = await mkdtemp(join(tmpdir(), 'grace-certificates-'));
  await makeCertificates(certificates);
});
afterAll(() => rm(certificates, { recursive: true, force: true }));

const initdb = programOf('initdb');
const postgres = programOf('postgres');
describe.skipIf(initdb === null || postgres === null)('PostgreSQL (skipped where it is not installed)', () => {
  let port = 0;
  let stop = async (): Promise<void> => undefined;
  beforeAll(async () => {
    const dir = await folderFor('postgres');
    port = await freePort();
    await writeFile(join(dir, 'pw'), 'p@ss:wörd');
    await chmod(join(dir, 'pw'), 0o644);
    const data = join(dir, 'data');
    const [file = '', ...args] = asUser('postgres', [
      initdb ?? '',
      '-D',
      data,
      '-U',
      'admin',
      '-A',
      'scram-sha-256',
      `--pwfile=${join(dir, 'pw')}`,
      '--no-sync',
      '--locale=C.UTF-8',
      '-E',
      'UTF8',
    ]);
    execFileSync(file, args, { cwd: '/', stdio: 'ignore' });
    for (const [from, to] of [
      ['good.pem', 'server.crt'],
      ['good.key', 'server.key'],
    ] as const) {
      await writeFile(join(data, to), readFileSync(join(certificates, from)), { mode: 0o600 });
      const { uid, gid } = await stat(data);
      await chown(join(data, to), uid, gid);
    }
    const rules = [
      'local all all trust',
      'hostssl all all 127.0.0.1/32 scram-sha-256',
      'hostnossl postgres admin 127.0.0.1/32 scram-sha-256',
      'hostnossl all bare 127.0.0.1/32 md5',
      '',
    ];
    await writeFile(join(data, 'pg_hba.conf'), rules.join('\n'));
    stop = await startServer(
      asUser('postgres', [postgres ?? '', '-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', dir, '-c', 'ssl=on', '-c', 'fsync=off']),
      port,
      dir,
    );
    const admin = { host: join(dir, `.s.PGSQL.${port}`), user: 'admin', database: 'postgres' };
    for (let n = 0; n < 100 && (await failure('postgresql', port, admin)).startsWith('not_ready'); n++)
      await new Promise((r) => setTimeout(r, 50));
  }, 60_000);
  afterAll(() => stop());

  const admin = { user: 'admin', password: 'p@ss:wörd', database: 'postgres' };

  test('tells version and time after a login with SCRAM', async () => {
    const answer = await ask('postgresql', port, admin);
    expect(answer).toMatchObject({
      state: 'answered',
      product: 'PostgreSQL',
      version: expect.stringMatching(/^\d+/) as string,
      certificateEndsMs: null,
    });
    expect(Math.abs((answer as { clockOffsetMs: number }).clockOffsetMs)).toBeLessThan(2000);
  });

  test('is asked encrypted where it can, and its certificate is read', async () => {
    const answer = await ask('postgresql', port, { ...admin, encryption: 'require', caFile: join(certificates, 'ca.pem') });
    expect(answer).toMatchObject({ state: 'answered', certificateEndsMs: expect.any(Number) as number });
  });

  test('a wrong password, an unknown database, no password and a certificate of nobody are told apart', async () => {
    expect(await failure('postgresql', port, { ...admin, password: 'wrong' })).toBe('login_refused: it refused the login (28P01)');
    expect(await failure('postgresql', port, { ...admin, encryption: 'prefer', verification: 'none', database: 'nowhere' })).toMatch(
      /^unknown_database/,
    );
    expect(await failure('postgresql', port, { ...admin, password: null })).toMatch(/^login_missing/);
    expect(await failure('postgresql', port, { ...admin, encryption: 'require' })).toMatch(/^certificate_not_trusted/);
    expect(await failure('postgresql', port, { ...admin, user: 'stranger', database: 'template1' })).toMatch(
      /^encryption: it takes no connection without/,
    );
  });

  test('asked as Redis, MySQL or HTTP it is not taken for one', async () => {
    for (const protocol of ['redis', 'mysql', 'http', 'amqp'] as const)
      expect(await failure(protocol, port, { timeoutMs: 700 })).toMatch(/^(?:timeout|closed|other_protocol)/);
  });
});

const redis = programOf('redis-server');
describe.skipIf(redis === null)('Redis (skipped where it is not installed)', () => {
  let port = 0;
  let tlsPort = 0;
  let stop = async (): Promise<void> => undefined;
  beforeAll(async () => {
    const dir = await mkdtemp(join(tmpdir(), 'grace-protocol-'));
    [port, tlsPort] = [await freePort(), await freePort()];
    const tls = [
      '--tls-port',
      String(tlsPort),
      '--tls-cert-file',
      join(certificates, 'good.pem'),
      '--tls-key-file',
      join(certificates, 'good.key'),
      '--tls-ca-cert-file',
      join(certificates, 'ca.pem'),
      '--tls-auth-clients',
      'no',
    ];
    stop = await startServer(
      [
        redis ?? '',
        '--port',
        String(port),
        '--bind',
        '127.0.0.1',
        '--dir',
        dir,
        '--save',
        '',
        '--requirepass',
        's3cret word',
        '--user',
        'reader',
        'on',
        '>readerpass',
        '~*',
        '-@all',
        '+ping',
        '+select',
        ...tls,
      ],
      port,
      dir,
    );
  }, 60_000);
  afterAll(() => stop());

  test('tells version and time after a login', async () => {
    const answer = await ask('redis', port, { password: 's3cret word', database: '3' });
    expect(answer).toMatchObject({
      state: 'answered',
      product: expect.stringMatching(/Redis|Valkey/) as string,
      version: expect.stringMatching(/^\d/) as string,
    });
    expect(Math.abs((answer as { clockOffsetMs: number }).clockOffsetMs)).toBeLessThan(2000);
  });

  test('over TLS with its authority, and not without', async () => {
    const secure = { password: 's3cret word', encryption: 'require' as const };
    expect(await ask('redis', tlsPort, { ...secure, caFile: join(certificates, 'ca.pem') })).toMatchObject({ state: 'answered' });
    expect(await failure('redis', tlsPort, secure)).toMatch(/^certificate_not_trusted/);
    // it waits for the end of a line that never comes
    expect(await failure('redis', port, { ...secure, timeoutMs: 500 })).toMatch(
      /^(?:other_protocol|closed|encryption|timeout: the encryption was begun)/,
    );
    expect(await failure('redis', tlsPort, { password: 's3cret word' })).toMatch(/^closed|^other_protocol: it speaks TLS, not Redis/);
  });

  test('a wrong password, none, an unknown database and a user without rights are told apart', async () => {
    expect(await failure('redis', port, { password: 'wrong' })).toBe('login_refused: it refused the login');
    expect(await failure('redis', port)).toMatch(/^login_missing/);
    expect(await failure('redis', port, { password: 's3cret word', database: '99' })).toMatch(/^unknown_database/);
    expect(await ask('redis', port, { user: 'reader', password: 'readerpass' })).toMatchObject({
      state: 'answered',
      version: null,
      clockOffsetMs: null,
    });
  });

  test('asked as something else it is recognised', async () => {
    expect(await failure('http', port)).toMatch(/^(?:other_protocol|closed)/);
    expect(await failure('nats', port, { timeoutMs: 500 })).toMatch(/^timeout: it was connected to and said nothing/);
  });
});

const nats = programOf('nats-server');
describe.skipIf(nats === null)('NATS (skipped where it is not installed)', () => {
  let port = 0;
  let stop = async (): Promise<void> => undefined;
  beforeAll(async () => {
    const dir = await mkdtemp(join(tmpdir(), 'grace-protocol-'));
    port = await freePort();
    await writeFile(join(dir, 'nats.conf'), `listen: "127.0.0.1:${port}"\nauthorization { user: "app", password: "n4ts" }\n`);
    stop = await startServer([nats ?? '', '-c', join(dir, 'nats.conf')], port, dir);
  }, 60_000);
  afterAll(() => stop());

  test('tells its version after a login', async () => {
    expect(await ask('nats', port, { user: 'app', password: 'n4ts' })).toMatchObject({
      state: 'answered',
      product: 'NATS',
      version: expect.stringMatching(/^\d/) as string,
    });
  });

  test('a wrong password and none are told apart', async () => {
    expect(await failure('nats', port, { user: 'app', password: 'wrong' })).toMatch(/^login_refused/);
    expect(await failure('nats', port)).toMatch(/^login_missing/);
  });

  test('asked as Redis or PostgreSQL it says that it is NATS', async () => {
    expect(await failure('redis', port)).toBe('other_protocol: it speaks NATS, not Redis');
    expect(await failure('postgresql', port, { encryption: 'prefer' })).toBe('other_protocol: it speaks NATS, not PostgreSQL');
  });
});

const mariadb = programOf('mariadbd', 'mysqld');
const installDb = programOf('mariadb-install-db', 'mysql_install_db');
const mariadbClient = programOf('mariadb', 'mysql');
describe.skipIf(mariadb === null || installDb === null || mariadbClient === null)('MariaDB (skipped where it is not installed)', () => {
  let port = 0;
  let stop = async (): Promise<void> => undefined;
  beforeAll(async () => {
    const dir = await folderFor('mysql');
    port = await freePort();
    const data = join(dir, 'data');
    const run = (argv: readonly string[], input?: string): void => {
      const [file = '', ...args] = argv;
      execFileSync(file, args, { cwd: '/', stdio: ['pipe', 'ignore', 'pipe'], ...(input === undefined ? {} : { input }) });
    };
    run(
      asUser('mysql', [
        installDb ?? '',
        '--no-defaults',
        `--datadir=${data}`,
        '--auth-root-authentication-method=normal',
        '--skip-test-db',
      ]),
    );
    const server = [
      mariadb ?? '',
      '--no-defaults',
      `--datadir=${data}`,
      `--port=${port}`,
      '--bind-address=127.0.0.1',
      `--socket=${join(dir, 's')}`,
      '--skip-name-resolve',
    ];
    stop = await startServer(asUser('mysql', server), port, dir);
    run(
      [mariadbClient ?? '', '--no-defaults', `--socket=${join(dir, 's')}`, '-uroot'],
      "CREATE DATABASE shop; CREATE USER app@'127.0.0.1' IDENTIFIED BY 'sh0p pass'; GRANT ALL ON shop.* TO app@'127.0.0.1';",
    );
  }, 120_000);
  afterAll(() => stop());

  const app = { user: 'app', password: 'sh0p pass', database: 'shop', encryption: 'prefer' as const };

  test('tells version and time after a login', async () => {
    const answer = await ask('mysql', port, app);
    expect(answer).toMatchObject({
      state: 'answered',
      product: expect.stringMatching(/MariaDB|MySQL/) as string,
      version: expect.stringMatching(/^\d+\.\d+/) as string,
    });
    expect(Math.abs((answer as { clockOffsetMs: number }).clockOffsetMs)).toBeLessThan(2000);
  });

  test('a wrong password, an unknown database and no encryption are told apart', async () => {
    expect(await failure('mysql', port, { ...app, password: 'wrong' })).toBe('login_refused: it refused the login (1045)');
    expect(await failure('mysql', port, { ...app, password: null })).toMatch(/^login_missing/);
    expect(await failure('mysql', port, { ...app, database: 'nowhere' })).toMatch(/^(?:unknown_database|login_refused: its user may not)/);
    expect(await failure('mysql', port, { ...app, encryption: 'require' })).toMatch(/^encryption: it does not encrypt/);
    expect(await failure('postgresql', port, { encryption: 'prefer' })).toMatch(/^other_protocol: it speaks MySQL/);
  });
});

const rabbitmq = ['/usr/lib/rabbitmq/bin/rabbitmq-server'].find((file) => existsSync(file));
const epmd = programOf('epmd');
describe.skipIf(rabbitmq === undefined || epmd === null)('RabbitMQ (skipped where it is not installed)', () => {
  let port = 0;
  const stops: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    const dir = await folderFor('rabbitmq');
    port = await freePort();
    const names = await freePort();
    // its name service outlives it unless somebody else has started it
    stops.push(await startServer([epmd ?? '', '-port', String(names), '-address', '127.0.0.1'], names, join(dir, 'none')));
    await writeFile(join(dir, 'plugins'), '[].');
    const env = {
      HOME: dir,
      ERL_EPMD_PORT: String(names),
      ERL_EPMD_ADDRESS: '127.0.0.1',
      RABBITMQ_NODENAME: `grace${port}@localhost`,
      RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
      RABBITMQ_NODE_PORT: String(port),
      RABBITMQ_DIST_PORT: String(await freePort()),
      RABBITMQ_MNESIA_BASE: join(dir, 'data'),
      RABBITMQ_LOG_BASE: join(dir, 'log'),
      RABBITMQ_ENABLED_PLUGINS_FILE: join(dir, 'plugins'),
      RABBITMQ_CONFIG_FILE: join(dir, 'none'),
    };
    stops.push(await startServer(asUser('rabbitmq', [rabbitmq ?? '']), port, dir, env));
  }, 120_000);
  afterAll(async () => {
    for (const stop of stops.toReversed()) await stop();
  });

  test('tells its version after a login', async () => {
    const answer = await ask('amqp', port, { user: 'guest', password: 'guest', database: '/' });
    expect(answer).toMatchObject({ state: 'answered', product: 'RabbitMQ', version: expect.stringMatching(/^\d+\.\d+/) as string });
  });

  test('a wrong password and an unknown virtual host are told apart', async () => {
    expect(await failure('amqp', port, { user: 'guest', password: 'wrong' })).toBe('login_refused: it refused the login (403)');
    expect(await failure('amqp', port, { user: 'guest', password: 'guest', database: 'nowhere' })).toBe(
      'unknown_database: it has no virtual host of this name (530)',
    );
    expect(await failure('redis', port)).toBe('other_protocol: it speaks AMQP, not Redis');
  });
});

const nginx = programOf('nginx');
describe.skipIf(nginx === null)('nginx (skipped where it is not installed)', () => {
  let port = 0;
  let tlsPort = 0;
  let stop = async (): Promise<void> => undefined;
  beforeAll(async () => {
    const dir = await mkdtemp(join(tmpdir(), 'grace-protocol-'));
    [port, tlsPort] = [await freePort(), await freePort()];
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${dir}/${name};`).join(' ');
    await writeFile(
      join(dir, 'nginx.conf'),
      `daemon off; master_process off; pid ${dir}/pid; error_log ${dir}/error.log; events {}
http { access_log off; ${paths}
  server { listen 127.0.0.1:${port}; location / { return 200 "ok"; } location /down { return 503; } location /private { return 401; } }
  server { listen 127.0.0.1:${tlsPort} ssl; ssl_certificate ${certificates}/good.pem; ssl_certificate_key ${certificates}/good.key; location / { return 200 "ok"; } } }`,
    );
    stop = await startServer([nginx ?? '', '-c', join(dir, 'nginx.conf'), '-p', dir], port, dir);
  }, 60_000);
  afterAll(() => stop());

  test('tells version and time over HTTP and HTTPS', async () => {
    const answer = await ask('http', port, { database: '/' });
    expect(answer).toMatchObject({ state: 'answered', version: expect.stringMatching(/^\d/) as string });
    expect(Math.abs((answer as { clockOffsetMs: number }).clockOffsetMs)).toBeLessThan(2000);
    expect(await ask('http', tlsPort, { encryption: 'require', caFile: join(certificates, 'ca.pem') })).toMatchObject({
      state: 'answered',
    });
  });

  test('an answer that is an error is no good answer', async () => {
    expect(await failure('http', port, { database: '/down' })).toBe('not_ready: it answered with 503');
    expect(await failure('http', port, { database: '/private' })).toMatch(/^login_missing/);
  });

  test('asked as Redis, PostgreSQL, AMQP or TLS it says that it is HTTP', async () => {
    for (const [protocol, name] of [
      ['redis', 'Redis'],
      ['postgresql', 'PostgreSQL'],
      ['amqp', 'AMQP'],
    ] as const)
      expect(await failure(protocol, port, { encryption: protocol === 'postgresql' ? 'prefer' : 'off' })).toBe(
        `other_protocol: it speaks HTTP, not ${name}`,
      );
    expect(await failure('tls', port, { encryption: 'require' })).toMatch(/^other_protocol: it does not speak TLS/);
  });
});

describe('TLS', () => {
  const serve = async (name: string): Promise<number> => {
    const options = { cert: readFileSync(join(certificates, `${name}.pem`)), key: readFileSync(join(certificates, `${name}.key`)) };
    const server = createTlsServer(options, (socket) => socket.on('error', () => undefined));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    return (server.address() as { port: number }).port;
  };

  test.each([
    ['good', 'answered TLS server'],
    ['expired', 'certificate_expired: its certificate has expired'],
    ['other', 'certificate_other_name: its certificate is for another name'],
  ])('a certificate that is %s: %s', async (name, expected) => {
    const caFile = join(certificates, 'ca.pem');
    expect(await failure('tls', await serve(name), { encryption: 'require', caFile })).toBe(expected);
  });

  test('a certificate for another name is fine where only its authority counts', async () => {
    const caFile = join(certificates, 'ca.pem');
    expect(await failure('tls', await serve('other'), { encryption: 'require', verification: 'authority', caFile })).toBe(
      'answered TLS server',
    );
    expect(await failure('tls', await serve('good'), { encryption: 'require' })).toMatch(/^certificate_not_trusted/);
  });
});

describe('a server that is none', () => {
  const PROTOCOLS = ['postgresql', 'mysql', 'redis', 'nats', 'amqp', 'http'] as const;

  test.each(PROTOCOLS)('nobody listens: %s', async (protocol) => {
    expect(await failure(protocol, await freePort())).toBe('refused: the connection was refused: nothing listens there');
  });

  test('a host name that does not exist is told from a port that is closed', async () => {
    expect(await failure('redis', 6379, { host: 'no-such-host.invalid' })).toMatch(/^unknown_host/);
  });

  test.each(PROTOCOLS)('one that never answers costs the time limit: %s', async (protocol) => {
    const silent = await pretend(() => undefined);
    onTestFinished(() => silent.stop());
    expect(await failure(protocol, silent.port, { timeoutMs: 200, encryption: protocol === 'postgresql' ? 'prefer' : 'off' })).toBe(
      'timeout: it was connected to and said nothing',
    );
  });

  test.each(PROTOCOLS)('one that drips a byte at a time costs the time limit: %s', async (protocol) => {
    const drips = await pretend((socket) => {
      const timer = setInterval(() => socket.write('I'), 20);
      socket.on('close', () => clearInterval(timer));
    });
    onTestFinished(() => drips.stop());
    expect(await failure(protocol, drips.port, { timeoutMs: 300, encryption: 'off' })).toMatch(/^(?:timeout|other_protocol)/);
  });

  test.each(PROTOCOLS)('one that hangs up at once: %s', async (protocol) => {
    const rude = await pretend((socket) => socket.destroy());
    onTestFinished(() => rude.stop());
    expect(await failure(protocol, rude.port)).toBe('closed: it closed the connection');
  });

  test.each([
    ['postgresql', 'S\u007f\u00ff\u00ff\u00ff'],
    ['postgresql', 'R\0\0\0\u0008\0\0\0\0'],
    ['mysql', '\u00ff\u00ff\u00ff\0'],
    ['redis', '$999999\r\n'],
    ['redis', '+'],
    ['nats', 'INFO {"a":"'],
    ['amqp', '\u0001\0\0\u007f\u00ff\u00ff\u00ff'],
    ['http', 'HTTP/1.1 200 OK\r\nx: '],
  ] as const)('ten megabytes are not read: %s, after %j', async (protocol, begin) => {
    const floods = await pretend((socket) => {
      socket.write(Buffer.from(begin, 'latin1'));
      socket.write(Buffer.alloc(10_000_000, 'x'));
    });
    onTestFinished(() => floods.stop());
    const before = process.memoryUsage().arrayBuffers;
    expect(await failure(protocol, floods.port, { timeoutMs: 2000 })).toMatch(/^(?:too_much|other_protocol)/);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(25_000_000);
  });

  test('a password goes to nobody who speaks something else', async () => {
    for (const protocol of PROTOCOLS.filter((one) => one !== 'http')) {
      const other = await pretend((socket) => socket.on('data', () => socket.end('SSH-2.0-OpenSSH_9.2\r\n')));
      expect(await failure(protocol, other.port, { user: 'app', password: 'hunter2hunter2', timeoutMs: 300 })).toMatch(
        /^(?:other_protocol|timeout)/,
      );
      expect(other.received()).not.toContain('hunter2hunter2');
      await other.stop();
    }
  });

  test('what it says is not passed on', async () => {
    const evil = await pretend((socket) => socket.end('-ERR \u001B[2J hunter2hunter2 https://evil.example\r\n'));
    onTestFinished(() => evil.stop());
    expect(await failure('redis', evil.port, { password: 'hunter2hunter2' })).toBe('not_ready: it answered with an error');
  });

  test('no connection stays open', async () => {
    const silent = await pretend(() => undefined);
    onTestFinished(() => silent.stop());
    for (const protocol of PROTOCOLS) await failure(protocol, silent.port, { timeoutMs: 100 });
    await expect.poll(silent.open).toBe(0);
  });

  test('a stop ends the question at once', async () => {
    const silent = await pretend(() => undefined);
    onTestFinished(() => silent.stop());
    const stop = new AbortController();
    const answer = askServer(question('redis', silent.port, { timeoutMs: 60_000 }), stop.signal);
    await expect.poll(silent.open).toBe(1);
    stop.abort();
    expect(await answer).toMatchObject({ state: 'failed', failure: 'timeout' });
  });
});
