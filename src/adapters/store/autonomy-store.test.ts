import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { ShadowRecord } from '../../domains/learning/index.ts';
import { openStore, shadowStore, tierChangeStore, type OpenedStore } from './index.ts';

async function aStore(): Promise<OpenedStore> {
  const dir = mkdtempSync(join(tmpdir(), 'grace-autonomy-'));
  const store = await openStore(join(dir, 'grace.db'));
  onTestFinished(() => {
    store.close();
    rmSync(dir, { recursive: true, force: true });
  });
  return store;
}

const aRecord = (id: string, parts: Partial<ShadowRecord> = {}): ShadowRecord => ({
  id,
  playbook: 'mend',
  hash: 'f00d',
  component: 'api',
  signature: 's1',
  failureId: 'f1',
  bootId: 'boot_1',
  verdict: 'observe',
  reason: 'it only looks',
  firstAtMs: 100,
  lastAtMs: 200,
  seen: 1,
  first: null,
  last: null,
  score: 'open',
  endedBy: null,
  endedAtMs: null,
  evidence: [],
  ...parts,
});

test('a record is kept once however often it is saved, and is open until it has a score', async () => {
  const shadows = shadowStore((await aStore()).db);
  await shadows.save(aRecord('shd_2', { firstAtMs: 300 }));
  await shadows.save(aRecord('shd_1'));
  await shadows.save(aRecord('shd_3', { component: 'db', signature: 's2' }));
  expect((await shadows.open('api')).map((r) => r.id)).toEqual(['shd_1', 'shd_2']);
  await shadows.save(aRecord('shd_1', { score: 'hit', endedBy: 'person', endedAtMs: 500, evidence: ['because'] }));
  expect((await shadows.open('api')).map((r) => r.id)).toEqual(['shd_2']);
  expect(await shadows.get('shd_1')).toEqual(aRecord('shd_1', { score: 'hit', endedBy: 'person', endedAtMs: 500, evidence: ['because'] }));
  expect(await shadows.get('shd_9')).toBeNull();
  expect((await shadows.list(200)).map((r) => r.id)).toEqual(['shd_2']);
  expect((await shadows.ofSignature('s1')).map((r) => r.id)).toEqual(['shd_1', 'shd_2']);
});

test('a record that does not say what was looked at was of what the step would act on', async () => {
  const { db } = await aStore();
  const shadows = shadowStore(db);
  const step = { step: 'a', primitive: 'restore_file', state: 'ready', summary: '', targets: ['/s/a'], picture: null };
  await shadows.save({ ...aRecord('shd_1'), last: [step] as unknown as ShadowRecord['last'] });
  expect((await shadows.get('shd_1'))?.last).toEqual([{ ...step, looked: ['/s/a'], changesNothing: false }]);
});

test('tier changes are those of exactly these bytes, oldest first', async () => {
  const changes = tierChangeStore((await aStore()).db);
  const change = { playbook: 'mend', hash: 'f00d', kind: 'demoted', from: 'tier_1', to: 'tier_2', by: 'grace', reason: 'it did not help' } as const; // prettier-ignore
  await changes.save({ ...change, id: 't2', atMs: 200, kind: 'promoted', from: 'tier_2', to: 'tier_1', by: 'ann' });
  await changes.save({ ...change, id: 't1', atMs: 100 });
  await changes.save({ ...change, id: 't3', atMs: 300, hash: 'beef' });
  expect((await changes.of('mend', 'f00d')).map((c) => `${c.id} ${c.from} ${c.to} ${c.by}`)).toEqual([
    't1 tier_1 tier_2 grace',
    't2 tier_2 tier_1 ann',
  ]);
});
