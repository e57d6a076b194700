import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { nodeClock } from '../adapters/node/clock.ts';
import { nodeFiles } from '../adapters/node/files.ts';
import { nodeSpawner } from '../adapters/node/spawner.ts';
import { askServer } from '../adapters/protocols/index.ts';
import { freePort, pretend, programOf, startServer, type Pretender } from '../adapters/protocols/testing/servers.ts';
import { dependencies } from '../catalog/checks/dependencies.ts';
import { readServerUrl } from '../catalog/checks/server-url.ts';
import { ask, serviceFolder, type Ports } from '../catalog/checks/testing.ts';
import type { DependencyClaim, Finding, ServerAnswer, ServerQuestion } from '../domains/preflight/index.ts';
import { component, httpProbe } from '../domains/supervisor/testing.ts';
import type { ComponentSpec } from '../domains/supervisor/index.ts';

const unused = (): never => {
  throw new Error('not asked here');
};
const PORTS: Ports = { clock: nodeClock, files: nodeFiles, spawner: nodeSpawner, lint: unused, runModule: unused, ask: unused, askServer };
const SECRET = 'hunter2hunter2';

/** Findings about a folder whose environment is given, with every question that was asked. */
async function look(
  env: Readonly<Record<string, string>>,
  change: {
    dependencies?: readonly ComponentSpec[];
    claims?: Readonly<Record<string, Partial<DependencyClaim>>>;
    spec?: Partial<ComponentSpec>;
    answer?: Partial<ServerAnswer>;
  } = {},
): Promise<{ readonly findings: readonly Finding[]; readonly asked: readonly ServerQuestion[] }> {
  const asked: ServerQuestion[] = [];
  const claims = Object.entries(change.claims ?? {}).map(([name, claim]) => [name, { url: null, versionMin: null, ...claim }] as const);
  const answered = { state: 'answered', product: 'PostgreSQL', version: '15.4', clockOffsetMs: 0, certificateEndsMs: null };
  const findings = await ask(
    dependencies,
    serviceFolder({}),
    {
      ...PORTS,
      askServer: (question, signal) => {
        asked.push(question);
        return change.answer === undefined
          ? askServer({ ...question, timeoutMs: 1000 }, signal)
          : Promise.resolve({ ...answered, ...change.answer } as ServerAnswer);
      },
    },
    {
      env,
      ...(change.spec === undefined ? {} : { spec: change.spec }),
      dependencies: change.dependencies ?? [],
      settings: { dependencies: new Map(claims) },
    },
  );
  return { findings, asked };
}

const dependency = (change: Partial<ComponentSpec>): ComponentSpec => component({ name: 'db', kind: 'dependency', command: [], ...change });
const short = (findings: readonly Finding[]): readonly string[] => findings.map(({ severity, code }) => `${severity} ${code}`);

describe('which servers are asked', () => {
  test('those of the environment, each once, and none over HTTP', async () => {
    const { asked } = await look(
      {
        DATABASE_URL: 'postgres://app:pw@db:5432/shop',
        POSTGRES_URL: 'postgresql://app:pw@db/shop',
        TEST_DATABASE_URL: 'postgres://app:pw@db/test',
        REDIS_URL: 'rediss://:pw@cache:6380/2',
        AMQP_URL: 'amqp://broker/%2Forders',
        HOME_PAGE: 'https://example.com/delete?all=1',
        UNFINISHED: 'mysql://${USER}:pw@db/shop',
        NOTE: 'see redis://cache and others',
      },
      { answer: {} },
    );
    expect(asked.map(({ protocol, host, port, database }) => [protocol, host, port, database])).toEqual([
      ['amqp', 'broker', 5672, '/orders'],
      ['postgresql', 'db', 5432, 'shop'],
      ['redis', 'cache', 6380, '2'],
    ]);
  });

  test('HTTP where the config names it', async () => {
    const { asked } = await look(
      {},
      { dependencies: [dependency({ port: 443 })], claims: { db: { url: 'https://api.example/health' } }, answer: {} },
    );
    expect(asked).toMatchObject([{ protocol: 'http', host: 'api.example', port: 443, database: '/health', encryption: 'require' }]);
  });

  test('a component of the config is not asked: it need not run yet', async () => {
    expect((await look({ CACHE: 'redis://localhost:7000' }, { spec: { port: 7000 }, answer: {} })).asked).toEqual([]);
  });

  test('nothing is asked, and nothing said, where there is none', async () => {
    expect(await look({ PORT: '3000' })).toEqual({ findings: [], asked: [] });
  });
});

describe('a URL is read as the drivers read it', () => {
  const read = (url: string, env: Record<string, string> = {}) => readServerUrl(url, env, '/srv/app');

  test.each([
    ['postgresql+asyncpg://u:p@h/d', { protocol: 'postgresql', user: 'u', password: 'p', host: 'h', port: 5432, database: 'd' }],
    ['jdbc:mysql://h:3307/d?user=u&password=p', { protocol: 'mysql', host: 'h', port: 3307, user: 'u', password: 'p' }],
    ['postgres://u:p@ss%@h/d', { password: 'p@ss%', host: 'h' }],
    ['postgres://u:p%40%2F@[::1]:1/d', { password: 'p@/', host: '::1', port: 1 }],
    ['postgres://a,b:5433/d', { host: 'a', port: 5432 }],
    ['postgres:///d?host=/run/pg', { host: '/run/pg/.s.PGSQL.5432', encryption: 'off' }],
    ['postgres://h/d?sslmode=verify-full&sslrootcert=ca.pem', { encryption: 'require', verification: 'name', caFile: '/srv/app/ca.pem' }],
    ['redis://:p@h', { user: null, password: 'p', database: null }],
    ['amqp://u:p@h/', { database: null }],
    ['nats://token@h', { user: 'token', password: null }],
  ])('%s', (url, expected) => {
    expect(read(url)).toMatchObject(expected);
  });

  test.each([
    '',
    'redis:',
    'mongodb://h',
    'postgres://h:99999/d',
    'postgres://u:p@[::1:5/x',
    'postgres://u:p/w@h/d',
    'postgres://<user>@h/d',
    'file:///etc/passwd',
    `redis://${'h'.repeat(5000)}`,
  ])('%s is none', (url) => {
    expect(read(url)).toBeNull();
  });

  test('a hostile one is read, and does not hold anything up', () => {
    for (const part of ['@', ':', '/', '?', '%', '://', 'a,'])
      for (const head of ['postgres://', 'jdbc:mysql://', ''])
        expect(() => read(head + part.repeat(Math.floor(3900 / part.length)))).not.toThrow();
  });
});

describe('what is said of them', () => {
  const pretenders: Pretender[] = [];
  const servers: Server[] = [];
  afterEach(async () => {
    for (const one of pretenders.splice(0)) await one.stop();
    for (const one of servers.splice(0)) one.close();
  });

  test('one that was found is a warning, one that is declared and required an error', async () => {
    const port = await freePort();
    const env = { DATABASE_URL: `postgres://app:${SECRET}@127.0.0.1:${port}/shop` };
    expect(short((await look(env)).findings)).toEqual(['warn dependency_unreachable']);
    const declared = (change: Partial<ComponentSpec>) => look(env, { dependencies: [dependency({ port, ...change })] });
    expect(short((await declared({})).findings)).toEqual(['error dependency_unreachable']);
    expect(short((await declared({ critical: false })).findings)).toEqual(['warn dependency_unreachable']);
    // Grace starts it itself
    expect(short((await declared({ command: ['start-db'] })).findings)).toEqual(['info dependency_unreachable']);
  });

  test('one that is declared without a URL of a known protocol is asked whether it takes connections', async () => {
    const port = await freePort();
    const said = async (claim: Partial<DependencyClaim>, change: Partial<ComponentSpec> = {}, env = {}) =>
      short((await look(env, { dependencies: [dependency({ port, host: '127.0.0.1', ...change })], claims: { db: claim } })).findings);
    expect(await said({})).toEqual(['error dependency_unreachable']);
    expect(await said({ url: `mongodb://127.0.0.1:${port}/x` })).toEqual(['error dependency_unreachable']);
    expect(await said({}, { critical: false })).toEqual(['warn dependency_unreachable']);
    expect(await said({}, { command: ['start-db'] })).toEqual(['info dependency_unreachable']);
    const server = await pretend(() => undefined);
    pretenders.push(server);
    const there = { port: server.port };
    expect(await said({}, there)).toEqual([]);
    expect(await said({ url: '$NOPE_URL' }, there)).toEqual(['warn dependency_url_unset']);
    expect(await said({ url: 'postgres://u:p@[::1:5/x' }, there)).toEqual(['warn dependency_url_wrong']);
    expect(await said({}, there, { CACHE_URL: 'redis://u:p@[::1:5' })).toEqual(['warn dependency_url_wrong']);
  });

  test('one with a status command is asked by it', async () => {
    const said = async (argv: readonly string[], change: Partial<ComponentSpec> = {}) => {
      const readiness = { ...httpProbe(), target: { kind: 'command', argv } } as const;
      const cwd = serviceFolder({});
      return (await look({}, { dependencies: [dependency({ port: null, readiness, cwd, ...change })] })).findings;
    };
    expect(await said(['true'])).toEqual([]);
    expect(await said(['false'])).toMatchObject([
      { severity: 'error', message: 'dependencies.db: its status command says that it is not there (exit code 1)' },
    ]);
    expect(short(await said(['false'], { command: ['start-db'] }))).toEqual(['info dependency_unreachable']);
    expect(await said(['no-such-status'])).toMatchObject([{ severity: 'error', message: expect.stringContaining('ENOENT') as unknown }]);
  });

  test('it says which variable, which server and what to do, and no login', async () => {
    const web = createServer((_, response) => response.end());
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
    servers.push(web);
    const { port } = web.address() as AddressInfo;
    const { findings } = await look({ CACHE_URL: `redis://admin:${SECRET}@127.0.0.1:${port}/3` });
    expect(findings).toMatchObject([
      {
        code: 'dependency_other_protocol',
        component: 'api',
        message: `CACHE_URL: Redis at 127.0.0.1:${port} cannot be used: it speaks HTTP, not Redis`,
      },
    ]);
    expect(JSON.stringify(findings)).not.toMatch(new RegExp(`${SECRET}|admin`));
  });

  test('a login that is nowhere in sight is no mistake', async () => {
    const server = await pretend((socket) => socket.on('data', () => socket.write('-NOAUTH Authentication required.\r\n')));
    pretenders.push(server);
    expect(short((await look({ REDIS_URL: `redis://127.0.0.1:${server.port}` })).findings)).toEqual(['info dependency_login_missing']);
  });

  test.each([
    ['15', []],
    ['15.4', []],
    ['9.6.24', []],
    ['15.5', ['error dependency_too_old']],
    ['16', ['error dependency_too_old']],
  ])('version 15.4 where %s is asked for', async (versionMin, expected) => {
    const { findings } = await look(
      {},
      { dependencies: [dependency({})], claims: { db: { url: 'postgres://h/d', versionMin } }, answer: {} },
    );
    expect(short(findings)).toEqual(expected);
  });

  test('a clock more than half a minute off is a warning, either way, and less is none', async () => {
    const off = async (clockOffsetMs: number) => (await look({ DATABASE_URL: 'postgres://h/d' }, { answer: { clockOffsetMs } })).findings;
    expect(await off(30_000)).toEqual([]);
    expect((await off(31_000))[0]?.message).toContain('has a clock that is 31.0 s ahead of this machine');
    expect((await off(-31_000))[0]?.message).toContain('31.0 s behind');
  });

  test('a certificate that ends within two weeks is a warning', async () => {
    const ends = async (days: number) =>
      (await look({ R: 'rediss://h' }, { answer: { certificateEndsMs: Date.now() + days * 86_400_000 } })).findings;
    expect(short(await ends(13))).toEqual(['warn certificate_expires_soon']);
    expect(await ends(15)).toEqual([]);
  });

  const redis = programOf('redis-server');
  test.skipIf(redis === null)('a real Redis whose password is wrong is refused, and one that is right is silent', async () => {
    const port = await freePort();
    const dir = serviceFolder({});
    const stop = await startServer(
      [redis ?? '', '--port', String(port), '--bind', '127.0.0.1', '--save', '', '--requirepass', SECRET, '--dir', dir],
      port,
      join(dir, 'none'),
    );
    try {
      expect(short((await look({ REDIS_URL: `redis://:wrong@127.0.0.1:${port}` })).findings)).toEqual(['warn dependency_login_refused']);
      expect((await look({ REDIS_URL: `redis://:${SECRET}@127.0.0.1:${port}` })).findings).toEqual([]);
    } finally {
      await stop();
    }
  });
});
