import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runGrace, startGrace, type Running } from './grace.ts';
import { freePort, newProject, sick, write } from './project.ts';
import { until } from './waiting.ts';

const PYTHON_SERVER = `
import http.server, os
server = http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), http.server.SimpleHTTPRequestHandler)
server.serve_forever()
`;

async function projectOf(files: Readonly<Record<string, unknown>>, command: readonly string[], more: object = {}) {
  const port = await freePort();
  const component = {
    command,
    port,
    env: { PORT: String(port) },
    soak: '200ms',
    restart: { backoff: '50ms' },
    stop: { grace: '1s' },
    ...more,
  };
  const dir = newProject({ ...files, 'grace.config.json': { components: { web: component } } });
  return { dir, port };
}

/** What the steps of a playbook said when they had ended. */
function stepsOf(grace: Running, playbook: string): readonly string[] {
  return grace.events().flatMap((e) => (e.type === 'step' && e.playbook === playbook && e.state === 'done' ? [e.summary] : []));
}

test('a service that answers with errors is asked what it said, and is started again', async () => {
  const { dir, port } = await projectOf({}, sick('answers-errors'), {
    liveness: { http: '/', every: '200ms', timeout: '500ms', failures: 3 },
  });
  const grace = startGrace(dir, ['up', '--json'], { SELF_HEAL_EXECUTE: 'true' });
  await grace.event('boot_ended', (e) => e.outcome === 'success');
  const ask = async (): Promise<string | null> => {
    const response = await fetch(`http://127.0.0.1:${port}/`).catch(() => null);
    return response?.ok === true ? response.text() : null;
  };
  const first = await ask();
  write(dir, { break: '' });
  await until('another process answers', async () => {
    const text = await ask();
    return text !== null && text !== first;
  });
  await grace.event('playbook_verified', (e) => e.playbook === 'investigate_error_spike');
  const [said, restarted] = stepsOf(grace, 'investigate_error_spike');
  expect(said).toMatch(
    /^web said \d+ errors of one kind in the last 5 minutes: \d+ times ".*order <\*> failed: connection to the queue was closed"/,
  );
  expect(restarted).toBe('restarted web');
  await grace.end('SIGTERM');
});

test('a coroutine that is never awaited is listed with its places, and nothing of the code is changed', async () => {
  const files = {
    'main.py': `
import asyncio
from mesh import mesh

async def main():
    mesh.subscribe("orders")
    if not mesh.topics:
        raise SystemExit(1)

asyncio.run(main())
`,
    'mesh.py': `
class Mesh:
    def __init__(self):
        self.topics = []
    async def subscribe(self, topic):
        self.topics.append(topic)
    async def start(self):
        self.subscribe("all")

mesh = Mesh()
`,
  };
  const { dir } = await projectOf(files, ['python3', '-B', 'main.py']);
  const grace = startGrace(dir, ['boot', '--json']);
  expect((await grace.ended).code, grace.said()).toBe(1);
  expect(stepsOf(grace, 'verify_async_subscriptions')).toEqual([
    'started and not waited for, in 2 files of web: main.py:6 mesh.subscribe, mesh.py:8 Mesh.subscribe',
  ]);
  for (const [name, text] of Object.entries(files)) expect(readFileSync(join(dir, name), 'utf8')).toBe(text);
  const explained = await runGrace(dir, ['explain']);
  expect(explained.stdout).toContain('is not awaited');
  expect(explained.stdout).toContain('mesh.py:8');
});

test('where a rejection without an error comes from is looked for', async () => {
  const source = `async function start() { throw { code: 'E_QUEUE' }; }\nexport async function main() {\n  start();\n}\nawait main();\nsetInterval(() => undefined, 1000);\n`;
  const { dir } = await projectOf({ 'server.mjs': source }, [process.execPath, 'server.mjs']);
  const grace = startGrace(dir, ['boot', '--json']);
  expect((await grace.ended).code, grace.said()).toBe(1);
  expect(stepsOf(grace, 'verify_async_subscriptions')).toEqual(['started and not waited for, in 1 file of web: server.mjs:3 start']);
});

test('the loader of a catalog that was never there is made after an approval; later it comes back by itself', async () => {
  const files = {
    'main.py': `from backend.metrics_catalog_loader import load_metrics_catalog\ncatalog = load_metrics_catalog()\n${PYTHON_SERVER}`,
    'backend/__init__.py': '',
  };
  const { dir } = await projectOf(files, ['python3', '-B', 'main.py']);
  const loader = join(dir, 'backend', 'metrics_catalog_loader.py');
  const first = startGrace(dir, ['boot', '--json']);
  const asked = await first.event('approval_needed');
  expect((await first.ended).code, first.said()).toBe(1);
  expect(existsSync(loader), 'nothing is made before somebody agrees').toBe(false);
  expect((await runGrace(dir, ['approvals', 'approve', asked.approval, '--as', 'ann'])).code).toBe(0);
  const second = await runGrace(dir, ['boot', '--json']);
  expect(second.code, second.stdout + second.stderr).toBe(0);
  expect(readFileSync(join(dir, 'backend', 'metrics_catalog.json'), 'utf8')).toBe('{}\n');

  write(dir, { 'backend/metrics_catalog.json': { latency: { unit: 'ms' } } });
  expect((await runGrace(dir, ['boot', '--json'])).code).toBe(0);
  const good = readFileSync(loader, 'utf8');
  rmSync(loader);
  const third = startGrace(dir, ['boot', '--json']);
  expect((await third.ended).code, third.said()).toBe(0);
  expect(readFileSync(loader, 'utf8')).toBe(good);
  expect(JSON.parse(readFileSync(join(dir, 'backend', 'metrics_catalog.json'), 'utf8')), 'what people wrote stays').toHaveProperty(
    'latency',
  );
});
