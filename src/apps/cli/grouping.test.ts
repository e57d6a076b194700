import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, test, vi } from 'vitest';
import { userName } from '../../adapters/node/user-name.ts';
import { openStore } from '../../adapters/store/index.ts';
import type { Failure, SignaturePart } from '../../domains/incidents/index.ts';
import { record } from '../../domains/learning/index.ts';
import { signatureOf } from '../../kernel/index.ts';
import { actorOf } from '../../runtime/audit.ts';
import { repositories } from '../../runtime/repositories.ts';
import { openAuditSource } from './audit-source.ts';
import { explainDifference } from './explain-difference.ts';
import { explain } from './explain.ts';
import { listRules, mergeIncidents, splitIncident, takeRuleBack } from './grouping.ts';
import { main } from './main.ts';
import { listPatterns } from './patterns.ts';
import { aFailure, aMemory, aPlaybook } from './testing.ts';

const BOOT = 'boot_20260601_110000';
const A = signatureOf('aaaaaaaaaaaaaaaa');
const B = signatureOf('bbbbbbbbbbbbbbbb');
const [INCIDENT_A, INCIDENT_B] = ['autonomy_load_aaaaaaaa', 'autonomy_load_bbbbbbbb'];
const ADA = { reason: 'both are the connection pool', by: 'ada' };

const parts = (subject: string): readonly SignaturePart[] => [
  { name: 'version', value: '2' },
  { name: 'component', value: 'api' },
  { name: 'kind', value: 'relation_missing' },
  { name: 'subject', value: subject },
];

const ofA = (id: string, more: Partial<Failure> = {}) => aFailure(id, BOOT, { signature: A, signatureParts: parts('users'), ...more });
const ofB = (id: string, more: Partial<Failure> = {}) => aFailure(id, BOOT, { signature: B, signatureParts: parts('orders'), ...more });

async function seen(...failures: readonly Failure[]) {
  const memory = await aMemory();
  for (const failure of failures) await record(failure, memory);
  return memory;
}

const occurrences = async (memory: Awaited<ReturnType<typeof seen>>) =>
  Object.fromEntries((await memory.incidents.patterns()).map((p) => [p.signature[0] ?? '', p.occurrences]));

describe('grace patterns merge', () => {
  it('makes two incidents one: new failures of either count on it, and both histories are shown', async () => {
    await using memory = await seen(ofA('f1'), ofB('f2'), ofB('f3'));
    await mergeIncidents(memory, [INCIDENT_A, INCIDENT_B], INCIDENT_A, ADA);
    const captured = await record(ofB('f4'), memory);
    expect(captured).toMatchObject({ isNew: false, failure: { signature: A, grouping: { own: B } }, pattern: { incidentId: INCIDENT_A } });
    expect((await listPatterns(memory)).data).toEqual([
      expect.objectContaining({ incident: INCIDENT_A, occurrences: 4, merged: [INCIDENT_B] }),
    ]);
    const { data, lines } = await explain(memory, INCIDENT_B);
    expect((await explain(memory, 'f4')).data).toMatchObject({ incident: INCIDENT_A });
    expect(data).toMatchObject({
      incident: INCIDENT_A,
      grouping: { merged: [INCIDENT_B], rules: [{ by: 'ada', reason: ADA.reason }] },
    });
    expect((data as { failures: { id: string }[] }).failures.map((f) => f.id).toSorted()).toEqual(['f1', 'f2', 'f3', 'f4']);
    expect(lines.join('\n')).toContain('"both are the connection pool"');
  });

  it('lets a playbook for one serve the other', async () => {
    await using memory = await seen(ofA('f1'), ofB('f2'));
    await memory.playbooks.save(aPlaybook('for_b', { signature: B, origin: 'written' }));
    await mergeIncidents(memory, [INCIDENT_A, INCIDENT_B], INCIDENT_A, ADA);
    expect((await record(ofA('f3'), memory)).alike).toEqual([B]);
    expect((await record(ofB('f4'), memory)).alike).toEqual([B]);
  });

  it('can be taken back, and nothing is lost by it', async () => {
    await using memory = await seen(ofA('f1'), ofB('f2'), ofB('f3'));
    const { data } = await mergeIncidents(memory, [INCIDENT_A, INCIDENT_B], INCIDENT_A, ADA);
    await record(ofB('f4'), memory);
    await takeRuleBack(memory, (data as { id: string }).id, { by: 'bob' });
    expect(await occurrences(memory)).toEqual({ a: 1, b: 3 });
    expect((await record(ofB('f5'), memory)).failure.signature).toBe(B);
    expect((await listRules(memory)).data).toEqual([
      expect.objectContaining({ kind: 'merge', by: 'ada', taken_back: expect.objectContaining({ by: 'bob' }) }),
    ]);
  });

  it.each([
    ['an unknown incident', ['nope_00000000', INCIDENT_A], INCIDENT_A, 'there is no incident "nope_00000000"'],
    ['one with itself', [INCIDENT_A, INCIDENT_A], INCIDENT_A, 'with itself'],
    ['into a third', [INCIDENT_A, INCIDENT_B], 'other_00000000', 'none of the two'],
  ] as const)('refuses %s', async (_what, ids, into, message) => {
    await using memory = await seen(ofA('f1'), ofB('f2'));
    await expect(mergeIncidents(memory, ids, into, ADA)).rejects.toThrow(message);
    expect((await listRules(memory)).data).toEqual([]);
  });

  it('notes what people call themselves beside the user who decides, and tells a user called grace from Grace', async () => {
    await using memory = await seen(ofA('f1'), ofB('f2'));
    const merged = await mergeIncidents(memory, [INCIDENT_A, INCIDENT_B], INCIDENT_A, { ...ADA, claimedName: 'alice' });
    expect(merged.lines.join('\n')).toContain('by ada, who says to be alice');
    const { id } = merged.data as { id: string };
    await takeRuleBack(memory, id, { by: 'grace', claimedName: 'ada' });
    expect((await listRules(memory)).data).toEqual([
      expect.objectContaining({
        by: 'ada',
        claimed_name: 'alice',
        taken_back: expect.objectContaining({ by: 'user:grace', claimed_name: 'ada' }) as unknown,
      }),
    ]);
  });

  it('refuses to be without a reason, and stores none with a secret in it', async () => {
    await using memory = await seen(ofA('f1'), ofB('f2'));
    await expect(mergeIncidents(memory, [INCIDENT_A, INCIDENT_B], INCIDENT_A, { ...ADA, reason: ' ' })).rejects.toThrow('needs a reason');
    await mergeIncidents(memory, [INCIDENT_A, INCIDENT_B], INCIDENT_A, { ...ADA, reason: 'password=hunter22hunter' });
    expect(JSON.stringify((await listRules(memory)).data)).not.toContain('hunter22');
  });
});

describe('grace patterns split', () => {
  it('opens an incident for each, and leaves the old one what it has seen', async () => {
    await using memory = await seen(ofA('f1', { exitCode: 1 }), ofA('f2', { exitCode: 2 }));
    const { lines } = await splitIncident(memory, INCIDENT_A, 'exit', ADA);
    expect(lines.join('\n')).toContain('would have been 2 incidents');
    const [one, other, again] = [
      await record(ofA('f3', { exitCode: 1 }), memory),
      await record(ofA('f4', { exitCode: 2 }), memory),
      await record(ofA('f5', { exitCode: 1 }), memory),
    ];
    expect([one.isNew, other.isNew, again.isNew]).toEqual([true, true, false]);
    expect(again.pattern).toMatchObject({ incidentId: one.pattern.incidentId, occurrences: 2 });
    expect((await memory.incidents.pattern(A))?.occurrences).toBe(2);
    expect((await explain(memory, one.pattern.incidentId)).data).toMatchObject({
      grouping: { rules: [{ kind: 'split', by_part: 'exit' }] },
    });
  });

  it('refuses a part that does not exist, or in which nothing differs', async () => {
    await using memory = await seen(ofA('f1', { exitCode: 1 }), ofA('f2', { exitCode: 2 }));
    await expect(splitIncident(memory, INCIDENT_A, 'colour', ADA)).rejects.toThrow('cannot go by "colour"');
    await expect(splitIncident(memory, INCIDENT_A, 'stage', ADA)).rejects.toMatchObject({ hint: 'they differ in: exit' });
  });
});

test('--as is no way to be somebody else in the audit log: merge, split and unrule are by the user they run as', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'grace-as-'));
  const { exitCode } = process;
  const said = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  onTestFinished(() => {
    said.mockRestore();
    process.exitCode = exitCode;
    rmSync(dataDir, { recursive: true });
  });
  const store = await openStore(join(dataDir, 'grace.db'));
  const repos = repositories(store);
  for (const failure of [ofA('f1'), ofB('f2', { exitCode: 1 }), ofB('f3', { exitCode: 2 })]) await record(failure, repos);
  const run = async (...words: readonly string[]): Promise<void> => {
    await main(['patterns', ...words, '--as', 'alice', '--data-dir', dataDir]);
    expect(process.exitCode).toBe(0);
  };
  await run('split', INCIDENT_B, '--by', 'exit', '--reason', 'not one');
  await run('unrule', (await repos.groupingRules.list())[0]?.id ?? '');
  await run('merge', INCIDENT_A, INCIDENT_B, '--reason', 'one');
  store.close();
  const source = await openAuditSource({ dataDir });
  onTestFinished(() => source.close());
  const told: unknown[] = [];
  for await (const batch of source.reader.entries(0, Infinity))
    for (const one of batch) told.push(one instanceof Uint8Array ? JSON.parse(Buffer.from(one).toString()) : null);
  expect(told).toMatchObject(
    ['grouping.rule_made', 'grouping.rule_taken_back', 'grouping.rule_made'].map((action) => ({
      action,
      actor: actorOf(userName()),
      payload: { claimed_name: 'alice' },
    })),
  );
});

describe('grace explain A B', () => {
  it('says in which part two incidents differ, and that no rule applies', async () => {
    await using memory = await seen(ofA('f1'), ofB('f2'));
    const { data, lines } = await explainDifference(memory, INCIDENT_A, 'f2');
    expect(lines[0]).toBe('not one: they differ in subject: users / orders; same in component, kind');
    expect(lines.join('\n')).toContain(`grace patterns merge ${INCIDENT_A} ${INCIDENT_B}`);
    expect(data).toMatchObject({
      one: false,
      differences: [{ part: 'subject', a: 'users', b: 'orders' }],
      same: ['component', 'kind'],
      rules: [],
    });
  });

  it('says that a person made them one, who, and why', async () => {
    await using memory = await seen(ofA('f1'), ofB('f2'));
    await mergeIncidents(memory, [INCIDENT_A, INCIDENT_B], INCIDENT_B, ADA);
    const { data, lines } = await explainDifference(memory, INCIDENT_A, INCIDENT_B);
    expect(data).toMatchObject({ one: true, rules: [{ kind: 'merge', by: 'ada' }], differences: [{ part: 'subject' }] });
    expect(lines.join('\n')).toContain(`merges ${INCIDENT_A} into ${INCIDENT_B}: ada`);
  });

  it('says what two failures of one signature differ in all the same', async () => {
    await using memory = await seen(ofA('f1', { exitCode: 1 }), ofA('f2', { exitCode: 2 }));
    const { data, lines } = await explainDifference(memory, 'f1', 'f2');
    expect(data).toMatchObject({ one: true, differences: [], also_differs: [{ part: 'exit', a: '1', b: '2' }] });
    expect(lines.at(-1)).toContain(`grace patterns split ${INCIDENT_A} --by exit`);
    await splitIncident(memory, INCIDENT_A, 'exit', ADA);
    expect((await explainDifference(memory, 'f1', 'f2')).data).toMatchObject({ one: false, rules: [{ kind: 'split' }] });
  });

  it('refuses what is neither an incident nor a failure', async () => {
    await using memory = await seen(ofA('f1'));
    await expect(explainDifference(memory, INCIDENT_A, 'nope')).rejects.toMatchObject({ code: 'GRACE_CLI_NOT_KNOWN' });
    await expect(explainDifference(memory, INCIDENT_A, BOOT)).rejects.toMatchObject({
      hint: expect.stringContaining('grace diff') as string,
    });
  });
});
