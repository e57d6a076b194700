import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, statfsSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { askHttp } from '../adapters/node/ask-http.ts';
import { checkModules } from '../adapters/node/check-module.ts';
import { nodeClock } from '../adapters/node/clock.ts';
import { nodeFiles } from '../adapters/node/files.ts';
import { lintInThread } from '../adapters/node/lint-in-thread.ts';
import { machineView } from '../adapters/node/machine.ts';
import { nodeSpawner } from '../adapters/node/spawner.ts';
import { diskSpace } from '../catalog/checks/disk-space.ts';
import { leftOverLocks } from '../catalog/checks/left-over-locks.ts';
import { machineClock } from '../catalog/checks/machine-clock.ts';
import { heapOf, memory } from '../catalog/checks/memory.ts';
import { openFiles } from '../catalog/checks/open-files.ts';
import { serviceUser } from '../catalog/checks/service-user.ts';
import { taskLimit } from '../catalog/checks/task-limit.ts';
import { ask as askCheck, inShort, serviceFolder, type Ports } from '../catalog/checks/testing.ts';
import { watchLimit } from '../catalog/checks/watch-limit.ts';
import { writableDirs } from '../catalog/checks/writable-dirs.ts';
import type { Check, Finding } from '../domains/preflight/index.ts';

const MIB = 1024 * 1024;
const MACHINE = machineView(nodeSpawner);
const PORTS: Ports = {
  clock: nodeClock,
  files: nodeFiles,
  spawner: nodeSpawner,
  lint: lintInThread,
  runModule: checkModules(nodeSpawner),
  ask: askHttp,
  machine: MACHINE,
};
const isRoot = process.getuid?.() === 0;
type Change = Parameters<typeof askCheck>[3];
const ask = (check: Check, dir: string, change?: Change, ports: Partial<Ports> = {}): Promise<readonly Finding[]> =>
  askCheck(check, dir, { ...PORTS, ...ports }, { ...change, spec: { logFile: join(dir, 'logs/api.log'), roots: [dir], ...change?.spec } });
const short = async (...args: Parameters<typeof ask>): Promise<readonly string[]> => inShort(await ask(...args), args[1]);

/** A `/proc` and `/sys` that say what a test wants. */
function machineWith(files: Readonly<Record<string, string>>) {
  return { machine: machineView(nodeSpawner, serviceFolder(files)) };
}

/** A small file system of its own; null where nobody may mount one. */
function smallDisk(options: string): string | null {
  const dir = mkdtempSync(join(tmpdir(), 'grace-disk-'));
  const isMounted = isRoot && spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', dir]).status === 0;
  onTestFinished(() => {
    if (isMounted) execFileSync('umount', [dir]);
    rmSync(dir, { recursive: true, force: true });
  });
  return isMounted ? dir : null;
}

/** What the machine says to a process that a shell has prepared. */
function inProcess(preparation: string, question: string): unknown {
  const program = `
    const { machineView } = await import(${JSON.stringify(join(import.meta.dirname, '../adapters/node/machine.ts'))});
    const { nodeSpawner } = await import(${JSON.stringify(join(import.meta.dirname, '../adapters/node/spawner.ts'))});
    console.log(JSON.stringify(await machineView(nodeSpawner).${question}()));`;
  const argv = [
    '-c',
    `${preparation}; exec "$@"`,
    'sh',
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    '--input-type=module',
    '-e',
    program,
  ];
  return JSON.parse(execFileSync('sh', argv, { encoding: 'utf8' }));
}

test('a healthy folder on this machine is fine, whatever is asked', async () => {
  const dir = serviceFolder({ 'package.json': '{}', 'tmp/x': '' });
  for (const check of [writableDirs, openFiles, leftOverLocks, taskLimit, watchLimit])
    expect(await ask(check, dir), check.name).toEqual([]);
  expect((await ask(machineClock, dir)).filter(({ code }) => code !== 'clock_not_kept')).toEqual([]);
  expect((await ask(memory, dir)).filter(({ code }) => code !== 'memory_low')).toEqual([]);
});

describe('room on the disks', () => {
  test('that is used up where the data lies is an error, and a warning before that', async ({ skip }) => {
    const disk = smallDisk('size=4m');
    if (disk === null) return skip();
    const dir = serviceFolder({});
    const roots = [dir, join(disk, 'data')];
    mkdirSync(join(disk, 'data'));
    const seen = async () => about(disk, await ask(diskSpace, dir, { spec: { roots } }));
    expect(await seen()).toEqual([]);
    writeFileSync(join(disk, 'data/a'), Buffer.alloc(3.85 * MIB));
    expect(await seen()).toEqual(['warn disk_nearly_full']);
    expect(() => writeFileSync(join(disk, 'data/b'), Buffer.alloc(MIB))).toThrow('ENOSPC');
    expect(await seen()).toEqual(['error disk_full']);
  });

  test('is looked at on volumes in the folder of the service, too', async ({ skip }) => {
    const dir = serviceFolder({ 'mails/.keep': '' });
    const volume = join(dir, 'mails');
    if (!isRoot || spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=400k', 'tmpfs', volume]).status !== 0) return skip();
    try {
      const seen = async () => about(volume, await ask(diskSpace, dir, { spec: { roots: [] } }));
      expect(await seen()).toEqual([]);
      expect(() => writeFileSync(join(volume, 'a'), Buffer.alloc(MIB))).toThrow('ENOSPC');
      expect(await seen()).toEqual(['warn disk_full']);
    } finally {
      execFileSync('umount', [volume]);
    }
  });

  test('counts in inodes as well', async ({ skip }) => {
    const disk = smallDisk('size=4m,nr_inodes=20');
    if (disk === null) return skip();
    const dir = serviceFolder({});
    const spec = { logFile: join(disk, 'api.log') };
    const code = async () => about(disk, await ask(diskSpace, dir, { spec }));
    expect(await code()).toEqual(['warn inodes_nearly_used_up']);
    spawnSync('sh', ['-c', 'for i in $(seq 30); do : > "$0/$i"; done', disk]);
    expect(statfsSync(disk).ffree).toBe(0);
    expect(await code()).toEqual(['error inodes_used_up']);
  });
});

describe('directories', () => {
  test('that the kernel refuses to write in are named, with the reason', async ({ skip }) => {
    const disk = smallDisk('size=1m');
    if (disk === null) return skip();
    execFileSync('mount', ['-o', 'remount,ro', disk]);
    const dir = serviceFolder({});
    const findings = await ask(writableDirs, dir, {
      spec: { roots: [dir, disk], logFile: join(disk, 'x/api.log') },
      env: { TMPDIR: disk },
    });
    expect(inShort(findings, dir)).toEqual(['error dir_not_writable', 'warn dir_not_writable']);
    expect(findings.every(({ message }) => message.includes('is mounted read-only'))).toBe(true);
  });

  test('are judged for the user that the command goes on as', async ({ skip }) => {
    if (!isRoot) return skip();
    const dir = serviceFolder({ 'data/x': '', 'own/x': '' });
    chmodSync(join(dir, 'data'), 0o755);
    chmodSync(join(dir, 'own'), 0o777);
    const roots = [dir, join(dir, 'data'), join(dir, 'own')];
    const asUser = { command: ['setpriv', '--reuid=65534', '--clear-groups', 'node', 'server.js'], roots };
    expect(await short(writableDirs, dir, { spec: asUser })).toEqual(['warn dir_not_writable']);
    expect(await ask(writableDirs, dir, { spec: { roots } })).toEqual([]);
  });

  test('that are made by the service are no finding, and a missing one for temporary files is', async () => {
    const dir = serviceFolder({});
    const env = { TMPDIR: join(dir, 'gone') };
    expect(await short(writableDirs, dir, { spec: { roots: [dir, join(dir, 'later')] }, env })).toEqual(['warn tmp_not_writable']);
  });

  test.each([
    [['node', 'server.js'], null],
    [['sudo', '-E', '-u', 'app', 'node'], 'app'],
    [['runuser', '-u', 'app', '--', 'node'], 'app'],
    [['su', '-', 'app', '-c', 'node server.js'], 'app'],
    [['/usr/sbin/gosu', 'app:staff', 'node'], 'app'],
    [['setpriv', '--reuid', '1000', 'node'], '1000'],
    [['node', 'sudo.js', '-u', 'x'], null],
  ] as const)('the user of %j is %j', (command, user) => {
    expect(serviceUser(command)).toBe(user);
  });
});

describe('open files', () => {
  test('are few in a process that inherits few', async () => {
    expect(inProcess('ulimit -n 300', 'openFilesLimit')).toMatchObject({ soft: 300, hard: 300 });
    const limits = { 'proc/self/limits': 'Max open files            300                  4096                 files\n' };
    const few = machineWith(limits);
    const dir = serviceFolder({});
    expect(await short(openFiles, dir, {}, few)).toEqual(['warn open_files_low']);
    expect(await ask(openFiles, dir, { spec: { limits: { openFiles: 4096, heapMb: null } } }, few)).toEqual([]);
    expect(await short(openFiles, dir, { spec: { limits: { openFiles: 4097, heapMb: null } } }, few)).toEqual([
      'error open_files_not_allowed',
    ]);
    const root = machineWith({ ...limits, 'proc/self/status': 'CapEff:\t000001ffffffffff\n' });
    expect(await ask(openFiles, dir, { spec: { limits: { openFiles: 4097, heapMb: null } } }, root)).toEqual([]);
  });

  test('below what a Node needs to load itself are an error, and it is true', async () => {
    const starts = (n: number) => spawnSync('sh', ['-c', `ulimit -n ${n}; exec "$0" -e 0`, process.execPath]).status === 0;
    expect([starts(15), starts(64)]).toEqual([false, true]);
    expect(await short(openFiles, serviceFolder({}), { spec: { limits: { openFiles: 21, heapMb: null } } })).toEqual([
      'error open_files_low',
    ]);
    expect(await short(openFiles, serviceFolder({}), { spec: { limits: { openFiles: 22, heapMb: null } } })).toEqual([
      'warn open_files_low',
    ]);
  });

  test('of the whole machine are counted', async () => {
    const limits = 'Max open files            4096                 4096                 files\n';
    const of = (nr: string) => machineWith({ 'proc/self/limits': limits, 'proc/sys/fs/file-nr': nr });
    expect(await short(openFiles, serviceFolder({}), {}, of('99000\t0\t100000\n'))).toEqual(['warn open_files_of_all_low']);
    expect(await ask(openFiles, serviceFolder({}), {}, of('9000\t0\t9223372036854775807\n'))).toEqual([]);
  });
});

describe('memory', () => {
  const meminfo = (available: number) =>
    `MemTotal: 8000000 kB\nMemAvailable: ${available} kB\nCommitLimit: 4000000 kB\nCommitted_AS: 3900000 kB\n`;
  const v2 = (max: string, current: number, inactive = 0) => ({
    'proc/self/cgroup': '0::/app/web\n',
    'proc/meminfo': meminfo(4_000_000),
    'sys/fs/cgroup/app/memory.max': `${max}\n`,
    'sys/fs/cgroup/app/memory.current': `${current}\n`,
    'sys/fs/cgroup/app/memory.stat': `anon 1\ninactive_file ${inactive}\n`,
    'sys/fs/cgroup/app/web/memory.max': 'max\n',
    'sys/fs/cgroup/app/web/memory.current': '1\n',
  });

  test('a heap that may grow beyond the control group is seen, in the command, the environment and the config', async () => {
    const dir = serviceFolder({});
    const small = machineWith(v2(String(512 * MIB), 100 * MIB));
    for (const change of [
      { spec: { command: ['node', '--max-old-space-size=1024', 'server.js'] } },
      { spec: { command: ['java', '-Xmx1g', '-jar', 'app.jar'] } },
      { env: { NODE_OPTIONS: '--enable-source-maps --max_old_space_size=1024' } },
      { spec: { limits: { openFiles: null, heapMb: 1024 } } },
    ])
      expect(await short(memory, dir, change, small), JSON.stringify(change)).toEqual(['warn heap_above_limit']);
    expect(await ask(memory, dir, { spec: { command: ['node', '--max-old-space-size=384', 'server.js'] } }, small)).toEqual([]);
    expect(heapOf({ command: ['node', '--max-old-space-size', '5'], limits: { openFiles: null, heapMb: 9 } }, {})?.bytes).toBe(5 * MIB);
  });

  test('what the kernel can take back counts as left, and pages in use do not', async () => {
    const dir = serviceFolder({});
    expect(await short(memory, dir, {}, machineWith(v2(String(512 * MIB), 500 * MIB)))).toEqual(['warn memory_low']);
    expect(await ask(memory, dir, {}, machineWith(v2(String(512 * MIB), 500 * MIB, 300 * MIB)))).toEqual([]);
    expect(await short(memory, dir, {}, machineWith({ 'proc/meminfo': meminfo(1000) }))).toEqual(['warn memory_low']);
  });

  test('a kernel that promises nothing twice is named where little is left to promise', async () => {
    const files = { 'proc/meminfo': meminfo(4_000_000), 'proc/sys/vm/overcommit_memory': '2\n' };
    expect(await short(memory, serviceFolder({}), {}, machineWith(files))).toEqual(['warn overcommit_strict']);
    expect(await ask(memory, serviceFolder({}), {}, machineWith({ ...files, 'proc/sys/vm/overcommit_memory': '0\n' }))).toEqual([]);
  });

  test('a machine that says nothing has nothing wrong', async () => {
    const mute = machineWith({ x: '' });
    for (const check of [memory, openFiles, taskLimit, diskSpace, writableDirs]) {
      const errors = (await ask(check, serviceFolder({}), {}, mute)).filter(({ severity }) => severity === 'error');
      expect(errors, check.name).toEqual([]);
    }
  });

  test('the group is read in version 1, too, where the memory controller has one of its own', async () => {
    const files = {
      'proc/self/cgroup': '4:memory:/a\n1:cpu,pids:/b\n0::/\n',
      'sys/fs/cgroup/memory/a/memory.limit_in_bytes': String(100 * MIB),
      'sys/fs/cgroup/memory/a/memory.usage_in_bytes': String(60 * MIB),
      'sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712',
      'sys/fs/cgroup/pids/b/pids.max': '50',
      'sys/fs/cgroup/pids/b/pids.current': '20',
    };
    expect(await machineWith(files).machine.group()).toEqual({
      memory: { max: 100 * MIB, left: 40 * MIB },
      tasks: { max: 50, left: 30 },
    });
  });
});

describe('a real control group', () => {
  /** Made in the hierarchy of this machine, whichever version; null where nobody may. */
  const group = (controller: 'memory' | 'pids', file: string, value: string): string | null => {
    for (const top of [`/sys/fs/cgroup/${controller}`, '/sys/fs/cgroup']) {
      const dir = join(top, `grace-test-${process.pid}-${controller}`);
      try {
        mkdirSync(dir);
      } catch {
        continue;
      }
      onTestFinished(() => rmdirSync(dir));
      if (!existsSync(join(dir, file))) continue;
      writeFileSync(join(dir, file), value);
      return dir;
    }
    return null;
  };

  test('is read by a process in it: tasks', ({ skip }) => {
    const dir = group('pids', 'pids.max', '60');
    if (dir === null) return skip();
    const { tasks } = inProcess(`echo $$ > ${dir}/cgroup.procs`, 'group') as { tasks: { max: number; left: number } };
    expect(tasks.max).toBe(60);
    expect(tasks.left).toBeGreaterThan(0);
    expect(tasks.left).toBeLessThan(60);
  });

  test('is read by a process in it: memory', ({ skip }) => {
    const dir = group('memory', 'memory.limit_in_bytes', String(300 * MIB)) ?? group('memory', 'memory.max', String(300 * MIB));
    if (dir === null) return skip();
    const answer = inProcess(`echo $$ > ${dir}/cgroup.procs`, 'group') as { memory: { max: number; left: number } };
    expect(answer.memory.max).toBe(300 * MIB);
    expect(answer.memory.left).toBeLessThan(300 * MIB);
  });
});

test('tasks are few, or none are left', async () => {
  const of = (current: number) =>
    machineWith({ 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/pids.max': '100\n', 'sys/fs/cgroup/pids.current': `${current}\n` });
  const dir = serviceFolder({});
  expect(await ask(taskLimit, dir, {}, of(68))).toEqual([]);
  expect(await short(taskLimit, dir, {}, of(69))).toEqual(['warn tasks_low']);
  expect(await short(taskLimit, dir, {}, of(100))).toEqual(['error tasks_low']);
});

describe('the clock', () => {
  const at = (iso: string) => ({ clock: { ...nodeClock, nowMs: () => Date.parse(iso) } });

  test('before this program was written, or far beyond, is wrong', async () => {
    const dir = serviceFolder({});
    expect(await short(machineClock, dir, {}, at('1970-01-01T00:00:10Z'))).toEqual(['error clock_wrong']);
    expect(await short(machineClock, dir, {}, at('2024-12-31T23:59:59Z'))).toEqual(['error clock_wrong']);
    expect(await short(machineClock, dir, {}, at('2100-01-01T00:00:00Z'))).toEqual(['error clock_wrong']);
  });

  test('is doubted where files were changed later than now, a time zone aside', async () => {
    const dir = serviceFolder({ 'package.json': '{}', '.env': '' });
    const later = (hours: number) => new Date(Date.now() + hours * 3_600_000);
    utimesSync(join(dir, 'package.json'), later(24), later(24));
    expect((await ask(machineClock, dir)).filter(({ code }) => code === 'files_from_future')).toEqual([]);
    utimesSync(join(dir, 'package.json'), later(30), later(30));
    const [found] = await ask(machineClock, dir);
    expect(found).toMatchObject({ severity: 'warn', code: 'files_from_future' });
    expect(found?.message).toContain('package.json');
  });

  test('that nothing keeps right is told where the machine says so, and not where nobody does', async () => {
    const dir = serviceFolder({});
    const says = (isKept: boolean | null) => ({ machine: { ...MACHINE, isClockKept: async () => isKept } });
    expect(await short(machineClock, dir, {}, says(false))).toEqual(['warn clock_not_kept']);
    expect(await ask(machineClock, dir, {}, says(true))).toEqual([]);
    expect(await ask(machineClock, dir, {}, says(null))).toEqual([]);
  });

  test('is asked of timedatectl, and of adjtimex where there is none', async () => {
    const bin = serviceFolder({ timedatectl: '#!/bin/sh\nexit 1\n', adjtimex: '#!/bin/sh\necho "    status: 64"\n' });
    for (const name of ['timedatectl', 'adjtimex']) chmodSync(join(bin, name), 0o755);
    const path = process.env['PATH'] ?? '';
    process.env['PATH'] = `${bin}:${path}`;
    onTestFinished(() => void (process.env['PATH'] = path));
    const withSystemd = machineView(nodeSpawner, serviceFolder({ 'run/systemd/system/.keep': '' }));
    expect(await withSystemd.isClockKept()).toBe(false);
    writeFileSync(join(bin, 'adjtimex'), '#!/bin/sh\necho "    status: 8193"\n');
    expect(await withSystemd.isClockKept()).toBe(true);
    writeFileSync(join(bin, 'timedatectl'), '#!/bin/sh\necho no\n');
    expect(await withSystemd.isClockKept()).toBe(false);
    // without systemd, timedatectl has nobody to ask
    expect(await machineView(nodeSpawner, serviceFolder({})).isClockKept()).toBe(true);
  });
});

describe('left-over pid and lock files', () => {
  test('name a process that is gone, or another program; those of a living one are in use', async () => {
    const gone = spawnSync('true').pid;
    const other = spawn('sleep', ['60'], { cwd: '/' });
    onTestFinished(() => void other.kill());
    const own = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { cwd: '/' });
    onTestFinished(() => void own.kill());
    const dir = serviceFolder({
      'run/gone.pid': `${gone}\n`,
      'run/other.pid': `${other.pid}`,
      'run/own.pid': `${own.pid}`,
      'run/empty.lock': '',
      'package-lock.json': '{"pid": 1}',
      'node_modules/x/x.pid': `${gone}`,
      '.grace/grace.pid': `${gone}`,
    });
    expect(await short(leftOverLocks, dir, { spec: { command: ['node', 'server.js'] } })).toEqual([
      'warn lock_left_over run/gone.pid',
      'warn lock_left_over run/other.pid',
    ]);
  });
});

test('watchers are asked about only where a component is one', async () => {
  const dir = serviceFolder({});
  const few = machineWith({ 'proc/sys/fs/inotify/max_user_watches': '8192\n', 'proc/sys/fs/inotify/max_user_instances': '128\n' });
  for (const line of [
    'npx nodemon server.js',
    'node --watch server.js',
    'npx vite',
    'npx tsx watch src/server.ts',
    'next dev',
    'uvicorn app:app --reload',
  ])
    expect(await short(watchLimit, dir, { spec: { command: line.split(' ') } }, few), line).toEqual(['warn watches_low']);
  for (const line of ['node server.js', 'next start', 'node invite.js', 'node dist/watch.js'])
    expect(await ask(watchLimit, dir, { spec: { command: line.split(' ') } }, few), line).toEqual([]);
});

/** What is said of the small disk alone: that of the tests themselves may be nearly full. */
function about(disk: string, findings: readonly Finding[]): readonly string[] {
  return findings.filter(({ message }) => message.startsWith(disk)).map(({ severity, code }) => `${severity} ${code}`);
}
