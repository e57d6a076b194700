/**
 * Puts the service into a state in which it cannot boot, for real and in three ways at once:
 *   1. there is no .env, hence no secrets (one that exists is kept as .env.before-demo);
 *   2. the database holds orders, and one migration is pending;
 *   3. an orphaned instance of the API holds the port.
 * Running it twice is the same as running it once. It needs no environment; PORT and HOST are honoured.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, openSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase } from './database.ts';
import { readAddress } from './environment.ts';
import { getHealth } from './health.ts';
import { applyMigrations, pendingMigrations } from './migrations.ts';
import { Orders } from './orders.ts';
import { StartupError, startOrExplain } from './startup-error.ts';
import { inTransaction } from './transaction.ts';

const folder = import.meta.dirname;
const databasePath = 'data/orders.db';
const withheldMigration = '0003_add_priority';
const seededOrders = 25;
/** The rest of the seeded orders is still waiting for the worker. */
const shippedOrders = 20;
const orphanListensWithinMs = 5_000;

await startOrExplain(async () => {
  const { host, port } = readAddress();
  const holder = await findHolder(host, port);
  removeEnvironmentFile();
  const database = openDatabase(join(folder, databasePath));
  try {
    seed(database);
    // The orphan comes before the missing migration: like any instance, it starts only on a migrated database.
    if (holder === undefined) await leaveOrphan(database, host, port);
    else console.log(`port:      ${host}:${port} is held by the orphaned API instance ${holder} from before`);
    withholdMigration(database);
  } finally {
    database.close();
  }
  console.log('The service cannot boot now.');
});

/**
 * The pid of an instance that nobody supervises and that already holds the port.
 * @throws StartupError when Grace runs the service, or when the port is not held by this API
 */
async function findHolder(host: string, port: number): Promise<number | undefined> {
  const health = await getHealth(host, port);
  if (health.state === 'absent') return undefined;
  if (health.state === 'strange') {
    throw new StartupError(`port ${port} is held by something else (${health.reason}); nothing was broken`);
  }
  if (isRunByGrace(health.pid)) {
    throw new StartupError(`Grace is running this service (pid ${health.pid}); stop it first; nothing was broken`);
  }
  return health.pid;
}

/** Grace marks what it starts with GRACE_MARK. Where that cannot be read, the careful answer is yes. */
function isRunByGrace(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8')
      .split('\0')
      .some((entry) => entry.startsWith('GRACE_MARK='));
  } catch {
    return true;
  }
}

function removeEnvironmentFile(): void {
  const path = join(folder, '.env');
  if (!existsSync(path)) {
    console.log('secrets:   there is no .env');
    return;
  }
  const kept = unusedName(`${path}.before-demo`);
  renameSync(path, kept);
  console.log(`secrets:   .env is gone (kept as ${kept.slice(folder.length + 1)})`);
}

/** `base`, or `base-2`, `base-3` and so on: what an earlier run kept is never overwritten. */
function unusedName(base: string): string {
  let name = base;
  for (let number = 2; existsSync(name); number += 1) name = `${base}-${number}`;
  return name;
}

function seed(database: DatabaseSync): void {
  applyMigrations(database);
  const orders = new Orders(database, randomBytes(32).toString('hex'));
  const before = orders.count();
  for (let number = before + 1; number <= seededOrders; number += 1) {
    const { id } = orders.accept({
      customer: `customer-${String(number).padStart(2, '0')}`,
      item: ['teapot', 'lantern', 'atlas'][number % 3] ?? 'teapot',
      quantity: 1 + (number % 4),
      priority: 0,
    });
    if (number > shippedOrders) continue;
    orders.advance(id, 'accepted');
    orders.advance(id, 'packed');
  }
  console.log(`orders:    ${orders.count()} in ${databasePath}, ${orders.count() - before} of them new`);
}

/** Starts the API exactly as its supervisor would, and walks away. */
async function leaveOrphan(database: DatabaseSync, host: string, port: number): Promise<void> {
  if (pendingMigrations(database).length > 0) throw new Error('the orphan needs a migrated database');
  mkdirSync(join(folder, 'data'), { recursive: true });
  const output = openSync(join(folder, 'data', 'orphan.log'), 'a');
  const orphan = spawn(process.execPath, ['api.ts'], {
    cwd: folder,
    detached: true,
    stdio: ['ignore', output, output],
    env: orphanEnvironment(host, port),
  });
  orphan.unref();
  try {
    await untilListening(host, port, orphan.pid);
  } catch (error) {
    orphan.kill();
    throw error;
  }
  console.log(`port:      ${host}:${port} is held by the orphaned API instance ${orphan.pid} (log: data/orphan.log)`);
}

function orphanEnvironment(host: string, port: number): NodeJS.ProcessEnv {
  // Without what a supervisor may have set: an orphan is nobody's component.
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('GRACE_'));
  return {
    ...Object.fromEntries(inherited),
    API_TOKEN: randomBytes(32).toString('hex'),
    WEBHOOK_SIGNING_KEY: randomBytes(32).toString('hex'),
    DATABASE_PATH: databasePath,
    HOST: host,
    PORT: String(port),
  };
}

async function untilListening(host: string, port: number, pid: number | undefined): Promise<void> {
  const deadlineMs = performance.now() + orphanListensWithinMs;
  for (;;) {
    const health = await getHealth(host, port);
    if (health.state === 'alive' && health.pid === pid) return;
    if (performance.now() >= deadlineMs) {
      throw new StartupError(`the orphan did not listen within ${orphanListensWithinMs} ms; see data/orphan.log`);
    }
    await sleep(25);
  }
}

/** Takes the database back to the schema before the last migration; the orders stay. */
function withholdMigration(database: DatabaseSync): void {
  inTransaction(database, () => {
    database.exec('DROP INDEX orders_by_state; ALTER TABLE orders DROP COLUMN priority');
    database.prepare('DELETE FROM schema_migrations WHERE name = ?').run(withheldMigration);
  });
  console.log(`migration: ${withheldMigration} is pending`);
}
