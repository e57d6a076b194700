import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { approve } from '../../domains/governance/index.ts';
import { bootId } from '../../kernel/index.ts';
import { approveApproval } from './approvals.ts';
import type { AskPolicies } from './ask-policies.ts';
import { closeBreaker } from './breakers.ts';
import type { Memory } from './memory.ts';
import { setMode } from './mode.ts';
import { setEnabled } from './playbooks.ts';
import { promotePlaybook } from './promote.ts';
import { aMemory, anExplanation, aPlaybook, asking, MINUTE_MS, NOW_MS } from './testing.ts';

const two = (action: string) =>
  `@id("two") @reason("two of us") @approvals("1") forbid (principal, action == Grace::Action::"${action}", resource) unless { context.approvals >= 1 };`;

async function openBreaker(memory: Memory, id: string): Promise<void> {
  await memory.limits.saveBreaker({
    id,
    kind: 'breaker',
    playbook: 'fix_it',
    component: 'api',
    openedAtMs: NOW_MS - 1000,
    reason: 'it did not help',
    closedAtMs: null,
    closedBy: null,
    closeReason: null,
  });
}

const decided = async (memory: Memory) =>
  (await memory.decisions.list({ limit: 20 })).toReversed().map((d) => `${d.action} ${d.subject} ${d.verdict} ${d.actor}`);
const isOpen = async (memory: Memory, id: string) => (await memory.limits.breakers()).some((b) => b.id === id && b.closedAtMs === null);
const agree = async (memory: Memory, id: string | null, who: string) => memory.approvals.change(id ?? '', (a) => approve(a, who, NOW_MS));

/** The approval that it waits for. */
async function refusedFor(act: Promise<unknown>): Promise<string> {
  const error = (await act.then(
    () => null,
    (e: unknown) => e,
  )) as { readonly code?: string; readonly details?: { readonly approval?: string }; readonly hint?: string } | null;
  expect(error).toMatchObject({ code: 'GRACE_CLI_ACTION_REFUSED', hint: expect.stringContaining('grace approvals show ap_') });
  return error?.details?.approval ?? '';
}

describe('what a person does by hand', () => {
  test('is allowed with notice by what ships, and is recorded', async () => {
    await using memory = await aMemory();
    await openBreaker(memory, 'brk_1');
    const closed = await closeBreaker(memory, 'brk_1', 'ann', 'the disk was full', asking(memory, 'ann'));
    expect(closed).toMatchObject({ exitCode: 0, data: { state: 'closed', decision: 'a person may close a breaker' } });
    expect(await decided(memory)).toEqual(['close_breaker brk_1 allow_with_notice ann']);
  });

  test('waits for another person where a policy of the user says so, who agrees to that one time', async () => {
    await using memory = await aMemory();
    await memory.playbooks.save(aPlaybook('p', { file: join(memory.dataDir, 'p.ts') }));
    await writeFile(join(memory.dataDir, 'p.ts'), '');
    const ask = asking(memory, 'ann', two('change_playbook'));
    const approval = await refusedFor(setEnabled(memory, 'p', false, ask));
    expect(await memory.playbooks.get('p')).toMatchObject({ isEnabled: true });
    expect(await refusedFor(setEnabled(memory, 'p', false, ask)), 'asked for once').toBe(approval);
    await expect(agree(memory, approval, 'ann')).rejects.toThrow('cannot approve it');
    await agree(memory, approval, 'bob');
    await setEnabled(memory, 'p', false, ask);
    expect(await memory.playbooks.get('p')).toMatchObject({ isEnabled: false });
    expect(await decided(memory), 'one record each time it is asked').toEqual([
      'change_playbook p needs_approval ann',
      'change_playbook p needs_approval ann',
      'change_playbook p allow_with_notice ann',
    ]);
    await agree(memory, await refusedFor(setEnabled(memory, 'p', true, ask)), 'bob');
    await setEnabled(memory, 'p', true, ask);
    expect(await refusedFor(setEnabled(memory, 'p', false, ask)), 'another time needs another approval').not.toBe(approval);
    expect(await memory.playbooks.get('p')).toMatchObject({ isEnabled: true });
  });

  test('is not done where a policy forbids it, and the command says how to see why', async () => {
    await using memory = await aMemory();
    await openBreaker(memory, 'brk_1');
    const never = '@id("never") @reason("breakers stay") forbid (principal, action == Grace::Action::"close_breaker", resource);';
    await expect(closeBreaker(memory, 'brk_1', 'ann', 'x', asking(memory, 'ann', never))).rejects.toMatchObject({
      code: 'GRACE_CLI_ACTION_REFUSED',
      message: 'closing brk_1 is not done: breakers stay',
      hint: 'why: grace policy test --action close_breaker',
    });
    expect(await isOpen(memory, 'brk_1')).toBe(true);
    expect(await decided(memory)).toEqual(['close_breaker brk_1 deny ann']);
  });

  test('needs another person in an emergency, unless it makes Grace more careful', async () => {
    await using memory = await aMemory();
    const ask = asking(memory, 'ann');
    await memory.playbooks.save(aPlaybook('p', { file: join(memory.dataDir, 'p.ts') }));
    await writeFile(join(memory.dataDir, 'p.ts'), '');
    await openBreaker(memory, 'brk_1');
    await setMode(memory, { to: 'emergency', reason: 'fire', forMs: null, by: 'ann', claimedName: null }, ask);
    await refusedFor(closeBreaker(memory, 'brk_1', 'ann', 'x', ask));
    expect((await setEnabled(memory, 'p', false, ask)).exitCode).toBe(0);
    await refusedFor(setEnabled(memory, 'p', true, ask));
    const leave = { to: 'normal', reason: 'out', forMs: null, by: 'ann', claimedName: null } as const;
    await agree(memory, await refusedFor(setMode(memory, leave, ask)), 'bob');
    expect((await setMode(memory, leave, ask)).data).toMatchObject({ mode: 'normal', before: 'emergency' });
  });
});

describe('whoever asks cannot agree as well', () => {
  const leave = { to: 'read_only', reason: 'x', forMs: null, by: 'ann', claimedName: 'bob' } as const;
  test.each<[door: string, action: string, act: (memory: Memory, ask: AskPolicies) => Promise<unknown>]>([
    ['grace breakers close', 'close_breaker', (memory, ask) => closeBreaker(memory, 'brk_1', 'ann', 'x', ask)],
    ['grace playbooks enable', 'change_playbook', (memory, ask) => setEnabled(memory, 'p', true, ask)],
    ['grace playbooks disable', 'change_playbook', (memory, ask) => setEnabled(memory, 'p', false, ask)],
    ['grace mode set', 'set_mode', (memory, ask) => setMode(memory, leave, ask)],
    [
      'grace snapshots restore',
      'restore_snapshot',
      (_, ask) =>
        ask({
          request: (about) => ({ action: 'restore_snapshot', ...about, component: 'api', snapshot: 'snap_1' }),
          what: 'restoring snap_1',
          occasion: '',
          summary: [],
        }),
    ],
  ])('%s', async (door, action, act) => {
    await using memory = await aMemory();
    await openBreaker(memory, 'brk_1');
    await memory.playbooks.save(aPlaybook('p', { file: join(memory.dataDir, 'p.ts'), isEnabled: !door.endsWith('enable') }));
    await writeFile(join(memory.dataDir, 'p.ts'), '');
    const ask = asking(memory, 'ann', two(action));
    const id = await refusedFor(act(memory, ask));
    expect(await memory.approvals.get(id)).toMatchObject({ action, requestedBy: 'ann', approvedBy: [] });
    for (const [who, claimed] of [
      ['ann', null],
      ['ANN', null],
      ['ann', 'bob'],
      ['bob', 'Ann'],
    ] as const)
      // prettier-ignore
      await expect(approveApproval(memory, id, who, claimed), `${who} as ${claimed}`).rejects.toThrow('cannot approve it');
    expect(await refusedFor(act(memory, ask))).toBe(id);
    expect((await memory.decisions.list({ limit: 20 })).filter((d) => d.verdict === 'refused')).toHaveLength(4);
    await approveApproval(memory, id, 'bob');
    await act(memory, ask);
  });
});

describe('grace playbooks promote', () => {
  async function withRecord(helped: number, alone: number): Promise<Awaited<ReturnType<typeof aMemory>>> {
    const memory = await aMemory();
    const playbook = aPlaybook('p', { tier: 'tier_3', risk: 'medium' });
    await memory.playbooks.save(playbook);
    const signature = playbook.signature ?? '';
    for (let i = 0; i < helped; i++)
      await memory.playbooks.saveRun({ id: `run_${i}`, playbook: 'p', hash: playbook.hash, component: 'api', bootId: bootId('boot_1'), signature, failureId: null, scope: 'process', confidence: 1, restart: true, state: 'verified', decision: '', startedAtMs: NOW_MS - (i + 1) * MINUTE_MS, endedAtMs: NOW_MS }); // prettier-ignore
    for (let i = 0; i < alone; i++)
      await memory.shadows.save({ id: `shd_${i}`, playbook: 'p', hash: playbook.hash, component: 'api', signature, failureId: `f${i}`, bootId: 'boot_1', verdict: 'observe', reason: '', firstAtMs: NOW_MS - i * MINUTE_MS, lastAtMs: NOW_MS, seen: 2, first: null, last: null, score: 'unknown', endedBy: 'person', endedAtMs: NOW_MS - i, evidence: [] }); // prettier-ignore
    return memory;
  }

  test('lifts the tier of exactly these bytes when it was earned, is decided on and recorded', async () => {
    await using memory = await withRecord(20, 20);
    const promoted = await promotePlaybook(memory, 'p', 'tier_2', 'ann', 'I read it, token=hunter2canary', asking(memory, 'ann'));
    expect(promoted).toMatchObject({ exitCode: 0, data: { from: 'tier_3', to: 'tier_2', by: 'ann' } });
    expect(await memory.tierChanges.of('p', 'f00d')).toMatchObject([{ kind: 'promoted', to: 'tier_2', by: 'ann' }]);
    expect(JSON.stringify(await memory.tierChanges.of('p', 'f00d'))).not.toContain('hunter2canary');
    expect(await memory.tierChanges.of('p', 'other')).toEqual([]);
    expect(await decided(memory)).toEqual(['change_playbook p allow_with_notice ann']);
    await expect(promotePlaybook(memory, 'p', 'tier_2', 'ann', 'again', asking(memory, 'ann'))).rejects.toThrow('tier_2 already');
  });

  test('is refused before the policies are asked when it was not earned, and by a policy when it was', async () => {
    await using young = await withRecord(9, 20);
    await expect(promotePlaybook(young, 'p', 'tier_2', 'ann', 'x', asking(young, 'ann'))).rejects.toThrow(
      'has not earned it: helped 9 of 9',
    );
    await using unknown = await withRecord(50, 0);
    await expect(promotePlaybook(unknown, 'p', 'tier_2', 'ann', 'x', asking(unknown, 'ann'))).rejects.toThrow('is not known');
    expect(await decided(unknown)).toEqual([]);
    await using memory = await withRecord(20, 20);
    const never = '@id("never") @reason("no more freedom") forbid (principal, action == Grace::Action::"change_playbook", resource) when { context.change == "promote" && context.toTier == "tier_2" && resource.tier == "tier_3" };'; // prettier-ignore
    await expect(promotePlaybook(memory, 'p', 'tier_2', 'ann', 'x', asking(memory, 'ann', never))).rejects.toThrow('no more freedom');
    expect(await memory.tierChanges.of('p', 'f00d')).toEqual([]);
  });

  test('a failure that a start again ends is one that goes away by itself', async () => {
    await using memory = await withRecord(20, 20);
    for (let i = 0; i < 40; i++)
      await memory.incidents.saveExplanation(anExplanation(`f${i}`, 'boot_1', { outcome: 'healed', playbook: null }));
    await expect(promotePlaybook(memory, 'p', 'tier_2', 'ann', 'x', asking(memory, 'ann'))).rejects.toThrow('by itself 40 of 60 times');
  });
});
