/** Smoke check: one order goes all the way through the running service, and leaves nothing behind. */
import { setTimeout as sleep } from 'node:timers/promises';
import { readAddress, readEnvironment } from './environment.ts';
import type { Order, OrderEvent } from './orders.ts';
import { smokeCustomer } from './orders.ts';
import { StartupError, startOrExplain } from './startup-error.ts';

const packedWithinMs = 3_000;
const requestTimeoutMs = 2_000;
const pollMs = 50;

await startOrExplain(async () => {
  const startedMs = performance.now();
  const { id } = await createOrder();
  try {
    await readBack(id);
    await waitUntilPacked(id);
  } catch (error) {
    // What went wrong first is the finding; that the order could then not be removed either adds nothing.
    await call('DELETE', `/orders/${id}`, 204).catch(() => undefined);
    throw error;
  }
  await call('DELETE', `/orders/${id}`, 204);
  console.log(`ok: order ${id} was accepted, read back and packed in ${Math.round(performance.now() - startedMs)} ms`);
});

async function createOrder(): Promise<Order> {
  // The highest priority, so that a backlog does not look like a broken worker.
  const order = { customer: smokeCustomer, item: 'smoke check', quantity: 1, priority: 9 };
  return (await call('POST', '/orders', 201, order)) as Order;
}

async function readBack(id: number): Promise<void> {
  const { customer } = (await call('GET', `/orders/${id}`, 200)) as Order;
  if (customer !== smokeCustomer) throw failure(`order ${id} came back as an order of "${customer}"`);
}

async function waitUntilPacked(id: number): Promise<void> {
  const deadlineMs = performance.now() + packedWithinMs;
  for (;;) {
    const { events } = (await call('GET', `/orders/${id}/events`, 200)) as { events: readonly OrderEvent[] };
    if (events.some(({ state }) => state === 'packed')) return;
    if (performance.now() >= deadlineMs) {
      throw failure(`order ${id} was not packed within ${packedWithinMs} ms; is the worker running?`);
    }
    await sleep(pollMs);
  }
}

async function call(method: string, path: string, expectedStatus: number, body?: unknown): Promise<unknown> {
  const { API_TOKEN } = readEnvironment('API_TOKEN');
  const { host, port } = readAddress();
  const response = await fetch(`http://${host}:${port}${path}`, {
    method,
    headers: { authorization: `Bearer ${API_TOKEN}`, 'content-type': 'application/json' },
    signal: AbortSignal.timeout(requestTimeoutMs),
    ...(body !== undefined && { body: JSON.stringify(body) }),
  }).catch((error: Error) => {
    const cause = error.cause instanceof Error ? error.cause.message : error.message;
    throw failure(`${method} ${path} got no answer: ${cause}`);
  });
  const text = await response.text();
  if (response.status !== expectedStatus) {
    throw failure(`${method} ${path} answered ${response.status} instead of ${expectedStatus}: ${text}`);
  }
  return text === '' ? undefined : JSON.parse(text);
}

function failure(reason: string): StartupError {
  return new StartupError(`smoke check failed: ${reason}`);
}
