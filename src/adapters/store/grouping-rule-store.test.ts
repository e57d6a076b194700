import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kysely } from 'kysely';
import { expect, onTestFinished, test } from 'vitest';
import type { GroupingRule } from '../../domains/incidents/index.ts';
import { bootId, signatureOf } from '../../kernel/index.ts';
import { groupingRuleStore } from './grouping-rule-store.ts';
import { incidentStore } from './incident-store.ts';
import { SCHEMA_VERSION } from './migrations.ts';
import { openStore } from './open-store.ts';
import { sqliteDialect } from './sqlite-dialect.ts';
import type { Tables } from './tables.ts';
import { aPattern, oldStore } from './testing.ts';

const A = signatureOf('aaaaaaaaaaaaaaaa');
const B = signatureOf('bbbbbbbbbbbbbbbb');
const merge: GroupingRule = {
  id: 'gr_2',
  kind: 'merge',
  signature: A,
  into: B,
  by: 'ada',
  claimedName: 'alice',
  atMs: 2,
  reason: 'one pool',
  takenBack: null,
};
const split: GroupingRule = {
  id: 'gr_1',
  kind: 'split',
  signature: B,
  part: 'subject',
  by: 'bob',
  atMs: 1,
  reason: 'two',
  takenBack: null,
};

function place(): string {
  const dir = mkdtempSync(join(tmpdir(), 'grace-rules-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return join(dir, 'grace.db');
}

test('rules come back as they were given, oldest first, and taken back ones too', async () => {
  const store = await openStore(place());
  const rules = groupingRuleStore(store.db);
  await rules.save(merge, []);
  await rules.save(split, []);
  await rules.save({ ...merge, takenBack: { by: 'eve', claimedName: 'ada', atMs: 9 } }, []);
  expect(await rules.list()).toEqual([split, { ...merge, takenBack: { by: 'eve', claimedName: 'ada', atMs: 9 } }]);
  store.close();
});

test('a rule and the patterns it changes are stored together, or not at all', async () => {
  const store = await openStore(place());
  const incidents = incidentStore(store.db);
  await incidents.savePattern(aPattern());
  const rules = groupingRuleStore(store.db);
  // Another pattern has this incident already: the second cannot be stored, so nothing is.
  await expect(rules.save(merge, [aPattern({ occurrences: 9 }), aPattern({ signature: B })])).rejects.toThrow('UNIQUE');
  expect(await rules.list()).toEqual([]);
  expect((await incidents.pattern(A))?.occurrences).toBe(1);
  store.close();
});

test('a store of the first version gets the table, and keeps what it holds', async () => {
  const path = place();
  const first = await oldStore(path, 1);
  await incidentStore(new Kysely<Tables>({ dialect: sqliteDialect(first) })).savePattern(aPattern());
  first.close();
  const now = await openStore(path);
  expect(now).toMatchObject({ versionBefore: 1 });
  expect(now.version()).toBe(SCHEMA_VERSION);
  expect(await groupingRuleStore(now.db).list()).toEqual([]);
  expect(await incidentStore(now.db).patterns()).toHaveLength(1);
  now.close();
});

test('occurrences are counted from explanations, and from failures that were never explained', async () => {
  const store = await openStore(place());
  const incidents = incidentStore(store.db);
  const failure = { stage: 'runtime', component: 'api', symptom: 'exit', signature: A, bootId: bootId('boot_1') };
  const explanation = { signature: A, bootId: bootId('boot_1'), outcome: 'healed', playbook: 'mend_it' };
  await incidents.saveFailure({ ...failure, id: 'f_old', atMs: 4 } as never);
  await incidents.saveFailure({ ...failure, id: 'f_1', atMs: 5 } as never);
  await incidents.saveFailure({ ...failure, id: 'f_2', atMs: 6 } as never);
  await incidents.saveExplanation({ ...explanation, failureId: 'f_2', atMs: 6 } as never);
  const common = { signature: A, bootId: 'boot_1' };
  expect(await incidents.occurrences(5)).toEqual([
    { ...common, failureId: 'f_1', atMs: 5, outcome: null, playbook: null },
    { ...common, failureId: 'f_2', atMs: 6, outcome: 'healed', playbook: 'mend_it' },
  ]);
  store.close();
});
