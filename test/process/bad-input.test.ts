import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { runGrace, startGrace, type Ended } from './grace.ts';
import { peakMemoryMb, processesIn, runsOf, send } from './processes.ts';
import { freePort, newProject, notGraces, sick, snapshot, write } from './project.ts';
import { until } from './waiting.ts';

/** Wrong usage or configuration; anything else that is refused. */
const USAGE = 2;
const REFUSED = 1;
const MEMORY_MB_MAX = 300;
/** A user without any rights of its own. */
const NOBODY = 65_534;

const STACK = /^\s+at .+:\d+:\d+\)?$/m;

interface Expected {
  readonly code: number;
  /** What, where, what to do: each must be said. */
  readonly says: readonly (string | RegExp)[];
}

/** Refused before anything was started, said once and in words, and every file is as it was. */
async function expectRefused(dir: string, args: readonly string[], { code, says }: Expected, uid?: number): Promise<Ended> {
  const before = snapshot(dir);
  const ended = await runGrace(dir, args, {}, uid);
  const said = ended.stdout + ended.stderr;
  expect(ended.code, said).toBe(code);
  for (const text of says) expect(said).toMatch(text);
  expect(said).not.toMatch(STACK);
  expect(snapshot(dir)).toEqual(before);
  expect(processesIn(dir)).toEqual([]);
  return ended;
}

async function serviceConfig(more: Readonly<Record<string, unknown>> = {}): Promise<Readonly<Record<string, unknown>>> {
  const port = await freePort();
  return { components: { web: { command: sick('well'), port, env: { PORT: String(port) }, ...more } } };
}

describe('the command line', () => {
  test('an unknown command is named, with where to look', async () => {
    await expectRefused(newProject(), ['upp'], { code: USAGE, says: ["unknown command 'upp'", /did you mean up\b/i, 'grace --help'] });
  });

  test('an unknown option is named, with where to look', async () => {
    await expectRefused(newProject(), ['up', '--hodl'], { code: USAGE, says: ["unknown option '--hodl'", '--hold', 'grace --help'] });
  });

  test('an option with a wrong value is told the right ones', async () => {
    await expectRefused(newProject(), ['up', '--mode', 'quick'], { code: USAGE, says: ["'quick' is invalid", 'fast, layered, resilient'] });
  });

  test('a config file that does not exist is named', async () => {
    await expectRefused(newProject(), ['up', '-c', 'nowhere.yaml'], {
      code: USAGE,
      says: ['nowhere.yaml', 'does not exist', 'grace init'],
    });
  });

  test('no command and nothing to run says what to give', async () => {
    await expectRefused(newProject(), ['up'], { code: USAGE, says: ['there is nothing to run', 'grace up -- node server.js'] });
  });
});

describe('the config file', () => {
  test('all mistakes are told at once, each with its place and what was meant', async () => {
    const dir = newProject();
    write(dir, {
      'grace.config.json': {
        componets: {},
        components: {
          web: { comand: 'node server.js', port: 70_000, readines: { http: '/ready' }, startupTimeout: 'soon', dependsOn: ['qeue'] },
          queue: { command: 'node queue.js', restart: { intensity: -1 } },
        },
      },
    });
    await expectRefused(dir, ['up'], {
      code: USAGE,
      says: [
        /\d mistakes/,
        /componets.*did you mean "?components/,
        /comand.*did you mean "?command/,
        /readines.*did you mean "?readiness/,
        /port.*70000/,
        /startupTimeout.*duration/,
        /qeue.*did you mean "?queue/,
        /intensity.*whole number/,
        /grace\.config\.json:\d+:\d+/,
        'nothing was started or changed',
      ],
    });
  });

  test('a YAML syntax error is told with its line', async () => {
    const dir = newProject({ 'grace.config.yaml': 'name: shop\ncomponents:\n  web:\n    command: "node server.js\n    port: 1\n' });
    await expectRefused(dir, ['up'], { code: USAGE, says: [/grace\.config\.yaml:\d+:\d+/, 'not valid YAML'] });
  });

  test('a TypeScript syntax error is told with its line', async () => {
    const dir = newProject({ 'grace.config.ts': 'export default {\n  components: {\n    web: { command: "node" \n' });
    await expectRefused(dir, ['up'], { code: USAGE, says: [/grace\.config\.ts:\d+/] });
  });

  test('one that throws is told what it threw, without a stack', async () => {
    const dir = newProject({ 'grace.config.mjs': 'throw new Error("no moon tonight");\n' });
    await expectRefused(dir, ['up'], { code: USAGE, says: ['grace.config.mjs', 'no moon tonight'] });
  });
});

describe('the data directory', () => {
  test('a file in its place is named', async () => {
    const dir = newProject({ 'grace.config.json': await serviceConfig(), '.grace': 'a note\n' });
    await expectRefused(dir, ['up'], { code: REFUSED, says: [join(dir, '.grace'), 'GRACE_DATA_DIR'] });
  });

  test.runIf(process.getuid?.() === 0)('one that this user may not write is named', async () => {
    const dir = newProject({ 'grace.config.json': await serviceConfig() });
    chmodSync(dir, 0o755);
    await expectRefused(dir, ['up'], { code: REFUSED, says: [join(dir, '.grace'), /permission denied|EACCES/, 'GRACE_DATA_DIR'] }, NOBODY);
  });

  test('a file in the place of its parent is named', async () => {
    const dir = newProject({ 'grace.config.json': await serviceConfig(), taken: '' });
    await expectRefused(dir, ['up', '--data-dir', 'taken/grace'], { code: REFUSED, says: [join(dir, 'taken'), 'GRACE_DATA_DIR'] });
  });

  const foreign: readonly (readonly [string, (path: string) => Promise<void> | void, readonly (string | RegExp)[]])[] = [
    ['the SQLite file of another program', (path) => makeDatabase(path, 'create table tunes (name text)'), ['another program']],
    ['a text file', (path) => writeFileSync(path, 'dear diary,\n'.repeat(200)), ['not a store of Grace']],
    ['a store of a newer Grace', newerStore, ['newer Grace', '9999']],
    ['a store that was cut off', cutOffStore, ['damaged']],
    ['a store of which only some bytes are left', (path) => writeFileSync(path, Buffer.from('SQLite format 3\0'.repeat(3))), ['damaged']],
  ];
  for (const [what, make, says] of foreign)
    test(`${what} in the place of the store is left as it is`, async () => {
      const dir = newProject({ 'grace.config.json': await serviceConfig(), '.grace/keep.txt': '' });
      await make(join(dir, '.grace', 'grace.db'));
      await expectRefused(dir, ['up'], {
        code: REFUSED,
        says: [join(dir, '.grace', 'grace.db'), 'left untouched', 'GRACE_DATA_DIR', ...says],
      });
      // Those that only look refuse it as well, and change as little.
      await expectRefused(dir, ['boots'], { code: REFUSED, says: [join(dir, '.grace', 'grace.db')] });
    });

  test('a second Grace on it is refused, and the first is unharmed', async () => {
    const dir = newProject({ 'grace.config.json': await serviceConfig() });
    const first = startGrace(dir, ['up', '--json']);
    await first.event('boot_ended', (e) => e.outcome === 'success');
    const [service] = runsOf(dir, 'well.mjs');
    for (const command of ['up', 'boot']) {
      const second = await runGrace(dir, [command]);
      expect(second.code, second.stdout).toBe(REFUSED);
      expect(second.stderr).toContain(`another Grace (pid ${first.pid})`);
      expect(second.stderr).toContain('grace status');
      expect(second.stderr).not.toMatch(STACK);
    }
    expect(runsOf(dir, 'well.mjs')).toEqual([service]);
    expect((await first.end('SIGTERM')).code).toBe(0);
  });
});

describe('the service', () => {
  test('a command that does not exist is named, with what to do', async () => {
    const dir = newProject({ 'grace.config.json': await serviceConfig({ command: ['no-such-program', 'server.js'] }) });
    await expectFailedBoot(dir, ['no-such-program']);
  });

  test('a command on the command line that does not exist is named', async () => {
    const dir = newProject({ 'notes.txt': 'mine\n' });
    await expectFailedBoot(dir, ['no-such-program'], ['--', 'no-such-program', 'server.js']);
  });

  test('a script that does not exist is named', async () => {
    const dir = newProject({ 'grace.config.json': await serviceConfig({ command: [process.execPath, 'sevrer.js'] }) });
    await expectFailedBoot(dir, ['sevrer.js']);
  });

  test('a working directory that does not exist is named', async () => {
    const dir = newProject({ 'grace.config.json': await serviceConfig({ cwd: 'nowhere' }) });
    const ended = await runGrace(dir, ['up', '--no-hold']);
    const said = ended.stdout + ended.stderr;
    expect([USAGE, REFUSED]).toContain(ended.code);
    expect(said).toContain(join(dir, 'nowhere'));
    expect(said).toContain('does not exist');
    expect(said).not.toMatch(STACK);
  });

  async function expectFailedBoot(dir: string, says: readonly string[], words: readonly string[] = []): Promise<void> {
    const before = snapshot(dir, notGraces);
    const ended = await runGrace(dir, ['up', '--no-hold', ...words]);
    const said = ended.stdout + ended.stderr;
    expect(ended.code, said).toBe(REFUSED);
    for (const text of says) expect(said).toContain(text);
    expect(said).not.toMatch(STACK);
    expect(snapshot(dir, notGraces)).toEqual(before);
    expect(processesIn(dir)).toEqual([]);
    const explained = await runGrace(dir, ['explain']);
    expect(explained.code).toBe(0);
    for (const text of says) expect(explained.stdout).toContain(text);
  }

  test('a playbook that does not compile is named, and the boot goes on without it', async () => {
    const dir = newProject({
      'grace.config.json': await serviceConfig(),
      'playbooks/half_written.ts': 'export default definePlaybook({ name: \n',
    });
    const before = snapshot(join(dir, 'playbooks'));
    const grace = startGrace(dir, ['up']);
    await until('it is up', () => /^up in /m.test(grace.said()), grace.said);
    const { code, stdout, stderr } = await grace.end('SIGTERM');
    expect(code).toBe(0);
    expect(stdout).toMatch(/warn.*half_written\.ts/);
    expect(stdout + stderr).not.toMatch(STACK);
    expect(snapshot(join(dir, 'playbooks'))).toEqual(before);
  });

  test('a playbook that wants powers gets none, is named with the rule, and the boot goes on without it', async () => {
    const dir = newProject({
      'grace.config.json': await serviceConfig(),
      'playbooks/asks_for_files.ts': `import { writeFileSync } from 'node:fs'; writeFileSync('taken', ''); export default {};`,
      'playbooks/kills.ts': `process.kill(process.ppid, 'SIGKILL'); export default {};`,
    });
    const grace = startGrace(dir, ['up']);
    await until('it is up', () => /^up in /m.test(grace.said()), grace.said);
    const { code, stdout, stderr } = await grace.end('SIGTERM');
    expect(code).toBe(0);
    const warnings = stdout.replaceAll(/\s+/g, ' ');
    expect(warnings).toMatch(/warn.*asks_for_files\.ts.*imports "node:fs", and a playbook may import nothing but grace-runtime/);
    expect(warnings).toMatch(/warn.*kills\.ts.*process is not defined/);
    expect(stdout + stderr).not.toMatch(STACK);
    expect(existsSync(join(dir, 'taken'))).toBe(false);
    expect(processesIn(dir)).toEqual([]);
  });
});

describe('hostile output', () => {
  test('100 MB in one line, invalid UTF-8 and escape sequences neither fill the memory nor reach the terminal', async () => {
    const dir = newProject({
      'loud.mjs': `import { writeSync } from 'node:fs';
const write = (bytes) => { for (let at = 0; at < bytes.length; ) at += writeSync(2, bytes, at); };
write(Buffer.from('\\u001b]0;owned\\u0007\\u001b[2J\\u001b[31mhello\\u001b[0m \\u009b2J \\u202Eevil\\n'));
const block = Buffer.alloc(1024 * 1024, 'x');
for (let n = 0; n < 100; n++) write(block);
write(Buffer.from('\\n'));
write(Buffer.from([0xff, 0xfe, 0x80, 0xc3, 0x28, 0x1b, 0x5b, 0x48, 0x0a]));
throw new Error('cannot find the \\u001b[5mblinking\\u001b[0m teapot \\u001b]8;;http://evil.example\\u0007click\\u001b]8;;\\u0007');
`,
      'grace.config.json': await serviceConfig({ command: [process.execPath, 'loud.mjs'] }),
    });
    const grace = startGrace(dir, ['up', '--hold']);
    await until('it is held', () => grace.said().includes('is held'), grace.said);
    expect(statSync(join(dir, '.grace', 'logs', 'web.log')).size).toBeGreaterThan(100 * 1024 * 1024);
    const memoryMb = peakMemoryMb(grace.pid);
    const ended = await grace.end('SIGTERM');
    expect(memoryMb).toBeLessThan(MEMORY_MB_MAX);
    const explained = await runGrace(dir, ['explain']);
    const shown = await runGrace(dir, ['boots', 'show', 'last']);
    expect(ended.stdout + explained.stdout).toContain('cannot find the blinking teapot');
    for (const { stdout, stderr } of [ended, explained, shown]) {
      // oxlint-disable-next-line no-control-regex -- looking for control characters is the point
      expect(stdout + stderr).not.toMatch(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/);
      expect(stdout + stderr).not.toContain('evil.example');
      expect(stdout.length).toBeLessThan(100_000);
    }
  });
});

/** Whether `faketime` is there; where it is not, the unit tests on simulated time remain. */
const hasFaketime = ['/usr/bin/faketime', '/usr/local/bin/faketime'].some((path) => existsSync(path));

describe('a clock that is wrong', () => {
  test.runIf(hasFaketime)('jumping back a year between two boots confuses neither memory nor supervision', async () => {
    const dir = newProject({ 'grace.config.json': await serviceConfig() });
    const now = startGrace(dir, ['up', '--json']);
    await now.event('boot_ended', (e) => e.outcome === 'success');
    expect((await now.end('SIGTERM')).code).toBe(0);

    const env = { LD_PRELOAD: faketimeLibrary(), FAKETIME: '-365d', DONT_FAKE_MONOTONIC: '1' };
    const past = startGrace(dir, ['up', '--json'], env);
    const started = await past.event('boot_started');
    expect(started.boot, 'the clock is wrong indeed').toContain(`boot_${new Date(Date.now() - 365 * 86_400_000).getUTCFullYear()}`);
    await past.event('boot_ended', (e) => e.outcome === 'success');
    const [service] = runsOf(dir, 'well.mjs');
    send(service?.pid ?? 0, 'SIGKILL');
    await until('it runs again', () => runsOf(dir, 'well.mjs').some((p) => p.pid !== service?.pid), past.said);
    expect((await past.end('SIGTERM')).code).toBe(0);

    expect(past.events().filter((e) => e.type === 'notice' && e.level === 'error')).toEqual([]);

    const boots = await runGrace(dir, ['boots']);
    expect(boots.code, boots.stderr).toBe(0);
    const score = await runGrace(dir, ['history']);
    expect(score.code, score.stderr).toBe(0);
  });
});

describe('a clock that jumps', () => {
  test.runIf(hasFaketime)('while the service runs, back and forth, stops neither probes nor restarts', async () => {
    const dir = newProject({
      'grace.config.json': await serviceConfig({ liveness: { http: '/', every: '100ms' }, restart: { backoff: '50ms' } }),
    });
    const clock = join(dir, 'clock');
    writeFileSync(clock, '+0');
    const env = { LD_PRELOAD: faketimeLibrary(), FAKETIME_TIMESTAMP_FILE: clock, FAKETIME_NO_CACHE: '1', DONT_FAKE_MONOTONIC: '1' };
    const grace = startGrace(dir, ['up', '--json'], env);
    await grace.event('boot_ended', (e) => e.outcome === 'success');
    for (const jump of ['-2d', '+30d', '+0']) {
      const timesReady = (): number => grace.events().filter((e) => e.type === 'component_ready').length;
      const before = timesReady();
      const [service] = runsOf(dir, 'well.mjs');
      writeFileSync(clock, jump);
      send(service?.pid ?? 0, 'SIGKILL');
      await until(`it is ready again after a jump to ${jump}`, () => timesReady() > before, grace.said);
    }
    const { code } = await grace.end('SIGTERM');
    expect(code, grace.said()).toBe(0);
    expect(grace.events().filter((e) => e.type === 'notice' && e.level === 'error')).toEqual([]);
    expect(processesIn(dir)).toEqual([]);
  });
});

function faketimeLibrary(): string {
  const script = execFileSync('faketime', ['now', 'sh', '-c', 'printf %s "$LD_PRELOAD"'], { encoding: 'utf8' });
  return script.trim();
}

function makeDatabase(path: string, sql: string): void {
  using database = new DatabaseSync(path);
  database.exec(sql);
}

/** A real store, as a Grace of the future would leave it. */
async function newerStore(path: string): Promise<void> {
  await realStore(path);
  makeDatabase(path, 'pragma user_version = 9999; pragma wal_checkpoint(truncate)');
}

async function cutOffStore(path: string): Promise<void> {
  await realStore(path);
  truncateSync(path, 6000);
}

async function realStore(path: string): Promise<void> {
  const elsewhere = newProject({ 'grace.config.json': await serviceConfig() });
  const { code, stdout } = await runGrace(elsewhere, ['boot']);
  expect(code, stdout).toBe(0);
  const store = join(elsewhere, '.grace', 'grace.db');
  makeDatabase(store, 'pragma wal_checkpoint(truncate)');
  writeFileSync(path, readFileSync(store));
}
