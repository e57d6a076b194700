import { shippedPlaybooks } from '../../src/catalog/playbooks/index.ts';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runGrace, startGrace } from './grace.ts';
import { runsOf, send } from './processes.ts';
import { newOrders, wellProject } from './project.ts';
import { until } from './waiting.ts';

interface Entry {
  readonly sequence: number;
  readonly action: string;
  readonly actor: string;
  readonly result: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

async function entries(dir: string, ...filter: readonly string[]): Promise<readonly Entry[]> {
  const { code, stdout, stderr } = await runGrace(dir, ['audit', 'list', '-n', '1000', '--json', ...filter]);
  expect(code, stderr).toBe(0);
  return (JSON.parse(stdout) as { entries: readonly Entry[] }).entries;
}

async function verified(dir: string, ...anchors: readonly string[]): Promise<unknown> {
  const { stdout, stderr } = await runGrace(dir, ['audit', 'verify', '--json', ...(anchors.length === 0 ? [] : ['--anchor', ...anchors])]);
  expect(stdout, stderr).not.toBe('');
  return JSON.parse(stdout);
}

const INTACT = { intact: true, findings: [] };
const HEALING = ['failure.captured', 'pattern.state_changed', 'playbook.edited', 'decision.made', 'run.started', 'snapshot.taken'];
const STEP = ['run.step_planned', 'run.step_done', 'run.applied', 'pattern.state_changed'];

test('a boot with two healings writes exactly what it decided and did, in order, and no secret', async () => {
  const canary = 'canary0a1b2c3d4e5f6071';
  const { dir } = await newOrders();
  const boot = await runGrace(dir, ['boot'], { ORDERS_API_TOKEN: canary });
  expect(boot.code, boot.stdout + boot.stderr).toBe(0);
  const found = await entries(dir);
  // The fifth stage goes on beside the sixth: its place is nobody's promise.
  const isBeside = ({ action, payload }: Entry): boolean => action === 'boot.stage_ended' && payload['number'] === 5;
  expect(found.filter(isBeside)).toHaveLength(1);
  expect(found.filter((e) => !isBeside(e)).map(({ action }) => action)).toEqual([
    ...shippedPlaybooks.map(() => 'playbook.registered'),
    'boot.started',
    'config.changed',
    'policy.changed',
    'boot.stage_ended', // 1
    ...HEALING,
    ...STEP,
    'boot.stage_ended', // 2
    'boot.stage_ended',
    'boot.stage_ended',
    ...HEALING,
    ...STEP,
    'restart.begun',
    'restart.ended',
    'boot.stage_ended', // 6
    'pattern.state_changed',
    'complete_healing_cycle',
    'pattern.state_changed',
    'complete_healing_cycle',
    'boot.stage_ended',
    'boot.stage_ended', // 8
    'boot.ended',
  ]);
  const [cycle] = found.filter(({ action }) => action === 'complete_healing_cycle');
  expect(cycle).toMatchObject({
    actor: 'grace',
    result: 'ok',
    payload: {
      playbook: 'create_default_env',
      outcome: 'verified',
      anomaly: { incident: expect.stringMatching(/^schema_sync/) as unknown, symptom: 'check' },
      execution: { steps: [{ state: 'done' }] },
      verification: { before: { passed: false }, after: { passed: true } },
    },
  });
  for (const name of readdirSync(join(dir, '.grace')).filter((file) => file.startsWith('grace.db')))
    expect(readFileSync(join(dir, '.grace', name)).includes(canary), name).toBe(false);
  expect(await verified(dir, join(dir, '.grace', 'logs', 'last_boot_report.txt'))).toMatchObject(INTACT);
  const [report = ''] = readdirSync(join(dir, '.grace', 'training', 'startup_failures'));
  expect(await verified(dir, join(dir, '.grace', 'training', 'startup_failures', report))).toMatchObject(INTACT);
  const out = await runGrace(dir, ['audit', 'export', '--out', 'exported', '--tiles']);
  expect(out.code, out.stderr).toBe(0);
  expect((await runGrace(dir, ['audit', 'verify', '--dir', 'exported'])).code).toBe(0);
});

test('a Grace that is killed in the middle of a healing leaves a whole log, and the next one says what it took back', async () => {
  const { dir } = await newOrders();
  const grace = startGrace(dir, ['boot', '--json']);
  await grace.event('step', (e) => e.playbook === 'apply_pending_migrations' && e.state === 'start');
  await grace.end('SIGKILL');
  // It may not have signed the last second; nothing else may be wrong.
  const { findings } = (await verified(dir)) as { readonly findings: readonly { readonly kind: string }[] };
  expect(findings.filter(({ kind }) => kind !== 'unsigned')).toEqual([]);
  const before = await entries(dir);
  expect(before.filter(({ action }) => action === 'run.started')).toHaveLength(2);
  const again = await runGrace(dir, ['boot']);
  expect(again.code, again.stdout + again.stderr).toBe(0);
  const found = await entries(dir);
  // What was acknowledged is a prefix, to the last byte.
  expect(found.slice(0, before.length)).toEqual(before);
  const later = found.slice(before.length).map(({ action }) => action);
  expect(later).toContain('boot.interrupted');
  expect(later).toContain('run.undo_started');
  // Whether a migration can be taken back is for its primitive to say; what was cut off is one cycle either way.
  const [cut] = found.slice(before.length).filter(({ action }) => action === 'complete_healing_cycle');
  expect(cut?.payload['outcome']).toMatch(/^(?:interrupted|failed)$/);
  expect(await verified(dir)).toMatchObject(INTACT);
});

test('with a log that takes nothing no playbook acts, people are told, and it goes on when the cause is gone', async () => {
  const { dir } = await newOrders();
  expect((await runGrace(dir, ['boot'])).code).toBe(0);
  const size = (await entries(dir)).length;
  const key = join(dir, '.grace', 'audit.key');
  chmodSync(key, 0o644);
  rmSync(join(dir, '.env'));
  const refused = startGrace(dir, ['boot', '--json']);
  const { code } = await refused.ended;
  expect(code).toBe(1);
  expect(existsSync(join(dir, '.env'))).toBe(false);
  expect(refused.events().filter((e) => e.type === 'step')).toEqual([]);
  expect(refused.events().filter((e) => e.type === 'notice' && e.level === 'error' && e.text.includes('no playbook acts'))).toHaveLength(1);
  expect(readFileSync(join(dir, '.grace', 'logs', 'last_boot_report.txt'), 'utf8')).toContain('chmod 600');
  chmodSync(key, 0o600);
  expect(await entries(dir)).toHaveLength(size);
  const healed = await runGrace(dir, ['boot']);
  expect(healed.code, healed.stdout + healed.stderr).toBe(0);
  expect(existsSync(join(dir, '.env'))).toBe(true);
  expect(await verified(dir)).toMatchObject(INTACT);
});

test('without its log a service is started and started again, and no person can decide; with it, commands write beside Grace', async () => {
  const { dir } = await wellProject({}, { audit: { anchorFile: 'elsewhere/heads.txt' } });
  mkdirSync(join(dir, 'elsewhere'));
  const first = startGrace(dir, ['up', '--json']);
  await first.event('boot_ended', (e) => e.outcome === 'success');
  const following = startGrace(dir, ['audit', 'list', '--follow', '--json']);
  await until('it follows', () => following.said().includes('boot.ended') || undefined, following.said);
  const set = await runGrace(dir, ['mode', 'set', 'observation_only', '--reason', 'looking', '--json']);
  expect(set.code, set.stderr).toBe(0);
  await until('both processes are seen', () => following.said().includes('mode.in_force') || undefined, following.said);
  await following.end('SIGINT');
  await first.end('SIGTERM');
  const told = (await entries(dir, '--action', 'mode.*')).map(({ action, actor }) => [action, actor === 'grace']);
  expect(told).toEqual([
    ['mode.set', false],
    ['mode.in_force', true],
  ]);
  expect(await verified(dir, join(dir, 'elsewhere', 'heads.txt'))).toMatchObject(INTACT);

  chmodSync(join(dir, '.grace', 'audit.key'), 0o666);
  const grace = startGrace(dir, ['up', '--json']);
  await grace.event('boot_ended', (e) => e.outcome === 'success');
  const pid = runsOf(dir, 'well.mjs')[0]?.pid ?? 0;
  send(pid, 'SIGKILL');
  await grace.event('component_ready', (e) => e.pid !== null && e.pid !== pid);
  const no = await runGrace(dir, ['mode', 'set', 'normal', '--reason', 'again', '--json']);
  expect(no.code).toBe(1);
  expect(JSON.parse((await runGrace(dir, ['mode', '--json'])).stdout)).toMatchObject({ mode: 'observation_only' });
  await grace.end('SIGTERM');
});
