import { chmodSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runGrace, startGrace, type Running } from './grace.ts';
import { processesIn, runsOf } from './processes.ts';
import { wellProject, write } from './project.ts';
import { until } from './waiting.ts';

type Settings = Readonly<Record<string, unknown>>;

/** Users that exist nowhere: distinct people to Grace. */
const ANN = 4001;
const BOB = 4002;
const isRoot = process.getuid?.() === 0;

async function up(dir: string): Promise<Running> {
  const grace = startGrace(dir, ['up', '--json']);
  await grace.event('boot_ended', (e) => e.outcome === 'success');
  return grace;
}

/** Other users may answer: whoever can write the data directory can. */
function openToAll(dir: string): void {
  chmodSync(dir, 0o777);
  chmodSync(join(dir, '.grace'), 0o777);
  for (const name of readdirSync(join(dir, '.grace'))) if (/^grace\.(?:db|lock)/.test(name)) chmodSync(join(dir, '.grace', name), 0o666);
}

interface Said {
  readonly state?: string;
  readonly detail?: string;
  readonly approval?: string;
  readonly error?: { readonly code: string; readonly message: string };
}

const json = (text: string): Said => JSON.parse(text) as Said;
const pidOf = (dir: string): number | undefined => runsOf(dir, 'well.mjs')[0]?.pid;

test('a person restarts a component that is not critical: it is another process, ready, and recorded', async () => {
  const { dir } = await wellProject({ critical: false });
  const grace = await up(dir);
  const before = pidOf(dir);
  const { code, stdout, stderr } = await runGrace(dir, ['restart', 'web', '--reason', 'new certificate', '--json']);
  expect(code, `${stdout}${stderr}${grace.said()}`).toBe(0);
  expect(json(stdout)).toMatchObject({ state: 'done', detail: expect.stringMatching(/^web is ready again after /) });
  expect(pidOf(dir)).not.toBe(before);
  expect(processesIn(dir).filter(({ pid }) => pid === before)).toEqual([]);
  const decisions = await runGrace(dir, ['policy', 'decisions', '--component', 'web', '--json']);
  expect(JSON.parse(decisions.stdout)).toEqual([
    expect.objectContaining({ action: 'restart_component', subject: 'web', verdict: 'allow_with_notice', policies: ['person_restarts'] }),
  ]);
  expect(json((await runGrace(dir, ['restart', 'nothing', '--json'])).stdout)).toMatchObject({
    state: 'refused',
    detail: 'there is no component "nothing"; there are: web',
  });
  await grace.end('SIGTERM');
  const afterwards = await runGrace(dir, ['restart', 'web', '--json']);
  expect(afterwards.code).toBe(1);
  expect(json(afterwards.stderr).error?.code).toBe('GRACE_CLI_NO_GRACE_RUNS');
});

test.runIf(isRoot)('a critical component is restarted only when another person agrees, whatever one calls oneself', async () => {
  const { dir } = await wellProject();
  const grace = await up(dir);
  openToAll(dir);
  const before = pidOf(dir);
  const asking = startGrace(dir, ['restart', 'web', '--json'], {}, ANN);
  const id = await until(
    'ann waits for somebody',
    async () => /ap_\w+/.exec(asking.said())?.[0],
    () => asking.said() + grace.said(),
  );
  // Her own request, under whatever name.
  const own = await runGrace(dir, ['approvals', 'approve', id, '--as', 'bob', '--json'], {}, ANN);
  expect(own.code).toBe(1);
  expect(json(own.stderr).error).toMatchObject({ code: 'GRACE_GOVERNANCE_APPROVAL_REFUSED' });
  expect(pidOf(dir)).toBe(before);
  const other = await runGrace(dir, ['approvals', 'approve', id, '--json'], {}, BOB);
  expect(other.code, other.stderr).toBe(0);
  const { code, stdout } = await asking.ended;
  expect(code, asking.said() + grace.said()).toBe(0);
  expect(json(stdout)).toMatchObject({ state: 'done', approval: id });
  expect(pidOf(dir)).not.toBe(before);
  // Agreed to once: the next one is asked for again.
  const again = await runGrace(dir, ['restart', 'web', '--no-wait', '--json'], {}, ANN);
  expect(json(again.stdout)).toMatchObject({ state: 'waiting' });
  expect(json(again.stdout).approval).not.toBe(id);
  const decisions = JSON.parse((await runGrace(dir, ['policy', 'decisions', '--json'])).stdout) as readonly Settings[];
  const told = decisions.toReversed().map((d) => `${String(d['action'])} ${String(d['verdict'])} ${String(d['actor'])}`);
  expect(told.slice(0, 5)).toEqual([
    expect.stringMatching(/^restart_component needs_approval .*4001/),
    expect.stringMatching(/^answer_approval refused .*4001/),
    expect.stringMatching(/^answer_approval approved .*4002/),
    expect.stringMatching(/^restart_component allow_with_notice .*4001/),
    expect.stringMatching(/^restart_component needs_approval .*4001/),
  ]);
  await grace.end('SIGTERM');
});

test('a running Grace notices another mode, says so, goes back by itself, and the next one knows it', async () => {
  const { dir } = await wellProject({ critical: false });
  const grace = await up(dir);
  const set = await runGrace(dir, ['mode', 'set', 'observation_only', '--reason', 'somebody looks into it', '--for', '6s', '--json']);
  expect(set.code, set.stderr).toBe(0);
  await grace.event('mode_changed', (e) => e.mode === 'observation_only' && e.reason === 'somebody looks into it' && e.before === 'normal');
  await grace.event('mode_changed', (e) => e.mode === 'normal' && e.before === 'observation_only');
  expect((await runGrace(dir, ['mode', 'set', 'read_only'])).code).toBe(2); // no reason
  await runGrace(dir, ['mode', 'set', 'read_only', '--reason', 'the disk']);
  await grace.event('mode_changed', (e) => e.mode === 'read_only');
  expect(JSON.parse((await runGrace(dir, ['mode', '--json'])).stdout)).toMatchObject({
    mode: 'read_only',
    reason: 'the disk',
    history: [{ mode: 'read_only' }, { mode: 'observation_only', fallback: 'normal' }],
  });
  expect(JSON.parse((await runGrace(dir, ['status', '--json'])).stdout)).toMatchObject({ mode: 'read_only' });
  // A restart changes no data.
  expect((await runGrace(dir, ['restart', 'web'])).code).toBe(0);
  await grace.end('SIGTERM');
});

test.runIf(isRoot)('other policies count only once another person has agreed, where those in force ask for that', async () => {
  const guard = `@id("guard") @reason("two people change the policies") @approvals("1")
forbid (principal, action == Grace::Action::"change_policy", resource) unless { context.approvals >= 1 };
@id("no_restart") @reason("nobody restarts web") forbid (principal, action == Grace::Action::"restart_component", resource);`;
  const { dir } = await wellProject({ critical: false }, { policies: ['own.cedar'] });
  write(dir, { 'own.cedar': guard });
  const first = await up(dir);
  expect(first.events().filter((e) => e.type === 'policy_changed')).toEqual([]);
  expect(json((await runGrace(dir, ['restart', 'web', '--json'])).stdout)).toMatchObject({
    state: 'refused',
    detail: 'nobody restarts web',
  });
  await first.end('SIGTERM');
  write(dir, { 'own.cedar': '@id("other") forbid (principal, action == Grace::Action::"close_breaker", resource);' });
  const second = await up(dir);
  const change = await second.event('policy_changed');
  expect(change).toMatchObject({ state: 'waiting', added: ['other'], removed: ['guard', 'no_restart'] });
  // The old text is in force, though its file is gone.
  expect(json((await runGrace(dir, ['restart', 'web', '--json'])).stdout)).toMatchObject({
    state: 'refused',
    detail: 'nobody restarts web',
  });
  expect(JSON.parse((await runGrace(dir, ['policy', 'show', '--json'])).stdout)).toMatchObject({
    files_differ: true,
    pending: { state: 'waiting', approval: change.approval },
    policies: expect.arrayContaining([expect.objectContaining({ id: 'guard' })]),
  });
  expect((await runGrace(dir, ['approvals', 'approve', change.approval ?? ''])).code).toBe(1); // whoever started it asked for it
  openToAll(dir);
  expect((await runGrace(dir, ['approvals', 'approve', change.approval ?? ''], {}, BOB)).code).toBe(0);
  await second.event('policy_changed', (e) => e.state === 'in_force');
  const { code, stdout } = await runGrace(dir, ['restart', 'web', '--json']);
  expect(code, stdout + second.said()).toBe(0);
  await second.end('SIGTERM');
});
