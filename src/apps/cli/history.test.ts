import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { diff } from './diff.ts';
import { health } from './health.ts';
import { evolutionLines, history } from './history.ts';
import { listPatterns } from './patterns.ts';
import { status } from './status.ts';
import { nodeClock } from '../../adapters/node/clock.ts';
import { openAuditLog } from '../../adapters/store/audit/index.ts';
import { identityOf } from '../../adapters/node/proc.ts';
import { lockInstance } from '../../adapters/node/instance-lock.ts';
import { incidentId, signatureOf, type JsonObject } from '../../kernel/index.ts';
import {
  aBoot,
  aComponent,
  aFailure,
  aMemory,
  anApproval,
  anExplanation,
  aPattern,
  aPlaybook,
  MINUTE_MS,
  NOW_MS,
  stagesOf,
} from './testing.ts';

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

describe('grace status while healing has come to its end', () => {
  it('is not healthy, and says why, while the audit log takes no entries', async () => {
    const identity = identityOf(process.pid);
    if (identity === null) throw new Error('this process lives');
    await using memory = await aMemory(aBoot('boot_20260601_110000', {}, [aComponent('api')]));
    await memory.processes.save({ specHash: '', launchedAtMs: NOW_MS, logOffset: 0, uid: null, component: 'api', identity });
    const log = await openAuditLog({
      path: join(memory.dataDir, 'grace.db'),
      service: 'shop',
      clock: nodeClock,
      redact: (text) => text,
    });
    await log.append({ actor: 'grace', action: 'restart.begun', resource: 'api', subsystem: 'supervision', result: 'ok', payload: {} });
    await log.close();
    const unlock = lockInstance(memory.dataDir);
    try {
      expect(await status(memory)).toMatchObject({ exitCode: 0, data: { audit_problem: null } });
      renameSync(join(memory.dataDir, 'audit.key'), join(memory.dataDir, 'elsewhere.key'));
      const { exitCode, data, lines } = await status(memory);
      expect({ exitCode, data }).toMatchObject({
        exitCode: 1,
        data: { healthy: false, audit_problem: expect.stringContaining('is gone') },
      });
      expect(lines.join('\n')).toContain('the audit log takes no entries');
    } finally {
      unlock();
    }
  });

  it('is not healthy, and names what could not be put back, open breakers and a storm', async () => {
    const identity = identityOf(process.pid);
    if (identity === null) throw new Error('this process lives');
    await using memory = await aMemory(aBoot('boot_20260601_110000', {}, [aComponent('api')]));
    await memory.processes.save({ specHash: '', launchedAtMs: NOW_MS, logOffset: 0, uid: null, component: 'api', identity });
    const unlock = lockInstance(memory.dataDir);
    try {
      expect(await status(memory)).toMatchObject({ exitCode: 0, data: { healthy: true, breakers: [], not_put_back: [] } });
      const breaker = {
        id: 'brk_1', kind: 'storm' as const, playbook: null, component: null, openedAtMs: NOW_MS, reason: '3 of 5 components failed',
        closedAtMs: null, closedBy: null, closeReason: null,
      }; // prettier-ignore
      await memory.limits.saveBreaker(breaker);
      const stormy = await status(memory);
      expect(stormy).toMatchObject({ exitCode: 1, data: { healthy: false, breakers: [{ id: 'brk_1', kind: 'storm' }] } });
      expect(stormy.lines.join('\n')).toContain('storm brk_1');
      await memory.limits.saveBreaker({ ...breaker, closedAtMs: NOW_MS, closedBy: 'ann', closeReason: 'over' });
      expect((await status(memory)).exitCode).toBe(0);
      await memory.playbooks.saveRun({
        id: 'run_1', playbook: 'fix_it', hash: '', component: 'api', bootId: 'boot_20260601_110000', signature: null, failureId: null,
        scope: 'process', confidence: 1, restart: true, decision: '', startedAtMs: NOW_MS, endedAtMs: NOW_MS, state: 'failed',
      }); // prettier-ignore
      const left = await status(memory);
      expect(left).toMatchObject({ exitCode: 1, data: { healthy: false, not_put_back: [{ playbook: 'fix_it', component: 'api' }] } });
      expect(left.lines.join('\n')).toContain('fix_it could not be put back on api');
    } finally {
      unlock();
    }
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
        { kind: 'weak_stage', subject: '6. Autonomy Load' },
      ],
    });
  });

  it('gives each suggestion its reason and a command', async () => {
    await using memory = await aMemory(boot(1));
    await memory.playbooks.save(aPlaybook('useless', { failedCount: 2 }));
    const { data, lines } = await history(memory);
    expect(data).toMatchObject({
      suggestions: [
        { kind: 'review_playbook', reason: expect.stringContaining('it fails as often'), command: 'grace playbooks show useless' },
      ],
    });
    expect(lines.join('\n')).toContain('because it fails as often as it helps');
  });

  it('says why the score and the trend are what they are', async () => {
    await using memory = await aMemory(boot(1, { failedStage: 6 }), boot(2, { failedStage: 6 }), boot(3), boot(4));
    expect((await history(memory)).data).toMatchObject({
      health: {
        reason: '2 of the last 4 boots failed, both in stage 6. Autonomy Load',
        trend: 'improving',
        trend_reason: 'the newer 2 had 0.0 issues each and 0 failed, the older 2 had 0.0 issues each and 2 failed',
      },
    });
  });

  it('tells week by week what was seen, healed and came back, as numbers for a chart', async () => {
    await using memory = await aMemory(boot(1), boot(2, { failedStage: 6 }));
    await memory.incidents.savePattern(aPattern({ firstSeenMs: NOW_MS - 59 * MINUTE_MS }));
    await memory.playbooks.save(aPlaybook('free_port_8080', { createdAtMs: NOW_MS - 59 * MINUTE_MS }));
    await memory.incidents.saveFailure(aFailure('f1', 'boot_20260601_110100'));
    await memory.incidents.saveExplanation(anExplanation('f1', 'boot_20260601_110100'));
    await memory.incidents.saveFailure(aFailure('f2', 'boot_20260601_110200', { atMs: NOW_MS }));
    const { data } = await history(memory, 2);
    expect((data as { evolution: unknown }).evolution).toEqual([
      expect.objectContaining({ week: '2026-W22', boots: 0, failures: 0, healed_share: null }),
      {
        week: '2026-W23',
        starts_at: '2026-06-01T00:00:00.000Z',
        boots: 2,
        failed_boots: 1,
        failures: 1,
        new_patterns: 1,
        new_playbooks: 1,
        healed_by_itself: 0, // it came back, and the last word is that it did
        healed_share: 0,
        recurrences: 1,
      },
    ]);
  });

  it('draws bars that the terminal can show, and leaves out the weeks before the first boot', () => {
    const week = {
      startsAtMs: 0,
      boots: 1,
      failedBoots: 0,
      newPatterns: 0,
      newPlaybooks: 0,
      healedByItself: 1,
      healedShare: 0.25,
      recurrences: 0,
    };
    const weeks = [
      { ...week, week: '2026-W01', boots: 0, failures: 0, healedShare: null },
      { ...week, week: '2026-W02', failures: 4 },
      { ...week, week: '2026-W03', failures: 0, healedShare: null },
    ];
    const text = evolutionLines(weeks, true).join('\n');
    expect(text).toContain('████████');
    expect(text).toContain('1 of 4');
    expect(text).not.toContain('2026-W01');
    const plain = evolutionLines(weeks, false).join('\n');
    expect(plain).toContain('########');
    expect(Math.max(...plain.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(plain).not.toContain('█');
    expect(evolutionLines([], true).at(-1)).toBe('  nothing yet');
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
