import { describe, expect, it } from 'vitest';
import { userName } from '../../adapters/node/user-name.ts';
import { approveApproval, listApprovals, rejectApproval, showApproval } from './approvals.ts';
import { aMemory, anApproval, aPattern, aPlaybook, NOW_MS } from './testing.ts';

describe('grace approvals', () => {
  it('lists the open ones first', async () => {
    await using memory = await aMemory();
    await memory.approvals.save(anApproval('ap_old', { expiresAtMs: NOW_MS - 1, createdAtMs: NOW_MS - 10 }));
    await memory.approvals.save(anApproval('ap_open', { createdAtMs: NOW_MS - 20 }));
    expect((await listApprovals(memory)).data).toEqual([
      expect.objectContaining({ id: 'ap_open', state: 'pending' }),
      expect.objectContaining({ id: 'ap_old', state: 'expired' }),
    ]);
  });

  it('shows what would be done, why, and how risky it is', async () => {
    await using memory = await aMemory();
    await memory.approvals.save(anApproval('ap_1'));
    await memory.incidents.savePattern(aPattern());
    await memory.playbooks.save(aPlaybook('free_port_8080', { tier: 'tier_3' }));
    const { data, lines } = await showApproval(memory, 'ap_1');
    expect(data).toMatchObject({
      would_do: ['end the orphan (free_port)'],
      autonomy_tier: 'tier_3',
      cause: 'port 8080 is held by an orphan of api',
    });
    // Each is copied as it stands.
    expect(lines.slice(-2)).toEqual(['grace approvals approve ap_1', 'grace approvals reject ap_1']);
  });

  it('says which tier counts, and what cannot be undone', async () => {
    await using memory = await aMemory();
    const foreseen = [
      { step: 'end the orphan', primitive: 'free_port', state: 'ready', summary: 'end pid 7', targets: ['pid 7'] },
    ] as const;
    await memory.approvals.save(anApproval('ap_1', { foreseen }));
    await memory.playbooks.save(aPlaybook('free_port_8080', { tier: 'tier_1', risk: 'high' }));
    const { data, lines } = await showApproval(memory, 'ap_1');
    expect(data).toMatchObject({
      autonomy_tier: 'tier_1',
      effective_tier: 'tier_3',
      irreversible: [{ step: 1, primitive: 'free_port', reason: 'a process that was ended cannot be brought back' }],
    });
    expect(lines.join('\n')).toContain('tier_3 (its file says tier_1)');
    expect(lines.join(' ').replaceAll(/\s+/g, ' ')).toContain('1. free_port cannot be undone: a process that was ended');
  });

  it('keeps an approval with the name of who gave it', async () => {
    await using memory = await aMemory();
    await memory.approvals.save(anApproval('ap_1'));
    const { exitCode } = await approveApproval(memory, 'ap_1', 'ada');
    expect(exitCode).toBe(0);
    expect(await memory.approvals.get('ap_1')).toMatchObject({ approvedBy: ['ada'] });
  });

  it('asks for another person when the tier needs two', async () => {
    await using memory = await aMemory();
    await memory.approvals.save(anApproval('ap_1', { requiredApprovals: 2 }));
    expect((await approveApproval(memory, 'ap_1', 'ada')).lines[0]).toContain('1 of 2, 1 more from another person');
    await expect(approveApproval(memory, 'ap_1', 'ada')).rejects.toMatchObject({ code: 'GRACE_GOVERNANCE_APPROVAL_REFUSED' });
    expect((await approveApproval(memory, 'ap_1', 'grace hopper')).data).toMatchObject({ state: 'approved' });
  });

  it('takes one no for a no, for good', async () => {
    await using memory = await aMemory();
    await memory.approvals.save(anApproval('ap_1'));
    expect((await rejectApproval(memory, 'ap_1', 'ada')).data).toMatchObject({ state: 'rejected', rejected_by: 'ada' });
    await expect(approveApproval(memory, 'ap_1', 'bob')).rejects.toThrow('approval ap_1 is rejected');
    await expect(rejectApproval(memory, 'ap_1', 'bob')).rejects.toThrow('approval ap_1 is rejected');
  });

  it('refuses one that has expired', async () => {
    await using memory = await aMemory();
    await memory.approvals.save(anApproval('ap_1', { expiresAtMs: NOW_MS - 1 }));
    await expect(approveApproval(memory, 'ap_1', 'ada')).rejects.toThrow('approval ap_1 is expired');
  });

  it('knows nobody by an unknown id', async () => {
    await using memory = await aMemory();
    await expect(showApproval(memory, 'ap_9')).rejects.toMatchObject({ code: 'GRACE_CLI_NOT_KNOWN' });
    expect(userName()).not.toBe('');
  });

  it('notes what an approver says to be called, and takes nobody for two', async () => {
    await using memory = await aMemory();
    await memory.approvals.save(anApproval('ap_1', { requiredApprovals: 2 }));
    const { lines } = await approveApproval(memory, 'ap_1', 'deploy', 'ada');
    expect(lines[0]).toContain('by deploy, who says to be ada');
    await expect(approveApproval(memory, 'ap_1', 'deploy', 'bob')).rejects.toThrow('deploy has already approved ap_1');
    expect((await memory.approvals.get('ap_1'))?.approvedBy).toEqual(['deploy']);
  });

  it('keeps the one who asked from approving', async () => {
    await using memory = await aMemory();
    await memory.approvals.save(anApproval('ap_1', { requestedBy: 'ada' }));
    await expect(approveApproval(memory, 'ap_1', 'ada')).rejects.toMatchObject({ code: 'GRACE_GOVERNANCE_APPROVAL_REFUSED' });
    expect((await memory.approvals.get('ap_1'))?.approvedBy).toEqual([]);
  });

  it('warns of one that is about to end unanswered', async () => {
    await using memory = await aMemory();
    await memory.approvals.save(anApproval('ap_soon', { expiresAtMs: NOW_MS + 3_600_000 }));
    await memory.approvals.save(anApproval('ap_later', { expiresAtMs: NOW_MS + 3 * 86_400_000, createdAtMs: NOW_MS - 1 }));
    const { data, lines } = await listApprovals(memory);
    expect(data).toMatchObject([
      { id: 'ap_later', is_expiring_soon: false },
      { id: 'ap_soon', is_expiring_soon: true },
    ]);
    expect(lines[0]?.split('\n').filter((line) => line.includes('ends'))).toEqual([expect.stringContaining('ap_soon')]);
  });

  it('says what it is bound to', async () => {
    await using memory = await aMemory();
    await memory.approvals.save(anApproval('ap_file'));
    await memory.approvals.save(
      anApproval('ap_plan', { foreseen: [{ step: 'a', primitive: 'b', state: 'ready', summary: 'c', targets: ['d'] }] }),
    );
    expect((await showApproval(memory, 'ap_file')).lines.join('\n')).toContain('what it acts on shows when it runs');
    expect((await showApproval(memory, 'ap_plan')).lines.join('\n')).toContain('exactly what it would do');
  });
});
