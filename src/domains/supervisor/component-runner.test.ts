import { describe, expect, onTestFinished, test } from 'vitest';
import type { ComponentSpec } from './component.ts';
import { ComponentRunner, type Problem } from './component-runner.ts';
import { component, FakeHost, FakeProber, httpProbe, SimulatedClock } from './testing.ts';

const LAUNCH = { argv: ['node', 'server.js'], env: {}, openFiles: null, heapMb: null };

function world(change: Partial<ComponentSpec> = {}) {
  const clock = new SimulatedClock();
  const host = new FakeHost();
  const prober = new FakeProber(clock);
  const runner = new ComponentRunner(component(change), { clock, host, prober });
  const start = (options: { earlyLook?: () => Promise<boolean>; heapMb?: number; signal?: AbortSignal } = {}) =>
    clock.until(
      runner.start(
        { ...LAUNCH, heapMb: options.heapMb ?? null },
        options.signal ?? new AbortController().signal,
        async () => undefined,
        options.earlyLook ?? (async () => false),
      ),
    );
  /** Starts it, watches it, and collects what is reported. */
  const watch = async (options: { heapMb?: number } = {}) => {
    await start(options);
    const problems: Problem[] = [];
    runner.watch((problem) => problems.push(problem));
    onTestFinished(() => runner.stopWatching());
    return problems;
  };
  return { clock, host, prober, runner, start, watch };
}

describe('a start', () => {
  test('is ready when the readiness probe passes, and not before', async () => {
    const { clock, prober, start } = world({ readiness: httpProbe() });
    prober.answer = () => (clock.monotonicMs() < 700 ? 'connection refused' : 5);
    const outcome = await start();
    expect(outcome).toMatchObject({ state: 'ready', wasAdopted: false, port: 3000 });
    expect(outcome.state === 'ready' && outcome.tookMs).toBeGreaterThanOrEqual(700);
    expect(outcome.state === 'ready' && outcome.tookMs).toBeLessThan(1000);
  });

  test('looks at once and often: a quick component is ready within a few milliseconds', async () => {
    const { start } = world({ readiness: httpProbe() });
    expect(await start()).toMatchObject({ state: 'ready', tookMs: 13 });
  });

  test('prefers the startup probe to the readiness probe', async () => {
    const startup = httpProbe({ target: { kind: 'command', argv: ['check'] } });
    const { prober, start } = world({ startup, readiness: httpProbe() });
    await start();
    expect(prober.asked).toEqual([startup.target]);
  });

  test('finds the port of a component that declares none, and waits until it accepts', async () => {
    const { clock, host, prober, start } = world();
    clock.at(300, () => (host.ports = [4000]));
    prober.answer = (target) => (target.kind === 'tcp' && target.port === 4000 && clock.monotonicMs() > 600 ? 1 : 'connection refused');
    expect(await start()).toMatchObject({ state: 'ready', port: 4000 });
  });

  test('takes a process that listens nowhere for started when it has lived a second', async () => {
    const { start } = world();
    const outcome = await start();
    expect(outcome.state === 'ready' && outcome.tookMs).toBeGreaterThanOrEqual(1000);
  });

  test('ends what is left of an earlier run first', async () => {
    const { host, start } = world({ readiness: httpProbe() });
    await host.launch({ component: 'api', argv: [], cwd: '/', env: {}, logFile: '', openFiles: null });
    await start();
    expect(host.ended).toEqual(['api 1000']);
  });

  test('fails when the process ends before it is ready, and says how', async () => {
    const { clock, host, prober, start } = world({ readiness: httpProbe() });
    prober.answer = () => 'connection refused';
    host.born = (process) => clock.at(500, () => process.exit({ exitCode: 3 }));
    expect(await start()).toMatchObject({
      state: 'failed',
      problem: {
        symptom: 'exit',
        message: 'it ended with exit code 3 after 500 ms, before it was ready',
        exit: { exitCode: 3, signal: null },
        afterMs: 500,
        probeDetail: 'http://127.0.0.1:3000/health: connection refused',
      },
    });
  });

  test('names the signal that ended it', async () => {
    const { host, start } = world({ readiness: httpProbe() });
    host.born = (process) => process.exit({ signal: 'SIGKILL' });
    expect(await start()).toMatchObject({
      problem: { exit: { exitCode: null, signal: 'SIGKILL' }, message: expect.stringContaining('SIGKILL') },
    });
  });

  test.each([
    ['a service that should stay', { restart: { ...component().restart, policy: 'always' as const } }],
    ['a service that has a probe', { restart: { ...component().restart, policy: 'never' as const }, readiness: httpProbe() }],
  ])('exit code 0 before it was ready is a failure of %s', async (_what, change) => {
    const { host, start } = world(change);
    host.born = (process) => process.exit({ exitCode: 0 });
    expect(await start()).toMatchObject({ state: 'failed', problem: { symptom: 'exit', exit: { exitCode: 0 } } });
  });

  test('exit code 0 is what a job that runs once is for', async () => {
    const { host, start } = world({ restart: { ...component().restart, policy: 'never' } });
    host.born = (process) => process.exit({ exitCode: 0 });
    expect(await start()).toEqual({ state: 'completed' });
  });

  test('exit code 1 is a failure of a job, too', async () => {
    const { host, start } = world({ restart: { ...component().restart, policy: 'never' } });
    host.born = (process) => process.exit({ exitCode: 1 });
    expect(await start()).toMatchObject({ state: 'failed' });
  });

  test('fails when it lives and does not get ready within its time, with what the probe said last', async () => {
    const { clock, prober, start } = world({ readiness: httpProbe(), startupTimeoutMs: 3000 });
    prober.answer = () => 'HTTP 503';
    expect(await start()).toMatchObject({
      state: 'failed',
      problem: { symptom: 'not_ready', message: 'not ready within 3.0 s: http://127.0.0.1:3000/health: HTTP 503', exit: null },
    });
    expect(clock.monotonicMs()).toBeGreaterThan(3000);
    expect(clock.monotonicMs()).toBeLessThan(3500);
  });

  test('fails when another process answers on its port and goes on doing so', async () => {
    const { host, start } = world({ readiness: httpProbe() });
    host.owns = () => false;
    expect(await start()).toMatchObject({
      state: 'failed',
      problem: { symptom: 'wrong_process', message: expect.stringContaining('3000') },
    });
  });

  test('waits for another process that is just leaving its port', async () => {
    const { host, start } = world({ readiness: httpProbe() });
    let looks = 0;
    host.owns = () => ++looks > 2;
    expect(await start()).toMatchObject({ state: 'ready' });
  });

  test('a port whose owner cannot be told is not held against it', async () => {
    const { host, start } = world({ readiness: httpProbe() });
    host.owns = () => null;
    expect(await start()).toMatchObject({ state: 'ready' });
  });

  test('gives up early when the output already says why, and asks for that only now and then', async () => {
    const { prober, start } = world({ readiness: httpProbe() });
    prober.answer = () => 'connection refused';
    const asked: boolean[] = [];
    const outcome = await start({ earlyLook: async () => asked.push(true) === 2 });
    expect(outcome).toMatchObject({
      state: 'failed',
      problem: { symptom: 'not_ready', message: expect.stringMatching(/^not ready after 9\.\d s/) },
    });
    expect(asked).toHaveLength(2);
  });

  test('says why a command could not be started', async () => {
    const { host, runner, start } = world();
    host.refusal = { code: 'ENOENT', message: 'command "nope" was not found on the PATH' };
    expect(await start()).toMatchObject({ state: 'failed', problem: { symptom: 'spawn', spawnCode: 'ENOENT', afterMs: null } });
    expect(runner.isRunning()).toBe(false);
  });

  test('ends its waiting when it is told to stop', async () => {
    const { clock, prober, start } = world({ readiness: httpProbe() });
    const stop = new AbortController();
    prober.answer = () => 'connection refused';
    clock.at(400, () => stop.abort(new Error('stopped by a person')));
    await expect(start({ signal: stop.signal })).rejects.toThrow('stopped by a person');
  });

  test('remembers the user it runs as, which a wrapper may have changed', async () => {
    const { host, runner, start } = world({ readiness: httpProbe() });
    host.born = (process) => (process.vitals = { ...process.vitals, uid: 33, gid: 34 });
    await start();
    expect(runner.runsAs).toEqual({ uid: 33, gid: 34 });
  });
});

describe('an adopted process', () => {
  test('is asked, not started again', async () => {
    const { host, runner, start } = world({ readiness: httpProbe() });
    await host.launch({ component: 'api', argv: [], cwd: '/', env: {}, logFile: '', openFiles: null });
    const record = { component: 'api', identity: host.last.identity, specHash: 'x', launchedAtMs: 0, logOffset: 0, uid: null };
    expect(runner.adopt(record, LAUNCH)).toBe(true);
    expect(await start()).toMatchObject({ state: 'ready', wasAdopted: true });
    expect(host.processes).toHaveLength(1);
    expect(runner.starts).toBe(0);
  });

  test('that has died meanwhile is not adopted, and a start makes a new one', async () => {
    const { host, runner, start } = world({ readiness: httpProbe() });
    await host.launch({ component: 'api', argv: [], cwd: '/', env: {}, logFile: '', openFiles: null });
    const { identity } = host.last;
    host.last.exit();
    expect(runner.adopt({ component: 'api', identity, specHash: 'x', launchedAtMs: 0, logOffset: 0, uid: null }, LAUNCH)).toBe(false);
    expect(await start()).toMatchObject({ state: 'ready', wasAdopted: false });
  });
});

describe('watching', () => {
  const readiness = httpProbe();
  const liveness = httpProbe({ target: { kind: 'http', url: 'http://127.0.0.1:3000/live', expectStatus: null, caFile: null } });

  test('a healthy component is never a problem', async () => {
    const { clock, watch } = world({ readiness, liveness });
    const problems = await watch();
    await clock.pass(3_600_000);
    expect(problems).toEqual([]);
  });

  test('death is noticed by its event, without any probe in between', async () => {
    const { clock, host, watch } = world({ readiness, liveness: { ...liveness, intervalMs: 60_000 } });
    const problems = await watch();
    host.last.exit({ signal: 'SIGSEGV' });
    await clock.pass(0);
    expect(problems).toMatchObject([{ symptom: 'exit', message: 'it was ended by SIGSEGV while it was running' }]);
  });

  test('is reported at the threshold of failed probes, not one before it', async () => {
    const { clock, prober, watch } = world({ readiness, liveness });
    const problems = await watch();
    await clock.pass(30_000);
    let failures = 0;
    prober.answer = () => (++failures > 2 ? 5 : 'HTTP 500');
    await clock.pass(30_000);
    expect(problems).toEqual([]);
    prober.answer = () => 'HTTP 500';
    await clock.pass(4000);
    expect(problems).toMatchObject([
      { symptom: 'liveness', probeDetail: 'HTTP 500', message: 'http://127.0.0.1:3000/live failed 3 times: HTTP 500' },
    ]);
  });

  test('one problem is reported once, whatever else goes wrong after it', async () => {
    const { clock, host, prober, watch } = world({ readiness, liveness });
    const problems = await watch();
    prober.answer = () => 'HTTP 500';
    await clock.pass(60_000);
    host.last.exit();
    await clock.pass(60_000);
    expect(problems).toHaveLength(1);
  });

  test('a machine that is short of CPU is not a hung component', async () => {
    const { clock, host, prober, watch } = world({ readiness, liveness });
    const problems = await watch();
    await clock.pass(10_000);
    prober.answer = () => {
      const { vitals } = host.last;
      host.last.vitals = { ...vitals, waitedMs: vitals.waitedMs + 900, ranMs: vitals.ranMs + 10 };
      return 'no answer within 500 ms';
    };
    await clock.pass(10_000);
    expect(problems).toEqual([]);
    prober.answer = () => 'no answer within 500 ms';
    await clock.pass(6000);
    expect(problems).toMatchObject([{ symptom: 'liveness' }]);
  });

  test('starvation is no excuse for ever', async () => {
    const { clock, host, prober, watch } = world({ readiness, liveness });
    const problems = await watch();
    await clock.pass(10_000);
    prober.answer = () => {
      const { vitals } = host.last;
      host.last.vitals = { ...vitals, waitedMs: vitals.waitedMs + 900 };
      return 'no answer within 500 ms';
    };
    await clock.pass(60_000);
    expect(problems).toMatchObject([{ symptom: 'liveness' }]);
  });

  test('a process that somebody stopped is found in its state, long before a probe would run out', async () => {
    const { clock, host, watch } = world({ readiness, liveness });
    const problems = await watch();
    await clock.pass(10_000);
    host.last.vitals = { ...host.last.vitals, state: 'T' };
    await clock.pass(2500);
    expect(problems).toMatchObject([{ symptom: 'liveness', probeDetail: 'stopped', vitals: { state: 'T' } }]);
  });

  test('a process that was stopped for a moment is let be', async () => {
    const { clock, host, watch } = world({ readiness, liveness });
    const problems = await watch();
    await clock.pass(10_000);
    for (let i = 0; i < 10; i++) {
      host.last.vitals = { ...host.last.vitals, state: 'T' };
      await clock.pass(600);
      host.last.vitals = { ...host.last.vitals, state: 'S' };
      await clock.pass(3000);
    }
    expect(problems).toEqual([]);
  });

  test('answers that become far slower than they were are a problem', async () => {
    const { clock, prober, watch } = world({ readiness, liveness: { ...liveness, timeoutMs: 5000 } });
    const problems = await watch();
    await clock.pass(20_000);
    prober.answer = () => 400;
    await clock.pass(20_000);
    expect(problems).toMatchObject([{ symptom: 'latency', message: 'answers take 400 ms, usually 5 ms' }]);
  });

  test('a component that was always slow is left alone', async () => {
    const { clock, prober, watch } = world({ readiness, liveness: { ...liveness, timeoutMs: 5000 } });
    prober.answer = () => 400;
    const problems = await watch();
    await clock.pass(60_000);
    expect(problems).toEqual([]);
  });

  test('memory that grows close to the heap limit is a problem before the process crawls', async () => {
    const { clock, host, prober, watch } = world({ readiness, liveness });
    const problems = await watch({ heapMb: 200 });
    prober.answer = () => {
      host.last.vitals = { ...host.last.vitals, rssBytes: host.last.vitals.rssBytes * 1.1 };
      return 5;
    };
    await clock.pass(60_000);
    expect(problems).toMatchObject([{ symptom: 'memory', message: expect.stringContaining('heap limit of 200 MB') }]);
  });

  test('much memory that does not grow is no problem, and neither is growth without a limit', async () => {
    const large = world({ readiness, liveness });
    large.host.born = (process) => (process.vitals = { ...process.vitals, rssBytes: 400 * 1_048_576 });
    const unlimited = world({ readiness, liveness });
    unlimited.prober.answer = () => {
      unlimited.host.last.vitals = { ...unlimited.host.last.vitals, rssBytes: unlimited.host.last.vitals.rssBytes * 1.05 };
      return 5;
    };
    const problems = [await large.watch({ heapMb: 200 }), await unlimited.watch()];
    await large.clock.pass(60_000);
    await unlimited.clock.pass(60_000);
    expect(problems).toEqual([[], []]);
  });

  test('a component without a liveness probe is asked on the port it was seen on', async () => {
    const { clock, prober, watch } = world({ readiness });
    const problems = await watch();
    prober.asked.length = 0;
    await clock.pass(20_000);
    expect(prober.asked[0]).toMatchObject({ kind: 'http', url: 'http://127.0.0.1:3000/' });
    prober.answer = () => 'connection refused';
    await clock.pass(10_000);
    expect(problems).toMatchObject([{ symptom: 'liveness' }]);
  });

  test('a stop is no problem', async () => {
    const { clock, host, runner, watch } = world({ readiness, liveness });
    const problems = await watch();
    await runner.stop();
    await clock.pass(60_000);
    expect(host.last.isAlive).toBe(false);
    expect(problems).toEqual([]);
    expect(runner.process).toBeNull();
  });
});
