import fc from 'fast-check';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigProject, mistakeLines } from './config-project.ts';
import { checkAndResolve } from './load-config.ts';
import { ConfigInvalid, MISTAKES_MAX } from './mistakes.ts';

async function linesOf(data: unknown): Promise<readonly string[]> {
  using project = new ConfigProject();
  try {
    await checkAndResolve(
      { directory: project.dir, environment: {} },
      { file: join(project.dir, 'grace.config.ts'), data, locate: () => null },
    );
    return [];
  } catch (error) {
    if (error instanceof ConfigInvalid) return mistakeLines(error.mistakes);
    throw error;
  }
}

const withApi = (settings: object): object => ({ components: { api: { command: 'node api.js', ...settings } } });

describe('every mistake', () => {
  it.each<[string, unknown, string]>([
    ['an unknown key at the top', { ...withApi({}), component: {} }, 'component: unknown key "component"; did you mean "components"?'],
    ['an unknown key of a component', withApi({ comand: 'x' }), 'components.api.comand: unknown key "comand"; did you mean "command"?'],
    ['an unknown key nobody could mean', withApi({ xyzzy: 1 }), 'components.api.xyzzy: unknown key "xyzzy"'],
    [
      'an unknown key of a probe',
      withApi({ port: 1, readiness: { http: '/', evrey: 1 } }),
      'components.api.readiness.evrey: unknown key "evrey"; did you mean "every"?',
    ],
    [
      'an unknown key of restart',
      withApi({ restart: { intesity: 1 } }),
      'components.api.restart.intesity: unknown key "intesity"; did you mean "intensity"?',
    ],
    [
      'a route that is none',
      withApi({ routes: ['GET orders'] }),
      'components.api.routes[0]: must be a route such as "GET /health", or a path that begins with "/", not "GET orders"',
    ],
    [
      'an OpenAPI document that is no path',
      withApi({ openapi: 5 }),
      'components.api.openapi: must be a path such as "openapi.yaml", or { file: "openapi.yaml", basePath: "/v1" }, not 5',
    ],
    [
      'an unknown key of stop',
      withApi({ stop: { singal: 'SIGINT' } }),
      'components.api.stop.singal: unknown key "singal"; did you mean "signal"?',
    ],
    [
      'an unknown key of limits',
      withApi({ limits: { openFile: 99 } }),
      'components.api.limits.openFile: unknown key "openFile"; did you mean "openFiles"?',
    ],
    [
      'an unknown key of a dependency',
      { ...withApi({}), dependencies: { pg: { port: 1, hots: 'x' } } },
      'dependencies.pg.hots: unknown key "hots"; did you mean "host"?',
    ],
    [
      'an unknown key of a smoke check',
      { ...withApi({}), smoke: [{ name: 'a', tcp: 'a:1', critcal: true }] },
      'smoke[0].critcal: unknown key "critcal"; did you mean "critical"?',
    ],
    ['an unknown key of boot', { ...withApi({}), boot: { mdoe: 'fast' } }, 'boot.mdoe: unknown key "mdoe"; did you mean "mode"?'],
    [
      'an unknown key of monitor',
      { ...withApi({}), monitor: { helth: '1s' } },
      'monitor.helth: unknown key "helth"; did you mean "health"?',
    ],
    [
      'a missing command',
      { components: { api: {} } },
      'components.api.command: is missing; it must be a command: "node server.js" or ["node", "server.js"]',
    ],
    ['an empty command', withApi({ command: [] }), 'components.api.command: must not be empty'],
    ['a command without program', withApi({ command: [''] }), 'components.api.command[0]: must begin with a program'],
    ['a number in a command', withApi({ command: ['node', 1] }), 'components.api.command[1]: must be text, not 1'],
    [
      'shell syntax',
      withApi({ command: 'a | b' }),
      'components.api.command: has shell syntax (|), and no shell reads it; write ["sh", "-c", "a | b"] if a shell is meant',
    ],
    ['a null byte', withApi({ command: ['a', '\0'] }), 'components.api.command[1]: must not hold null bytes'],
    [
      'a component that is none',
      { components: { api: 'node' } },
      'components.api: must be an object with a command, such as { command: "node server.js" }, not "node"',
    ],
    ['components as a list', { components: [] }, 'components: must be an object of components by name, not an empty list'],
    [
      'a name for no file',
      { components: { '../api': { command: 'x' } } },
      'components["../api"]: must be a name of at most 63 letters, digits, ".", "_" and "-", beginning with a letter or digit; write "api"',
    ],
    ['a port out of range', withApi({ port: 65_536 }), 'components.api.port: must be a whole number from 1 to 65535, not 65536'],
    [
      'a port in quotes',
      withApi({ port: '80' }),
      'components.api.port: must be a whole number from 1 to 65535, not "80"; write 80 without quotes',
    ],
    ['half a port', withApi({ port: 80.5 }), 'components.api.port: must be a whole number from 1 to 65535, not 80.5'],
    [
      'a host with protocol',
      withApi({ host: 'http://x' }),
      'components.api.host: must be a host name or an address, without protocol and port, not "http://x"',
    ],
    [
      'a number in env',
      withApi({ env: { A: 3000 } }),
      'components.api.env.A: must be text, since environments hold nothing else, not 3000; write "3000"',
    ],
    [
      'a secret in env',
      withApi({ env: { DB_PASSWORD: 31337 } }),
      'components.api.env.DB_PASSWORD: must be text, since environments hold nothing else, not what is there',
    ],
    [
      'a variable that is no name',
      withApi({ env: { 'A B': 'x' } }),
      'components.api.env["A B"]: must be the name of an environment variable; write "A_B"',
    ],
    ['a word for a list', withApi({ data: 'data' }), 'components.api.data: must be a list of paths, not "data"; write ["data"]'],
    [
      'true in quotes',
      withApi({ critical: 'true' }),
      'components.api.critical: must be true or false, not "true"; write true without quotes',
    ],
    [
      'a duration in words',
      withApi({ soak: '5 seconds' }),
      'components.api.soak: must be a duration of at least 0, such as "500ms", "2s", "10m" or milliseconds as a number, not "5 seconds"; write "5s"',
    ],
    [
      'a negative duration',
      withApi({ soak: -1 }),
      'components.api.soak: must be a duration of at least 0, such as "500ms", "2s", "10m" or milliseconds as a number, not -1',
    ],
    [
      'a duration beyond timers',
      withApi({ startupTimeout: '30d' }),
      'components.api.startupTimeout: must be a duration of at least 1ms, such as "500ms", "2s", "10m" or milliseconds as a number, not "30d"',
    ],
    [
      'an interval too short',
      withApi({ liveness: { process: true, every: '99ms' } }),
      'components.api.liveness.every: must be a duration of at least 100ms, such as "500ms", "2s", "10m" or milliseconds as a number, not "99ms"',
    ],
    [
      'an unknown signal',
      withApi({ stop: { signal: 'SIGTREM' } }),
      'components.api.stop.signal: must be one of "SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGWINCH", not "SIGTREM"; did you mean "SIGTERM"?',
    ],
    [
      'a probe that asks nothing',
      withApi({ readiness: { every: '1s' } }),
      'components.api.readiness: asks nothing; give one of http, tcp, command, file, process, or write false for no probe',
    ],
    [
      'a probe that asks twice',
      withApi({ port: 1, readiness: { http: '/', tcp: true } }),
      'components.api.readiness: asks 2 things at once: http and tcp; keep one; startup, readiness and liveness may differ',
    ],
    [
      'a status without http',
      withApi({ port: 1, readiness: { tcp: true, status: 200 } }),
      'components.api.readiness.status: only means something beside http; remove it',
    ],
    [
      'a status that is none',
      withApi({ port: 1, readiness: { http: '/', status: [200, 99] } }),
      'components.api.readiness.status[1]: must be a whole number from 100 to 599, not 99',
    ],
    [
      'a path without port',
      withApi({ readiness: { http: '/ready' } }),
      'components.api.readiness.http: is a path, but no port of the component is known; give the port, or write a full URL',
    ],
    [
      'tcp without port',
      withApi({ readiness: { tcp: true } }),
      'components.api.readiness.tcp: is true, but no port of the component is known; give the port, or write "host:port"',
    ],
    ['tcp port 0', withApi({ readiness: { tcp: 'a:0' } }), 'components.api.readiness.tcp: names port 0; ports go from 1 to 65535'],
    [
      'a URL that is none',
      withApi({ readiness: { http: 'http://[::1/' } }),
      'components.api.readiness.http: is no URL; write it like http://127.0.0.1:3000/ready',
    ],
    [
      'a heartbeat without age',
      withApi({ readiness: { file: 'beat' } }),
      'components.api.readiness.maxAge: is missing; say how old the file may become, such as "10s"',
    ],
    [
      'a path that escapes',
      withApi({ data: ['../other'] }),
      'components.api.data[0]: leads out of the project: "../other"; write it as an absolute path if that is meant',
    ],
    ['the whole disk', withApi({ cwd: '/' }), 'components.api.cwd: is the whole file system; name the folder that belongs to the service'],
    [
      'a glob that escapes',
      withApi({ expendable: ['a/../../*'] }),
      'components.api.expendable[0]: leads out of the component\'s own folders: "a/../../*"; write a glob relative to cwd or data, such as "tmp/**"',
    ],
    [
      'a ceiling below the backoff',
      withApi({ restart: { backoff: '2s', backoffMax: '1s' } }),
      'components.api.restart.backoffMax: is shorter than backoff; raise it, or lower backoff',
    ],
    [
      'an unknown need',
      { components: { api: { command: 'x', dependsOn: ['worekr'] }, worker: { command: 'x' } } },
      'components.api.dependsOn[0]: names "worekr", which is neither a component nor a dependency; did you mean "worker"?',
    ],
    [
      'an unknown need far from any',
      { components: { api: { command: 'x', dependsOn: ['zz'] }, worker: { command: 'x' } } },
      'components.api.dependsOn[0]: names "zz", which is neither a component nor a dependency; known are worker',
    ],
    ['a need of itself', withApi({ dependsOn: ['api'] }), 'components.api.dependsOn[0]: makes it depend on itself; remove it'],
    [
      'one port twice',
      { components: { a: { command: 'x', port: 80 }, b: { command: 'x', port: 80, host: '0.0.0.0' } } },
      'components.b.port: is 80, which a has already; give each its own port',
    ],
    [
      'a dependency on the port of a component',
      { ...withApi({ port: 80 }), dependencies: { pg: { port: 80 } } },
      'dependencies.pg.port: is 80, which api has already; give each its own port',
    ],
    [
      'a dependency named like a component',
      { ...withApi({}), dependencies: { api: { port: 1 } } },
      'dependencies.api: is also the name of a component; give one of them another name',
    ],
    [
      'a dependency without probe',
      { ...withApi({}), dependencies: { pg: {} } },
      'dependencies.pg: cannot be probed; give its port, or a status command',
    ],
    ['a smoke check of nothing', { ...withApi({}), smoke: [{ name: 'a' }] }, 'smoke[0]: checks nothing; give one of command, http, tcp'],
    [
      'a smoke check of nobody',
      { ...withApi({}), smoke: [{ name: 'a', tcp: 'a:1', component: 'apy' }] },
      'smoke[0].component: names "apy", which is no component; did you mean "api"?',
    ],
    [
      'a share in per cent',
      { ...withApi({}), monitor: { errorRateMax: 5 } },
      'monitor.errorRateMax: must be a share from 0 to 1, such as 0.05 for 5 %, not 5',
    ],
    [
      'a mode that is none',
      { ...withApi({}), boot: { mode: 'resilent' } },
      'boot.mode: must be one of "fast", "layered", "resilient", not "resilent"; did you mean "resilient"?',
    ],
    [
      'a database of another kind',
      { ...withApi({}), databaseUrl: 'mysql://u:pw@h/d' },
      'databaseUrl: must be a URL of another kind than mysql://; write it like postgres://user@host/database',
    ],
    ['a list instead of an object', [], ': must be an object with settings, not an empty list'],
    ['nothing', null, ': must be an object with settings, not null'],
    ['a function', { components: { api: () => 1 } }, 'components.api: must be plain data, not a function'],
    ['a class', { components: new Map() }, 'components: must be plain data, not a Map'],
    [
      'a reserved name',
      JSON.parse('{"components": {"__proto__": {"command": "x"}, "api": {"command": "x"}}}'),
      'components.__proto__: is a name that JavaScript keeps for itself',
    ],
    [
      'a reserved name in env',
      withApi({ env: { constructor: 'x' } }),
      'components.api.env.constructor: is a name that JavaScript keeps for itself',
    ],
  ])('is told with path and suggestion: %s', async (_, data, line) => {
    expect(await linesOf(data)).toEqual([line]);
  });

  it('is told at once, whatever else is wrong', async () => {
    const lines = await linesOf({
      nam: 'x',
      components: {
        api: { comand: 'x', port: '1', dependsOn: ['wroker'] },
        worker: { command: 'a && b', soak: 'soon', readiness: {} },
      },
      boot: 5,
      smoke: {},
    });
    expect(lines.map((line) => line.slice(0, line.indexOf(':'))).toSorted()).toEqual([
      'boot',
      'components.api.comand',
      'components.api.command',
      'components.api.dependsOn[0]',
      'components.api.port',
      'components.worker.command',
      'components.worker.readiness',
      'components.worker.soak',
      'nam',
      'smoke',
    ]);
  });

  it('names each circle, however long', async () => {
    const need = (...dependsOn: readonly string[]): object => ({ command: 'x', dependsOn });
    expect(
      await linesOf({ components: { a: need('b'), b: need('c'), c: need('a'), x: need('y'), y: need('x'), free: need('a') } }),
    ).toEqual([
      'components.c.dependsOn[0]: closes a circle: c -> a -> b -> c; remove one of these dependsOn entries',
      'components.y.dependsOn[0]: closes a circle: y -> x -> y; remove one of these dependsOn entries',
    ]);
    const long = Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`c${n}`, need(`c${(n + 1) % 5000}`)]));
    expect(await linesOf({ components: long })).toHaveLength(1);
  });

  it('says in its message what, where and how many, and changes no prototype', async () => {
    using project = new ConfigProject({
      'grace.config.json': '{\n  "components": {\n    "api": { "command": "x", "port": 0 },\n    "__proto__": { "polluted": true }\n  }\n}',
    });
    const error = await project.load().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConfigInvalid);
    expect(error).toMatchObject({ code: 'GRACE_CONFIG_INVALID' });
    expect((error as Error).message.replace(project.dir, '')).toBe(
      [
        '/grace.config.json has 2 mistakes:',
        '  components.__proto__: is a name that JavaScript keeps for itself (grace.config.json:4:5)',
        '  components.api.port: must be a whole number from 1 to 65535, not 0 (grace.config.json:3:38)',
      ].join('\n'),
    );
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('is listed up to a limit, and counted beyond it', async () => {
    const components = Object.fromEntries(
      Array.from({ length: 9000 }, (_, n) => [`component-${n}`, { comand: 'x', dependsOn: ['nobody'], port: 'x' }]),
    );
    using project = new ConfigProject({ 'grace.config.json': { components } });
    const error = await project.load().catch((thrown: unknown) => thrown);
    expect((error as ConfigInvalid).mistakes).toHaveLength(MISTAKES_MAX);
    expect((error as Error).message).toContain('has 36000 mistakes:');
    expect((error as Error).message).toContain(`and ${36_000 - MISTAKES_MAX} more`);
  });

  it('of a cyclic or bottomless object is a mistake too', async () => {
    const cyclic: Record<string, unknown> = {};
    cyclic['components'] = cyclic;
    expect(await linesOf(cyclic)).toContain('components: contains itself');
    let deep: unknown = 'x';
    for (let depth = 0; depth < 100_000; depth++) deep = [deep];
    expect((await linesOf({ components: deep })).join()).toContain('is nested more than 24 levels deep');
    expect(
      await linesOf({
        components: {
          get api() {
            throw new Error('no');
          },
        },
      }),
    ).toContain('components: must be plain data; reading it failed');
  });
});

const KEYS = [
  'components',
  'dependencies',
  'smoke',
  'boot',
  'monitor',
  'api',
  'command',
  'env',
  'envFile',
  'port',
  'host',
  'readiness',
  'http',
  'tcp',
  'file',
  'maxAge',
  'dependsOn',
  'restart',
  'data',
  'name',
  'migrate',
  'cwd',
  '__proto__',
  'constructor',
];
const WORDS = ['node x.js', '/', '/ready', 'a:1', '2s', 'forever', 'api', '..', '', '\0', 'http://h', '$X', 'x'];

describe('any data at all', () => {
  it('gives a config or ConfigInvalid, and nothing else', async () => {
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 6, withCrossShrink: true },
        tie('leaf'),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...KEYS) }, fc.string()), tie('value'), { maxKeys: 6 }),
      ),
      leaf: fc.oneof(
        fc.constantFrom(...WORDS),
        fc.integer({ min: -1, max: 70_000 }),
        fc.boolean(),
        fc.constant(null),
        fc.string(),
        fc.double(),
      ),
    }));
    const component = fc
      .dictionary(fc.constantFrom(...KEYS), value, { maxKeys: 5 })
      .map((settings) => ({ command: 'node x.js', ...settings }));
    const config = fc.oneof(
      value,
      fc.json().map((text): unknown => JSON.parse(text)),
      fc.dictionary(fc.constantFrom('api', 'name', 'x'), component).map((components) => ({ components })),
    );
    using project = new ConfigProject();
    const file = join(project.dir, 'grace.config.json');
    let resolved = 0;
    await fc.assert(
      fc.asyncProperty(config, async (data) => {
        try {
          await checkAndResolve({ directory: project.dir, environment: {} }, { file, data, locate: () => null });
          resolved++;
        } catch (error) {
          if (!(error instanceof ConfigInvalid)) throw error;
          expect(error.mistakes.length).toBeGreaterThan(0);
        }
      }),
      { numRuns: 1500 },
    );
    expect(resolved).toBeGreaterThan(0);
  });
});
