import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import type { BootReport } from '../../src/domains/boot/index.ts';
import { runGrace, startGrace } from './grace.ts';
import { freePort, newProject } from './project.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const LIBRARY = pathToFileURL(join(ROOT, 'dist', 'index.mjs')).href;
const NODE_MODULES = join(ROOT, 'node_modules');

/** Served by the framework itself; a service finds it in its own node_modules, here by its address. */
const FASTIFY = `import { createRequire } from 'node:module';
import { registerRoutes } from ${JSON.stringify(LIBRARY)};
const { fastify } = createRequire(${JSON.stringify(`${NODE_MODULES}/`)})('fastify');
const app = fastify();
registerRoutes(app);
app.get('/health', async () => 'ok');
app.get('/report', async () => { throw new Error('no report'); });
app.register(async (v1) => {
  v1.get('/orders', async () => []);
  v1.get('/orders/:id', async () => ({}));
}, { prefix: '/v1' });
await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });
`;

const EXPRESS = `import { createRequire } from 'node:module';
import { registerRoutes } from ${JSON.stringify(LIBRARY)};
const express = createRequire(${JSON.stringify(`${NODE_MODULES}/`)})('express5');
const app = express();
registerRoutes(app);
registerRoutes(Object.defineProperty(() => {}, 'use', { get() { throw new Error('hostile'); } }));
const api = express.Router();
api.get('/items', (_, response) => response.json([]));
app.use('/api', api);
// added long after it listens, as some do
setTimeout(() => api.post('/items', (_, response) => response.end()), 150);
app.listen(Number(process.env.PORT), '127.0.0.1');
`;

const PLAIN = `import { createServer } from 'node:http';
createServer((request, response) => response.writeHead(request.url === '/ok' ? 200 : 404).end()).listen(Number(process.env.PORT), '127.0.0.1');
`;

const OPENAPI = `openapi: 3.1.0
servers: [{ url: https://shop.example.com/v1 }]
paths:
  /orders: { get: {}, post: {} }
  /orders/{id}: { get: {} }
`;

async function project(preflight: object = {}) {
  const ports = [await freePort(), await freePort(), await freePort()];
  const component = (file: string, at: number, more: object) => ({
    command: [process.execPath, file],
    port: ports[at],
    env: { PORT: String(ports[at]) },
    soak: '50ms',
    stop: { grace: '1s' },
    ...more,
  });
  return newProject({
    'fastify.mjs': FASTIFY,
    'express.mjs': EXPRESS,
    'plain.mjs': PLAIN,
    'openapi.yaml': OPENAPI,
    'grace.config.json': {
      components: {
        shop: component('fastify.mjs', 0, {
          readiness: { http: '/health' },
          routes: ['GET /health', '/report'],
          openapi: 'openapi.yaml',
        }),
        stock: component('express.mjs', 1, { readiness: { tcp: true }, routes: ['/api/items', 'POST /api/items', 'DELETE /api/items'] }),
        plain: component('plain.mjs', 2, { routes: ['/ok', '/not-there', 'POST /unknown'] }),
      },
      preflight,
      monitor: { validation: '700ms' },
    },
  });
}

function reportOf(dir: string): BootReport {
  const folder = join(dir, '.grace', 'training', 'startup_failures');
  const name = readdirSync(folder).at(-1) ?? '';
  return JSON.parse(readFileSync(join(folder, name), 'utf8')) as BootReport;
}

test('a boot tells which expected routes are not there or do not answer, with their share, and goes on', async () => {
  const dir = await project();
  const grace = startGrace(dir, ['up', '--json']);
  const boot = await grace.event('boot_ended');
  expect(boot.outcome, grace.said()).toBe('success');
  const report = reportOf(dir);
  const stage = report.stages.find(({ number }) => number === 7);
  const told = (stage?.findings ?? []).map(({ severity, component, message }) => `${severity} ${component}: ${message}`);
  expect(told).toEqual([
    'warn shop: GET /report answers 500',
    'warn shop: POST /v1/orders is not registered',
    'warn stock: DELETE /api/items is not registered',
    'warn plain: GET /not-there answers 404',
    'info plain: no probe and no smoke check asks plain: only the process and the port are watched',
  ]);
  const [check] = stage?.checks ?? [];
  expect(check).toMatchObject({
    name: 'registration',
    summary: 'probes 2 of 3 (66 %), routes 6 of 11 (54 %)',
    figures: { probes: { count: 2, of: 3, percent: 66 }, routes: { count: 6, of: 11, percent: 54 } },
  });
  expect(stage?.detail).toContain('routes 6 of 11 (54 %)');
  expect(readFileSync(join(dir, '.grace', 'logs', 'last_boot_report.txt'), 'utf8')).toContain('routes 6 of 11 (54 %)');
  // only this user may read what was written, and nothing was by the one without the library
  const written = (component: string) => readdirSync(join(dir, '.grace', 'routes', component));
  expect(written('plain')).toEqual([]);
  for (const component of ['shop', 'stock'])
    for (const name of written(component)) expect(statSync(join(dir, '.grace', 'routes', component, name)).mode & 0o777).toBe(0o600);
  // looked at again while it runs, and kept as missions
  await grace.event('validation_ended');
  const opened = grace.events().flatMap((e) => (e.type === 'mission_opened' ? [e.code] : []));
  expect(opened.toSorted()).toEqual(['route_missing', 'route_missing', 'route_unanswered', 'route_unanswered']);
  // the processes are adopted by the next one, which sees their routes as well
  await grace.end('SIGKILL');
  const next = startGrace(dir, ['up', '--json']);
  expect((await next.event('boot_ended')).outcome, next.said()).toBe('success');
  expect(
    next
      .events()
      .filter((e) => e.type === 'component_ready')
      .every((e) => e.adopted),
  ).toBe(true);
  expect(reportOf(dir).stages.find(({ number }) => number === 7)?.checks?.[0]?.summary).toBe('probes 2 of 3 (66 %), routes 6 of 11 (54 %)');
  expect((await next.end('SIGTERM')).code).toBe(0);
});

test('where the config requires them, a missing route fails the boot; a dry run says that it looks at none', async () => {
  const dir = await project({ registration: { required: true } });
  const dry = await runGrace(dir, ['check', '--json']);
  expect(JSON.parse(dry.stdout)).toMatchObject({ go: true, not_looked_at: ['registration'] });
  expect((await runGrace(dir, ['check'])).stdout).toContain('services, routes and probes are looked at when it runs');
  const boot = await runGrace(dir, ['boot', '--json']);
  expect(boot.code).toBe(1);
  expect(reportOf(dir).stages.find(({ number }) => number === 7)).toMatchObject({
    result: 'failed',
    failure: expect.stringContaining('POST /v1/orders is not registered') as string,
  });
});
