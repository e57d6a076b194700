import { describe, expect, it } from 'vitest';
import { signatureOf } from '../../kernel/index.ts';
import { explain } from './explain.ts';
import { aBoot, aFailure, aMemory, anApproval, anExplanation, aPattern, aPlaybook, MINUTE_MS, NOW_MS } from './testing.ts';

const BOOT = 'boot_20260601_110000';

describe('grace explain', () => {
  it('says cause, evidence and next step in its first line', async () => {
    await using memory = await aMemory(aBoot(BOOT, { failedStage: 6 }));
    await memory.incidents.savePattern(aPattern());
    await memory.incidents.saveExplanation(anExplanation('f1', BOOT, { outcome: 'waiting', playbook: null }));
    const { lines } = await explain(memory, undefined);
    expect(lines[0]).toBe('api: port 8080 is held by an orphan of api (port 8080: pid 99 node server.js). Stop pid 99');
  });

  it('does not take a restart for the end of a crash', async () => {
    await using memory = await aMemory(aBoot(BOOT));
    await memory.incidents.saveExplanation(anExplanation('f1', BOOT, { playbook: null, advice: ['read its output'] }));
    expect((await explain(memory, undefined)).lines[0]).toContain('Grace started it again; read its output');
  });

  it('gives scripts one object per failure, oldest first, with times in ISO', async () => {
    await using memory = await aMemory(aBoot(BOOT));
    await memory.incidents.savePattern(aPattern());
    await memory.incidents.saveExplanation(anExplanation('f2', BOOT, { atMs: NOW_MS - 1000 }));
    await memory.incidents.saveExplanation(anExplanation('f1', BOOT, { atMs: NOW_MS - 2000, outcome: 'not_healed' }));
    const { data, exitCode } = await explain(memory, BOOT);
    expect(exitCode).toBe(0);
    expect(data).toEqual([
      expect.objectContaining({ outcome: 'not_healed', verified: false, at: '2026-06-01T11:59:58.000Z' }),
      {
        incident: 'autonomy_load_01234567',
        component: 'api',
        class: 'port_in_use',
        what: 'it ended with exit code 1 before it was ready',
        cause: 'port 8080 is held by an orphan of api',
        confidence: 0.95,
        evidence: ['port 8080: pid 99 node server.js'],
        changes: [],
        action: 'ended pid 99',
        playbook: 'free_port_8080',
        risk: 'medium',
        verified: true,
        outcome: 'healed',
        advice: ['stop pid 99'],
        commands: [],
        alternatives: ['unexplained (0.05): it said nothing'],
        boot: BOOT,
        at: '2026-06-01T11:59:59.000Z',
      },
    ]);
  });

  it('shows one failure that came back several times once, with everything that was tried', async () => {
    await using memory = await aMemory(aBoot(BOOT, { failedStage: 6 }));
    await memory.incidents.savePattern(aPattern());
    for (const [i, action] of ['tried one thing', 'tried another', 'tried another'].entries())
      await memory.incidents.saveExplanation(
        anExplanation(`f${i}`, BOOT, { action, outcome: 'not_healed', atMs: NOW_MS - 5000 + i * 1000 }),
      );
    const text = (await explain(memory, BOOT)).lines.join('\n');
    expect(text).toContain('3 times');
    expect(text.match(/tried one thing/g)).toHaveLength(1);
    expect(text.match(/tried another/g)).toHaveLength(1);
  });

  it('puts what is still wrong before what was healed', async () => {
    await using memory = await aMemory(aBoot(BOOT, { failedStage: 6 }));
    await memory.incidents.saveExplanation(anExplanation('f1', BOOT));
    await memory.incidents.saveExplanation(
      anExplanation('f2', BOOT, {
        signature: signatureOf('fedcba9876543210'),
        cause: 'DATABASE_URL is missing',
        outcome: 'waiting',
        advice: ['set it'],
      }),
    );
    expect((await explain(memory, BOOT)).lines[0]).toMatch(/^api: DATABASE_URL is missing .*\. Set it$/);
  });

  it('looks back to the newest boot in which something failed, and says what came since', async () => {
    await using memory = await aMemory(
      aBoot(BOOT, { failedStage: 6 }),
      aBoot('boot_20260601_113000', { startedAtMs: NOW_MS - 30 * MINUTE_MS }),
    );
    await memory.incidents.saveExplanation(anExplanation('f1', BOOT, { outcome: 'open' }));
    const { lines } = await explain(memory, undefined);
    expect(lines.join('\n')).toContain(BOOT);
    expect(lines.at(-1)).toContain('nothing failed in boot_20260601_113000');
  });

  it('tells the newest failure that a service has recorded, where nothing was booted', async () => {
    await using memory = await aMemory();
    await memory.incidents.savePattern(aPattern({ lastSeenMs: NOW_MS }));
    const { lines, data } = await explain({ ...memory, boots: { ...memory.boots, list: async () => [] } }, undefined);
    expect(lines.join('\n')).not.toContain('nothing failed');
    expect(data).toHaveLength(1);
  });

  it('says that nothing failed when nothing did', async () => {
    await using memory = await aMemory(aBoot(BOOT));
    const { lines, data, exitCode } = await explain(memory, undefined);
    expect(lines).toEqual([`nothing failed in ${BOOT} (1 h ago, success)`]);
    expect(data).toEqual([]);
    expect(exitCode).toBe(0);
  });

  it('names the approval that a fix waits for', async () => {
    await using memory = await aMemory(aBoot(BOOT, { failedStage: 6 }));
    await memory.incidents.savePattern(aPattern());
    await memory.approvals.save(anApproval('ap_7'));
    await memory.incidents.saveExplanation(anExplanation('f1', BOOT, { outcome: 'needs_approval' }));
    expect((await explain(memory, undefined)).lines[0]).toContain('grace approvals approve ap_7');
    await memory.approvals.save(anApproval('ap_7', { approvedBy: ['ada'] }));
    expect((await explain(memory, undefined)).lines[0]).toContain('is approved: it runs at the next start');
    await memory.approvals.save(anApproval('ap_7', { rejectedBy: 'ada' }));
    expect((await explain(memory, undefined)).lines[0]).toContain('Stop pid 99');
    await memory.approvals.save(anApproval('ap_7', { expiresAtMs: NOW_MS - 1 }));
    expect((await explain(memory, undefined)).lines[0]).toContain('start it again to ask for approval anew');
  });

  it('shows a failure that was captured when Grace was cut off before it could explain it', async () => {
    await using memory = await aMemory(aBoot(BOOT, { outcome: 'interrupted' }));
    await memory.incidents.saveFailure(aFailure('f1', BOOT));
    const { data } = await explain(memory, undefined);
    expect(data).toEqual([expect.objectContaining({ class: 'unexplained', cause: 'Error: listen EADDRINUSE', outcome: 'open' })]);
  });

  it('shows a stage that failed without any captured failure', async () => {
    await using memory = await aMemory(aBoot(BOOT, { failedStage: 3 }));
    expect((await explain(memory, undefined)).lines[0]).toContain('it did not work');
  });

  it('tells of an incident how often, since when, in which state, and its last output', async () => {
    await using memory = await aMemory(aBoot(BOOT));
    await memory.incidents.savePattern(aPattern());
    await memory.incidents.saveFailure(aFailure('f1', BOOT));
    await memory.incidents.saveExplanation(anExplanation('f1', BOOT));
    await memory.playbooks.save(aPlaybook('free_port_8080'));
    const { data, lines } = await explain(memory, 'autonomy_load_01234567');
    expect(data).toMatchObject({
      incident: 'autonomy_load_01234567',
      occurrences: 3,
      first_seen: '2026-06-01T02:00:00.000Z',
      last_seen: '2026-06-01T11:01:00.000Z',
      state: 'verified',
      playbook_file: '/nowhere/playbooks/free_port_8080.ts',
      boots: [BOOT],
      output: ['starting', 'Error: listen EADDRINUSE: address already in use :::8080'],
    });
    expect(lines.join('\n')).toContain('verified  3 occurrences, first 10 h ago, last 59 min ago');
  });

  it('refuses what is neither a boot nor an incident', async () => {
    await using memory = await aMemory();
    await expect(explain(memory, 'nope')).rejects.toMatchObject({ code: 'GRACE_CLI_NOT_KNOWN' });
  });
});
