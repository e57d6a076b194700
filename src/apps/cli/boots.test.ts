import { describe, expect, it } from 'vitest';
import { listBoots, showBoot } from './boots.ts';
import { aBoot, aComponent, aFailure, aMemory, MINUTE_MS, NOW_MS, stagesOf } from './testing.ts';
import { blame } from './timeline.ts';

const OLD = 'boot_20260601_100000';
const NEW = 'boot_20260601_110000';

describe('grace boots', () => {
  it('lists the newest first, with failures and the fixes that were kept', async () => {
    await using memory = await aMemory(aBoot(OLD, { failedStage: 2, startedAtMs: NOW_MS - 120 * MINUTE_MS }), aBoot(NEW));
    await memory.incidents.saveFailure(aFailure('f1', NEW));
    const run = {
      playbook: 'p',
      hash: 'h',
      component: 'api',
      bootId: NEW,
      signature: null,
      failureId: null,
      scope: 'process' as const,
      confidence: 1,
      restart: true,
      decision: '',
      startedAtMs: 1,
      endedAtMs: 2,
    };
    await memory.playbooks.saveRun({ ...run, id: 'r1', state: 'verified' });
    await memory.playbooks.saveRun({ ...run, id: 'r2', state: 'undone' });
    const { data } = await listBoots(memory, 10);
    expect(data).toEqual([
      expect.objectContaining({ id: NEW, failures: 1, fixes: 1, playbooks: ['p'], verified: true }),
      expect.objectContaining({ id: OLD, failures: 0, fixes: 0, outcome: 'failed' }),
    ]);
    expect((await listBoots(memory, 1)).data).toHaveLength(1);
  });

  it('counts the time until it was up, not the soak time after it', async () => {
    await using memory = await aMemory(aBoot(NEW));
    expect((await listBoots(memory, 1)).data).toEqual([expect.objectContaining({ duration_ms: 800 })]);
  });

  it('tells a dry run from a boot', async () => {
    const stages = stagesOf().map((s) => ([4, 6, 7, 8].includes(s.number) ? { ...s, result: 'skipped' as const, success: false } : s));
    await using memory = await aMemory(aBoot(NEW, { stages }));
    expect((await listBoots(memory, 1)).lines.join('\n')).toContain('checked only');
  });

  it('finds a boot by its id, the id without its prefix, and last', async () => {
    await using memory = await aMemory(aBoot(OLD, { startedAtMs: NOW_MS - 120 * MINUTE_MS }), aBoot(NEW));
    for (const [name, id] of [
      [OLD, OLD],
      [OLD.slice(5), OLD],
      ['last', NEW],
    ] as const)
      expect((await showBoot(memory, name, false)).data).toMatchObject({ id });
    await expect(showBoot(memory, 'boot_1', false)).rejects.toMatchObject({ code: 'GRACE_CLI_NOT_KNOWN' });
  });

  it('shows each stage, and why one failed', async () => {
    await using memory = await aMemory(aBoot(NEW, { failedStage: 6 }));
    const text = (await showBoot(memory, NEW, false)).lines.join('\n');
    expect(text).toMatch(/✖ {2}6\. Autonomy Load +100 ms +it did not work/);
    expect(text).toMatch(/· {2}7\. Smoke Tests +skipped/);
  });
});

describe('grace boots show --blame', () => {
  const components = [
    aComponent('database', { startedAfterMs: 500, readyAfterMs: 530 }),
    aComponent('api', { startedAfterMs: 530, readyAfterMs: 590, waitedFor: 'database' }),
    aComponent('mail', { startedAfterMs: 500, readyAfterMs: 580 }),
    aComponent('never', { state: 'skipped', readyAfterMs: null }),
  ];

  it('puts what took longest first', () => {
    const { rows } = blame(aBoot(NEW, {}, components).report);
    expect(rows.filter((r) => r.kind === 'component').map((r) => [r.name, r.tookMs])).toEqual([
      ['mail', 80],
      ['api', 60],
      ['database', 30],
    ]);
  });

  it('follows the component that was ready last back to what it waited for', () => {
    const { chain } = blame(aBoot(NEW, {}, components).report);
    const at = chain.findIndex((r) => r.name === '6. Autonomy Load');
    expect(chain.slice(at, at + 4).map((r) => r.name)).toEqual(['6. Autonomy Load', 'database', 'api', '7. Smoke Tests']);
  });

  it('ends when two components name each other', () => {
    const circle = [aComponent('a', { waitedFor: 'b' }), aComponent('b', { waitedFor: 'a' })];
    expect(blame(aBoot(NEW, {}, circle).report).chain.filter((r) => r.kind === 'component')).toHaveLength(2);
  });

  it('gives scripts the timeline and the chain', async () => {
    await using memory = await aMemory(aBoot(NEW, {}, components));
    const { data, lines } = await showBoot(memory, NEW, true);
    expect(data).toMatchObject({ timeline: expect.any(Array), critical_chain: expect.any(Array) });
    expect(lines.join('\n')).toContain('waited for database');
  });
});
