import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { nodeSpawner } from '../../adapters/node/spawner.ts';
import { approve } from '../../domains/governance/index.ts';
import { Redactor } from '../../domains/incidents/index.ts';
import type { Snapshot, Snapshots } from '../../domains/snapshots/index.ts';
import { loadConfig } from '../../runtime/config/index.ts';
import { openSnapshots } from '../../runtime/snapshots.ts';
import { listSnapshots, showSnapshot } from './snapshots.ts';
import { restoreSnapshot, type RestoreRequest } from './snapshots-restore.ts';
import { aMemory, asking } from './testing.ts';

const never = new AbortController().signal;

let project: string;
let snapshots: Snapshots;
let taken: Snapshot;
let memory: Awaited<ReturnType<typeof aMemory>>;
beforeEach(async () => {
  memory = await aMemory();
  project = mkdtempSync(join(tmpdir(), 'grace-cli-snapshots-'));
  writeFileSync(join(project, 'server.js'), '// nothing');
  writeFileSync(join(project, 'a.txt'), 'one');
  writeFileSync(join(project, 'b.txt'), 'one');
  writeFileSync(join(project, 'grace.config.json'), JSON.stringify({ components: { api: { command: 'node server.js' } } }));
  const config = await loadConfig({ directory: project, environment: {} });
  snapshots = await openSnapshots({
    config,
    spawner: nodeSpawner,
    redactor: new Redactor(),
    playbooks: { runsIn: async () => [] },
    environmentOf: async () => ({}),
    isRunning: () => false,
  });
  const why = { reason: 'pre_heal', runId: 'run_1', bootId: null, signature: 'abc', playbook: 'fix_it' } as const;
  taken = await snapshots.take(config.components[0]!, { ...why, paths: ['a.txt', 'b.txt', '/etc/hostname'], databases: false }, never);
  writeFileSync(join(project, 'a.txt'), 'changed');
});
afterEach(async () => {
  await memory[Symbol.asyncDispose]();
  rmSync(project, { recursive: true, force: true });
});

const content = (name: string): string => readFileSync(join(project, name), 'utf8');

function request(parts: Partial<RestoreRequest> = {}): RestoreRequest {
  return {
    only: [],
    isDryRun: false,
    isAgreed: false,
    whileRunning: false,
    ask: null,
    directory: project,
    askPolicies: asking(memory, 'ann'),
    ...parts,
  };
}

it('lists and shows what is in a snapshot, how it differs from now, and what was left out', async () => {
  const list = await listSnapshots(snapshots, taken.takenAtMs);
  expect(list.lines.join('\n')).toMatch(new RegExp(`${taken.id}\\s+just now\\s+pre_heal\\s+api\\s+fix_it\\s+3\\s`));
  expect(list.data).toMatchObject([{ id: taken.id, run_id: 'run_1', items: expect.any(Array) as unknown }]);
  const { exitCode, lines, data } = await showSnapshot(snapshots, taken.folder, never, taken.takenAtMs);
  expect(exitCode).toBe(0);
  const shown = lines.join('\n');
  expect(shown).toMatch(/differs\s+file\s+\S+a\.txt\s+it has 7 bytes, had 3/);
  expect(shown).toMatch(/same\s+file\s+\S+b\.txt/);
  expect(shown).toMatch(/left out\s+\/etc\/hostname: .*outside the directories of api/);
  expect(data).toMatchObject({ id: taken.id, left_out: [{ what: '/etc/hostname' }] });
});

it('changes nothing without being told to: not in a script, not after a no, not in a dry run', async () => {
  await expect(restoreSnapshot(snapshots, taken.id, request(), never)).rejects.toMatchObject({ code: 'GRACE_CLI_CONFIRMATION_NEEDED' });
  const refused = await restoreSnapshot(snapshots, taken.id, request({ ask: async () => false }), never);
  expect(refused).toMatchObject({ exitCode: 1, lines: ['nothing was changed'] });
  const dry = await restoreSnapshot(snapshots, taken.id, request({ isDryRun: true }), never);
  expect(dry).toMatchObject({ exitCode: 0, data: { would_restore: [{ name: join(project, 'a.txt'), now: 'differs' }] } });
  expect(content('a.txt')).toBe('changed');
  expect(await snapshots.list()).toHaveLength(1);
});

it('puts back what was agreed to, and says how to have back what it overwrote', async () => {
  writeFileSync(join(project, 'b.txt'), 'changed');
  const one = await restoreSnapshot(snapshots, taken.id, request({ isAgreed: true, only: ['b.txt'] }), never);
  expect(one).toMatchObject({ exitCode: 0, data: { restored: [join(project, 'b.txt')], verified: true } });
  expect([content('a.txt'), content('b.txt')]).toEqual(['changed', 'one']);
  const all = await restoreSnapshot(snapshots, taken.id, request({ ask: async () => true }), never);
  expect(all.exitCode).toBe(0);
  expect(content('a.txt')).toBe('one');
  const { before } = all.data as { before: string };
  expect(all.lines.at(-1)).toBe(`to have back what was overwritten: grace snapshots restore ${before}`);
  expect((await snapshots.get(before))?.reason).toBe('pre_restore');
});

it('says which snapshots there are instead of one it does not know', async () => {
  await expect(showSnapshot(snapshots, 'snap_x', never, 0)).rejects.toMatchObject({ code: 'GRACE_CLI_NOT_KNOWN' });
});

it('asks the policies before it puts anything back: by default a person may, and what is agreed to is this state and this part', async () => {
  await restoreSnapshot(snapshots, taken.id, request({ isAgreed: true }), never);
  expect(await memory.decisions.list({ limit: 9 })).toMatchObject([
    { action: 'restore_snapshot', subject: taken.id, component: 'api', verdict: 'allow_with_notice', actor: 'ann' },
  ]);
  const two = `@id("two") @approvals("1") forbid (principal, action == Grace::Action::"restore_snapshot", resource) unless { context.approvals >= 1 };`;
  writeFileSync(join(project, 'a.txt'), 'changed');
  const guarded = request({ isAgreed: true, askPolicies: asking(memory, 'ann', two) });
  await expect(restoreSnapshot(snapshots, taken.id, guarded, never)).rejects.toMatchObject({ code: 'GRACE_CLI_ACTION_REFUSED' });
  expect(content('a.txt')).toBe('changed');
  const [waiting] = await memory.approvals.list();
  expect(waiting?.summary).toEqual([expect.stringContaining('put back what api had'), expect.stringContaining('a.txt: differs')]);
  await memory.approvals.change(waiting?.id ?? '', (a) => approve(a, 'bob', memory.nowMs));
  writeFileSync(join(project, 'a.txt'), 'something else');
  await expect(restoreSnapshot(snapshots, taken.id, guarded, never), 'another state than was agreed to').rejects.toThrow();
  writeFileSync(join(project, 'a.txt'), 'changed');
  expect(await restoreSnapshot(snapshots, taken.id, guarded, never)).toMatchObject({ exitCode: 0 });
  expect(content('a.txt')).toBe('one');
  writeFileSync(join(project, 'a.txt'), 'changed');
  await expect(restoreSnapshot(snapshots, taken.id, guarded, never), 'another time').rejects.toThrow();
});
