import 'reflect-metadata';
import { Controller, Delete, Get, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { createRequire } from 'node:module';
import { fastify } from 'fastify';
import { describe, expect, onTestFinished, test } from 'vitest';
import { expressRoutes } from './express-routes.ts';
import { fastifyRoutes } from './fastify-routes.ts';
import type { FoundRoutes, RouteSource } from './route-source.ts';

// With the real frameworks: what is looked at is what they happen to keep.

/** Express comes without types; this is what is used of it here. */
interface Router {
  use(...given: readonly unknown[]): unknown;
  get(...given: readonly unknown[]): unknown;
  all(...given: readonly unknown[]): unknown;
  route(path: string): { get(handler: unknown): { post(handler: unknown): unknown } };
}
interface Express {
  (): Router;
  Router(): Router;
}
const require = createRequire(import.meta.url);
const express4 = require('express4') as Express;
const express5 = require('express5') as Express;

const answer = (): void => undefined;
const pass = (_request: unknown, _response: unknown, next: () => void): void => next();

/** `GET /a`, with `…` in front where something unknown stands before it. */
function shown(source: RouteSource | null): readonly string[] {
  return (source?.().routes ?? []).map(({ method, path, isWhole }) => `${method} ${isWhole ? '' : '…'}${path}`).toSorted();
}

function rest(source: RouteSource | null): Pick<FoundRoutes, 'hidden' | 'isComplete'> {
  const { hidden, isComplete } = source?.() ?? { hidden: [], isComplete: false };
  return { hidden, isComplete };
}

describe('Fastify 5', () => {
  test('tells of every route, those of plugins with their prefix', async () => {
    const app = fastify();
    const source = fastifyRoutes(app);
    app.get('/', answer);
    app.route({ method: ['GET', 'POST'], url: '/orders', handler: answer });
    app.get('/orders/:id/items/*', answer);
    app.register(
      async (plugin) => {
        plugin.delete('/users/:id', answer);
        await plugin.register(async (inner) => void inner.get('/deep', answer), { prefix: '/inner' });
      },
      { prefix: '/api/v1' },
    );
    await app.ready();
    expect(shown(source).filter((route) => !route.startsWith('HEAD'))).toEqual([
      'DELETE /api/v1/users/:id',
      'GET /',
      'GET /api/v1/inner/deep',
      'GET /orders',
      'GET /orders/:id/items/*',
      'POST /orders',
    ]);
    expect(rest(source)).toEqual({ hidden: [], isComplete: true });
  });

  test('says that nothing is known when it is asked after the start, or only for a plugin', async () => {
    const app = fastify();
    let ofPlugin: RouteSource | null = null;
    app.register(
      (plugin, _, done) => {
        ofPlugin = fastifyRoutes(plugin);
        plugin.get('/a', answer);
        done();
      },
      { prefix: '/p' },
    );
    await app.ready();
    expect(rest(fastifyRoutes(app))).toEqual({ hidden: [], isComplete: false });
    expect(shown(ofPlugin)).toContain('GET /p/a');
    expect(rest(ofPlugin).isComplete).toBe(false);
  });

  test('keeps 5,000 routes, and says that there are more', async () => {
    const app = fastify({ exposeHeadRoutes: false });
    const source = fastifyRoutes(app);
    for (let i = 0; i < 6000; i++) app.get(`/r${i}`, answer);
    expect(source?.().routes).toHaveLength(5000);
    expect(rest(source).isComplete).toBe(false);
  });
});

describe.each([
  ['Express 4', express4],
  ['Express 5', express5],
])('%s', (name, express) => {
  test('tells of its routes, and of those of nested routers', () => {
    const app = express();
    const source = expressRoutes(app);
    const users = express.Router();
    users.get('/:id', answer);
    const api = express.Router();
    api.get('/orders', answer);
    app.use(pass);
    app.use('/api', api);
    api.use('/users', users);
    app.use('/tenants/:tenant', users);
    app.route('/both').get(answer).post(answer);
    app.all('/any', answer);
    app.all(name === 'Express 4' ? '*' : '/{*rest}', answer);
    app.get(['/one', '/two'], answer);
    expect(shown(source)).toEqual(
      expect.arrayContaining(['GET /api/orders', 'GET /api/users/:id', 'GET /both', 'GET /one', 'GET /two', 'POST /both']),
    );
    expect(shown(source).some((route) => /^GET \/tenants\/:\w+\/:id$/.test(route))).toBe(true);
    expect(rest(source)).toEqual({ hidden: [], isComplete: true });
    // it still does what it did
    expect(typeof app.use('/later', pass)).toBe('function');
  });

  test('tells of routers that were put together before, and of applications that are mounted later', () => {
    const users = express.Router();
    users.get('/:id', answer);
    const api = express.Router();
    api.use('/users', users);
    const app = express();
    app.use('/api', api);
    const source = expressRoutes(app);
    const admin = express();
    admin.get('/stats', answer);
    app.use('/admin', admin);
    expect(shown(source)).toEqual(['GET /admin/stats', 'GET /api/users/:id']);
    expect(rest(source)).toEqual({ hidden: [], isComplete: true });
  });

  test('says where there may be more than can be seen', () => {
    const app = express();
    const before = express();
    before.get('/hidden', answer);
    app.use('/mounted-before', before);
    const source = expressRoutes(app);
    app.use('/graphql', answer);
    app.get('/a', answer);
    expect(rest(source)).toEqual({ hidden: ['/mounted-before', '/graphql'], isComplete: true });
    app.get(/^\/r\d+$/, answer);
    expect(rest(source).isComplete).toBe(false);
  });

  test('takes a prefix that is a pattern for unknown', () => {
    const app = express();
    const source = expressRoutes(app);
    const router = express.Router();
    router.get('/x', answer);
    app.use(/^\/v\d/, router);
    expect(shown(source)).toEqual(['GET …/x']);
  });

  test('keeps 5,000 routes, and says that there are more', () => {
    const app = express();
    const source = expressRoutes(app);
    for (let i = 0; i < 6000; i++) app.get(`/r${i}`, answer);
    expect(source?.().routes).toHaveLength(5000);
    expect(rest(source).isComplete).toBe(false);
  });

  test(`is ${name}, whatever is mounted in itself`, () => {
    const app = express();
    const source = expressRoutes(app);
    const router = express.Router();
    router.get('/a', answer);
    router.use('/again', router);
    app.use(router);
    expect(shown(source)).toContain('GET /again/a');
    expect(rest(source).hidden).toHaveLength(1);
  });
});

test('Nest tells of its controllers, below its global prefix', async () => {
  class Orders {
    list() {}
    add() {}
    remove() {}
  }
  // as a compiler would write decorators
  for (const [key, decorate] of [
    ['list', Get()],
    ['add', Post()],
    ['remove', Delete(':id')],
  ] as const)
    decorate(Orders.prototype, key, Object.getOwnPropertyDescriptor(Orders.prototype, key) as PropertyDescriptor);
  Controller('orders')(Orders);
  // oxlint-disable-next-line typescript/no-extraneous-class -- a module of Nest is one
  class Root {}
  Module({ controllers: [Orders] })(Root);
  const app = await NestFactory.create(Root, { logger: false });
  onTestFinished(() => app.close());
  const source = expressRoutes(app.getHttpAdapter().getInstance() as object);
  app.setGlobalPrefix('api');
  await app.init();
  expect(shown(source)).toEqual(['DELETE /api/orders/:id', 'GET /api/orders', 'POST /api/orders']);
});

test('of an application with 100,000 routes, or one that throws at every look, only what is bounded is told', () => {
  const layer = { route: { path: '/x'.repeat(300), methods: { get: true } } };
  const huge = Object.assign(() => undefined, { use: () => undefined, _router: { stack: Array.from({ length: 100_000 }, () => layer) } });
  expect(expressRoutes(huge)?.()).toMatchObject({ routes: [], isComplete: false });
  const throwing = Object.defineProperty(() => undefined, 'use', {
    get() {
      throw new Error('no');
    },
  });
  expect(() => expressRoutes(throwing)).toThrow('no');
});
