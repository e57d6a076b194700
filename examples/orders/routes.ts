import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Orders } from './orders.ts';
import { parseNewOrder, smokeCustomer } from './orders.ts';
import { Problem } from './problem.ts';

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Service {
  readonly orders: Orders;
  readonly apiToken: string;
  /** Why the service cannot take orders at the moment; undefined when it can. */
  readonly whyNotReady: () => string | undefined;
}

/** An order is small; what is larger is not one. */
const bodyBytesLimit = 16 * 1024;
const pageSizeDefault = 100;
const pageSizeMax = 500;

/**
 * Answers one request.
 * @throws Problem for what the client should hear about
 */
export async function answer(service: Service, request: IncomingMessage): Promise<Answer> {
  const url = URL.parse(request.url ?? '/', 'http://orders');
  if (url === null) throw new Problem(400, 'Invalid path', 'the path of the request is not a path');
  const { pathname, searchParams } = url;
  if (pathname === '/health') return only(request, 'GET', () => answerHealth());
  if (pathname === '/ready') return only(request, 'GET', () => answerReady(service));

  const [root, id, events, ...rest] = pathname.slice(1).split('/');
  if (root !== 'orders' || rest.length > 0) throw notFound(`there is nothing at ${pathname}`);
  requireToken(request, service.apiToken);
  if (id === undefined) return answerCollection(service, request, searchParams);
  if (events === undefined) return answerOrder(service, request, id);
  if (events !== 'events') throw notFound(`there is nothing at ${pathname}`);
  return only(request, 'GET', () => {
    const order = findOrder(service, id);
    return { status: 200, body: { events: service.orders.eventsOf(order.id) } };
  });
}

/** Liveness: the process answers. It touches no dependency, for restarting would not mend a dependency. */
function answerHealth(): Answer {
  return { status: 200, body: { status: 'ok', pid: process.pid, uptimeS: Math.floor(process.uptime()) } };
}

function answerReady({ whyNotReady }: Service): Answer {
  const reason = whyNotReady();
  if (reason !== undefined) throw new Problem(503, 'Not ready', reason);
  return { status: 200, body: { status: 'ready' } };
}

async function answerCollection({ orders }: Service, request: IncomingMessage, query: URLSearchParams): Promise<Answer> {
  if (request.method === 'POST') {
    const parsed = parseNewOrder(await readJson(request));
    if ('mistakes' in parsed) {
      const { mistakes } = parsed;
      throw new Problem(422, 'Invalid order', mistakes.join('; '), { mistakes });
    }
    const order = orders.accept(parsed.order);
    return { status: 201, body: order, headers: { location: `/orders/${order.id}` } };
  }
  return only(request, 'GET, POST', () => {
    const limit = readCount(query, 'limit', pageSizeDefault, pageSizeMax);
    const page = orders.list(readCount(query, 'after', 0, Number.MAX_SAFE_INTEGER), limit);
    return { status: 200, body: { orders: page, total: orders.count() } };
  });
}

function answerOrder(service: Service, request: IncomingMessage, id: string): Answer {
  if (request.method !== 'DELETE') {
    return only(request, 'GET, DELETE', () => ({ status: 200, body: findOrder(service, id) }));
  }
  const order = findOrder(service, id);
  if (!service.orders.deleteSmokeOrder(order.id)) {
    throw new Problem(409, 'Not deletable', `only orders of the customer "${smokeCustomer}" can be deleted`);
  }
  return { status: 204 };
}

function findOrder({ orders }: Service, id: string) {
  const order = /^[1-9]\d{0,14}$/.test(id) ? orders.find(Number(id)) : undefined;
  if (order === undefined) throw notFound(`there is no order ${id}`);
  return order;
}

function requireToken(request: IncomingMessage, apiToken: string): void {
  const given = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
  // Hashing first gives both sides one length, which timingSafeEqual asks for.
  if (timingSafeEqual(sha256(given), sha256(apiToken))) return;
  const headers = { 'www-authenticate': 'Bearer' };
  throw new Problem(401, 'Unauthorized', 'send the header "authorization: Bearer <API_TOKEN>"', { headers });
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** The answer when the method is GET, else 405; `allowed` is what the path takes in all. */
function only(request: IncomingMessage, allowed: string, read: () => Answer): Answer {
  if (request.method === 'GET') return read();
  const headers = { allow: allowed };
  throw new Problem(405, 'Method not allowed', `this path takes ${allowed}`, { headers });
}

function readCount(query: URLSearchParams, name: string, fallback: number, max: number): number {
  const text = query.get(name) ?? String(fallback);
  if (!/^\d{1,16}$/.test(text) || Number(text) > max) {
    throw new Problem(400, 'Invalid query', `${name} must be a whole number up to ${max}`);
  }
  return Number(text);
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bodyBytesLimit) {
      // The rest of the body is not read, so the connection cannot serve another request.
      const headers = { connection: 'close' };
      throw new Problem(413, 'Order too large', `an order has at most ${bodyBytesLimit} bytes`, { headers });
    }
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new Problem(400, 'Invalid JSON', 'the body is not JSON'); // what the parser said adds nothing for a client
  }
}

function notFound(detail: string): Problem {
  return new Problem(404, 'Not found', detail);
}
