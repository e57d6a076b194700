import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { runGrace, startGrace } from './grace.ts';
import { freePort, newProject, snapshot, write } from './project.ts';

/** Needs its .env with a port, a secret, and a directory to write into; keeps rows in a database of its own. */
const SERVER = `
import { createServer } from 'node:http';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
const settings = JSON.parse(readFileSync('settings.json', 'utf8'));
writeFileSync('spool/probe', '');
rmSync('spool/probe');
mkdirSync('data', { recursive: true });
const database = new DatabaseSync('data/app.db');
database.exec('create table if not exists starts (at text); insert into starts values (datetime())');
createServer((_, answer) => answer.end(settings.greeting)).listen(Number(process.env.PORT), '127.0.0.1');
`;
const SECRET = 'a-secret-that-nobody-may-read';

interface Tested {
  readonly playbook: string;
  readonly outcome: string;
  readonly reason: string;
  readonly parts: readonly { readonly part: string; readonly state: string; readonly detail: string }[];
}

let dir = '';
let port = 0;
beforeEach(async () => {
  port = await freePort();
  dir = newProject({
    'server.mjs': SERVER,
    'settings.json': { greeting: 'hello' },
    'spool/.keep': '',
    '.env': `PORT=${port}\nAPI_TOKEN=${SECRET}\n`,
    'grace.config.json': {
      name: 'shop',
      components: { api: { command: 'node server.mjs', port, readiness: { http: '/' }, soak: '300ms' } },
      smoke: [{ name: 'greets', http: '/', component: 'api' }],
    },
  });
});

async function boots(): Promise<void> {
  const { code, stdout, stderr } = await runGrace(dir, ['boot']);
  expect({ code, said: code === 0 ? '' : stdout + stderr }).toEqual({ code: 0, said: '' });
}

/** Well once, then broken, then healed by a boot that writes the playbook. @returns its name */
async function healed(breaks: () => void): Promise<string> {
  await boots();
  breaks();
  await boots();
  const [name = ''] = readdirSync(join(dir, 'playbooks')).flatMap((file) => (file.endsWith('.ts') ? [file.slice(0, -3)] : []));
  expect(name).not.toBe('');
  return name;
}

async function tested(...names: readonly string[]): Promise<{ readonly code: number | null; readonly results: readonly Tested[] }> {
  const before = snapshot(dir);
  const left = sandboxes();
  const { code, stdout, stderr } = await runGrace(dir, ['playbooks', 'test', ...names, '--json']);
  expect(snapshot(dir), 'the project and what Grace remembers are as before, to the byte').toEqual(before);
  expect(sandboxes().filter((name) => !left.includes(name))).toEqual([]);
  if (stdout === '') throw new Error(stderr);
  return { code, results: JSON.parse(stdout) as readonly Tested[] };
}

/** A user that exists nowhere: another person to Grace. */
const BOB = 4002;
/** Other users may answer: whoever can write the data directory can. */
function openToAll(): void {
  chmodSync(dir, 0o777);
  chmodSync(join(dir, '.grace'), 0o777);
  for (const name of readdirSync(join(dir, '.grace'))) if (/^grace\.(?:db|lock)/.test(name)) chmodSync(join(dir, '.grace', name), 0o666);
}

const sandboxes = (): readonly string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('grace-sandbox-'));
const fileOf = (name: string): string => join(dir, 'playbooks', `${name}.ts`);
const recordOf = (name: string): string => join(dir, 'playbooks', `${name}.failure.json`);

function edit(file: string, change: (text: string) => string): void {
  const before = readFileSync(file, 'utf8');
  const after = change(before);
  expect(after).not.toBe(before);
  writeFileSync(file, after);
}

describe('a playbook that Grace wrote', () => {
  test('is tested green against its recorded failure; red without its fix; red when the failure cannot happen any more', async () => {
    const name = await healed(() => rmSync(join(dir, 'spool'), { recursive: true }));
    expect(JSON.parse(readFileSync(recordOf(name), 'utf8'))).toMatchObject({
      playbook: name,
      component: 'api',
      family: 'directory_missing',
      world: [{ path: 'spool', was: 'missing' }],
      notReplayable: [],
    });
    const green = await tested();
    expect(green.results).toMatchObject([{ playbook: name, outcome: 'passed' }]);
    expect(green.results[0]?.parts.map(({ part, state }) => `${part}: ${state}`)).toEqual([
      'comes up unbroken: passed', 'fails as recorded: passed', 'heals: passed', 'is undone: passed',
    ]); // prettier-ignore
    expect(green.code).toBe(0);

    const source = readFileSync(fileOf(name), 'utf8');
    edit(fileOf(name), (text) => text.replace(/await ctx\.step\(.*\);/, "await ctx.step('say so', 'notify', { message: 'no fix' });"));
    const without = await tested(name);
    expect(without).toMatchObject({ code: 1, results: [{ outcome: 'failed' }] });
    expect(without.results[0]?.reason).toMatch(/does not heal/);

    writeFileSync(fileOf(name), source);
    edit(join(dir, 'server.mjs'), (text) =>
      text.replace("writeFileSync('spool", "mkdirSync('spool', { recursive: true });\nwriteFileSync('spool"),
    );
    const impossible = await tested(name);
    expect(impossible).toMatchObject({ code: 1, results: [{ outcome: 'failed' }] });
    expect(impossible.results[0]?.reason).toMatch(/no longer reproduces: it comes up all the same/);
  });

  test('is red when the service fails in another way than recorded', async () => {
    const name = await healed(() => rmSync(join(dir, 'spool'), { recursive: true }));
    edit(recordOf(name), (text) => text.replace('"was": "missing"', '"was": "text",\n      "text": "a file in its place"'));
    const { code, results } = await tested(name);
    expect({ code, outcome: results[0]?.outcome }).toEqual({ code: 1, outcome: 'failed' });
    expect(results[0]?.reason).toMatch(/no longer reproduces: it fails in another way/);
  });

  test('knows that a whole directory was gone, when it puts back a file in it', async () => {
    edit(join(dir, 'server.mjs'), (text) => text.replace("rmSync('spool/probe');", ''));
    const name = await healed(() => rmSync(join(dir, 'spool'), { recursive: true }));
    expect(readFileSync(fileOf(name), 'utf8')).toContain('restore_file');
    expect(JSON.parse(readFileSync(recordOf(name), 'utf8'))).toMatchObject({ world: [{ path: 'spool', was: 'missing' }] });
    expect(await tested(name)).toMatchObject({ code: 0, results: [{ outcome: 'passed' }] });
  });

  test('puts back a file that was cut off: the record knows how much was left, and nothing of what was in it', async () => {
    const name = await healed(() => writeFileSync(join(dir, 'settings.json'), '{\n  "greet'));
    expect(JSON.parse(readFileSync(recordOf(name), 'utf8'))).toMatchObject({ world: [{ path: 'settings.json', was: 'cut', bytes: 10 }] });
    expect(await tested(name)).toMatchObject({ code: 0, results: [{ outcome: 'passed' }] });
  });

  test('adds a key of an env file: the record names it, and no value is in it', async () => {
    edit(join(dir, 'server.mjs'), (text) => `if (!process.env.API_TOKEN) throw new Error('API_TOKEN is not set');\n${text}`);
    edit(join(dir, 'grace.config.json'), (text) => text.replace('"command"', '"requiredEnv": ["API_TOKEN"], "command"'));
    const name = await healed(() => edit(join(dir, '.env'), (text) => text.replace(/API_TOKEN=.*\n/, '')));
    const record = readFileSync(recordOf(name), 'utf8');
    expect(JSON.parse(record)).toMatchObject({ world: [{ envFile: '.env', missing: ['API_TOKEN'] }] });
    expect(record + readFileSync(fileOf(name), 'utf8')).not.toContain(SECRET);
    expect(await tested(name)).toMatchObject({ code: 0, results: [{ outcome: 'passed' }] });
  });

  test('is tested beside the service that runs, on a port of its own, with a copy of its database', async () => {
    const name = await healed(() => rmSync(join(dir, 'spool'), { recursive: true }));
    const grace = startGrace(dir, ['up', '--json']);
    try {
      await grace.event('boot_ended');
      const { code, stdout } = await runGrace(dir, ['playbooks', 'test', name, '--json']);
      expect({ code, results: JSON.parse(stdout) as unknown }).toMatchObject({ code: 0, results: [{ outcome: 'passed' }] });
      expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('hello');
    } finally {
      await grace.end('SIGTERM');
    }
  });

  test('is inconclusive, and no pass, where a sandbox cannot have what it is about', async () => {
    const name = await healed(() => rmSync(join(dir, 'spool'), { recursive: true }));
    edit(join(dir, '.env'), (text) => `${text}DATABASE_URL=postgres://shop:pw@127.0.0.1/shop\n`);
    const server = await tested(name);
    expect(server).toMatchObject({ code: 1, results: [{ outcome: 'inconclusive' }] });
    expect(server.results[0]?.reason).toMatch(/postgres server \(DATABASE_URL\), and a test touches no real one/);
    edit(recordOf(name), (text) => text.replace('"notReplayable": []', '"notReplayable": ["another process held the port"]'));
    expect(await tested(name)).toMatchObject({ code: 1, results: [{ outcome: 'inconclusive' }] });
    rmSync(recordOf(name));
    expect(await tested(name)).toMatchObject({ code: 1, results: [{ outcome: 'inconclusive' }] });
  });

  test('never reaches out of the sandbox, whatever its record says', async () => {
    const name = await healed(() => rmSync(join(dir, 'spool'), { recursive: true }));
    for (const path of ['../../outside', '/etc/hostname', '.', 'escape/x']) {
      write(dir, {
        [`playbooks/${name}.failure.json`]: {
          ...(JSON.parse(readFileSync(recordOf(name), 'utf8')) as object),
          world: [
            { path: 'escape', was: 'link', to: 'nowhere' },
            { path, was: 'missing' },
          ],
        },
      });
      if (path === 'escape/x') continue;
      const { code, stderr } = await runGrace(dir, ['playbooks', 'test', name, '--json']);
      expect({ path, code, isTold: stderr.includes('GRACE_AUTHORING_RECORDED_FAILURE_INVALID') }).toEqual({ path, code: 1, isTold: true });
    }
    expect(existsSync('/etc/hostname')).toBe(true);
  });
});

describe('a dry run', () => {
  test('says what each step would do and what governance says, and changes nothing at all', async () => {
    const name = await healed(() => rmSync(join(dir, 'spool'), { recursive: true }));
    rmSync(join(dir, 'spool'), { recursive: true });
    const before = snapshot(dir);
    const { code, stdout } = await runGrace(dir, ['playbooks', 'run', name, '--dry-run', '--json']);
    expect(snapshot(dir)).toEqual(before);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      dry_run: true,
      would_run: true,
      component: 'api',
      governance: { verdict: expect.stringMatching(/^allow/) as string, policies: [expect.stringMatching(/^tier_/) as string] },
      steps: [{ primitive: 'make_directory', state: 'ready', targets: [join(dir, 'spool')], undo: true }],
    });
    const ran = await runGrace(dir, ['playbooks', 'run', name, '--json']);
    expect(JSON.parse(ran.stdout)).toMatchObject({ state: 'applied', steps: [{ state: 'done' }] });
    expect(existsSync(join(dir, 'spool'))).toBe(true);
    const again = await runGrace(dir, ['playbooks', 'run', name, '--dry-run']);
    expect(again.stdout).toMatch(/nothing to do now/);
    expect(again.code).toBe(1);
  });

  test('of a playbook whose steps only its code knows plans them one after the other in its process', async () => {
    await boots();
    write(dir, {
      'playbooks/two_rooms.ts': `import { definePlaybook } from 'grace-runtime';
export default definePlaybook({
  name: 'two_rooms', description: 'makes two directories', risk: 'low', tier: 'tier_3', service: 'x', match: {}, params: { n: 2 },
  async run(ctx) {
    for (let i = 1; i <= ctx.params.n; i++) await ctx.step('room ' + i, 'make_directory', { path: 'room' + i });
    await ctx.step('out of reach', 'make_directory', { path: '/outside/of/everything' });
    await ctx.step('never asked for', 'make_dirctory' as never, {} as never);
    await ctx.step('beyond the end', 'notify', { message: 'x' });
  },
});
`,
    });
    const before = snapshot(dir);
    const { code, stdout } = await runGrace(dir, ['playbooks', 'run', 'two_rooms', '--dry-run', '--json']);
    expect(snapshot(dir)).toEqual(before);
    const said = JSON.parse(stdout) as { steps: { step: string; state: string; uncertain: boolean }[] };
    expect(said.steps.map((s) => `${s.step}: ${s.state}${s.uncertain ? ', uncertain' : ''}`)).toEqual([
      'room 1: ready', 'room 2: ready, uncertain', 'out of reach: refused, uncertain', 'never asked for: refused, uncertain',
    ]); // prettier-ignore
    expect(said).toMatchObject({
      governance: { verdict: 'needs_approval', approvals_needed: 1 },
      ends_with: expect.stringContaining('make_dirctory') as string,
    });
    expect(code).toBe(1);
  });
});

describe('a run', () => {
  const THREE = `import { definePlaybook } from 'grace-runtime';
export default definePlaybook({
  name: 'half_way', description: 'fails half way', risk: 'low', tier: 'tier_1', service: 'x', match: {}, params: {},
  async run(ctx) {
    await ctx.step('a room', 'make_directory', { path: 'room' });
    await ctx.step('out of reach', 'make_directory', { path: '/outside/of/everything' });
  },
});
`;

  test('that fails half way is undone, and says so', async () => {
    await boots();
    write(dir, { 'playbooks/half_way.ts': THREE });
    const { code, stdout } = await runGrace(dir, ['playbooks', 'run', 'half_way', '--json']);
    expect({ code, said: JSON.parse(stdout) as unknown }).toMatchObject({ code: 1, said: { state: 'failed' } });
    expect(existsSync(join(dir, 'room'))).toBe(false);
  });

  test.runIf(process.getuid?.() === 0)(
    'that needs an approval runs once another person has given it, whatever one calls oneself',
    async () => {
      await boots();
      write(dir, { 'playbooks/half_way.ts': THREE.replace('tier_1', 'tier_3').replace(/.*outside.*\n/, '') });
      const asked = JSON.parse((await runGrace(dir, ['playbooks', 'run', 'half_way', '--json'])).stdout) as { approval: string };
      expect(asked).toMatchObject({ state: 'waiting', approval: expect.stringMatching(/^ap_/) as string });
      expect(existsSync(join(dir, 'room'))).toBe(false);
      const self = await runGrace(dir, ['approvals', 'approve', asked.approval, '--as', 'bob', '--json']);
      expect(self, 'whoever asks can not agree as well').toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/has asked for ap_\w+ and cannot approve it[\s\S]*grace policy test/) as string,
      });
      const alone = await runGrace(dir, ['playbooks', 'run', 'half_way']);
      expect(alone).toMatchObject({
        code: 1,
        stdout: expect.stringContaining(`another person: grace approvals approve ${asked.approval}`),
      });
      expect(alone.stdout).toContain('where there is nobody else');
      expect(existsSync(join(dir, 'room'))).toBe(false);
      openToAll();
      const other = await runGrace(dir, ['approvals', 'approve', asked.approval], {}, BOB);
      expect(other.code, other.stderr).toBe(0);
      expect(await runGrace(dir, ['playbooks', 'run', 'half_way'])).toMatchObject({ code: 0 });
      expect(existsSync(join(dir, 'room'))).toBe(true);
    },
  );

  test('is refused while a Grace boots the component: it may heal it any moment', async () => {
    await boots();
    write(dir, { 'playbooks/half_way.ts': THREE });
    edit(join(dir, 'grace.config.json'), (text) => text.replace('"readiness": {', '"startupTimeout": "60s", "readiness": {'));
    edit(join(dir, 'server.mjs'), (text) => text.replace('createServer', 'await new Promise((r) => setTimeout(r, 60_000));\ncreateServer'));
    const grace = startGrace(dir, ['up', '--json']);
    try {
      await grace.event('component_starting');
      const { code, stderr } = await runGrace(dir, ['playbooks', 'run', 'half_way']);
      expect({ code, stderr }).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/api is in the hands of Grace now[\s\S]*--dry-run/) as string,
      });
      expect(existsSync(join(dir, 'room'))).toBe(false);
    } finally {
      await grace.end('SIGTERM');
    }
  });
});

describe('grace playbooks new', () => {
  test('writes one that runs as it stands, with types where grace-runtime is not installed, and never writes over anything', async () => {
    await boots();
    const { code, stdout } = await runGrace(dir, ['playbooks', 'new', 'tidy_up', '--component', 'api']);
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('grace.d.ts') as string });
    const source = readFileSync(fileOf('tidy_up'), 'utf8');
    const foreseen = JSON.parse((await runGrace(dir, ['playbooks', 'run', 'tidy_up', '--dry-run', '--json'])).stdout) as object;
    expect(foreseen).toMatchObject({ steps: [{ primitive: 'notify', state: 'ready' }], ends_with: null });
    const again = await runGrace(dir, ['playbooks', 'new', 'tidy_up']);
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('there is a file already') as string });
    expect(readFileSync(fileOf('tidy_up'), 'utf8')).toBe(source);
    expect((await runGrace(dir, ['playbooks', 'new', '../evil'])).code).toBe(2);
  });

  test('for an incident is filled from it, takes its recorded failure along, and is tested green', async () => {
    const name = await healed(() => rmSync(join(dir, 'spool'), { recursive: true }));
    const { incident, signature } = JSON.parse(readFileSync(recordOf(name), 'utf8')) as { incident: string; signature: string };
    const { code } = await runGrace(dir, ['playbooks', 'new', 'my_spool', '--for', incident]);
    expect(code).toBe(0);
    const source = readFileSync(fileOf('my_spool'), 'utf8');
    expect(source).toContain(`signature: '${signature}', family: 'directory_missing', component: 'api'`);
    expect(source).toMatch(/await ctx\.step\('.+', 'make_directory', \{ path: ctx\.params\.path \}\)/);
    expect(await tested('my_spool')).toMatchObject({ code: 0, results: [{ playbook: 'my_spool', outcome: 'passed' }] });
    expect((await runGrace(dir, ['playbooks', 'new', 'by_signature', '--for', signature])).code).toBe(0);
    expect(await runGrace(dir, ['playbooks', 'new', 'for_nothing', '--for', 'no_such_incident'])).toMatchObject({ code: 1 });
    expect(existsSync(fileOf('for_nothing'))).toBe(false);
  });

  test('writes JavaScript where the folder holds JavaScript', async () => {
    await boots();
    write(dir, {
      'playbooks/other.mjs':
        "import { definePlaybook } from 'grace-runtime';\nexport default definePlaybook({ name: 'other', description: '', risk: 'low', tier: 'tier_1', service: 'x', match: {}, params: {}, async run() {} });\n",
    });
    expect((await runGrace(dir, ['playbooks', 'new', 'tidy_up'])).code).toBe(0);
    expect(readFileSync(join(dir, 'playbooks', 'tidy_up.mjs'), 'utf8')).toMatch(/^\/\/ @ts-check\n/);
    const foreseen = JSON.parse((await runGrace(dir, ['playbooks', 'run', 'tidy_up', '--dry-run', '--json'])).stdout) as object;
    expect(foreseen).toMatchObject({ steps: [{ primitive: 'notify', state: 'ready' }], ends_with: null });
  });
});
