import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runGrace, startGrace, type Ended } from './grace.ts';
import { freePort, newProject, sick, write } from './project.ts';
import { until } from './waiting.ts';

/** A secret that must be seen nowhere. Each half is looked for alone: half a secret is a leak too. */
interface Canary {
  readonly name: string;
  readonly value: string;
  readonly traces: readonly string[];
}

function canary(name: string): Canary {
  const [first, second] = [randomBytes(9).toString('hex'), randomBytes(9).toString('hex')];
  // What JSON escapes and URLs encode stands in the middle.
  const value = `${first}"\\/+${second}`;
  const base64 = Buffer.from(value).toString('base64');
  return { name, value, traces: [first, second, base64.slice(0, 16), base64.slice(-20, -4)] };
}

interface Project {
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly canaries: readonly Canary[];
}

async function newTalkative(): Promise<Project> {
  const caller = canary('the environment of the caller');
  const envFile = canary('.env');
  const url = canary('the password of a URL');
  const file = canary('a config file');
  const flag = canary('an argument --api-key=…');
  const word = canary('an argument after --token');
  const port = await freePort();
  const command = [...sick('tells-everything', `--api-key=${flag.value}`, '--token', word.value)];
  const dir = newProject({
    '.env': `SESSION_SECRET='${envFile.value}'\n`,
    'config.json': { crash: false, database: { password: file.value } },
    'grace.config.json': {
      name: 'talkative',
      components: {
        web: { command, port, env: { PORT: String(port) }, envFile: '.env', soak: '200ms', restart: { backoff: '50ms' } },
      },
      smoke: [{ name: 'pays', command: [...sick('tells-everything', '--smoke')], component: 'web' }],
    },
  });
  return {
    dir,
    env: {
      PAYMENT_API_KEY: caller.value,
      DATABASE_URL: `postgres://app:${encodeURIComponent(url.value)}@127.0.0.1:1/shop`,
    },
    canaries: [caller, envFile, url, file, flag, word],
  };
}

for (const view of ['plain', '--json'] as const) {
  const flags = view === 'plain' ? [] : [view];

  test(`no secret gets out of a boot that fails (${view})`, async () => {
    const project = await newTalkative();
    write(project.dir, {
      'config.json': readFileSync(join(project.dir, 'config.json'), 'utf8').replace('"crash": false', '"crash": true'),
    });
    const boot = await runGrace(project.dir, ['up', '--no-hold', ...flags], project.env);
    expect(boot.code, boot.stdout).toBe(1);
    expect(boot.stdout).toContain('the bank says no');
    await expectNoCanary(project, [boot]);
  });

  test(`no secret gets out of a boot whose smoke check fails (${view})`, async () => {
    const project = await newTalkative();
    write(project.dir, { 'smoke-fails': '' });
    const boot = await runGrace(project.dir, ['up', '--no-hold', ...flags], project.env);
    expect(boot.code, boot.stdout).toBe(1);
    expect(boot.stdout).toContain('the key was');
    await expectNoCanary(project, [boot]);
  });

  test(`no secret gets out of a boot that was healed by putting a file back (${view})`, async () => {
    const project = await newTalkative();
    const good = await runGrace(project.dir, ['boot', ...flags], project.env);
    expect(good.code, good.stdout).toBe(0);
    const config = readFileSync(join(project.dir, 'config.json'), 'utf8');
    write(project.dir, { 'config.json': config.slice(0, -8) });
    const healed = await runGrace(project.dir, ['boot', ...flags], project.env);
    expect(healed.code, healed.stdout).toBe(0);
    expect(readFileSync(join(project.dir, 'config.json'), 'utf8'), 'it was put back').toBe(config);
    await expectNoCanary(project, [good, healed]);
  });

  test(`no secret gets out of a crash at run time (${view})`, async () => {
    const project = await newTalkative();
    const grace = startGrace(project.dir, ['up', ...flags], project.env);
    await until('it is up', () => /^up in |"type":"boot_ended"/m.test(grace.said()), grace.said);
    write(project.dir, { crash: '' });
    await until('it is ready again', () => (grace.said().match(/ready in |"type":"component_ready"/g)?.length ?? 0) >= 2, grace.said);
    const ended = await grace.end('SIGTERM');
    expect(ended.code).toBe(0);
    await expectNoCanary(project, [ended]);
  });
}

test('no secret of an .env that the service reads by itself gets out', async () => {
  const project = await newTalkative();
  const [, envFile] = project.canaries;
  const own = join(project.dir, 'own.mjs');
  write(project.dir, {
    'own.mjs': `process.loadEnvFile('.env');\nconsole.error('reading', process.env.SESSION_SECRET);\nthrow new Error('cannot sign with ' + process.env.SESSION_SECRET);\n`,
    'grace.config.json': { components: { web: { command: [process.execPath, own], envFile: '.env', loadEnvFile: false } } },
  });
  const boot = await runGrace(project.dir, ['up', '--no-hold'], {});
  expect(boot.code).toBe(1);
  expect(boot.stdout).toContain('cannot sign with');
  await expectNoCanary({ ...project, canaries: envFile === undefined ? [] : [envFile] }, [boot]);
});

test('no secret of a refused configuration is repeated in the refusal', async () => {
  const secret = canary('a config with mistakes');
  const dir = newProject({
    'grace.config.json': {
      components: { web: { command: 'node server.js', env: { API_TOKEN: [secret.value] }, prot: 1 } },
      databaseUrl: { password: secret.value },
    },
  });
  const refused = await runGrace(dir, ['up']);
  expect(refused.code).toBe(2);
  const asJson = await runGrace(dir, ['up', '--json']);
  await expectNoCanary({ dir, env: {}, canaries: [secret] }, [refused, asJson]);
});

/** Looks at everything Grace has said, says when asked, and has written. */
async function expectNoCanary({ dir, env, canaries }: Project, runs: readonly Ended[]): Promise<void> {
  const places = new Map<string, Buffer>();
  runs.forEach((run, n) => places.set(`output of run ${n + 1}`, Buffer.from(run.stdout + run.stderr)));
  for (const question of ['explain', 'boots show last', 'boots', 'history', 'patterns', 'playbooks', 'status', 'diff', 'config explain'])
    for (const flags of [[], ['--json']]) {
      const { stdout, stderr } = await runGrace(dir, [...question.split(' '), ...flags], env);
      places.set(['grace', question, ...flags].join(' '), Buffer.from(stdout + stderr));
    }
  for (const folder of ['.grace', 'playbooks']) for (const path of filesBelow(join(dir, folder))) places.set(path, readFileSync(path));
  // What the component wrote is the component's: its log is kept as it wrote it, for its owner and group only.
  const log = join(dir, '.grace', 'logs', 'web.log');
  if (places.delete(log)) expect(statSync(log).mode & 0o007).toBe(0);
  const leaks = canaries.flatMap(({ name, traces }) =>
    [...places].flatMap(([place, bytes]) => {
      const trace = traces.find((t) => bytes.includes(t));
      return trace === undefined ? [] : [`${name} in ${place}: ${around(bytes, trace)}`];
    }),
  );
  expect(leaks).toEqual([]);
}

function filesBelow(dir: string): readonly string[] {
  try {
    return readdirSync(dir, { recursive: true, encoding: 'utf8' })
      .map((name) => join(dir, name))
      .filter((path) => statSync(path).isFile());
  } catch {
    return []; // never made
  }
}

function around(bytes: Buffer, trace: string): string {
  const at = bytes.indexOf(trace);
  return JSON.stringify(bytes.subarray(Math.max(0, at - 60), at + trace.length + 20).toString('utf8'));
}
