import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseEnv } from 'node:util';
import { describe, expect, test } from 'vitest';
import { seededRandom, type Random } from '../../src/kernel/index.ts';
import { callerEnvironment, startGrace } from './grace.ts';
import { processesIn, runsOf } from './processes.ts';
import { isFree, newOrders, write } from './project.ts';
import { TwoTries } from './two-tries.ts';
import { until } from './waiting.ts';

/** 50 and more before a release; each takes some seconds. */
const ROUNDS = Number(process.env['GRACE_KILL_ROUNDS'] ?? 6);
const SEED = Number(process.env['GRACE_KILL_SEED'] ?? Date.now() % 1_000_000);
/** A healing boot tells of about this many events; what is beyond means some moment after it. */
const EVENTS_MAX = 62;
const THEN_MS_MAX = 150;
/** Until a Grace that was started heals. */
const START_MS = 1000;
/** Of more rounds each is told, and two go on at once. */
const MANY = 20;
/** How many of the second starts are killed too. */
const TWICE_SHARE = 0.3;

console.log(`kill -9 of Grace: ${ROUNDS} rounds, seed ${SEED} (again with GRACE_KILL_SEED=${SEED})`);

describe('after kill -9 of Grace at any moment of a healing boot, the next start ends in the right state', () => {
  const random = seededRandom(SEED);
  for (let round = 1; round <= ROUNDS; round++) {
    const moments = [momentOf(random), ...(random.next() < TWICE_SHARE ? [momentOf(random)] : [])];
    test(`${round}: killed ${moments.map((m) => `${m.thenMs} ms after event ${m.events}`).join(', and again ')}`, async () => {
      await killedAt(moments);
    });
  }
});

test(
  'killed at random moments of a healing of several steps and two tries, it is as if nothing had been',
  { timeout: 120 * 60_000 },
  async () => {
    const random = seededRandom(SEED + 1);
    const left = Array.from({ length: ROUNDS }, (_, at) => ({
      round: at + 1,
      at: random.next(),
      again: random.next() < TWICE_SHARE ? random.next() : null,
    }));
    const wrong: string[] = [];
    const found = new Map<string, number>();
    const work = async (): Promise<void> => {
      const project = await TwoTries.begin();
      const { world } = await project.undisturbed();
      const spanMs = await project.healingMs();
      for (let round = left.shift(); round !== undefined; round = left.shift()) {
        await project.reset();
        const states = [await project.diesAfter(round.at * spanMs, 'healing')];
        if (round.again !== null) states.push(await project.diesAfter(round.again * (START_MS + spanMs), 'start'));
        for (const state of states) found.set(state, (found.get(state) ?? 0) + 1);
        // Nobody who is killed takes more than one try with him.
        const faults = await project.recovers(world, 2 + states.length).catch((error: unknown) => [String(error)]);
        const told = `${round.round}: found ${states.join(' | ')}`;
        if (ROUNDS > MANY) console.log(`${faults.length === 0 ? 'well' : 'WRONG'} ${told} ${faults.join('; ')}`);
        if (faults.length > 0) wrong.push(`${told}: ${faults.join('; ')}`);
      }
    };
    await Promise.all(Array.from({ length: ROUNDS > MANY ? 2 : 1 }, work));
    console.log([...found].map(([state, times]) => `${times} x ${state}`).join('\n'));
    expect(wrong).toEqual([]);
  },
);

describe('what a killed Grace had only begun', () => {
  test('a migration that never ends is ended by the next Grace, not left beside its own', async () => {
    const { dir } = await newOrders();
    const migrate = readFileSync(join(dir, 'migrate.ts'), 'utf8');
    // Deaf to polite signals, as a tool that finishes its transaction first.
    write(dir, {
      'migrate.ts': `import { writeFileSync } from 'node:fs';
process.on('SIGTERM', () => undefined);
writeFileSync('migrating', '');
setInterval(() => undefined, 60_000);`,
    });
    const doomed = startGrace(dir, ['up', '--json']);
    await until('the migration runs', () => existsSync(join(dir, 'migrating')), doomed.said);
    await doomed.end('SIGKILL');
    expect(runsOf(dir, 'migrate.ts'), 'it outlives its Grace').toHaveLength(1);
    write(dir, { 'migrate.ts': migrate });
    const grace = startGrace(dir, ['up', '--json']);
    await grace.event('boot_ended', (e) => e.outcome === 'success');
    expect(runsOf(dir, 'migrate.ts')).toEqual([]);
    expect((await grace.end('SIGTERM')).code).toBe(0);
    expect(processesIn(dir)).toEqual([]);
    expectMemory(dir);
  });

  test('a smoke check that never ends is ended by the next Grace', async () => {
    const { dir } = await newOrders();
    const smoke = readFileSync(join(dir, 'smoke.ts'), 'utf8');
    write(dir, {
      'smoke.ts': `import { writeFileSync } from 'node:fs'; writeFileSync('smoking', ''); setInterval(() => undefined, 60_000);`,
    });
    const doomed = startGrace(dir, ['up', '--json']);
    await until('the smoke check runs', () => existsSync(join(dir, 'smoking')), doomed.said);
    await doomed.end('SIGKILL');
    write(dir, { 'smoke.ts': smoke });
    const grace = startGrace(dir, ['up', '--json']);
    await grace.event('boot_ended', (e) => e.outcome === 'success');
    expect(runsOf(dir, 'smoke.ts')).toEqual([]);
    expect((await grace.end('SIGTERM')).code).toBe(0);
    expect(processesIn(dir)).toEqual([]);
  });
});

interface Moment {
  readonly events: number;
  readonly thenMs: number;
}

function momentOf(random: Random): Moment {
  return { events: Math.floor(random.next() * EVENTS_MAX), thenMs: Math.floor(random.next() * THEN_MS_MAX) };
}

async function killedAt(moments: readonly Moment[]): Promise<void> {
  const { dir, port } = await newOrders();
  await node(dir, ['break.ts'], { PORT: String(port) });
  expect(runsOf(dir, 'api.ts'), 'the orphan').toHaveLength(1);
  const world = watchWorld(dir);
  const client = postOrders(dir, port);
  for (const { events, thenMs } of moments) {
    const doomed = startGrace(dir, ['up', '--json']);
    await until(
      `event ${events} or the end of the boot`,
      () => doomed.events().length >= events || hasBooted(doomed.events()),
      doomed.said,
    );
    await sleep(thenMs); // the random moment
    const { signal } = await doomed.end('SIGKILL');
    expect(signal, doomed.said()).toBe('SIGKILL');
  }

  const grace = startGrace(dir, ['up', '--json']);
  const boot = await grace.event('boot_ended');
  expect(boot.outcome, grace.said()).toBe('success');
  expect((await fetch(`http://127.0.0.1:${port}/ready`)).status).toBe(200);
  await node(dir, ['--env-file=.env', 'smoke.ts']);
  for (const script of ['api.ts', 'worker.ts']) expect(runsOf(dir, script), script).toHaveLength(1);

  const acknowledgedBefore = client.acknowledged.size;
  await until('orders are taken again', () => client.acknowledged.size > acknowledgedBefore);
  await client.stop();
  const { code } = await grace.end('SIGTERM');
  expect(code, grace.said()).toBe(0);
  await until(
    'nothing is left running',
    () => processesIn(dir).length === 0,
    () => JSON.stringify(processesIn(dir)),
  );
  expect(await isFree(port)).toBe(true);

  const { instancesMax, tokens } = world.stop();
  expect(instancesMax, 'instances at any moment').toEqual({ 'api.ts': 1, 'worker.ts': 1 });
  expect(tokens, 'API tokens ever seen in .env').toEqual(new Set([tokenOf(dir)]));
  expectService(dir, client.acknowledged);
  expectMemory(dir);
}

function hasBooted(events: readonly { readonly type: string }[]): boolean {
  return events.some((e) => e.type === 'boot_ended');
}

/** The service's own database: nothing acknowledged is lost, and each migration was applied once. */
function expectService(dir: string, acknowledged: ReadonlyMap<number, string>): void {
  using database = new DatabaseSync(join(dir, 'data', 'orders.db'), { readOnly: true });
  const rows = database.prepare('select id, customer from orders').all() as { id: number; customer: string }[];
  const stored = new Map(rows.map((r) => [r.id, r.customer]));
  const lost = [...acknowledged].filter(([id, customer]) => stored.get(id) !== customer);
  expect(lost, 'acknowledged orders that are gone').toEqual([]);
  expect(
    rows.filter((r) => r.customer.startsWith('customer-')),
    'orders from before',
  ).toHaveLength(25);
  const migrations = database.prepare('select name from schema_migrations order by name').all() as { name: string }[];
  expect(migrations.map((m) => m.name.slice(0, 4))).toEqual(['0001', '0002', '0003']);
  expect(database.prepare('pragma integrity_check').all()).toEqual([{ integrity_check: 'ok' }]);
}

/** Grace's own store: nothing in it still says that it is going on. */
function expectMemory(dir: string): void {
  using store = new DatabaseSync(join(dir, '.grace', 'grace.db'), { readOnly: true });
  const all = (query: string): readonly unknown[] => store.prepare(query).all();
  expect(all("select playbook, state from playbook_runs where state = 'running'")).toEqual([]);
  expect(all("select step, primitive, state from playbook_steps where state = 'planned'")).toEqual([]);
  expect(all("select id, outcome from boots where outcome = 'running'")).toEqual([]);
  expect(all("select id, outcome from boots where outcome not in ('success', 'interrupted')")).toEqual([]);
  // A boot that never said how it ended was cut off.
  expect(all("select id from boots where outcome = 'interrupted' and json_extract(report, '$.outcome') <> 'interrupted'")).toEqual([]);
  expect(all('pragma integrity_check')).toEqual([{ integrity_check: 'ok' }]);
}

/** Looks all the time: how many instances live at once, and which tokens `.env` has held. */
function watchWorld(dir: string): { stop(): { readonly instancesMax: Record<string, number>; readonly tokens: ReadonlySet<string> } } {
  const instancesMax: Record<string, number> = { 'api.ts': 0, 'worker.ts': 0 };
  const tokens = new Set<string>();
  const timer = setInterval(() => {
    for (const script of Object.keys(instancesMax)) instancesMax[script] = Math.max(instancesMax[script] ?? 0, runsOf(dir, script).length);
    const token = tokenOf(dir);
    if (token !== '') tokens.add(token);
  }, 5);
  return {
    stop() {
      clearInterval(timer);
      return { instancesMax, tokens };
    },
  };
}

function tokenOf(dir: string): string {
  try {
    return parseEnv(readFileSync(join(dir, '.env'), 'utf8'))['API_TOKEN'] ?? '';
  } catch {
    return ''; // not there yet
  }
}

/** A client that posts orders whenever the API takes them, and remembers those it was promised. */
function postOrders(dir: string, port: number): { readonly acknowledged: ReadonlyMap<number, string>; stop(): Promise<void> } {
  const acknowledged = new Map<number, string>();
  const stopping = new AbortController();
  const loop = async (): Promise<void> => {
    for (let n = 0; !stopping.signal.aborted; n++) {
      const customer = `client-${n}`;
      try {
        const response = await fetch(`http://127.0.0.1:${port}/orders`, {
          method: 'POST',
          headers: { authorization: `Bearer ${tokenOf(dir)}`, 'content-type': 'application/json' },
          body: JSON.stringify({ customer, item: 'lantern', quantity: 1 }),
          signal: AbortSignal.timeout(10_000),
        });
        const body = (await response.json()) as { id?: number };
        if (response.status === 201 && body.id !== undefined) acknowledged.set(body.id, customer);
      } catch {
        // nobody answers now: not acknowledged
      }
      await sleep(40);
    }
  };
  const looping = loop();
  return {
    acknowledged,
    async stop() {
      stopping.abort();
      await looping;
    },
  };
}

function node(dir: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [...args], { cwd: dir, env: callerEnvironment(env) }, (error, stdout, stderr) => {
      if (error) reject(new Error(`node ${args.join(' ')} failed: ${stdout}${stderr}`));
      else resolve(stdout);
    });
  });
}
