import { describe, expect, test } from 'vitest';
import { askedPaths, compareRoutes, expectedRoute, isAnswer, shareOf, shareText, type RegisteredRoutes } from './routes.ts';

function registered(routes: readonly string[], more: Partial<RegisteredRoutes> = {}): RegisteredRoutes {
  return {
    routes: routes.map((written) => {
      const [method = '', path = ''] = written.split(' ');
      return { method, path, isWhole: true };
    }),
    hidden: [],
    isComplete: true,
    ...more,
  };
}

const judge = (expected: string, has: RegisteredRoutes, bases: readonly string[] = ['']) =>
  compareRoutes([{ ...expectedRoute(expected), bases }], has).expected[0];

describe('a route counts as registered', () => {
  test.each([
    ['GET /orders/{id}', 'GET /orders/:id'],
    ['GET /orders/{id}', 'GET /orders/:orderId(^\\d+$)'],
    ['/orders/{id}/', 'GET /orders/:id'],
    ['GET /orders/latest', 'GET /orders/:id'],
    ['GET /files/a/b', 'GET /files/*'],
    ['GET /files/a/b', 'GET /files/*path'],
    ['GET /files', 'GET /files{/:name}'],
    ['GET /files/a', 'GET /files/:name?'],
    ['GET /Orders', 'GET /orders'],
    ['GET /a%2Db', 'GET /a-b'],
    ['GET /report.{format}', 'GET /report.:format'],
    ['HEAD /orders', 'GET /orders'],
    ['OPTIONS /orders', 'POST /orders'],
    ['DELETE /orders', '* /orders'],
    ['GET /search?q=x', 'GET /search'],
    ['GET /', 'GET /'],
    ['GET /', 'GET '],
  ])('%s by %s', (expected, has) => {
    expect(judge(expected, registered([has]))).toBe('registered');
  });

  test('below one of the base paths it may have', () => {
    expect(judge('GET /orders', registered(['GET /v1/orders']), ['/v1'])).toBe('registered');
    expect(judge('GET /orders', registered(['GET /orders']), ['/api', ''])).toBe('registered');
    expect(judge('GET /orders', registered(['GET /orders']), ['/v1'])).toBe('missing');
  });
});

describe('a route is missing', () => {
  test.each([
    ['GET /orders', 'POST /orders'],
    ['POST /orders', 'GET /orders'],
    ['GET /orders/{id}', 'GET /orders'],
    ['GET /orders/{id}', 'GET /orders/latest'],
    ['GET /orders', 'GET /orders/:id'],
    ['GET /orders', 'GET /order'],
  ])('%s beside %s', (expected, has) => {
    expect(judge(expected, registered([has]))).toBe('missing');
  });

  test('but is not said to be where more may be registered than anybody can see', () => {
    expect(judge('GET /admin/users', registered([], { hidden: ['/admin'] }))).toBe('hidden');
    expect(judge('GET /orders', registered([], { hidden: ['/admin'] }))).toBe('missing');
    expect(judge('GET /orders', registered([], { isComplete: false }))).toBe('hidden');
    const below = { routes: [{ method: 'GET', path: '/users/:id', isWhole: false }] };
    expect(judge('GET /api/v1/users/{id}', registered([], below))).toBe('hidden');
    expect(judge('GET /api/v1/orders/{id}', registered([], below))).toBe('missing');
  });
});

test('what nobody expects is counted, without what a framework adds by itself', () => {
  const has = registered(['GET /a', 'HEAD /a', 'OPTIONS /a', 'GET /b', '* /c']);
  expect(compareRoutes([expectedRoute('/a')], has).unexpected).toBe(1);
});

test('only GET without parameters is asked, below each base', () => {
  expect(askedPaths(expectedRoute('GET /orders?limit=1'))).toEqual(['/orders?limit=1']);
  expect(askedPaths(expectedRoute('/'))).toEqual(['/']);
  expect(askedPaths({ method: 'GET', path: '/orders/', bases: ['/v1/', ''] })).toEqual(['/v1/orders', '/orders']);
  for (const route of ['POST /orders', 'HEAD /orders', 'DELETE /orders', 'GET /orders/{id}', 'GET /orders/:id', 'GET /files/*'])
    expect(askedPaths(expectedRoute(route))).toEqual([]);
});

test('who asks for a login, a redirect or a parameter answers; who fails, or has nothing there, does not', () => {
  for (const status of [200, 204, 301, 302, 400, 401, 403, 422, 429]) expect(isAnswer(status, 'untold')).toBe(true);
  for (const status of [404, 405, 500, 503]) expect(isAnswer(status, 'untold')).toBe(false);
  expect(isAnswer(404, 'missing')).toBe(false);
  // its own code says that there is no such thing now
  expect(isAnswer(404, 'registered')).toBe(true);
  expect(isAnswer(500, 'registered')).toBe(false);
});

test('a share is 100 % only when it is all', () => {
  expect(shareText('routes', shareOf(999, 1000))).toBe('routes 999 of 1000 (99 %)');
  expect(shareText('routes', shareOf(3, 3))).toBe('routes 3 of 3 (100 %)');
  expect(shareText('routes', shareOf(0, 0))).toBe('no routes');
});
