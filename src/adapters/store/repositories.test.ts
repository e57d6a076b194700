import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { BootRecord } from '../../domains/boot/index.ts';
import type { Approval } from '../../domains/governance/index.ts';
import type { Explanation, Failure, Pattern } from '../../domains/incidents/index.ts';
import type { StoredEntry } from '../../domains/learning/index.ts';
import type { PlaybookRun, RegisteredPlaybook } from '../../domains/playbooks/index.ts';
import { bootId, incidentId, signatureOf } from '../../kernel/index.ts';
import {
  approvalStore,
  bootStore,
  incidentStore,
  journalStore,
  lastGoodStore,
  openStore,
  overrideStore,
  playbookStore,
  processStore,
  snapshotStore,
  type OpenedStore,
} from './index.ts';

let dir = '';
let store: OpenedStore;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'grace-repositories-'));
  store = await openStore(join(dir, 'grace.db'));
});
afterEach(() => {
  store.close();
  rmSync(dir, { recursive: true, force: true });
});

const SIGNATURE = signatureOf('0123456789abcdef');

const failure = (id: string, atMs = 1, more: Partial<Failure> = {}): Failure => ({
  id,
  bootId: bootId('boot_1'),
  atMs,
  stage: '6. Autonomy Load',
  component: 'api',
  symptom: 'exit',
  message: `it ended ${id}`,
  exitCode: 1,
  signal: null,
  output: ['Grüße 世界 👍', "it's; drop table"],
  headline: 'Error',
  subject: 'x',
  facts: [],
  frames: [],
  family: 'node|exception',
  signature: SIGNATURE,
  signatureParts: [{ name: 'version', value: '2' }],
  afterMs: 5,
  context: { pid: 1 },
  ...more,
});

const pattern = (change: Partial<Pattern> = {}): Pattern => ({
  signature: SIGNATURE,
  incidentId: incidentId('autonomy_load_01234567'),
  family: 'node|exception',
  component: 'api',
  stage: '6. Autonomy Load',
  familyName: null,
  template: 't',
  rootCause: '',
  occurrences: 1,
  firstSeenMs: 1,
  lastSeenMs: 1,
  state: 'new',
  playbook: null,
  cleanBoots: 0,
  ...change,
});

describe('incidents', () => {
  test('a failure comes back as it was stored, by boot and by signature, the newest first', async () => {
    const incidents = incidentStore(store.db);
    await incidents.saveFailure(failure('f1', 1));
    await incidents.saveFailure(failure('f2', 2));
    await incidents.saveFailure(failure('f3', 3, { bootId: bootId('boot_2'), signature: signatureOf('f'.repeat(16)) }));
    expect(await incidents.failuresOf(bootId('boot_1'))).toEqual([failure('f1', 1), failure('f2', 2)]);
    expect((await incidents.failuresLike(SIGNATURE, 1)).map((f) => f.id)).toEqual(['f2']);
  });

  test('of one failure that comes back for ever the newest fifty are kept, and none of another', async () => {
    const incidents = incidentStore(store.db);
    await incidents.saveFailure(failure('other', 0, { signature: signatureOf('f'.repeat(16)) }));
    for (let i = 1; i <= 53; i++) await incidents.saveFailure(failure(`f${i}`, i));
    const kept = await incidents.failuresLike(SIGNATURE, 1000);
    expect(kept).toHaveLength(50);
    expect(kept.at(-1)?.id).toBe('f4');
    expect(await incidents.failuresLike(signatureOf('f'.repeat(16)), 10)).toHaveLength(1);
  });

  test('a pattern is stored once for each signature, whatever changes about it', async () => {
    const incidents = incidentStore(store.db);
    await incidents.savePattern(pattern());
    const later = pattern({
      state: 'immune',
      occurrences: 7,
      cleanBoots: 3,
      playbook: 'p',
      familyName: 'port_in_use',
      rootCause: 'c',
      lastSeenMs: 9,
    });
    await incidents.savePattern(later);
    expect(await incidents.patterns()).toEqual([later]);
    expect(await incidents.pattern(SIGNATURE)).toEqual(later);
    expect(await incidents.patternByIncident('autonomy_load_01234567')).toEqual(later);
    expect(await incidents.pattern(signatureOf('none'))).toBeNull();
  });

  test('what was said about a failure is replaced by what is said later, and found by boot or signature', async () => {
    const incidents = incidentStore(store.db);
    const said = (failureId: string, atMs: number, outcome: Explanation['outcome']): Explanation => ({
      failureId,
      signature: SIGNATURE,
      bootId: bootId('boot_1'),
      atMs,
      component: 'api',
      what: 'w',
      cause: 'c',
      familyName: null,
      confidence: 0.5,
      evidence: [],
      changes: [],
      action: 'a',
      playbook: null,
      risk: null,
      outcome,
      advice: [],
      alternatives: [],
    });
    await incidents.saveExplanation(said('f1', 1, 'open'));
    await incidents.saveExplanation(said('f1', 1, 'healed'));
    await incidents.saveExplanation(said('f2', 2, 'waiting'));
    expect((await incidents.explanations({ bootId: 'boot_1', limit: 9 })).map((e) => e.outcome)).toEqual(['waiting', 'healed']);
    expect(await incidents.explanations({ signature: 'none', limit: 9 })).toEqual([]);
    expect(await incidents.explanations({ signature: SIGNATURE, limit: 1 })).toHaveLength(1);
  });
});

describe('boots', () => {
  const boot = (id: string, startedAtMs: number, change: Partial<BootRecord> = {}): BootRecord => ({
    id: bootId(id),
    startedAtMs,
    endedAtMs: null,
    outcome: 'success',
    mode: 'layered',
    isVerified: false,
    report: { boot_id: bootId(id) } as BootRecord['report'],
    fingerprint: { machine: { node: 'v26' } },
    ...change,
  });

  test('are listed newest first, and those that say they are running are found', async () => {
    const boots = bootStore(store.db);
    for (const b of [boot('b1', 1), boot('b3', 3, { outcome: 'running' }), boot('b2', 2)]) await boots.save(b);
    expect((await boots.list(2)).map((b) => b.id)).toEqual(['b3', 'b2']);
    expect((await boots.running()).map((b) => b.id)).toEqual(['b3']);
    await boots.save(boot('b3', 3, { outcome: 'interrupted', endedAtMs: 9 }));
    expect(await boots.running()).toEqual([]);
    expect(await boots.get('b3')).toEqual(boot('b3', 3, { outcome: 'interrupted', endedAtMs: 9 }));
    expect(await boots.get('none')).toBeNull();
  });

  test('the last verified one is what later boots are compared with, however many failed since', async () => {
    const boots = bootStore(store.db);
    expect(await boots.lastVerified()).toBeNull();
    for (const b of [boot('b1', 1, { isVerified: true }), boot('b2', 2, { isVerified: true }), boot('b3', 3, { outcome: 'failed' })])
      await boots.save(b);
    expect((await boots.lastVerified())?.id).toBe('b2');
  });

  test('a boot without figures is stored all the same', async () => {
    await expect(bootStore(store.db).saveMetrics(bootId('b1'), [])).resolves.toBeUndefined();
  });
});

describe('playbooks', () => {
  const playbook = (change: Partial<RegisteredPlaybook> = {}): RegisteredPlaybook => ({
    name: 'free_port',
    description: 'd',
    risk: 'low',
    tier: 'tier_1',
    service: 'boot_pipeline',
    severity: 'info',
    version: 1,
    hash: 'h',
    file: '/p.ts',
    origin: 'generated',
    family: 'port_in_use',
    signature: null,
    component: 'api',
    params: { port: 1 },
    steps: [{ name: 's', primitive: 'free_port', params: { port: 1 } }],
    isEnabled: true,
    createdAtMs: 1,
    verifiedCount: 0,
    failedCount: 0,
    ...change,
  });

  test('come back as they were registered, and count what became of them', async () => {
    const playbooks = playbookStore(store.db);
    await playbooks.save(playbook());
    const run = { playbook: 'free_port', hash: 'h', component: 'api', bootId: 'b1', signature: null, failureId: 'f1', scope: 'process', confidence: 0.7, restart: false, decision: 'd', startedAtMs: 1, endedAtMs: null } as const; // prettier-ignore
    const all = { r1: 'verified', r2: 'verified', r3: 'undone', r4: 'relapsed', r5: 'failed', r6: 'interrupted', r7: 'refused' } as const;
    for (const [id, state] of Object.entries(all)) {
      await playbooks.saveRun({ ...run, id, state: 'running' });
      // Said twice, it is counted once.
      for (let twice = 0; twice < 2; twice++) await playbooks.saveRun({ ...run, id, state });
    }
    expect(await playbooks.list()).toEqual([playbook({ verifiedCount: 2, failedCount: 3 })]);
    await playbooks.saveRun({ ...run, id: 'r2', state: 'undoing', endsAs: 'relapsed' });
    expect(await playbooks.get('free_port'), 'what is taken back is not verified any more').toMatchObject({
      verifiedCount: 1,
      failedCount: 3,
    });
    expect(await playbooks.run('r2')).toMatchObject({ endsAs: 'relapsed' });
    await playbooks.saveRun({ ...run, id: 'r2', state: 'relapsed', endsAs: 'relapsed' });
    expect(await playbooks.list()).toEqual([playbook({ verifiedCount: 1, failedCount: 4 })]);
    await playbooks.save(playbook({ isEnabled: false }));
    expect((await playbooks.get('free_port'))?.isEnabled).toBe(false);
    expect(await playbooks.get('none')).toBeNull();
  });

  test('runs are found by their state: what a crash cut off says it is running', async () => {
    const playbooks = playbookStore(store.db);
    const run = (id: string, state: PlaybookRun['state']): PlaybookRun => ({
      id,
      playbook: 'p',
      hash: 'h',
      component: 'api',
      bootId: 'b1',
      signature: null,
      failureId: 'f1',
      scope: 'check 2. Schema',
      confidence: 0.7,
      restart: false,
      state,
      decision: 'd',
      startedAtMs: Number(id.slice(1)),
      endedAtMs: null,
    });
    for (const r of [run('r1', 'running'), run('r2', 'applied'), run('r3', 'verified')]) await playbooks.saveRun(r);
    expect(await playbooks.runsIn('running', 'applied')).toEqual([run('r1', 'running'), run('r2', 'applied')]);
    await playbooks.saveRun(run('r1', 'undone'));
    expect(await playbooks.run('r1')).toEqual(run('r1', 'undone'));
    expect(await playbooks.runsOf('b1')).toHaveLength(3);
    expect(await playbooks.run('none')).toBeNull();
  });

  test('the journal keeps the steps of a run in the order they were planned, each in its last state', async () => {
    const journal = journalStore(store.db);
    const entry = (index: number, state: 'planned' | 'done') => ({
      runId: 'r1',
      index,
      step: `s${index}`,
      primitive: 'p',
      params: { a: [1] },
      targets: ['/etc/x'],
      before: { '/etc/x': null },
      after: { '/etc/x': 'written' },
      undo: { was: null },
      state,
      summary: '',
    });
    for (const e of [entry(1, 'planned'), entry(0, 'planned'), entry(0, 'done'), { ...entry(0, 'done'), runId: 'r2' }])
      await journal.write(e);
    expect(await journal.entries('r1')).toEqual([entry(0, 'done'), entry(1, 'planned')]);
  });
});

describe('approvals', () => {
  const approval = (id: string, createdAtMs: number, change: Partial<Approval> = {}): Approval => ({
    id,
    action: 'run_playbook',
    playbook: 'p',
    component: 'api',
    incidentId: 'i',
    requestedBy: 'eve',
    summary: ['do this'],
    foreseen: [{ step: 'do', primitive: 'set', state: 'ready', summary: 'do this', targets: ['/a'] }],
    claimedNames: { ann: 'Ann of the night shift' },
    bindingHash: 'bound',
    requiredApprovals: 2,
    approvedBy: ['ann'],
    rejectedBy: null,
    createdAtMs,
    expiresAtMs: 99,
    usedAtMs: null,
    ...change,
  });

  test('the newest request for a binding is the one that counts', async () => {
    const approvals = approvalStore(store.db);
    await approvals.save(approval('a1', 1, { rejectedBy: 'eve' }));
    await approvals.save(approval('a2', 2));
    expect(await approvals.byBinding('bound')).toEqual(approval('a2', 2));
    expect(await approvals.byBinding('other')).toBeNull();
    expect((await approvals.list()).map((a) => a.id)).toEqual(['a2', 'a1']);
    await approvals.save(approval('a2', 2, { approvedBy: ['ann', 'bob'] }));
    expect((await approvals.get('a2'))?.approvedBy).toEqual(['ann', 'bob']);
  });
});

describe('what was learned about a component', () => {
  test('its process is remembered once, and forgotten', async () => {
    const processes = processStore(store.db);
    const record = (pid: number) => ({
      component: 'api',
      identity: { pid, startTicks: 2, machineBootId: 'm' },
      specHash: 's',
      launchedAtMs: 3,
      logOffset: 4,
      uid: null,
    });
    await processes.save(record(1));
    await processes.save(record(5));
    expect(await processes.list()).toEqual([record(5)]);
    await processes.remove('api');
    expect(await processes.list()).toEqual([]);
  });

  test('one learned setting leaves the others as they are, and null takes it back', async () => {
    const overrides = overrideStore(store.db);
    expect(await overrides.get('api')).toEqual({ openFiles: null, heapMb: null, env: {}, skip: false });
    await overrides.set('api', { heapMb: 512 });
    await overrides.set('api', { env: { A: '1' } });
    expect(await overrides.get('api')).toEqual({ openFiles: null, heapMb: 512, env: { A: '1' }, skip: false });
    await overrides.set('api', { heapMb: null });
    expect((await overrides.get('api')).heapMb).toBeNull();
    expect((await overrides.get('web')).env).toEqual({});
  });

  test('settings learned side by side are all kept', async () => {
    const overrides = overrideStore(store.db);
    await Promise.all([
      overrides.set('api', { heapMb: 512 }),
      overrides.set('api', { openFiles: 4096 }),
      overrides.set('api', { skip: true }),
    ]);
    expect(await overrides.get('api')).toEqual({ openFiles: 4096, heapMb: 512, env: {}, skip: true });
  });

  test('a map of thousands of files replaces the one before it as a whole', async () => {
    const lastGood = lastGoodStore(store.db);
    const entry = (i: number): StoredEntry => ({
      path: `/srv/${String(i).padStart(5, '0')}`,
      kind: 'file',
      mode: 0o644,
      uid: 1,
      gid: 2,
      sizeBytes: i,
      mtimeMs: 1.5,
      digest: `d${i}`,
      hasContent: i % 2 === 0,
      bootId: 'b1',
    });
    const many = Array.from({ length: 1201 }, (_, i) => entry(i));
    await lastGood.replace('api', many);
    await lastGood.replace('web', [entry(1)]);
    expect(await lastGood.load('api')).toEqual(many);
    await lastGood.replace('api', [entry(7)]);
    expect(await lastGood.load('api')).toEqual([entry(7)]);
    await lastGood.replace('api', []);
    expect(await lastGood.load('api')).toEqual([]);
    expect(await lastGood.load('web')).toHaveLength(1);
  });

  test('a snapshot is the newest of its kind', async () => {
    const snapshots = snapshotStore(store.db);
    await snapshots.put('api', 'schema', 'b1', 'old');
    await snapshots.put('api', 'schema', 'b2', 'new');
    await snapshots.put('api', 'packages', 'b2', 'p');
    expect(await snapshots.get('api', 'schema')).toBe('new');
    expect(await snapshots.get('web', 'schema')).toBeNull();
  });
});
