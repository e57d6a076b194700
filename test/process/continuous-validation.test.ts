import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runGrace, startGrace } from './grace.ts';
import { freePort, newProject, write } from './project.ts';
import { until } from './waiting.ts';

const SERVER = `import { createServer } from 'node:http';
createServer((_, response) => response.end('ok')).listen(Number(process.env.PORT), '127.0.0.1');
`;

/** A service that is up, is validated again every half second, and reads its configuration only at its start. */
async function running(more: Readonly<Record<string, unknown>> = {}) {
  const port = await freePort();
  const dir = newProject({
    'server.mjs': SERVER,
    'settings.json': { region: 'eu' },
    '.env.example': 'GREETING=hello\n',
    '.env': 'GREETING=hello\n',
    'grace.config.json': {
      components: {
        web: {
          command: [process.execPath, 'server.mjs'],
          port,
          env: { PORT: String(port) },
          envFile: '.env',
          configFiles: ['settings.json'],
          soak: '50ms',
          stop: { grace: '1s' },
        },
      },
      monitor: { validation: '500ms' },
      ...more,
    },
  });
  const grace = startGrace(dir, ['up', '--json']);
  const boot = await grace.event('boot_ended');
  expect(boot.outcome, grace.said()).toBe('success');
  await grace.event('validation_ended', (e) => e.missions === 0);
  return { dir, grace };
}

async function json(dir: string, ...args: readonly string[]) {
  const { stdout, stderr } = await runGrace(dir, [...args, '--json']);
  try {
    return JSON.parse(stdout) as unknown;
  } catch {
    throw new Error(`no JSON: ${stdout}${stderr}`);
  }
}

test('what breaks while the service runs is opened once as a mission, kept, and closed when it is gone', async () => {
  const { dir, grace } = await running();
  write(dir, { 'settings.json': '{ "region": ' });
  const opened = await grace.event('mission_opened');
  expect(opened).toMatchObject({ component: 'web', code: 'config_broken' });
  await grace.event('validation_ended', (e) => e.missions === 1);
  await grace.event('validation_ended', (e) => e.missions === 1);
  expect(grace.events().filter((e) => e.type === 'mission_opened')).toHaveLength(1);
  expect(await json(dir, 'missions', 'list')).toMatchObject([{ id: opened.mission, state: 'open', severity: 'error' }]);
  expect(await json(dir, 'status')).toMatchObject({ healthy: true, missions: [{ id: opened.mission, code: 'config_broken' }] });
  write(dir, { 'settings.json': { region: 'eu' } });
  await grace.event('mission_closed', (e) => e.mission === opened.mission);
  expect(await json(dir, 'missions', 'list')).toEqual([]);
  expect(await json(dir, 'missions', 'show', opened.mission)).toMatchObject({ state: 'verified', closed_by: 'grace' });
  expect((await grace.end('SIGTERM')).code).toBe(0);
  const { stdout } = await runGrace(dir, ['audit', 'list', '--json']);
  const { entries } = JSON.parse(stdout) as { readonly entries: readonly { readonly action: string }[] };
  expect(entries.map(({ action }) => action)).toEqual(expect.arrayContaining(['mission.opened', 'mission.verified']));
});

test('one that a person has dropped is not told again while it lasts', async () => {
  const { dir, grace } = await running();
  write(dir, { 'settings.json': '{ "region": ' });
  const { mission } = await grace.event('mission_opened');
  const { code } = await runGrace(dir, ['missions', 'abandon', mission, '--reason', 'read by nobody']);
  expect(code).toBe(0);
  await grace.event('validation_ended', (e) => e.missions === 0 && e.findings === 1);
  await grace.event('validation_ended', (e) => e.missions === 0 && e.findings === 1);
  expect(grace.events().filter((e) => e.type === 'mission_opened')).toHaveLength(1);
  expect(await json(dir, 'missions', 'show', mission)).toMatchObject({ state: 'abandoned', close_reason: 'read by nobody' });
  const again = await runGrace(dir, ['missions', 'abandon', mission, '--reason', 'again']);
  expect(again.code).toBe(1);
  expect(again.stderr).toContain('is abandoned already');
  await grace.end('SIGTERM');
});

test.each([
  ['observed by default: the file stays away', {}, false],
  ['mended where the config lets playbooks run at run time', { healing: { executeAtRuntime: true } }, true],
])('what a playbook can mend is %s', async (_what, more, isMended) => {
  const { dir, grace } = await running(more);
  rmSync(join(dir, '.env'));
  await (isMended
    ? until('it is there again', () => existsSync(join(dir, '.env')))
    : grace.event('mission_opened', (e) => e.code === 'env_missing'));
  if (!isMended) {
    await grace.event('validation_ended', (e) => e.missions === 1);
    expect(existsSync(join(dir, '.env'))).toBe(false);
    expect(grace.events().filter((e) => e.type === 'playbook_chosen')).toHaveLength(1);
  }
  expect(grace.events().filter((e) => e.type === 'component_starting')).toHaveLength(1);
  await grace.end('SIGTERM');
});
