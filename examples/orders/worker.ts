/** Packs and ships what the API accepted. Serves nothing; shows that it works by its heartbeat file. */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openMigratedDatabase } from './database.ts';
import { readAddress, readEnvironment } from './environment.ts';
import { getHealth } from './health.ts';
import { Orders } from './orders.ts';
import { StartupError, startOrExplain } from './startup-error.ts';

const pollMs = 100;
const heartbeatMs = 1_000;
/** Orders per state and poll: small enough that the heartbeat keeps its second on a slow disk. */
const batchSize = 20;

const stopping = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.abort());

await startOrExplain(async () => {
  const { WEBHOOK_SIGNING_KEY, DATABASE_PATH } = readEnvironment('WEBHOOK_SIGNING_KEY', 'DATABASE_PATH');
  await requireApi();
  const database = openMigratedDatabase(DATABASE_PATH);
  const orders = new Orders(database, WEBHOOK_SIGNING_KEY);
  const heartbeatPath = join(dirname(DATABASE_PATH), 'worker.heartbeat');

  log(`working on ${DATABASE_PATH}`);
  let lastBeatMs = -Infinity;
  while (!stopping.signal.aborted) {
    workOnce(orders);
    // The loop that works also beats: a worker that hangs falls silent.
    if (performance.now() - lastBeatMs >= heartbeatMs) {
      beat(heartbeatPath);
      lastBeatMs = performance.now();
    }
    await pause();
  }
  rmSync(heartbeatPath, { force: true });
  database.close();
  log('stopped');
});

/** Each order moves one state per poll: what is packed ships, then what is accepted gets packed. */
function workOnce(orders: Orders): void {
  for (const state of ['packed', 'accepted'] as const) {
    for (const id of orders.idsIn(state, batchSize)) {
      if (orders.advance(id, state)) log(`order ${id} was ${state}, is ${state === 'packed' ? 'shipped' : 'packed'}`);
    }
  }
}

async function requireApi(): Promise<void> {
  const { host, port } = readAddress();
  const health = await getHealth(host, port);
  if (health.state === 'alive') return;
  throw new StartupError(`${health.reason} (the worker needs the API at http://${host}:${port}/health)`);
}

/** Written aside and renamed, so that no reader ever sees half a heartbeat. */
function beat(path: string): void {
  const written = `${path}.${process.pid}`;
  writeFileSync(written, `${JSON.stringify({ pid: process.pid, at: new Date().toISOString() })}\n`);
  renameSync(written, path);
}

async function pause(): Promise<void> {
  try {
    await sleep(pollMs, undefined, { signal: stopping.signal });
  } catch {
    // Aborted by the signal to stop; the loop sees it.
  }
}

function log(message: string): void {
  console.log(JSON.stringify({ at: new Date().toISOString(), process: 'worker', message }));
}
