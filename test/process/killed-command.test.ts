import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runGrace, startGrace, type Running } from './grace.ts';
import { runsOf, send } from './processes.ts';
import { freePort, newProject, sick } from './project.ts';
import { until } from './waiting.ts';

/** Makes a room, and then builds for as long as it is let. */
const SLOW = (component: string): string => `import { definePlaybook } from 'grace-runtime';
export default definePlaybook({
  name: 'slow_${component}', description: 'takes its time', risk: 'medium', tier: 'tier_2', service: 'x',
  match: { component: '${component}' }, params: {},
  async run(ctx) {
    await ctx.step('a room', 'make_directory', { path: 'room-${component}' });
    await ctx.step('build', 'run_project_script', { directory: '.', script: 'build-${component}', makes: 'built-${component}' });
  },
});
`;
const BUILD = `import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
appendFileSync('building-' + process.argv[2], 'x');
while (!existsSync('enough')) await new Promise((resolve) => setTimeout(resolve, 50));
writeFileSync('built-' + process.argv[2], '');
`;

interface Shown {
  readonly runs: readonly { readonly run: string; readonly state: string }[];
}

interface Entry {
  readonly action: string;
  readonly resource: string;
}

async function stateOf(dir: string, playbook: string): Promise<string | undefined> {
  const { stdout } = await runGrace(dir, ['playbooks', 'show', playbook, '--json']);
  return (JSON.parse(stdout) as Shown).runs[0]?.state;
}

/** A Grace in front of two components, and a command beside it that runs a playbook for each. */
async function twoRuns(): Promise<{ readonly dir: string; readonly grace: Running; readonly doomed: Running; readonly other: Running }> {
  const [port, second] = [await freePort(), await freePort()];
  const component = (at: number) => ({ command: sick('well'), port: at, env: { PORT: String(at) }, soak: '50ms', stop: { grace: '1s' } });
  const dir = newProject({
    'package.json': { name: 'x', private: true, type: 'module', scripts: { 'build-web': 'node build.mjs web', 'build-api': 'node build.mjs api' } }, // prettier-ignore
    'build.mjs': BUILD,
    'playbooks/slow_web.ts': SLOW('web'),
    'playbooks/slow_api.ts': SLOW('api'),
    'grace.config.json': { components: { web: component(port), api: component(second) } },
  });
  const grace = startGrace(dir, ['up', '--json']);
  expect((await grace.event('boot_ended')).outcome, grace.said()).toBe('success');
  const doomed = startGrace(dir, ['playbooks', 'run', 'slow_web']);
  const other = startGrace(dir, ['playbooks', 'run', 'slow_api']);
  for (const [name, { said }] of [
    ['web', doomed],
    ['api', other],
  ] as const)
    // prettier-ignore
    await until(`${name} is built`, () => existsSync(join(dir, `building-${name}`)), said);
  return { dir, grace, doomed, other };
}

test('what a killed command has done beside a Grace is undone by that Grace, once, and what another one runs goes on', async () => {
  const { dir, grace, doomed, other } = await twoRuns();
  expect([await stateOf(dir, 'slow_web'), await stateOf(dir, 'slow_api')]).toEqual(['running', 'running']);
  await doomed.end('SIGKILL');
  await until('it is undone', () => !existsSync(join(dir, 'room-web')), grace.said);
  const notice = await grace.event('notice', (e) => e.text.startsWith('slow_web was cut off'));
  expect(notice.text).toContain('what it had done was put back');
  expect(await stateOf(dir, 'slow_web')).toBe('interrupted');
  expect(
    runsOf(dir, 'build.mjs').filter(({ argv }) => argv.includes('web')),
    'its command has ended with it',
  ).toEqual([]);
  expect([await stateOf(dir, 'slow_api'), existsSync(join(dir, 'room-api'))], 'that one lives').toEqual(['running', true]);

  const again = startGrace(dir, ['playbooks', 'run', 'slow_web']);
  await until('it is built again', () => readFileSync(join(dir, 'building-web'), 'utf8') === 'xx', again.said);
  send(again.pid, 'SIGKILL');
  await until('it is undone again', () => grace.events().filter((e) => e.type === 'notice' && e.text.startsWith('slow_web was cut off')).length === 2, grace.said); // prettier-ignore
  await other.end('SIGTERM');
  await grace.end('SIGTERM');
  const said = JSON.parse((await runGrace(dir, ['audit', 'list', '--json'])).stdout) as { readonly entries: readonly Entry[] };
  const begun = said.entries.filter(({ action, resource }) => action === 'run.undo_started' && resource === 'component/web');
  expect(begun, 'each was undone once').toHaveLength(2);
});
