/** The HTTP API: takes orders, and acknowledges each only once it is on disk. */
import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { DatabaseSync } from 'node:sqlite';
import { describePending, openMigratedDatabase } from './database.ts';
import { readAddress, readEnvironment } from './environment.ts';
import { pendingMigrations } from './migrations.ts';
import { Orders } from './orders.ts';
import { Problem, toProblem } from './problem.ts';
import type { Answer, Service } from './routes.ts';
import { answer } from './routes.ts';
import { startOrExplain } from './startup-error.ts';

/** Requests still running this long after SIGTERM are cut off, so that the process ends within 2 s. */
const drainMs = 1_500;

await startOrExplain(() => {
  const { API_TOKEN, WEBHOOK_SIGNING_KEY, DATABASE_PATH } = readEnvironment('API_TOKEN', 'WEBHOOK_SIGNING_KEY', 'DATABASE_PATH');
  const { host, port } = readAddress();
  const database = openMigratedDatabase(DATABASE_PATH);
  const service: Service = {
    orders: new Orders(database, WEBHOOK_SIGNING_KEY),
    apiToken: API_TOKEN,
    whyNotReady: watchDatabase(database, DATABASE_PATH),
  };

  const server = createServer((request, response) => void respond(service, server, request, response));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop(server, database, signal));
  // A busy port is not caught: the process crashes with Node's own EADDRINUSE.
  server.listen(port, host, () => log({ message: `listening on http://${host}:${port}`, pid: process.pid }));
});

async function respond(service: Service, server: Server, request: IncomingMessage, response: ServerResponse) {
  const startedMs = performance.now();
  const requestId = readRequestId(request);
  const { status, body, headers } = await answerOrProblem(service, request, requestId);

  response.setHeader('x-request-id', requestId);
  for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, value);
  if (!server.listening) response.setHeader('connection', 'close');
  response.statusCode = status;
  if (body === undefined) response.end();
  else {
    response.setHeader('content-type', status >= 400 ? 'application/problem+json' : 'application/json');
    response.end(JSON.stringify(body));
  }
  // Probes come every few seconds for ever; only the ones that fail are worth a line.
  const isProbe = request.url === '/health' || request.url === '/ready';
  if (isProbe && status < 400) return;
  const durationMs = Math.round(performance.now() - startedMs);
  log({ message: `${request.method} ${request.url} ${status}`, requestId, durationMs });
}

async function answerOrProblem(service: Service, request: IncomingMessage, requestId: string): Promise<Answer> {
  try {
    return await answer(service, request);
  } catch (error) {
    const hasClientLeft = request.errored !== null;
    if (!(error instanceof Problem) && !hasClientLeft) console.error(`request ${requestId} failed:`, error);
    const problem = toProblem(error);
    return { status: problem.status, body: problem.toBody(requestId), headers: problem.headers };
  }
}

/** The caller's own id when it is harmless to log, so that one id follows a request through several services. */
function readRequestId(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && /^[\w.-]{1,64}$/.test(given) ? given : randomUUID();
}

/**
 * Readiness of the database: it reads, it is migrated, and it is the file under its name. A file that was deleted
 * or replaced stays open and would take orders nobody ever finds.
 */
function watchDatabase(database: DatabaseSync, path: string): () => string | undefined {
  const { ino } = statSync(path);
  return () => {
    try {
      if (statSync(path, { throwIfNoEntry: false })?.ino !== ino) return 'the database file was deleted or replaced';
      const pending = pendingMigrations(database).map(({ name }) => name);
      if (pending.length > 0) return describePending(pending);
      database.prepare('SELECT id, priority FROM orders LIMIT 1').get();
      return undefined;
    } catch (error) {
      return `the database does not answer: ${error instanceof Error ? error.message : String(error)}`;
    }
  };
}

/** Takes no new connections, lets running requests finish, closes the database, exits 0. */
function stop(server: Server, database: DatabaseSync, signal: string): void {
  log({ message: `${signal}: finishing the running requests` });
  server.close(() => {
    database.close();
    log({ message: 'stopped' });
    process.exit(0);
  });
  setTimeout(() => server.closeAllConnections(), drainMs).unref();
}

function log(line: { readonly message: string; readonly [field: string]: unknown }): void {
  console.log(JSON.stringify({ at: new Date().toISOString(), process: 'api', ...line }));
}
