import { describe, expect, it } from 'vitest';
import { approveApproval, listApprovals, rejectApproval, showApproval, userName } from './approvals.ts';
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
});
