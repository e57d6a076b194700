import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import {
  approve,
  ApprovalRefused,
  approvalState,
  policyDigest,
  recordedDecisions,
  reject,
  type Approval,
  type PolicyText,
  type RecordedDecision,
} from '../../domains/governance/index.ts';
import { approvalStore, decisionStore, openStore, personRequestStore, policyTextStore } from './index.ts';

/** Stores of two processes over one file. */
async function twoStores() {
  const dir = mkdtempSync(join(tmpdir(), 'grace-governance-'));
  const [a, b] = [await openStore(join(dir, 'grace.db')), await openStore(join(dir, 'grace.db'))];
  onTestFinished(() => {
    a.close();
    b.close();
    rmSync(dir, { recursive: true, force: true });
  });
  return [a.db, b.db] as const;
}

const approval: Approval = {
  id: 'ap_1',
  action: 'run_playbook',
  playbook: 'mend',
  component: 'api',
  incidentId: '',
  requestedBy: 'eve',
  summary: [],
  foreseen: null,
  claimedNames: {},
  bindingHash: 'h',
  requiredApprovals: 2,
  approvedBy: [],
  rejectedBy: null,
  createdAtMs: 0,
  expiresAtMs: 99,
  usedAtMs: null,
};

test('the second of two people adds to what the first said since, and not to what was read before', async () => {
  const [a, b] = (await twoStores()).map((db) => approvalStore(db));
  await a?.save(approval);
  expect(await b?.get('ap_1')).toMatchObject({ approvedBy: [] });
  await a?.change('ap_1', (x) => approve(x, 'ann', 1));
  await b?.change('ap_1', (x) => approve(x, 'bob', 1));
  const now = await a?.get('ap_1');
  expect(now?.approvedBy).toEqual(['ann', 'bob']);
  expect(now && approvalState(now, 1)).toBe('approved');
});

test('a no is not lost to a yes that was given at the same moment', async () => {
  const [a, b] = (await twoStores()).map((db) => approvalStore(db));
  await a?.save(approval);
  await a?.change('ap_1', (x) => reject(x, 'ann', 1));
  await expect(b?.change('ap_1', (x) => approve(x, 'bob', 1))).rejects.toBeInstanceOf(ApprovalRefused);
  expect(await b?.get('ap_1')).toMatchObject({ rejectedBy: 'ann', approvedBy: [] });
});

test('one person under two names is one approver, and who asked is none', async () => {
  const [a, b] = (await twoStores()).map((db) => approvalStore(db));
  await a?.save(approval);
  await a?.change('ap_1', (x) => approve(x, 'ann', 1, 'ann'));
  await expect(b?.change('ap_1', (x) => approve(x, 'ann', 1, 'bob'))).rejects.toThrow(/distinct|already approved/);
  await expect(b?.change('ap_1', (x) => approve(x, 'eve', 1, 'bob'))).rejects.toThrow('has asked for ap_1');
  await expect(b?.change('ap_1', (x) => approve(x, 'bob', 100))).rejects.toThrow('is expired');
  expect(await a?.get('ap_1')).toMatchObject({ approvedBy: ['ann'] });
});

const restart = {
  action: 'restart_component',
  actor: { kind: 'person', name: 'ann' },
  component: 'api',
  isCritical: false,
  mode: 'normal',
  environment: '',
  approvals: 0,
} as const;
const allows = { decide: async () => ({ verdict: 'allow', reason: 'so it is', policies: ['own'] }) as const };
const world = { clock: { nowMs: () => 7 }, ids: { next: (prefix: string) => `${prefix}_1` } };

test('a decision is there for the next process before it is acted on; one that only foresees is not', async () => {
  const [a, b] = await twoStores();
  const point = recordedDecisions(allows, { record: decisionStore(a), ...world });
  await point.decide({ ...restart, isForecast: true });
  expect(await decisionStore(b).list({ limit: 9 })).toEqual([]);
  expect(await point.decide(restart)).toMatchObject({ verdict: 'allow' });
  expect(await decisionStore(b).list({ limit: 9, component: 'api' })).toEqual([
    expect.objectContaining({ id: 'dc_1', atMs: 7, actor: 'ann', subject: 'api', verdict: 'allow', policies: ['own'], approval: null }),
  ]);
});

test('a decision that cannot be written down is a no that says so', async () => {
  const [a] = await twoStores();
  const point = recordedDecisions(allows, { record: decisionStore(a), ...world });
  await point.decide(restart);
  expect(await point.decide(restart)).toEqual({
    verdict: 'deny',
    reason: expect.stringMatching(/^the decision cannot be recorded: .*UNIQUE/),
    policies: [],
  });
});

test('the oldest decisions are forgotten, the newest stay', async () => {
  const [a] = await twoStores();
  const record = decisionStore(a, 150);
  const entry = (n: number): RecordedDecision => ({
    id: `dc_${n}`,
    atMs: n,
    actor: 'grace',
    actorKind: 'grace',
    action: 'run_playbook',
    subject: 'mend',
    component: n % 2 === 0 ? 'api' : 'db',
    verdict: 'observe',
    reason: '',
    policies: [],
    approval: null,
    asked: {},
  });
  for (let n = 1; n <= 300; n++) await record.write(entry(n));
  const kept = await record.list({ limit: 1000 });
  expect(kept).toHaveLength(150);
  expect(kept[0]).toEqual(entry(300));
  expect((await record.list({ component: 'db', limit: 2 })).map((d) => d.id)).toEqual(['dc_299', 'dc_297']);
});

test('of two who change a request one wins', async () => {
  const [a, b] = (await twoStores()).map((db) => personRequestStore(db));
  const request = {
    id: 'rq_1',
    action: 'restart_component',
    component: 'api',
    by: 'ann',
    claimedName: null,
    reason: '',
    askedAtMs: 1,
  } as const;
  await a?.add({ ...request, state: 'asked', approval: null, detail: '' });
  const moved = await Promise.all([
    a?.move('rq_1', 'asked', { state: 'withdrawn', detail: '', approval: null }),
    b?.move('rq_1', 'asked', { state: 'running', detail: '', approval: null }),
  ]);
  expect(moved.filter(Boolean)).toHaveLength(1);
});

test('one policy text is in force, and those before it are kept', async () => {
  const [a, b] = (await twoStores()).map((db) => policyTextStore(db));
  const text = (name: string, state: PolicyText['state'], sinceMs: number): PolicyText => {
    const files = [{ name, text: '' }];
    return { digest: policyDigest(files), files, state, sinceMs, reason: '', approval: null };
  };
  await a?.save(text('one', 'in_force', 1));
  await a?.save(text('two', 'waiting', 2));
  expect(await b?.inForce()).toEqual(text('one', 'in_force', 1));
  await b?.save(text('two', 'in_force', 3));
  expect(await a?.inForce()).toEqual(text('two', 'in_force', 3));
  expect(await a?.get(text('one', 'past', 3).digest)).toEqual(text('one', 'past', 3));
});
