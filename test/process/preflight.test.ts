import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { runGrace, startGrace } from './grace.ts';
import { processesIn, runsOf } from './processes.ts';
import { freePort, newProject, sick, write } from './project.ts';
import { until } from './waiting.ts';

const LIMIT_MS = 1500;
const SERVER = `import { createServer } from 'node:http';
createServer((_, response) => response.end('ok')).listen(Number(process.env.PORT));
`;

interface Answer {
  readonly go: boolean;
  readonly duration_ms: number;
  readonly errors: number;
  readonly checks: readonly {
    readonly stage: string;
    readonly looks: readonly { readonly name: string; readonly duration_ms: number }[];
  }[];
  readonly preflight: readonly {
    readonly name: string;
    readonly duration_ms: number;
    readonly errors: number;
    readonly warnings: number;
  }[];
  readonly findings: readonly { readonly code: string; readonly severity: string; readonly message: string; readonly component: string }[];
}

/** Checks of the config that do their worst, by name; each as the body of a module's function. */
const BAD_FUNCTIONS: Readonly<Record<string, string>> = {
  spins: 'for (;;);',
  waits: 'await new Promise((resolve) => setTimeout(resolve, 1e9));',
  throws: "throw new Error('no price list');",
  throws_nothing: 'throw null;',
  prints:
    "const mib = 'x'.repeat(1024 * 1024) + '\\n'; for (let i = 0; i < 10; i++) { process.stdout.write(mib); process.stderr.write(mib); } return 'printed';",
  finds_much: "return Array.from({ length: 10_000 }, (_, i) => ({ message: `${i} ${'y'.repeat(1000)}` }));",
  allocates: 'const all = []; for (;;) all.push(new Array(1e6).fill(0));',
  exits: 'process.exit(0);',
  kills_itself: "process.kill(process.pid, 'SIGKILL'); await new Promise(() => {});",
  leaves_a_child:
    "const { spawn } = await import('node:child_process'); spawn(process.execPath, ['-e', 'setTimeout(() => {}, 1e9)'], { detached: true, stdio: 'inherit' }); return 'left one';",
};
const BAD_COMMANDS: Readonly<Record<string, readonly string[]>> = {
  command_spins: ['sh', '-c', 'while :; do :; done'],
  command_prints: ['sh', '-c', 'head -c 10000000 /dev/zero | tr "\\0" x; head -c 10000000 /dev/zero | tr "\\0" y >&2; exit 3'],
  command_leaves_a_child: ['sh', '-c', 'setsid sleep 1000 & exit 1'],
  command_missing: ['/nowhere/check'],
  command_ignores_signals: ['sh', '-c', 'trap "" TERM INT HUP; sleep 1000'],
};

test('checks that do their worst cost their time limit and one finding each, and nothing of them stays', async () => {
  const names = [...Object.keys(BAD_FUNCTIONS), ...Object.keys(BAD_COMMANDS)];
  const dir = newProject({
    'server.mjs': SERVER,
    ...Object.fromEntries(
      Object.entries(BAD_FUNCTIONS).map(([name, body]) => [`checks/${name}.mjs`, `export default async function check() { ${body} }\n`]),
    ),
    'grace.config.json': {
      components: { web: { command: [process.execPath, 'server.mjs'] } },
      preflight: {
        checks: [
          ...Object.keys(BAD_FUNCTIONS).map((name) => ({ name, module: `checks/${name}.mjs`, timeLimit: `${LIMIT_MS}ms` })),
          ...Object.entries(BAD_COMMANDS).map(([name, command]) => ({ name, command, timeLimit: `${LIMIT_MS}ms` })),
          { name: 'fine', command: ['true'] },
        ],
      },
    },
  });
  const { code, stdout, stderr } = await runGrace(dir, ['check', '--json']);
  expect(code, stderr).toBe(1);
  expect(stdout.length).toBeLessThan(100_000);
  const answer = JSON.parse(stdout) as Answer;
  expect(answer.go).toBe(false);
  const own = answer.preflight.filter(({ name }) => names.includes(name));
  expect(own.map(({ name }) => name)).toEqual(names);
  for (const { name, duration_ms: ms, errors, warnings } of own) {
    expect(errors + warnings, name).toBe(name === 'finds_much' ? 20 : 1);
    // The process is ended at its limit; a second later the check would be.
    expect(ms, name).toBeLessThan(LIMIT_MS + 1500);
  }
  expect(answer.preflight.find(({ name }) => name === 'fine')).toMatchObject({ errors: 0, warnings: 0 });
  const said = Object.fromEntries(answer.findings.map((f) => [f.code, f.message]));
  expect(said).toMatchObject({
    spins: `"spins" took more than ${LIMIT_MS} ms, and was ended`,
    waits: `"waits" took more than ${LIMIT_MS} ms, and was ended`,
    throws: '"throws" threw: no price list',
    throws_nothing: '"throws_nothing" threw: null',
    prints: 'printed',
    leaves_a_child: 'left one',
    command_missing: '"command_missing" could not be started (ENOENT)',
    command_spins: `"command_spins" took more than ${LIMIT_MS} ms, and was ended`,
    command_ignores_signals: `"command_ignores_signals" took more than ${LIMIT_MS} ms, and was ended`,
  });
  for (const name of ['exits', 'kills_itself', 'allocates']) expect(said[name], name).toMatch(/ended with|took more than/);
  expect(said['command_prints']).toMatch(/^"command_prints" ended with exit code 3: y+…$/);
  for (const { message } of answer.findings) expect(message.length).toBeLessThanOrEqual(300);
  await until('what the checks have started has ended', () => processesIn(dir).length === 0);
});

test('a name to skip that is no check is refused, with the nearest one', async () => {
  const dir = newProject({
    'grace.config.json': {
      components: { web: { command: 'true' } },
      preflight: { skip: ['clok', 'licence'], checks: [{ name: 'licence', command: 'true' }] },
    },
  });
  const { code, stderr } = await runGrace(dir, ['check']);
  expect(code).toBe(2);
  expect(stderr).toContain('preflight.skip[0]: names "clok", which is no check');
  expect(stderr).toContain('did you mean "clock"?');
  expect(stderr).not.toContain('licence"');
});

/** A small service on a port of its own, with what a test changes. */
async function service(change: { readonly components?: object; readonly preflight?: object } = {}) {
  const port = await freePort();
  const dir = newProject({ 'server.mjs': SERVER, 'worker.mjs': 'setInterval(() => {}, 1000);' });
  write(dir, {
    'grace.config.json': {
      name: 'shop',
      components: {
        worker: { command: [process.execPath, 'worker.mjs'], soak: '100ms', stop: { grace: '1s' } },
        web: {
          command: [process.execPath, 'server.mjs'],
          port,
          env: { PORT: String(port) },
          readiness: { http: '/' },
          dependsOn: ['worker'],
          soak: '100ms',
          stop: { grace: '1s' },
        },
        ...change.components,
      },
      preflight: change.preflight ?? {},
    },
  });
  return { dir, port };
}

interface Layer {
  readonly layer: string;
  readonly state: string;
  readonly durationMs: number;
  readonly reasons: readonly string[];
}

async function boot(dir: string, mode: string) {
  const { code, stdout, stderr } = await runGrace(dir, ['boot', '--json', '--mode', mode]);
  const events = stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as { type: string } & Record<string, unknown>);
  return {
    code,
    stderr,
    events,
    said: stdout,
    layers: events.filter(({ type }) => type === 'layer_ended') as unknown as readonly Layer[],
    stages: events.filter(({ type }) => type === 'stage_ended').map(({ number }) => number as number),
    outcome: events.find(({ type }) => type === 'boot_ended')?.['outcome'],
  };
}

describe('a healthy service comes up', () => {
  test.each([
    ['fast', [1, 3, 6, 7, 8]],
    ['layered', [1, 3, 5, 4, 2, 6, 7, 8]],
    ['resilient', [1, 2, 3, 4, 5, 6, 7, 8]],
  ] as const)('%s, in its order of stages', async (mode, stages) => {
    const { dir } = await service();
    const result = await boot(dir, mode);
    expect(result, result.said).toMatchObject({ code: 0, outcome: 'success', stages });
    expect(result.layers.map(({ state }) => state)).toEqual(mode === 'layered' ? Array.from({ length: 6 }, () => 'ok') : []);
    const report = readFileSync(join(dir, '.grace/logs/last_boot_report.txt'), 'utf8');
    expect(report.includes('2. Logging and telemetry')).toBe(mode === 'layered');
  });
});

describe('a port that somebody else has', () => {
  const taken = async () => {
    const { dir, port } = await service();
    const server = createServer().listen(port, '127.0.0.1');
    onTestFinished(() => void server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    return { dir, port };
  };

  test.each(['fast', 'layered', 'resilient'])('%s: stops before anything is started, and says who has it', async (mode) => {
    const { dir, port } = await taken();
    const result = await boot(dir, mode);
    expect(result, result.said).toMatchObject({ code: 1, outcome: 'failed', stages: [1] });
    expect(result.said).toContain(`port ${port} is in use`);
    expect(result.said).not.toContain('"component_ready"');
    if (mode === 'layered') expect(result.layers.filter(({ state }) => state === 'failed')).toMatchObject([{ layer: 'Services' }]);
  });

  test('a check names its holder: pid, user, and since when', async () => {
    const { dir, port } = await taken();
    const { code, stdout } = await runGrace(dir, ['check', '--json']);
    expect(code).toBe(1);
    expect(stdout).toContain(`(pid ${process.pid}, user`);
    expect(stdout).toContain(`port ${port} is held by pid ${process.pid} (`);
    expect(stdout).toMatch(/\), of \w+ since \d{4}-\d\d-\d\d \d\d:\d\d UTC/);
  });
});

describe('a required variable that nobody has set', () => {
  const needy = () =>
    service({ components: { job: { command: [process.execPath, 'worker.mjs'], requiredEnv: ['API_TOKEN'], soak: '100ms' } } });

  test('fast does not ask for it', async () => {
    const { dir } = await needy();
    const result = await boot(dir, 'fast');
    expect(result, result.said).toMatchObject({ code: 0, outcome: 'success' });
  });

  test('layered stops at the services, with what holds them up named, and resilient in its second stage', async () => {
    const { dir } = await needy();
    const layered = await boot(dir, 'layered');
    expect(layered, layered.said).toMatchObject({ code: 1, outcome: 'failed', stages: [1, 3, 5, 4, 2] });
    expect(layered.layers.map(({ layer, state }) => `${layer}: ${state}`)).toEqual([
      'Store: ok',
      'Logging and telemetry: ok',
      'Spine: ok',
      'Mission control: ok',
      'Services: failed',
    ]);
    expect(layered.layers.at(-1)?.reasons.join()).toContain('API_TOKEN');
    const resilient = await boot(dir, 'resilient');
    expect(resilient, resilient.said).toMatchObject({ code: 1, outcome: 'failed', stages: [1, 2] });
  });
});

test('fast ends the start of the others at the first that fails, and leaves nothing running', async () => {
  const { dir } = await service({
    components: {
      slow: { command: sick('never-ready'), readiness: { file: 'never', maxAge: '1s' }, startupTimeout: '10m' },
      broken: { command: sick('crashes-at-once') },
    },
  });
  const result = await boot(dir, 'fast');
  expect(result, result.said).toMatchObject({ code: 1, outcome: 'failed', stages: [1, 3, 6] });
  expect(result.said).not.toContain('playbook_chosen');
  expect(processesIn(dir)).toEqual([]);
});

test('layered goes on without what is not essential, and says what', async () => {
  const { dir } = await service({ components: { report: { command: sick('crashes-at-once'), critical: false } } });
  // The file that text goes through cannot be written: a directory has its name.
  write(dir, { '.grace/.codec-check/x': '' });
  const result = await boot(dir, 'layered');
  expect(result, result.said).toMatchObject({ code: 0, outcome: 'success' });
  expect(result.layers.map(({ layer, state }) => `${layer}: ${state}`)).toEqual([
    'Store: ok',
    'Logging and telemetry: degraded',
    'Spine: ok',
    'Mission control: ok',
    'Services: degraded',
    'APIs: ok',
  ]);
  expect(result.layers[1]?.reasons.join()).toContain('ASCII');
  expect((await boot(dir, 'resilient')).code).toBe(1);
});

test.each(['fast', 'layered', 'resilient'])('%s: a store that cannot be written stops everything', async (mode) => {
  const { dir } = await service();
  write(dir, { '.grace': 'a file where the directory belongs' });
  const result = await boot(dir, mode);
  expect(result.code).toBe(1);
  expect(result.stderr).toContain('GRACE_STORE_UNWRITABLE');
  expect(result.layers.map(({ layer, state }) => `${layer}: ${state}`)).toEqual(mode === 'layered' ? ['Store: failed'] : []);
  expect(result.said).not.toContain('component_starting');
});

describe('a dry run', () => {
  test.each(['check', 'boot --dry-run'])('beside a Grace that runs leaves it and its service alone: %s', async (command) => {
    const port = await freePort();
    const dir = newProject({
      'server.mjs': SERVER,
      'grace.config.json': {
        components: {
          web: { command: [process.execPath, 'server.mjs'], port, env: { PORT: String(port) }, soak: '50ms', stop: { grace: '1s' } },
        },
      },
    });
    const grace = startGrace(dir, ['up', '--json']);
    expect((await grace.event('boot_ended')).outcome).toBe('success');
    const [before] = runsOf(dir, 'server.mjs');
    const { code, stdout } = await runGrace(dir, [...command.split(' '), '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ go: true, errors: 0 });
    expect(code).toBe(0);
    expect(runsOf(dir, 'server.mjs')).toEqual([before]);
    const { stdout: status } = await runGrace(dir, ['status', '--json']);
    expect(JSON.parse(status)).toMatchObject({ healthy: true, components: [{ name: 'web', state: 'up', pid: before?.pid }] });
    expect(grace.events().filter(({ type }) => type === 'component_failed' || type === 'component_starting')).toHaveLength(1);
    expect((await grace.end('SIGTERM')).code).toBe(0);
  });

  test('runs every check whatever the mode and whatever failed before, starts nothing and leaves nothing', async () => {
    const { dir } = await service({
      components: { job: { command: [process.execPath, 'worker.mjs'], requiredEnv: ['API_TOKEN'], cwd: 'gone' } },
      preflight: { checks: [{ name: 'price_list', command: ['sh', '-c', 'echo no prices >&2; exit 1'] }] },
    });
    for (const args of [
      ['boot', '--dry-run', '--json', '--mode', 'fast'],
      ['check', '--json'],
    ]) {
      const { code, stdout, stderr } = await runGrace(dir, args);
      expect(code, stderr).toBe(1);
      const answer = JSON.parse(stdout) as Answer;
      expect(answer.checks.map(({ stage }) => stage.slice(0, 1))).toEqual(['1', '2', '3', '5']);
      const codes = answer.findings.filter(({ severity }) => severity === 'error').map((f) => f.code);
      expect(codes).toEqual(expect.arrayContaining(['preflight_failed', 'env_missing', 'price_list']));
      expect(answer.checks.flatMap(({ looks }) => looks).every(({ duration_ms: ms }) => ms >= 0)).toBe(true);
    }
    expect(processesIn(dir)).toEqual([]);
  });

  test('ends with one word, its counts and its time, below a table that fits into 80 columns', async () => {
    const { dir } = await service();
    const { code, stdout } = await runGrace(dir, ['boot', '--dry-run']);
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.at(-1)).toMatch(/^GO: shop can be started; \d+ checks, 0 errors, \d+ warnings?, in [\d.]+ m?s$/);
    const table = lines.slice(0, lines.findLastIndex((line) => line.startsWith('──')) + 1);
    expect(table.length).toBeGreaterThan(15);
    expect(table.filter((line) => line.length > 80)).toEqual([]);
    expect(stdout).not.toContain('\u001B');
    const ends = table.slice(2, -1).map((line) => line.replace(/ {2}unchanged$/, '').length);
    expect(new Set(ends).size, stdout).toBe(1);
  });
});
