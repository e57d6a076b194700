import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { LaunchRequest, ProcessHandle } from '../../domains/supervisor/index.ts';
import { nodeClock } from './clock.ts';
import { identityOf, readEnvironmentVariable, readStat } from './proc.ts';
import { processHost } from './process-host.ts';
import { endAfterTest, isGone, node, until } from './testing.ts';

let dir = '';
let installation = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'grace-host-'));
  installation = dir.slice(-6);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const log = (): string => join(dir, 'logs', 'api.log');
const said = (): string => readFileSync(log(), 'utf8');
const request = (argv: readonly string[], change: Partial<LaunchRequest> = {}): LaunchRequest => ({
  component: 'api',
  argv,
  cwd: dir,
  env: { PATH: process.env['PATH'] ?? '' },
  logFile: log(),
  openFiles: null,
  ...change,
});

function aHost() {
  const host = processHost(installation, nodeClock);
  onTestFinished(async () => void (await host.endAll('api', 'SIGKILL', 0)));
  const launch = async (argv: readonly string[], change: Partial<LaunchRequest> = {}): Promise<ProcessHandle> => {
    const result = await host.launch(request(argv, change));
    if (result.state === 'failed') throw new Error(result.message);
    return result.handle;
  };
  return { host, launch };
}

const IDLE = 'setInterval(() => {}, 1000);';

describe('a launch', () => {
  test('runs in its directory, with exactly the environment it was given and the mark of its Grace', async () => {
    const { launch } = aHost();
    const handle = await launch(node('console.log(process.cwd(), process.argv[1], Object.keys(process.env).sort().join())', 'ärg ument'), {
      env: { LANG: 'C' },
    });
    expect(await handle.exited).toEqual({ exitCode: 0, signal: null });
    expect(said()).toBe(`${dir} ärg ument GRACE_MARK,LANG\n`);
  });

  test('appends both streams to its log, and knows where this run begins', async () => {
    const { launch } = aHost();
    await (
      await launch(node('console.log("first")'))
    ).exited;
    const second = await launch(node('console.log("out"); console.error("err")'));
    await second.exited;
    expect(said().slice(0, second.logOffset)).toBe('first\n');
    expect(said().slice(second.logOffset)).toBe('out\nerr\n');
  });

  test('tells an exit code from a signal', async () => {
    const { launch } = aHost();
    expect(await (await launch(node('process.exit(7)'))).exited).toEqual({ exitCode: 7, signal: null });
    expect(await (await launch(node('process.kill(process.pid, "SIGKILL")'))).exited).toEqual({ exitCode: null, signal: 'SIGKILL' });
  });

  test('leads a group of its own: a Ctrl-C for Grace is none for the service', async () => {
    const { launch } = aHost();
    const { identity } = await launch(node(IDLE));
    expect(readStat(identity.pid)?.groupId).toBe(identity.pid);
  });

  test('keeps its argument strings out of any shell', async () => {
    const { launch } = aHost();
    await (
      await launch(node('console.log(process.argv[1])', '$(touch owned); `id` && echo'))
    ).exited;
    expect(said()).toBe('$(touch owned); `id` && echo\n');
  });

  test('has the limit of open files it was given, soft and hard', async () => {
    const { launch } = aHost();
    const handle = await launch(['cat', '/proc/self/limits'], { openFiles: 77 });
    expect(await handle.exited).toEqual({ exitCode: 0, signal: null });
    expect(said()).toMatch(/^Max open files\s+77\s+77\s/m);
  });

  test('a limit beyond what is allowed ends it before the service runs without it', async () => {
    const { launch } = aHost();
    const { exitCode } = await (await launch(node('console.log("ran")'), { openFiles: 2_000_000_000 })).exited;
    expect(exitCode).toBe(126);
    expect(said()).not.toContain('ran');
  });

  test.each([
    [
      'a command that is nowhere',
      () => request(['no-such-command-at-all']),
      { code: 'ENOENT', message: 'command "no-such-command-at-all" was not found on the PATH' },
    ],
    ['a path with nothing behind it', () => request(['./nothing']), { code: 'ENOENT', message: 'command "./nothing" was not found' }],
    [
      'a file that may not be executed',
      () => request([join(dir, 'plain')]),
      { code: 'EACCES', message: expect.stringContaining('may not be executed') },
    ],
    [
      'a directory that is gone',
      () => request(['true'], { cwd: join(dir, 'gone') }),
      { code: 'ENOENT', message: expect.stringContaining('does not exist') },
    ],
    [
      'a log that cannot be written',
      () => request(['true'], { logFile: join(dir, 'plain', 'x.log') }),
      { message: expect.stringContaining('cannot write its log') },
    ],
    ['an argument no system takes', () => request(['true', 'a\0b']), { message: expect.stringContaining('could not be started') }],
    ['no command at all', () => request([]), {}],
  ])('%s is a failure with a reason, not an exception', async (_what, asked, reason) => {
    writeFileSync(join(dir, 'plain'), 'text', { mode: 0o644 });
    expect(await aHost().host.launch(asked())).toMatchObject({ state: 'failed', ...reason });
  });
});

describe('an end', () => {
  test('is waited for: an orderly exit is no kill', async () => {
    const { host, launch } = aHost();
    const handle = await launch(node(`process.on('SIGTERM', () => process.exit(0)); console.log('up'); ${IDLE}`));
    await until(() => said().includes('up'));
    expect(await host.endAll('api', 'SIGTERM', 20_000)).toEqual({ killed: false, count: 1 });
    expect(await handle.exited).toEqual({ exitCode: 0, signal: null });
    expect(host.isAlive(handle.identity)).toBe(false);
  });

  test('comes by SIGKILL after its grace for whoever ignores SIGTERM', async () => {
    const { host, launch } = aHost();
    const handle = await launch(node(`process.on('SIGTERM', () => {}); console.log('up'); ${IDLE}`));
    await until(() => said().includes('up'));
    expect(await host.endAll('api', 'SIGTERM', 60)).toEqual({ killed: true, count: 1 });
    expect(await handle.exited).toEqual({ exitCode: null, signal: 'SIGKILL' });
  });

  test('takes children and grandchildren with it, also those that moved to a session of their own', async () => {
    const { host, launch } = aHost();
    await launch(['/bin/sh', '-c', 'sleep 1000 & echo child $!; setsid sh -c "sleep 1000 & echo grandchild \\$!; wait" & wait']);
    await until(() => /^child \d+$/m.test(said()) && /^grandchild \d+$/m.test(said()));
    const pids = [...said().matchAll(/^\w+ (\d+)$/gm)].map((m) => Number(m[1]));
    for (const pid of pids) endAfterTest(pid);
    expect(host.members('api').map((i) => i.pid)).toEqual(expect.arrayContaining(pids));
    const { count } = await host.endAll('api', 'SIGTERM', 20_000);
    expect(count).toBeGreaterThanOrEqual(4);
    expect(pids.map(isGone)).toEqual([true, true]);
  });

  test('takes an orphan whose parent is long gone', async () => {
    const { host, launch } = aHost();
    const handle = await launch(['/bin/sh', '-c', 'setsid sleep 1000 & echo $!']);
    await handle.exited;
    const orphan = Number(said());
    endAfterTest(orphan);
    expect(isGone(orphan)).toBe(false);
    expect(await host.endAll('api', 'SIGTERM', 20_000)).toMatchObject({ count: 1 });
    expect(isGone(orphan)).toBe(true);
  });

  test('reaches a process that somebody stopped', async () => {
    const { host, launch } = aHost();
    const { identity } = await launch(['sleep', '1000']);
    host.signal(identity, 'SIGSTOP');
    await until(() => readStat(identity.pid)?.state === 'T');
    expect(await host.endAll('api', 'SIGTERM', 20_000)).toEqual({ killed: false, count: 1 });
  });

  test('touches no other component and no other installation', async () => {
    const { host, launch } = aHost();
    const other = await launch(['sleep', '1000'], { component: 'api2' });
    endAfterTest(other.identity.pid);
    const elsewhere = await processHost('elsewhere', nodeClock).launch(request(['sleep', '1000']));
    if (elsewhere.state === 'started') endAfterTest(elsewhere.handle.identity.pid);
    expect(await host.endAll('api', 'SIGKILL', 0)).toEqual({ killed: false, count: 0 });
    expect([isGone(other.identity.pid), elsewhere.state === 'started' && isGone(elsewhere.handle.identity.pid)]).toEqual([false, false]);
  });

  test('of nothing is nothing', async () => {
    expect(await aHost().host.endAll('api', 'SIGTERM', 5000)).toEqual({ killed: false, count: 0 });
  });
});

describe('an identity', () => {
  test('is pid, start time and boot: a pid that was given away gets no signal', async () => {
    const { host, launch } = aHost();
    const { identity } = await launch(['sleep', '1000']);
    for (const stranger of [
      { ...identity, startTicks: identity.startTicks + 1 },
      { ...identity, machineBootId: 'another' },
    ]) {
      expect(host.isAlive(stranger)).toBe(false);
      expect(host.signal(stranger, 'SIGKILL')).toBe(false);
    }
    expect(host.isAlive(identity)).toBe(true);
    expect(host.vitals({ ...identity, startTicks: 1 })).toBeNull();
  });

  test('a zombie is not alive', async () => {
    const { host, launch } = aHost();
    await launch(['/bin/sh', '-c', 'sh -c "exit 3" & echo $!; exec sleep 1000']);
    const pid = Number(await until(() => /^\d+$/m.exec(said())?.[0]));
    await until(() => readStat(pid)?.state === 'Z');
    expect(identityOf(pid)).toBeNull();
    expect(host.members('api').map((i) => i.pid)).not.toContain(pid);
  });
});

describe('an adopted process', () => {
  test('is known by what an earlier Grace remembered, and its end is noticed without an exit code', async () => {
    const { launch } = aHost();
    const { identity } = await launch(['sleep', '1000']);
    const { host } = aHost();
    const record = { component: 'api', identity, specHash: '', launchedAtMs: 5, logOffset: 7, uid: null };
    const adopted = host.adopt(record);
    expect(adopted).toMatchObject({ identity, launchedAtMs: 5, logOffset: 7, wasAdopted: true });
    process.kill(identity.pid, 'SIGKILL');
    expect(await adopted?.exited).toEqual({ exitCode: null, signal: null });
    expect(host.adopt(record)).toBeNull();
  });

  test('whose pid was given away is not adopted', async () => {
    const { host, launch } = aHost();
    const { identity } = await launch(['sleep', '1000']);
    expect(
      host.adopt({ component: 'api', identity: { ...identity, startTicks: 1 }, specHash: '', launchedAtMs: 0, logOffset: 0, uid: null }),
    ).toBeNull();
  });
});

describe('looking', () => {
  test('the port of a component is found, also when a child listens on it', async () => {
    const { host, launch } = aHost();
    const LISTENER = `require('net').createServer().listen(0, '127.0.0.1', function () { console.log(this.address().port) })`;
    await launch(['/bin/sh', '-c', '"$0" -e "$1" & wait', process.execPath, LISTENER]);
    const port = Number(await until(() => /^\d+\n/.exec(said())?.[0]));
    expect(host.portsOf('api')).toEqual([port]);
    expect(host.ownsPort('api', port)).toBe(true);
    expect(host.ownsPort('web', port)).toBe(false);
    await host.endAll('api', 'SIGKILL', 0);
    expect(host.ownsPort('api', port)).toBeNull();
  });

  test('the vitals say how it is: state, memory, user, open files', async () => {
    const { host, launch } = aHost();
    const { identity } = await launch(node(`console.log('up'); ${IDLE}`));
    await until(() => said().includes('up'));
    const vitals = host.vitals(identity);
    expect(vitals).toMatchObject({ uid: process.getuid?.(), gid: process.getgid?.() });
    expect(vitals?.rssBytes).toBeGreaterThan(10 * 1_048_576);
    expect(vitals?.openFiles).toBeGreaterThan(3);
    host.signal(identity, 'SIGSTOP');
    await until(() => host.vitals(identity)?.state === 'T');
  });

  test('the mark is that of installation and component', async () => {
    const { launch } = aHost();
    const { identity } = await launch(['sleep', '1000']);
    await until(() => readEnvironmentVariable(identity.pid, 'GRACE_MARK') === `${installation}/api`);
  });
});
