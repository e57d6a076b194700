import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { runGrace, startGrace, type Ended, type Running } from './grace.ts';
import { look, processesIn, runsOf, send } from './processes.ts';
import { freePort, isFree, newOrders, newProject, sick, write } from './project.ts';
import { until } from './waiting.ts';

/** The exit code when it was told to stop before the service was up. */
const CUT_OFF = 130;

type Settings = Readonly<Record<string, unknown>>;

/** Looks often, so that no test waits for the patience that is right for a service. */
const LIVELY = { every: '200ms', timeout: '500ms', failures: 3 };

/** A project with one component that runs a sick service on a port of its own. */
/** @param whenOver   of a test that runs beside others, its own */
async function projectOf(
  service: string,
  component: Settings = {},
  rest: Settings = {},
  whenOver: typeof onTestFinished = onTestFinished,
): Promise<{ dir: string; port: number }> {
  const dir = newProject({}, whenOver);
  const port = await freePort();
  write(dir, { 'grace.config.json': configOf(service, port, component, rest) });
  return { dir, port };
}

function configOf(service: string, port: number, component: Settings = {}, rest: Settings = {}): Settings {
  return {
    name: service,
    components: {
      web: {
        command: sick(service),
        port,
        env: { PORT: String(port) },
        readiness: { http: '/ready' },
        liveness: { http: '/', ...LIVELY },
        soak: '200ms',
        restart: { backoff: '50ms' },
        stop: { grace: '1s' },
        ...component,
      },
    },
    ...rest,
  };
}

async function up(dir: string, ...args: readonly string[]): Promise<Running> {
  const grace = startGrace(dir, ['up', '--json', ...args]);
  await grace.event('boot_ended', (e) => e.outcome === 'success');
  return grace;
}

async function answers(port: number): Promise<string | null> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(2000) });
    return response.ok ? await response.text() : null;
  } catch {
    return null;
  }
}

/** Stopped in order: the exit code says so, and nothing of the service is left. */
async function expectCleanStop(dir: string, grace: Running, signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
  const hasBooted = grace.events().some((e) => e.type === 'boot_ended');
  const ended = await grace.end(signal);
  expect(ended.code, grace.said()).toBe(hasBooted ? 0 : CUT_OFF);
  expect(processesIn(dir)).toEqual([]);
  expect(existsSync(join(dir, '.grace', 'grace.lock'))).toBe(false);
  return ended;
}

describe('a service that runs', () => {
  test('is started again when it dies, and the crash is explained', async () => {
    const { dir, port } = await projectOf('well');
    const grace = await up(dir);
    const first = await answers(port);
    const [service] = runsOf(dir, 'well.mjs');
    send(service?.pid ?? 0, 'SIGKILL');
    const second = await until('it answers again', async () => {
      const text = await answers(port);
      return text !== null && text !== first && text;
    });
    expect(second).toMatch(/^ok \d+$/);
    expect(runsOf(dir, 'well.mjs')).toHaveLength(1);
    const failed = await grace.event('component_failed');
    expect(failed.message).toContain('SIGKILL');
    await until('it is explained', async () => (await runGrace(dir, ['explain'])).stdout.includes('SIGKILL'));
    await expectCleanStop(dir, grace);
  });

  test('is started again when it stops answering', async () => {
    const { dir, port } = await projectOf('stops-answering');
    const grace = await up(dir);
    const first = await answers(port);
    write(dir, { hang: '' });
    await until(
      'it answers again, as another process',
      async () => {
        const text = await answers(port);
        return text !== null && text !== first;
      },
      grace.said,
    );
    expect(existsSync(join(dir, 'hang')), 'it did hang').toBe(false);
    expect(runsOf(dir, 'stops-answering.mjs')).toHaveLength(1);
    await expectCleanStop(dir, grace);
  });

  test('goes on after SIGSTOP, as the same process or a new one', async () => {
    const { dir, port } = await projectOf('well');
    const grace = await up(dir);
    const [service] = runsOf(dir, 'well.mjs');
    send(service?.pid ?? 0, 'SIGSTOP');
    await until('it is stopped', () => look(service?.pid ?? 0)?.state === 'T');
    const failed = await grace.event('component_failed');
    expect(failed.message).toContain('stopped');
    await until('it answers again', () => answers(port), grace.said);
    await until('one instance, and it is not stopped', () => {
      const runs = runsOf(dir, 'well.mjs');
      return runs.length === 1 && runs[0]?.state !== 'T';
    });
    await expectCleanStop(dir, grace);
  });

  test('is killed on stop when it ignores the signal', async () => {
    const { dir, port } = await projectOf('ignores-sigterm');
    const grace = await up(dir);
    await expectCleanStop(dir, grace);
    expect(grace.events().find((e) => e.type === 'component_stopped')).toMatchObject({ component: 'web', killed: true });
    expect(readFileSync(join(dir, '.grace', 'logs', 'web.log'), 'utf8'), 'it was asked first').toContain('SIGTERM: not now');
    expect(await isFree(port)).toBe(true);
  });

  test('takes descendants in sessions of their own with it when it is stopped', async () => {
    const { dir } = await projectOf('forks-grandchildren');
    const grace = await up(dir);
    await until('three generations', () => runsOf(dir, 'forks-grandchildren.mjs').length === 3);
    await expectCleanStop(dir, grace);
  });

  test('leaves no descendants beside the new instance when it crashes', async () => {
    const { dir, port } = await projectOf('forks-grandchildren');
    const grace = await up(dir);
    const family = await until('three generations', () => {
      const runs = runsOf(dir, 'forks-grandchildren.mjs');
      return runs.length === 3 && runs;
    });
    const elder = family.find((p) => p.parentPid === grace.pid);
    send(elder?.pid ?? 0, 'SIGKILL');
    await until('a new family, and nobody of the old one', () => {
      const runs = runsOf(dir, 'forks-grandchildren.mjs');
      return runs.length === 3 && runs.every((p) => family.every((old) => old.pid !== p.pid));
    });
    await until('it answers', () => answers(port));
    await expectCleanStop(dir, grace);
  });

  test('is started again although the store cannot be written, and is still watched afterwards', async () => {
    const { dir, port } = await projectOf('well');
    const grace = await up(dir);
    const store = lockStore(dir);
    for (const isLocked of [true, false]) {
      const before = await answers(port);
      send(runsOf(dir, 'well.mjs')[0]?.pid ?? 0, 'SIGKILL');
      await until('it answers again', async () => ![null, before].includes(await answers(port)), grace.said);
      if (!isLocked) continue;
      await grace.event('notice', (e) => e.level === 'error'); // it noticed
      store.exec('rollback');
    }
    expect(runsOf(dir, 'well.mjs')).toHaveLength(1);
    await expectCleanStop(dir, grace);
  });

  test('is adopted, not doubled, by the next Grace after kill -9 of the first', async () => {
    const { dir, port } = await projectOf('well');
    const first = await up(dir);
    const text = await answers(port);
    await first.end('SIGKILL');
    expect(await answers(port), 'it outlives its Grace').toBe(text);
    const second = await up(dir);
    expect(await answers(port)).toBe(text);
    const [service] = runsOf(dir, 'well.mjs');
    send(service?.pid ?? 0, 'SIGKILL'); // the death of one that is no child is noticed too
    await until('a new one answers', async () => {
      const now = await answers(port);
      return now !== null && now !== text;
    });
    await expectCleanStop(dir, second);
  });
});

describe('a service that cannot start', () => {
  test('is started a few times at most, and the boot fails naming its own words', async () => {
    const dir = newProject();
    write(dir, {
      'grace.config.json': { components: { web: { command: sick('crashes-at-once', 'starts.txt'), restart: { backoff: '50ms' } } } },
    });
    const ended = await runGrace(dir, ['up', '--no-hold']);
    expect(ended.code, ended.stdout).toBe(1);
    expect(ended.stdout).toContain('the flux capacitor has no flux');
    expect(starts(dir)).toBeGreaterThanOrEqual(1);
    expect(starts(dir)).toBeLessThanOrEqual(5);
    expect(processesIn(dir)).toEqual([]);
  });

  test('is held with --hold, and started again once its file changes', async () => {
    const dir = newProject();
    const port = await freePort();
    write(dir, {
      'server.mjs': readFileSync(sick('crashes-at-once')[1] ?? '', 'utf8'),
      'grace.config.json': configOf('well', port, { command: [process.execPath, 'server.mjs'] }),
    });
    const grace = startGrace(dir, ['up', '--json', '--hold']);
    const held = await grace.event('held');
    expect(held.cause).toContain('the flux capacitor has no flux');
    expect(starts(dir)).toBeLessThanOrEqual(5);
    write(dir, { 'server.mjs': readFileSync(sick('well')[1] ?? '', 'utf8') });
    await grace.event('boot_ended', (e) => e.outcome === 'success');
    expect(await answers(port)).toMatch(/^ok/);
    await expectCleanStop(dir, grace);
  });

  test('fails the boot when it never gets ready, and nothing is left', async () => {
    const { dir } = await projectOf('never-ready', { startupTimeout: '2s' });
    const ended = await runGrace(dir, ['up', '--no-hold']);
    expect(ended.code, ended.stdout).toBe(1);
    expect(ended.stdout).toContain('not ready');
    expect(ended.stdout).toContain('503');
    expect(processesIn(dir)).toEqual([]);
  });
});

describe('a port that somebody else holds', () => {
  for (const service of ['well', 'exits-zero-on-taken-port']) {
    test(`is never taken from them by ${service}: the boot is refused with who it is`, async () => {
      const { dir, port } = await projectOf(service);
      const foreign = await startForeigner(port);
      const ended = await runGrace(dir, ['up', '--no-hold']);
      expect(ended.code, ended.stdout).toBe(1);
      expect(ended.stdout).toContain(String(port));
      expect(ended.stdout).toContain(String(foreign));
      expect(look(foreign), 'the foreign process lives').not.toBeNull();
      expect(processesIn(dir)).toEqual([]);
    });
  }

  test('is waited for without --no-hold, and taken once it is free', async () => {
    const { dir, port } = await projectOf('well');
    const foreign = await startForeigner(port);
    const grace = startGrace(dir, ['up', '--json']);
    const held = await grace.event('held');
    expect(held.waitingFor).toContain(`port ${port}`);
    expect(look(foreign), 'the foreign process lives').not.toBeNull();
    send(foreign, 'SIGKILL');
    await grace.event('boot_ended', (e) => e.outcome === 'success');
    expect(await answers(port)).toMatch(/^ok \d+$/);
    await expectCleanStop(dir, grace);
  });

  test('is not mistaken for ready when it is not declared and the service leaves with exit code 0', async () => {
    const { dir, port } = await projectOf('exits-zero-on-taken-port');
    const foreign = await startForeigner(port);
    write(dir, {
      'grace.config.json': configOf('exits-zero-on-taken-port', port, {
        port: undefined,
        readiness: { http: `http://127.0.0.1:${port}/` },
        liveness: false,
      }),
    });
    const ended = await runGrace(dir, ['boot', '--json']);
    expect(ended.code, ended.stdout).toBe(1);
    expect(look(foreign), 'the foreign process lives').not.toBeNull();
  });
});

describe('Ctrl-C', () => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    test(`while the service runs (${signal}) stops it in order`, async () => {
      const { dir } = await projectOf('well');
      await expectCleanStop(dir, await up(dir), signal);
    });

  test('while a component starts stops it and leaves nothing', async () => {
    const { dir } = await projectOf('slow-start');
    const grace = startGrace(dir, ['up', '--json']);
    await until('it is starting', () => runsOf(dir, 'slow-start.mjs').length === 1, grace.said);
    await expectCleanStop(dir, grace, 'SIGINT');
  });

  test('while a fix runs leaves neither a half of it nor a process', async () => {
    const { dir, port } = await newOrders();
    const grace = startGrace(dir, ['up', '--json'], { PORT: String(port) });
    await grace.event('step', (e) => e.state === 'start');
    await expectCleanStop(dir, grace, 'SIGINT');
    const again = startGrace(dir, ['up', '--json'], { PORT: String(port) });
    await again.event('boot_ended', (e) => e.outcome === 'success');
    await expectCleanStop(dir, again);
  });

  test('while a migration runs that does not end: it is ended too', async () => {
    const { dir } = await newOrders();
    write(dir, { 'migrate.ts': `console.log('migrating'); setInterval(() => undefined, 1000);` });
    const grace = startGrace(dir, ['up', '--json']);
    await until('the migration runs', () => runsOf(dir, 'migrate.ts').length === 1, grace.said);
    await expectCleanStop(dir, grace, 'SIGINT');
    expect(grace.events().some((e) => e.type === 'playbook_chosen' && e.playbook.includes('migration'))).toBe(true);
  });

  test('while a dependency is waited for', async () => {
    const nobody = await freePort();
    const { dir } = await projectOf('well', { dependsOn: ['db'] }, { dependencies: { db: { port: nobody } } });
    const grace = startGrace(dir, ['up', '--json']);
    await grace.event('held', (e) => e.component === 'db');
    expect(runsOf(dir, 'well.mjs')).toEqual([]);
    await expectCleanStop(dir, grace, 'SIGINT');
  });

  test('while a failed component is held', async () => {
    const dir = newProject();
    write(dir, { 'grace.config.json': { components: { web: { command: sick('crashes-at-once') } } } });
    const grace = startGrace(dir, ['up', '--json', '--hold']);
    await grace.event('held');
    await expectCleanStop(dir, grace, 'SIGINT');
  });

  test('twice leaves at once with 130, and the next Grace ends what is left', async () => {
    const { dir } = await projectOf('ignores-sigterm', { stop: { grace: '60s' } });
    const grace = await up(dir);
    send(grace.pid, 'SIGINT');
    const log = join(dir, '.grace', 'logs', 'web.log');
    await until('it is being stopped', () => readFileSync(log, 'utf8').includes('not now'));
    const { code } = await grace.end('SIGINT');
    expect(code).toBe(130);
    write(dir, { 'grace.config.json': configOf('well', await freePort()) });
    const next = await up(dir);
    expect(runsOf(dir, 'ignores-sigterm.mjs')).toEqual([]);
    await expectCleanStop(dir, next);
  });
});

// Most of both is waiting for a lock that does not come.
describe.concurrent('a store that cannot be written', () => {
  test('keeps no component from being stopped in order', async (its) => {
    const { dir } = await projectOf('well', {}, await twoComponents(), its.onTestFinished);
    const grace = await up(dir);
    expect(runsOf(dir, 'well.mjs')).toHaveLength(2);
    lockStore(dir, its.onTestFinished);
    await grace.end('SIGTERM');
    expect(processesIn(dir)).toEqual([]);
  });

  test('in the middle of a boot ends Grace, and with it what it has started', async (its) => {
    const { dir } = await projectOf('slow-start', {}, {}, its.onTestFinished);
    const grace = startGrace(dir, ['up', '--json']);
    await until(
      'it is starting',
      () => runsOf(dir, 'slow-start.mjs').length === 1 && grace.events().some((e) => e.type === 'component_starting'),
    );
    lockStore(dir, its.onTestFinished);
    write(dir, { go: '' });
    const ended = await grace.ended;
    expect(ended.code, ended.stdout).toBe(1);
    expect(ended.stderr).toContain('database is locked');
    expect(processesIn(dir)).toEqual([]);
  });
});

describe('grace boot', () => {
  test('ends with 0 when the service came up, and stops it again', async () => {
    const { dir } = await projectOf('well');
    const ended = await runGrace(dir, ['boot']);
    expect(ended.code, ended.stdout).toBe(0);
    expect(processesIn(dir)).toEqual([]);
  });

  test('ends with 1 when it did not', async () => {
    const dir = newProject();
    write(dir, { 'grace.config.json': { components: { web: { command: sick('crashes-at-once') } } } });
    const ended = await runGrace(dir, ['boot']);
    expect(ended.code, ended.stdout).toBe(1);
  });

  test('ends with 1 when a smoke check fails, though all are ready', async () => {
    const { dir } = await projectOf('well', {}, { smoke: [{ name: 'sums', command: [process.execPath, '-e', 'process.exit(3)'] }] });
    const ended = await runGrace(dir, ['boot']);
    expect(ended.code, ended.stdout).toBe(1);
    expect(ended.stdout).toContain('sums');
    expect(processesIn(dir)).toEqual([]);
  });

  test('ends with 1 when a dependency does not answer, without waiting for ever', async () => {
    const nobody = await freePort();
    const { dir } = await projectOf('well', { dependsOn: ['db'] }, { dependencies: { db: { port: nobody } } });
    const ended = await runGrace(dir, ['boot']);
    expect(ended.code, ended.stdout).toBe(1);
    expect(ended.stdout).toContain(`db does not answer`);
  });
});

/** Keeps every other writer out of Grace's store until its transaction ends, or the test. */
function lockStore(dir: string, whenOver: typeof onTestFinished = onTestFinished): DatabaseSync {
  const store = new DatabaseSync(join(dir, '.grace', 'grace.db'));
  whenOver(() => store.close());
  store.exec('pragma busy_timeout = 60000; begin immediate');
  return store;
}

async function twoComponents(): Promise<Settings> {
  const [first, second] = [await freePort(), await freePort()];
  const on = (port: number, more: Settings): Settings => ({ command: sick('well'), port, env: { PORT: String(port) }, ...more });
  return { components: { first: on(first, {}), second: on(second, { dependsOn: ['first'] }) } };
}

function starts(dir: string): number {
  return readFileSync(join(dir, 'starts.txt'), 'utf8').trim().split('\n').length;
}

/** A process that is none of Grace's business and holds a port. @returns its pid */
async function startForeigner(port: number): Promise<number> {
  const [file = '', ...args] = sick('well');
  const child = spawn(file, args, { cwd: newProject(), env: { PORT: String(port) }, stdio: 'ignore' });
  const { pid } = child;
  if (pid === undefined) throw new Error('it could not be started');
  onTestFinished(() => void child.kill('SIGKILL'));
  await until('the foreigner listens', () => answers(port));
  return pid;
}
