import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { askHttp } from '../adapters/node/ask-http.ts';
import { checkModules } from '../adapters/node/check-module.ts';
import { nodeClock } from '../adapters/node/clock.ts';
import { nodeFiles } from '../adapters/node/files.ts';
import { lintInThread } from '../adapters/node/lint-in-thread.ts';
import { openApiInThread } from '../adapters/node/openapi-in-thread.ts';
import { readRegisteredRoutes } from '../adapters/node/registered-routes.ts';
import { nodeSpawner } from '../adapters/node/spawner.ts';
import { registration } from '../catalog/checks/registration.ts';
import { ask, serviceFolder } from '../catalog/checks/testing.ts';
import type { RegisteredRoutes, RegistrationSettings, RunningComponent } from '../domains/preflight/index.ts';
import { httpProbe } from '../domains/supervisor/testing.ts';

const PORTS = {
  clock: nodeClock,
  files: nodeFiles,
  spawner: nodeSpawner,
  lint: lintInThread,
  runModule: checkModules(nodeSpawner),
  ask: askHttp,
  readOpenApi: openApiInThread,
};

/** A service that answers each path with a status; other paths with 404. */
async function service(statuses: Readonly<Record<string, number>>) {
  const asked: string[] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    asked.push(`${request.method} ${request.url}`);
    const status = statuses[request.url ?? ''];
    if (status === 0) return request.socket.destroy();
    response.writeHead(status ?? 404, status === 302 ? { location: '/elsewhere' } : {}).end('x'.repeat(100_000));
    return undefined;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, asked };
}

interface Given {
  readonly routes?: readonly string[];
  readonly openapi?: string;
  readonly port?: number | null;
  readonly state?: RunningComponent['state'];
  readonly registered?: RegisteredRoutes | null;
  readonly settings?: Partial<RegistrationSettings>;
}

async function look(given: Given): Promise<readonly string[]> {
  const dir = serviceFolder(given.openapi === undefined ? {} : { 'openapi.yaml': given.openapi });
  const findings = await ask(registration, dir, PORTS, {
    spec: { readiness: httpProbe({ target: { kind: 'tcp', host: '127.0.0.1', port: 1 } }) },
    settings: {
      registration: {
        isRequired: false,
        isAsked: true,
        routes: new Map([['api', given.routes ?? []]]),
        openApi: new Map(given.openapi === undefined ? [] : [['api', { file: join(dir, 'openapi.yaml'), basePath: null }]]),
        ...given.settings,
      },
    },
    service: {
      components: async () => [{ name: 'api', state: given.state ?? 'alive', port: given.port ?? null }],
      registeredRoutes: async () => given.registered ?? null,
    },
  });
  return findings.map(({ severity, code, message }) => `${severity} ${code}: ${message}`);
}

function has(...routes: readonly string[]): RegisteredRoutes {
  return {
    routes: routes.map((route) => ({ method: route.split(' ')[0] ?? '', path: route.split(' ')[1] ?? '', isWhole: true })),
    hidden: [],
    isComplete: true,
  };
}

describe('expected routes', () => {
  test('that fail or are not there are named when nothing is registered, and the others are not', async () => {
    const { port, asked } = await service({ '/ok': 200, '/login': 401, '/moved': 302, '/broken': 500, '/cut': 0, '/q': 422 });
    const routes = ['/ok', '/login', '/moved', '/broken', '/cut', '/q', '/gone', 'POST /ok', 'HEAD /ok', 'DELETE /ok', '/items/{id}'];
    expect((await look({ routes, port })).toSorted()).toEqual([
      'warn route_unanswered: GET /broken answers 500',
      'warn route_unanswered: GET /cut does not answer (ECONNRESET)',
      'warn route_unanswered: GET /gone answers 404',
    ]);
    // nothing but GET, each once, and no redirect followed
    expect(asked.toSorted()).toEqual(['GET /broken', 'GET /cut', 'GET /gone', 'GET /login', 'GET /moved', 'GET /ok', 'GET /q']);
  });

  test('that are not registered are named, unless something answers there all the same', async () => {
    const { port } = await service({ '/ok': 200, '/static': 200, '/cart': 404 });
    const registered = has('GET /ok', 'GET /cart', 'GET /items/:id', 'GET /more');
    expect(await look({ routes: ['/ok', '/static', '/cart', '/items/{id}', 'POST /ok', '/gone'], port, registered })).toEqual([
      'warn route_missing: POST /ok is not registered',
      'warn route_missing: GET /gone is not registered, and answers 404',
      'info routes_unexpected: 1 of its routes are expected by nobody',
    ]);
  });

  test('are errors where the config requires them, and asked of nobody where it does not want that', async () => {
    const { port, asked } = await service({});
    const registered = has('GET /a');
    const settings = { isRequired: true, isAsked: false };
    expect(await look({ routes: ['/a', '/b'], port, registered, settings })).toEqual(['error route_missing: GET /b is not registered']);
    expect(asked).toEqual([]);
  });

  test('are asked at most 50 times', async () => {
    const { port, asked } = await service({});
    const found = await look({ routes: Array.from({ length: 60 }, (_, i) => `/r${i}`), port });
    expect(asked).toHaveLength(50);
    expect(found).toHaveLength(50);
  });

  test('of a port that answers no HTTP are one finding, and not one each', async () => {
    const found = await look({ routes: ['/a', '/b', '/c'], port: 1 });
    expect(found).toEqual(['warn routes_unasked: none of its routes could be asked: does not answer (ECONNREFUSED)']);
  });
});

describe('an OpenAPI document', () => {
  const paths = `paths:
  /orders:
    get: {}
    post: {}
    parameters: []
    x-internal: {}
  /orders/{id}: { get: {} }
`;

  test('promises its routes below the path of its servers', async () => {
    const { port, asked } = await service({ '/v1/orders': 200 });
    const openapi = `openapi: 3.1.0\nservers:\n  - url: https://{where}.example.com/{version}\n    variables: { version: { default: v1 } }\n${paths}`;
    const registered = has('GET /v1/orders', 'GET /orders/:id');
    expect(await look({ openapi, port, registered })).toEqual([
      'warn route_missing: POST /v1/orders is not registered',
      'warn route_missing: GET /v1/orders/{id} is not registered',
      'info routes_unexpected: 1 of its routes are expected by nobody',
    ]);
    expect(asked).toEqual(['GET /v1/orders']);
  });

  test('of Swagger 2, and as JSON, is read as well', async () => {
    const openapi = JSON.stringify({ swagger: '2.0', basePath: '/api', paths: { '/a': { get: {} }, '/b': { put: {} } } });
    expect(await look({ openapi, registered: has('GET /api/a') })).toEqual(['warn route_missing: PUT /api/b is not registered']);
  });

  test.each([
    ['broken', 'openapi: 3.1.0\npaths: [', /cannot be read at line \d/],
    ['something else', 'name: x\n', /is no OpenAPI document/],
    ['too deep', `openapi: ${'['.repeat(200_000)}`, /nested too deeply|within time and memory|cannot be read/],
    ['too large', `openapi: 3.1.0\n# ${'x'.repeat(2_000_001)}`, /larger than 2 MB/],
  ])('that is %s says so', async (_what, openapi, message) => {
    const found = await look({ openapi });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^warn openapi_unreadable: openapi.yaml /);
    expect(found[0]).toMatch(message);
  });

  test('whose aliases would grow into gigabytes costs nothing', async () => {
    const bomb = Array.from({ length: 30 }, (_, i) => `a${i + 1}: &a${i + 1} { x: *a${i}, y: *a${i} }`).join('\n');
    const openapi = `openapi: 3.1.0\na0: &a0 { get: {} }\n${bomb}\npaths: { /x: *a0, /y: *a30 }`;
    expect(await look({ openapi, registered: has() })).toEqual(['warn route_missing: GET /x is not registered']);
  });
});

describe('a component', () => {
  test('without a living process is named; one that did its work, or was left out, is not', async () => {
    expect(await look({ state: 'gone' })).toEqual(['warn service_missing: has no living process']);
    expect(await look({ state: 'done' })).toEqual([]);
    expect(await look({ state: 'left_out' })).toEqual([]);
  });

  test('without a probe or a smoke check is told, as a remark', async () => {
    const dir = serviceFolder({});
    const service = {
      components: async () => [{ name: 'api', state: 'alive' as const, port: null }],
      registeredRoutes: async () => null,
    };
    expect(await ask(registration, dir, PORTS, { service })).toMatchObject([{ severity: 'info', code: 'probe_missing' }]);
    expect(await ask(registration, dir, PORTS, { service, smokeTested: ['api'] })).toEqual([]);
  });

  test('is not looked at before it was started', async () => {
    expect(await ask(registration, serviceFolder({}), PORTS)).toEqual([]);
  });
});

describe('what processes wrote of their routes', () => {
  const file = (routes: unknown, more: object = {}) => JSON.stringify({ version: 1, routes, hidden: [], isComplete: true, ...more });

  test('counts of the living together, and of the dead not', async () => {
    const dir = serviceFolder({
      '11-0.json': file([{ method: 'GET', path: '/a', isWhole: true }]),
      '12-0.json': file([{ method: 'GET', path: '/b', isWhole: true }]),
      '13-0.json': file([{ method: 'GET', path: '/dead', isWhole: true }]),
      '.11-0.tmp': 'half',
    });
    const read = await readRegisteredRoutes(dir, new Set([11, 12]));
    expect(read?.routes.map(({ path }) => path)).toEqual(['/a', '/b']);
    expect(read?.isComplete).toBe(true);
    expect(existsSync(join(dir, '13-0.json'))).toBe(false);
    expect(existsSync(join(dir, '.11-0.tmp'))).toBe(true);
    expect(await readRegisteredRoutes(join(dir, 'none'), new Set([11]))).toBeNull();
  });

  test('is believed no further than it can be right', async () => {
    const dir = serviceFolder({});
    const said = async (text: string) => {
      mkdirSync(dir, { recursive: true });
      writeFileSync(join(dir, '11-0.json'), text);
      return readRegisteredRoutes(dir, new Set([11]));
    };
    for (const text of ['', 'null', '[]', '{"version":2}', file('x'), 'x'.repeat(4_000_001)]) expect(await said(text)).toBeNull();
    const odd = [
      { method: 'GET', path: 5 },
      { method: '\u001B[31m', path: '/a', isWhole: true },
      null,
      { method: 'GET', path: '/b', isWhole: true },
    ];
    expect(await said(file(odd))).toEqual({ routes: [{ method: 'GET', path: '/b', isWhole: true }], hidden: [], isComplete: false });
    const many = await said(file(Array.from({ length: 6000 }, (_, i) => ({ method: 'GET', path: `/${i}`, isWhole: true }))));
    expect(many?.routes).toHaveLength(5000);
    expect(many?.isComplete).toBe(false);
  });
});
