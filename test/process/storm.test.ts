import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runGrace, startGrace, type Running } from './grace.ts';
import { send } from './processes.ts';
import { freePort, newProject, write } from './project.ts';
import { until } from './waiting.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e'];

/** Reads its settings as it starts: a playbook puts them back when they are gone. */
const SERVICE = `import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
JSON.parse(readFileSync(\`settings-\${process.argv[2]}.json\`, 'utf8'));
createServer((_request, response) => response.end('ok')).listen(Number(process.argv[3]), '127.0.0.1');
`;

test('three of five services that are killed at once are a storm: no playbook runs, it is told once, and they are started again', async () => {
  const components: Record<string, unknown> = {};
  for (const name of NAMES) {
    const port = await freePort();
    components[name] = {
      command: [process.execPath, 'service.mjs', name, String(port)],
      port,
      readiness: { http: '/' },
      soak: '200ms',
      restart: { backoff: '50ms' },
      stop: { grace: '1s' },
    };
  }
  const dir = newProject({ 'service.mjs': SERVICE });
  write(dir, { 'grace.config.json': { name: 'storm', components, healing: { executeAtRuntime: true } } });
  for (const name of NAMES) putSettings(dir, name);
  const grace = startGrace(dir, ['up', '--json']);
  await grace.event('boot_ended', (e) => e.outcome === 'success');

  const isKept = async (): Promise<boolean> => (await runGrace(dir, ['status', '--json'])).stdout.includes('"verified": true');
  await until('the good boot is kept', isKept, grace.said);

  // Alone, it is healed by a playbook: so one could run.
  lose(grace, dir, 'e');
  await grace.event('playbook_verified', (e) => e.component === 'e');
  expect(existsSync(join(dir, 'settings-e.json'))).toBe(true);

  const steps = grace.events().filter((e) => e.type === 'step').length;
  for (const name of ['a', 'b', 'c']) lose(grace, dir, name);
  const storm = await grace.event('storm');
  expect(storm.components.length).toBeGreaterThanOrEqual(3);
  for (const name of ['a', 'b', 'c']) {
    await grace.event('playbook_chosen', (e) => e.component === name && e.policies.includes('limit.storm'));
    await grace.event('component_restarting', (e) => e.component === name);
    expect(existsSync(join(dir, `settings-${name}.json`)), 'no playbook has run').toBe(false);
  }
  // Started again as soon as the cause is gone, by nobody's playbook.
  for (const name of ['a', 'b', 'c']) {
    const before = pidOf(grace, name);
    putSettings(dir, name);
    await until(`${name} is up again`, () => pidOf(grace, name) !== before, grace.said);
  }
  expect(grace.events().filter((e) => e.type === 'step')).toHaveLength(steps);
  expect(grace.events().filter((e) => e.type === 'storm')).toHaveLength(1);
  const { code, stdout } = await runGrace(dir, ['status', '--json']);
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ healthy: false, breakers: [{ kind: 'storm' }] });
  const decisions = await runGrace(dir, ['policy', 'decisions', '--json']);
  expect(decisions.stdout).toContain('limit.storm');
  expect((await grace.end('SIGTERM')).code).toBe(0);
});

function pidOf(grace: Running, name: string): number | null {
  return (
    grace
      .events()
      .filter((e) => e.type === 'component_ready')
      .findLast((e) => e.component === name)?.pid ?? null
  );
}

const putSettings = (dir: string, name: string): void => write(dir, { [`settings-${name}.json`]: { name } });

/** Its settings go, and it is killed. */
function lose(grace: Running, dir: string, name: string): void {
  const pid = pidOf(grace, name);
  if (pid === null) throw new TypeError(`${name} is not up`);
  rmSync(join(dir, `settings-${name}.json`));
  send(pid, 'SIGKILL');
}
