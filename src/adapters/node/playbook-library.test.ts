import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { executePlaybook, undoRun, type JournalEntry, type Primitive, type PrimitiveContext } from '../../domains/playbooks/index.ts';
import { sha256Hex, type Json, type JsonObject } from '../../kernel/index.ts';
import { nodeFiles } from './files.ts';
import { playbookLibrary } from './playbook-library.ts';
import { namespaces, type PlaybookLimits } from './playbook-process.ts';
import { pidsWithMark } from './proc.ts';

const CANARY = 'canary-of-a-secret-5f1c';
const hasNamespaces = (await namespaces()).length > 0;
/** Node 26 refuses networks by itself; before it, the language and namespaces have to. See docs/design/0006. */
const refusesNetwork = process.allowedNodeEnvironmentFlags.has('--allow-net');
let dir = '';
let mark = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'grace-playbook-'));
  mark = `test/${sha256Hex(dir).slice(0, 12)}`;
  vi.stubEnv('PLANTED_SECRET', CANARY);
});
afterEach(async () => {
  await vi.waitUntil(() => pidsWithMark(mark).length === 0, { timeout: 10_000 }); // nothing is left of any playbook
  vi.unstubAllEnvs();
  rmSync(dir, { recursive: true, force: true });
});

/** A component's state that a playbook can change through `set`, and nothing else. */
class World {
  readonly state: Record<string, Json> = { setting: 'old' };
  readonly asked: JsonObject[] = [];
  readonly printed: string[] = [];
  readonly stop = new AbortController();
  limits: Partial<PlaybookLimits> = {};
  /** Another program in the place of the one that obeys orders. */
  child: string | null = null;

  private readonly rows = new Map<string, JournalEntry>();
  private readonly journal = {
    write: async (entry: JournalEntry) => void this.rows.set(`${entry.runId}/${entry.index}`, entry),
    entries: async (runId: string) => [...this.rows.values()].filter((e) => e.runId === runId),
  };
  private readonly primitives = new Map<string, Primitive>([
    [
      'set',
      {
        name: 'set',
        description: '',
        risk: 'low',
        parse: (params) => params,
        plan: async (params) =>
          params['refuse'] === true
            ? { state: 'refused', reason: 'this is not to be set' }
            : {
                state: 'ready',
                summary: '',
                targets: ['setting'],
                undo: { key: params['key'] as string, was: this.state[params['key'] as string] ?? null },
              },
        apply: async (params) => {
          this.asked.push(params);
          this.state[params['key'] as string] = params['to'] ?? null;
          return { summary: `set it, without ${CANARY}`, changed: [] };
        },
        undo: async (record) => {
          const { key, was } = record as { key: string; was: Json };
          if (was === null) Reflect.deleteProperty(this.state, key);
          else this.state[key] = was;
        },
      },
    ],
  ]);

  get library() {
    const { child } = this;
    return playbookLibrary(dir, nodeFiles, {
      redact: (text) => text.replaceAll(CANARY, '[redacted]'),
      logger: {
        debug() {},
        info: (_, fields) => void this.printed.push(fields?.['output'] as string),
        warn() {},
        error() {},
      },
      marks: { describe: mark, run: mark },
      limits: this.limits,
      ...(child === null ? {} : { child: pathToFileURL(child) }),
    });
  }

  /** Loads and runs a file, as the healer does: what a failed run has done is undone. */
  async heal(file: string) {
    const { playbook } = await this.library.load(file);
    const context = { component: { name: 'api' }, signal: this.stop.signal } as PrimitiveContext;
    const { primitives, journal } = this;
    const outcome = await executePlaybook({
      runId: 'run_1',
      playbook,
      params: {},
      primitives,
      agreed: null,
      signal: context.signal,
      limits: { stepMs: 60_000, endMs: 1000, after: (ms) => AbortSignal.timeout(ms) },
      contextFor: () => context,
      journal,
      onStep: () => undefined,
    });
    if (!outcome.success) await undoRun('run_1', primitives, context, journal);
    return { ...outcome, error: outcome.results.find((r) => !r.success)?.error ?? '' };
  }
}

function source(run: string, top = ''): string {
  return `import { definePlaybook, type PlaybookContext } from 'grace-runtime';
${top}
export default definePlaybook({
  name: 'mend', description: 'mends it', risk: 'low', tier: 'tier_1', service: 'x', match: { family: 'f' },
  params: { key: 'setting', list: ['a', 'b'] },
  async run(ctx: PlaybookContext) {
${run}
  },
});
`;
}

function write(text: string, name = 'mend'): string {
  const file = join(dir, `${name}.ts`);
  writeFileSync(file, text);
  return file;
}

describe('an ordinary playbook', () => {
  test('says what it is, and the hash is that of its bytes', async () => {
    const file = write(source(''));
    const { playbook, hash } = await new World().library.load(file);
    expect(playbook).toMatchObject({ name: 'mend', tier: 'tier_1', match: { family: 'f' }, params: { key: 'setting', list: ['a', 'b'] } });
    expect(hash).toBe(sha256Hex(source('')));
  });

  test('may be JavaScript, which is run as it stands', async () => {
    const world = new World();
    const file = join(dir, 'mend.mjs');
    // As types this would be a call with a type argument; as JavaScript it compares.
    const run = `const [a, b] = [1, 2];\n    await ctx.step('one', 'set', { key: String(a<b>(0)), to: ctx.component });`;
    writeFileSync(file, source(run).replace(', type PlaybookContext', '').replace('ctx: PlaybookContext', 'ctx'));
    expect(await world.library.files()).toContain(file);
    expect(await world.heal(file)).toMatchObject({ success: true, changes: 1 });
  });

  test('takes its steps with conditions and loops, and sees what came of them', async () => {
    const world = new World();
    const file = write(
      source(`const first = await ctx.step('one', 'set', { key: ctx.params['key'], to: ctx.component });
    if (!first.success) throw new Error('no');
    for (const [i, key] of (ctx.params['list'] as string[]).entries()) await ctx.step(\`more \${i}\`, 'set', { key, to: first.summary });`),
    );
    expect(await world.heal(file)).toMatchObject({
      success: true,
      changes: 3,
      results: [{ step: 'one' }, { step: 'more 0' }, { step: 'more 1' }],
    });
    expect(world.state).toEqual({ setting: 'api', a: 'set it, without [redacted]', b: 'set it, without [redacted]' });
  });

  test('may handle a refusal, and one that it does not handle is a refusal of the run', async () => {
    const refused = `await ctx.step('no', 'set', { key: 'x', refuse: true })`;
    const file = write(source(`try { ${refused}; } catch {} await ctx.step('yes', 'set', { key: 'y', to: 1 });`));
    expect(await new World().heal(file)).toMatchObject({ success: true, changes: 1 });
    expect(await new World().heal(write(source(refused)))).toMatchObject({ success: false, refused: true, error: 'this is not to be set' });
    expect(await new World().heal(write(source(`throw new Error('by myself ${CANARY}')`)))).toMatchObject({
      refused: false,
      error: 'by myself [redacted]',
    });
  });

  test('has the steps that it does not wait for taken one after the other, all the same', async () => {
    const world = new World();
    await world.heal(write(source(`for (const key of ['a', 'b', 'c']) void ctx.step(key, 'set', { key, to: key });`)));
    expect(world.asked.map(({ key }) => key)).toEqual(['a', 'b', 'c']);
  });

  test('is what was hashed, also when its file has changed between', async () => {
    const world = new World();
    const file = write(source(`await ctx.step('one', 'set', { key: 'setting', to: 'agreed' });`));
    const { playbook } = await world.library.load(file);
    write(source(`await ctx.step('one', 'set', { key: 'setting', to: 'swapped' });`));
    const asked: unknown[] = [];
    await playbook.run({ params: {}, component: 'api', step: async (step, _, params) => (asked.push(params), { step, success: true }) });
    expect(asked).toEqual([{ key: 'setting', to: 'agreed' }]);
  });

  test('ends with Grace', async () => {
    const world = new World();
    const healing = world.heal(write(source(`await new Promise((done) => setTimeout(done, 60_000));`)));
    await vi.waitUntil(() => pidsWithMark(mark).length > 0, { timeout: 10_000 });
    world.stop.abort(new Error('Grace is stopping'));
    expect(await healing).toMatchObject({ success: false, error: 'Grace is stopping' });
  });
});

describe('a file that is no playbook', () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['has a syntax error', 'export default definePlaybook({ name: \n', /mend\.ts: does not compile or load: /],
    ['throws when it is loaded', `throw new Error('not today')`, /mend\.ts: does not compile or load: not today$/],
    ['has no default export', 'export const a = 1;', /mend\.ts: has no default export made with definePlaybook/],
    ['has a wrong default export', 'export default 7;', /mend\.ts: has no default export made with definePlaybook/],
    ['has no name', 'export default {};', /mend\.ts: its name must be snake_case/],
    ['has a wrong tier', source('').replace('tier_1', 'tier_9'), /mend\.ts: its tier must be tier_1/],
    ['has no run', `export default { name: 'mend', risk: 'low', tier: 'tier_1' };`, /mend\.ts: it has no run\(ctx\)/],
    ['ends its process', `export default 7; await new Promise(() => {}); `, /mend\.ts: .*took more than 1500 ms/],
    ['is endless', 'for (;;);', /mend\.ts: .*took more than 1500 ms/],
    ['is enormous', `//${'x'.repeat(300_000)}`, /mend\.ts: is longer than 262144 bytes/],
    ['says endlessly much of itself', source('').replace(`['a', 'b']`, `Array(400_000).fill('abc')`), /mend\.ts: .*more at once than it may/],
    ['imports node:fs', `import 'node:fs'; ${source('')}`, /imports "node:fs", and a playbook may import nothing but grace-runtime/],
    ['imports another file', `import './other.ts'; ${source('')}`, /imports "\.\/other\.ts", and a playbook may import nothing but/],
    ['imports what grace-runtime does not give it', `import { openMemory } from 'grace-runtime'; openMemory();`, /does not compile or load: .*openMemory/],
  ]; // prettier-ignore

  test.each(cases)('that %s is said to be none, and why', async (_, text, message) => {
    const world = new World();
    if (message.source.includes('1500')) world.limits = { ownTimeMs: 1500 };
    await expect(world.library.load(write(text))).rejects.toMatchObject({
      code: 'GRACE_PLAYBOOKS_INVALID',
      message: expect.stringMatching(message),
    });
  });

  test('that is gone is said to be gone', async () => {
    await expect(new World().library.load(join(dir, 'gone.ts'))).rejects.toMatchObject({
      message: `${join(dir, 'gone.ts')}: the file is gone`,
    });
  });
});

describe('a hostile playbook', () => {
  /** Each looks for a power by its own way, and would tell what it found. */
  const searches: Readonly<Record<string, string>> = {
    'a module': `(await import('node:' + 'fs')).readFileSync('/etc/passwd', 'utf8')`,
    'a module in a string': `(await import('data:text/javascript,export * from "node:fs"')).readFileSync('/etc/passwd', 'utf8')`,
    'the environment': `process.env.PLANTED_SECRET`,
    'a built-in module': `globalThis.process.getBuiltinModule('fs').readFileSync('/etc/passwd', 'utf8')`,
    'its parent': `process.kill(process.ppid, 'SIGKILL')`,
    'code from text': `new Function('return process')().env`,
    'code from a constructor': `(async () => 0).constructor('return process')`,
    'the network': `await fetch('http://127.0.0.1:9')`,
    'a socket behind the console': `console._stdout.constructor`,
    'a stack': `(Error.prepareStackTrace = (_, s) => s.map((f) => f.getThis() ?? f.getFunction()).filter(Boolean), new Error().stack[0].x)`,
    'a worker': `new Worker('data:text/javascript,')`,
    'a channel to others': `new BroadcastChannel('x')`,
    'machine code': `WebAssembly.compile(new Uint8Array(8))`,
    'a way to load': `require('fs')`,
  };

  test('finds no power, whichever way it looks', async () => {
    const tries = Object.entries(searches).map(([name, code]) => `['${name}', async () => ${code}]`);
    const world = new World();
    const outcome = await world.heal(
      write(
        source(`const found: string[] = [];
    for (const [name, search] of [${tries.join(',\n')}] as [string, () => Promise<unknown>][])
      try { found.push(\`\${name}: \${String(await search())}\`); } catch {}
    await ctx.step('tell', 'set', { key: 'found', to: found });`).replace('import {', '// @ts-nocheck\nimport {'),
      ),
    );
    expect(outcome.error).toBe('');
    expect(world.state['found']).toEqual([]);
  });

  const endings: readonly (readonly [string, string, Partial<PlaybookLimits>, RegExp])[] = [
    ['loops for ever', 'for (;;);', { ownTimeMs: 1500 }, /took more than 1500 ms of its own/],
    ['uses up the processor', 'for (;;);', { cpuSeconds: 1 }, /its process ended/],
    ['waits for ever', 'for (;;) await new Promise((done) => setTimeout(done, 1));', { ownTimeMs: 1500 }, /took more than 1500 ms of its own/],
    ['fills its heap', 'const all: unknown[] = []; for (;;) all.push({ a: [1, 2, 3] });', {}, /its process ended/],
    ['fills memory outside of its heap', 'const all = []; for (;;) all.push(new Uint8Array(1 << 24).fill(1));', {}, /allocation failed|its process ended/],
    ['asks without end', `for (;;) void ctx.step('more', 'set', { key: 'more', refuse: true }).catch(() => 0);`, {}, /more than 200 steps|of its own|its process ended/],
    ['asks for too many steps', `for (let i = 0; i < 999; i++) await ctx.step('more', 'set', { key: 'more', to: i });`, { steps: 20 }, /more than 20 steps/],
    ['asks for too much at once', `await ctx.step('big', 'set', { key: 'big', to: 'x'.repeat(2_000_000) });`, {}, /more at once than it may/],
    ['asks for no step', `await ctx.step({} as string, 7 as never, [] as never);`, {}, /what makes no sense/],
    ['asks for the impossible', `await ctx.step('x', 'set', JSON.parse('{"__proto__":{"a":1}}'));`, {}, /what makes no sense/],
    ['leaves an error to itself', `setTimeout(() => { throw new Error('late'); }, 0); await new Promise((done) => setTimeout(done, 5000));`, {}, /its process ended with exit code 1 before/],
    ['speaks with the voice of its process', `let n = 0; (Object.prototype as any).toJSON = function () { return n++ > 0 ? this : { type: 'step', run: 'run_1', id: 9, name: 'x', primitive: 'set', params: { key: 'forged', to: 1 } }; }; await ctx.step('x', 'set', {});`, {}, /what makes no sense/],
    ['breaks what everything is made of', `Promise.prototype.then = Array.prototype.map = Map.prototype.get = () => { throw new Error('mine'); }; await ctx.step('x', 'set', {});`, { ownTimeMs: 1500 }, /mine|own|ended/],
  ]; // prettier-ignore

  test.each(endings)('that %s is ended, and what it had done is undone', async (_, code, limits, message) => {
    const world = new World();
    world.limits = { ownTimeMs: 20_000, ...limits };
    const outcome = await world.heal(write(source(`await ctx.step('first', 'set', { key: 'setting', to: 'broken' });\n${code}`)));
    expect(outcome).toMatchObject({ success: false, error: expect.stringMatching(message) });
    expect(world.state).toEqual({ setting: 'old' });
  });

  test('says nothing that a terminal would obey', async () => {
    const shown: string[] = [];
    const { playbook } = await new World().library.load(
      write(source(`await ctx.step('\\x1b[2J one\\u202e', 'set', {}); throw new Error('\\x1b]0;title\\x07 two');`)),
    );
    const step = async (name: string) => (shown.push(name), { step: name, success: true });
    await expect(playbook.run({ params: {}, component: 'api', step })).rejects.toThrow(/^ two$/);
    expect(shown).toEqual([' one']);
  });

  test('is heard to the end when it prints ten megabytes, of which little is kept and no secret', async () => {
    const world = new World();
    await world.heal(
      write(source(`for (let i = 0; i < 1000; i++) console.log('y'.repeat(10_000));\nconsole.error('{"type":"ended"} ${CANARY}');`)),
    );
    expect(world.printed.join('').length).toBeLessThan(10_000);
    expect(world.printed.join('')).toContain('[redacted]');
  });
});

/** What the kernel and the runtime refuse to a program that has every module: nothing here relies on what a playbook can name. */
describe('a program that has broken out of the language', () => {
  const program = (body: string): string => `
    import * as fs from 'node:fs'; import * as net from 'node:net'; import * as os from 'node:os';
    import { spawnSync } from 'node:child_process'; import { Worker } from 'node:worker_threads'; import { createRequire } from 'node:module';
    const channel = new net.Socket({ fd: 3 });
    const send = (message) => channel.write(typeof message === 'string' ? message : JSON.stringify(message) + '\\n');
    channel.once('data', async (text) => {
      const order = JSON.parse(String(text));
      const { run } = order;
      if (order.task === 'describe') {
        send({ type: 'stripped', run, code: 'x' });
        return send({ type: 'described', run, head: { name: 'mend', risk: 'low', tier: 'tier_1', canRun: true, params: {} } });
      }
      ${body}
    });
  `;

  async function runProgram(body: string): Promise<{ world: World; outcome: Awaited<ReturnType<World['heal']>> }> {
    const world = new World();
    world.limits = { ownTimeMs: 20_000 };
    world.child = join(dir, 'program.mjs');
    writeFileSync(world.child, program(body));
    const outcome = await world.heal(write(source('')));
    return { world, outcome };
  }

  test('reads no file, writes none, connects to nobody, starts nothing, loads no addon, and has no secret', async () => {
    const addon = join(dir, 'a.node');
    writeFileSync(addon, 'not an addon');
    let connections = 0;
    const server = createServer((socket) => (connections++, socket.destroy()));
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', () => done()));
    const local = createServer((socket) => (connections++, socket.destroy()));
    await new Promise<void>((done) => local.listen(join(dir, 's.sock'), () => done()));
    onTestFinished(() => void (server.close(), local.close()));
    const { port } = server.address() as { port: number };
    const { world, outcome } = await runProgram(`
      const connected = (to) => new Promise((resolve, reject) => net.connect(to).once('connect', () => resolve('connected')).once('error', reject));
      const tries = {
        read: () => fs.readFileSync('/etc/passwd', 'utf8'),
        list: () => fs.readdirSync(${JSON.stringify(dir)}),
        environment: () => fs.readFileSync('/proc/' + process.ppid + '/environ', 'utf8'),
        write: () => fs.writeFileSync(${JSON.stringify(join(dir, 'written'))}, 'x'),
        ${refusesNetwork || hasNamespaces ? '' : '//'} connect: () => connected({ port: ${port}, host: '127.0.0.1' }),
        ${refusesNetwork ? '' : '//'} local: () => connected(${JSON.stringify(join(dir, 's.sock'))}),
        spawn: () => { const { error, pid } = spawnSync('/bin/true'); if (error) throw error; return pid; },
        worker: () => new Worker('1', { eval: true }).threadId,
        addon: () => createRequire(import.meta.url)(${JSON.stringify(addon)}),
        binding: () => process.binding('spawn_sync'),
        secret: () => { if (!JSON.stringify(process.env).includes(${JSON.stringify(CANARY)})) throw new Error('none'); },
      };
      const got = [];
      for (const [name, attempt] of Object.entries(tries)) try { await attempt(); got.push(name); } catch {}
      send({ type: 'step', run, id: 1, name: 'tell', primitive: 'set', params: { key: 'got', to: { tried: Object.keys(tries).length, got } } });
      channel.once('data', () => send({ type: 'ended', run }));
    `);
    expect(outcome.error).toBe('');
    expect(world.state['got']).toEqual({ tried: 9 + Number(refusesNetwork || hasNamespaces) + Number(refusesNetwork), got: [] });
    expect(existsSync(join(dir, 'written'))).toBe(false);
    expect(connections).toBe(0);
  });

  test.skipIf(!hasNamespaces)('signals nobody outside', async () => {
    const bystander = spawn('/bin/sleep', ['60'], { stdio: 'ignore' });
    onTestFinished(() => void bystander.kill('SIGKILL'));
    const { world } = await runProgram(`
      const got = [];
      for (const pid of [${bystander.pid}, ${process.pid}]) try { process.kill(pid, 'SIGTERM'); got.push(pid); } catch {}
      send({ type: 'step', run, id: 1, name: 'tell', primitive: 'set', params: { key: 'got', to: got } });
      channel.once('data', () => send({ type: 'ended', run }));
    `);
    expect(world.state['got']).toEqual([]);
    expect(bystander.exitCode ?? bystander.signalCode).toBeNull();
  });

  const frames: readonly (readonly [string, string, RegExp])[] = [
    ['ends in the middle', `process.exit(0);`, /its process ended with exit code 0 before its run was over/],
    ['says what is no JSON', `send('{"type": "ended"\\n');`, /what makes no sense/],
    ['says what nobody knows', `send({ type: 'apply', run, primitive: 'set' });`, /what makes no sense/],
    ['says more than is asked for', `send({ type: 'ended', run, approved: true });`, /what makes no sense/],
    ['forges the run of another', `send({ type: 'step', run: 'run_1', id: 1, name: 'x', primitive: 'set', params: { key: 'setting', to: 'forged' } });`, /what makes no sense/],
    ['gives no run at all', `send({ type: 'step', id: 1, name: 'x', primitive: 'set', params: { key: 'setting', to: 'forged' } });`, /what makes no sense/],
    ['never ends its line', `for (let i = 0; i < 300; i++) send('x'.repeat(10_000));`, /more at once than it may/],
    ['floods the channel', `for (let i = 1; i < 100_000; i++) send({ type: 'step', run, id: i, name: 'x', primitive: 'none', params: {} });`, /more than 200 steps/],
    ['nests without end', `send('{"type":"step","run":"' + run + '","id":1,"name":"x","primitive":"set","params":{"key":' + '['.repeat(100_000) + ']'.repeat(100_000) + '}}\\n');`, /what makes no sense/],
  ]; // prettier-ignore

  test.each(frames)('and %s is ended, and nothing has happened', async (_, body, message) => {
    const { world, outcome } = await runProgram(body);
    expect(outcome).toMatchObject({ success: false, error: expect.stringMatching(message) });
    expect(world.state).toEqual({ setting: 'old' });
  });
});

test.each([
  ['waits', 'await new Promise((done) => setTimeout(done, 600_000));'],
  ['loops for ever', 'for (;;);'],
])('a playbook that %s does not outlive a Grace that is killed', async (_, code) => {
  const file = write(source(code));
  const script = `
    const { loadPlaybook } = await import(${JSON.stringify(join(import.meta.dirname, 'playbook-runner.ts'))});
    const around = { redact: (t) => t, logger: { info() {} }, marks: { describe: '${mark}', run: '${mark}' }, limits: { cpuSeconds: 2 } };
    const playbook = await loadPlaybook(process.argv[1], (await import('node:fs')).readFileSync(process.argv[1], 'utf8'), around);
    console.log('runs');
    await playbook.run({ params: {}, component: 'api', step: async () => ({}) });
  `;
  const grace = execFile(process.execPath, ['--input-type=module', '-e', script, file]);
  onTestFinished(() => void grace.kill('SIGKILL'));
  await new Promise<void>((said) => grace.stdout?.once('data', () => said()));
  await vi.waitUntil(() => pidsWithMark(mark).length > 0, { timeout: 10_000 });
  grace.kill('SIGKILL');
  await vi.waitUntil(() => pidsWithMark(mark).length === 0, { timeout: 20_000 });
});
