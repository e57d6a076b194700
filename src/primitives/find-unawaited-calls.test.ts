import { symlink } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Sandbox } from './testing/sandbox.ts';

let box: Sandbox;
beforeEach(async () => {
  box = await new Sandbox().make();
  box.environment = { PATH: process.env['PATH'] ?? '' };
});
afterEach(() => box.remove());

async function said(params: { readonly called?: string } = {}): Promise<string> {
  await box.apply('find_unawaited_calls', params);
  return box.said;
}

const MESH = `
import asyncio

class TriggerMesh:
    async def publish(self, event): ...
    async def subscribe(self, topic): ...
    def close(self): ...

mesh = TriggerMesh()
async def warm_cache(): ...
`;

test('the calls of Python that nothing awaits are listed with their places, over modules', async () => {
  box.component = { ...box.component, command: ['python3', 'main.py'] };
  await box.write('backend/__init__.py', '');
  await box.write('backend/mesh.py', MESH);
  await box.write(
    'backend/api.py',
    `
import asyncio
from .mesh import TriggerMesh, mesh, warm_cache
from backend import mesh as mesh_module

class Api:
    def __init__(self):
        self.mesh = TriggerMesh()
    async def start(self):
        self.mesh.publish("started")
        await self.mesh.publish("awaited")
        self.announce()
    async def announce(self):
        mesh.close()
        task = asyncio.create_task(mesh.publish("kept by the loop"))
        await asyncio.gather(mesh.subscribe("a"), mesh.subscribe("b"))
        return task

def hidden(warm_cache):
    warm_cache()

async def lost():
    mesh.subscribe("lost")
    forgotten = warm_cache()
    mesh_module.warm_cache()
`,
  );
  await box.write('main.py', 'from backend.mesh import warm_cache as warm\nwarm()\nprint("it must not run")\nopen("ran", "w")\n');
  expect(await said()).toBe(
    'started and not waited for, in 4 files of web: backend/api.py:10 Api.mesh.publish, backend/api.py:12 Api.announce, ' +
      'backend/api.py:23 mesh.subscribe, backend/api.py:24 warm_cache, backend/api.py:25 mesh_module.warm_cache, main.py:2 warm',
  );
  expect(await said({ called: 'TriggerMesh.publish' })).toContain('4 files of web: backend/api.py:10 Api.mesh.publish');
  expect(Object.keys(await box.state())).not.toContain('/ran');
  expect(box.asked[0]).toContain('warn started and not waited for');
});

test('the calls of JavaScript and TypeScript are listed, over modules of both kinds', async () => {
  await box.write(
    'src/bus.ts',
    'export class Bus {\n  async publish(topic: string): Promise<void> {}\n  close(): void {}\n}\nexport const bus = new Bus();\n',
  );
  await box.write(
    'src/main.ts',
    "import { bus, Bus } from './bus.js';\nimport { warm } from './cache.cjs';\nconst own: Bus = new Bus();\nbus.publish('a');\nown.publish('b');\nbus.close();\nawait bus.publish('c');\nvoid bus.publish('meant');\nwarm();\n",
  );
  await box.write('src/cache.cjs', 'async function warm() {}\nmodule.exports = { warm };\n');
  await box.write('index.js', "const cache = require('./src/cache.cjs');\ncache.warm();\n");
  await box.write('node_modules/dep/index.js', 'async function f() {}\nf();\n');
  expect(await said()).toBe(
    'started and not waited for, in 4 files of web: index.js:2 cache.warm, src/main.ts:4 bus.publish, src/main.ts:5 own.publish, src/main.ts:9 warm',
  );
});

test('what could be anything is not accused', async () => {
  await box.write('a.js', "import { send } from 'elsewhere';\nsend();\nunknown.publish();\nfor (const f of [async () => 1]) f();\n");
  expect(await said()).toBe('no call in 1 file of web is surely left without somebody who waits for it');
});

test('a large program is asked about in parts', async () => {
  box.component = { ...box.component, command: ['python3', 'main.py'] };
  await box.write('main.py', 'from jobs.m0 import start\n');
  for (let i = 0; i < 230; i++)
    await box.write(`jobs/m${i}.py`, `async def start(): ...\nfrom .m${(i + 1) % 230} import start as next_one\nnext_one()\n`);
  expect(await said()).toMatch(/in 231 files of web: jobs\/m0\.py:3 next_one, .* and 210 more$/);
});

test('hostile files are counted, not believed', async () => {
  box.component = { ...box.component, command: ['python3', 'main.py'] };
  await box.write('main.py', 'async def f(): ...\nf()\n');
  await box.write('deep.py', `x = ${'('.repeat(5000)}1${')'.repeat(5000)}\n`);
  await box.write('nul.py', 'a = 1\0\n');
  await box.write('broken.js', 'function (');
  await box.write('\u001b[31mred\u202e.js', 'async function f() {}\nf();\n');
  expect(await said()).toBe('started and not waited for, in 2 files of web (3 could not be read): red.js:2 f, main.py:2 f');
});

test('a link is not followed, out or around', async () => {
  await box.write('a.js', 'async function f() {}\nf();\n');
  await symlink(box.outside, box.path('out'));
  await symlink('.', box.path('around'));
  await symlink('/etc/hostname', box.path('b.js'));
  expect(await said()).toBe('started and not waited for, in 1 file of web: a.js:2 f');
});

test('more places than anyone reads are counted', async () => {
  await box.write('a.js', `async function f() {}\n${'f();\n'.repeat(50)}`);
  expect(await said()).toMatch(/a\.js:21 f, and 30 more$/);
});
