import { describe, expect, it } from 'vitest';
import { diff } from './diff.ts';
import { health } from './health.ts';
import { history } from './history.ts';
import { listPatterns } from './patterns.ts';
import { status } from './status.ts';
import { suggestions } from './suggestions.ts';
import { identityOf } from '../../adapters/node/proc.ts';
import { lockInstance } from '../../adapters/node/instance-lock.ts';
import { incidentId, signatureOf, type JsonObject } from '../../kernel/index.ts';
import { aBoot, aComponent, aFailure, aMemory, anApproval, aPattern, aPlaybook, MINUTE_MS, NOW_MS, stagesOf } from './testing.ts';

const boot = (minute: number, parts: Parameters<typeof aBoot>[1] = {}) =>
  aBoot(`boot_20260601_11${String(minute).padStart(2, '0')}00`, { startedAtMs: NOW_MS - (60 - minute) * MINUTE_MS, ...parts });

describe('grace health', () => {
  it('is not healthy when most boots fail', async () => {
    await using memory = await aMemory(boot(1, { failedStage: 2 }), boot(2, { failedStage: 2 }), boot(3, { failedStage: 6 }), boot(4));
    await memory.incidents.saveFailure(aFailure('f1', 'boot_20260601_110300'));
    const { exitCode, data } = await health(memory);
    expect(exitCode).toBe(1);
    expect(data).toMatchObject({ score: 'poor', success_rate: 0.25, boots: 4 });
    expect(data).toMatchObject({ last_boots: [{ issues: 0 }, { issues: 1 }, { issues: 0 }, { issues: 0 }] });
  });

  it('leaves out what says nothing about boots: dry runs, running ones, and those stopped by hand on the way', async () => {
    const dry = stagesOf().map((s) => (s.number === 6 ? { ...s, result: 'skipped' as const } : s));
    await using memory = await aMemory(boot(1), boot(2, { stages: dry }), boot(3, { outcome: 'running' }), boot(4, { outcome: 'stopped' }));
    expect((await health(memory)).data).toMatchObject({ score: 'excellent', boots: 1 });
  });
});

describe('grace status', () => {
  it('is not healthy when no Grace runs', async () => {
    await using memory = await aMemory(boot(1));
    const { exitCode, data, lines } = await status(memory);
    expect(exitCode).toBe(1);
    expect(data).toMatchObject({ running: false, pid: null, components: [{ name: 'api', state: 'down', pid: null }] });
    expect(lines[0]).toContain('no Grace runs here');
  });

  it('asks the machine whether what was started still lives', async () => {
    const identity = identityOf(process.pid);
    if (identity === null) throw new Error('this process lives');
    await using memory = await aMemory(
      aBoot('boot_20260601_110000', {}, [aComponent('api'), aComponent('worker'), aComponent('database', { pid: null })]),
    );
    const record = { specHash: '', launchedAtMs: NOW_MS, logOffset: 0, uid: null };
    await memory.processes.save({ ...record, component: 'api', identity });
    await memory.processes.save({ ...record, component: 'worker', identity: { ...identity, startTicks: identity.startTicks + 1 } });
    const unlock = lockInstance(memory.dataDir);
    try {
      const { exitCode, data } = await status(memory);
      expect(exitCode).toBe(1);
      expect(data).toMatchObject({
        running: true,
        pid: process.pid,
        components: [
          { name: 'api', state: 'up', pid: process.pid },
          { name: 'worker', state: 'down', pid: null },
          { name: 'database', state: 'external' },
        ],
      });
      await memory.processes.save({ ...record, component: 'worker', identity });
      expect((await status(memory)).exitCode).toBe(0);
    } finally {
      unlock();
    }
    expect((await status(memory)).data).toMatchObject({ running: false, components: [{ state: 'unwatched' }, {}, {}] });
  });
});

describe('grace history', () => {
  it('shows known failures with the risk and tier of their playbook', async () => {
    await using memory = await aMemory(boot(1));
    await memory.incidents.savePattern(aPattern());
    await memory.playbooks.save(aPlaybook('free_port_8080'));
    expect((await history(memory)).data).toMatchObject({
      health: { score: 'excellent' },
      patterns: [{ incident: 'autonomy_load_01234567', occurrences: 3, risk_level: 'medium', autonomy_tier: 'tier_2' }],
      suggestions: [],
    });
    expect((await listPatterns(memory)).data).toEqual([expect.objectContaining({ state: 'verified', class: 'port_in_use' })]);
  });

  it('ranks what would be worth doing', async () => {
    await using memory = await aMemory(boot(1, { failedStage: 6 }), boot(2, { failedStage: 6 }), boot(3));
    await memory.incidents.savePattern(
      aPattern({ playbook: null, signature: signatureOf('aaaaaaaaaaaaaaaa'), incidentId: incidentId('runtime_aaaaaaaa'), occurrences: 3 }),
    );
    await memory.playbooks.save(aPlaybook('trusted', { verifiedCount: 5 }));
    await memory.playbooks.save(aPlaybook('useless', { verifiedCount: 1, failedCount: 2 }));
    await memory.approvals.save(anApproval('ap_1'));
    expect((await history(memory)).data).toMatchObject({
      suggestions: [
        { kind: 'approve' },
        { kind: 'look_at_pattern', subject: 'runtime_aaaaaaaa' },
        { kind: 'review_playbook', subject: 'useless' },
        { kind: 'raise_autonomy', subject: 'trusted' },
        { kind: 'weak_stage', subject: '6. Autonomy Load' },
      ],
    });
  });

  it('says nothing one short of each limit', () => {
    expect(
      suggestions(
        [aPattern({ playbook: null, occurrences: 2 })],
        [aPlaybook('young', { verifiedCount: 4 }), aPlaybook('free', { verifiedCount: 9, tier: 'tier_1' })],
        [{ boot: boot(1, { failedStage: 6 }), issues: 1 }],
        0,
      ),
    ).toEqual([]);
  });
});

describe('grace diff', () => {
  const fingerprint = (file: string): JsonObject => ({ commands: {}, env: {}, files: { 'config.json': file }, machine: {} });

  it('compares the newest boot that can be compared with the last verified one before it', async () => {
    await using memory = await aMemory(
      boot(1, { fingerprint: fingerprint('a') }),
      boot(2, { fingerprint: fingerprint('b') }),
      boot(3, { failedStage: 6 }),
    );
    const { data, exitCode } = await diff(memory, undefined, undefined);
    expect(exitCode).toBe(0);
    expect(data).toMatchObject({
      before: { id: 'boot_20260601_110100' },
      after: { id: 'boot_20260601_110200' },
      changes: [{ kind: 'file', subject: 'config.json', change: 'changed' }],
      notes: [expect.stringContaining('boot_20260601_110300, the newest boot, kept no fingerprint')],
    });
  });

  it('says which boot kept no fingerprint', async () => {
    await using memory = await aMemory(boot(1, { fingerprint: fingerprint('a') }), boot(3, { failedStage: 6 }));
    const { data, exitCode } = await diff(memory, 'boot_20260601_110100', 'boot_20260601_110300');
    expect(exitCode).toBe(1);
    expect(data).toMatchObject({ comparable: false, reason: expect.stringContaining('boot_20260601_110300 (failed) kept no fingerprint') });
  });

  it('says when there is nothing to compare yet', async () => {
    await using memory = await aMemory(boot(1));
    expect((await diff(memory, undefined, undefined)).data).toMatchObject({ comparable: false, changes: [] });
  });
});
