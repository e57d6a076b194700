import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../kernel/index.ts';
import { diff } from './diff.ts';
import { aBoot, aFailure, aMemory, anExplanation, MINUTE_MS, NOW_MS } from './testing.ts';

const boot = (minute: number, parts: Parameters<typeof aBoot>[1] = {}) =>
  aBoot(`boot_20260601_11${String(minute).padStart(2, '0')}00`, { startedAtMs: NOW_MS - (60 - minute) * MINUTE_MS, ...parts });

describe('grace diff', () => {
  const whole = (commit: string, region: string): JsonObject => ({
    commands: { api: 'node server.js' },
    env: { api: { REGION: region } },
    files: {},
    machine: { kernel: '6.1' },
    parts: { git: { commit }, packages: { 'npm chalk': commit } },
  });

  it('names what is suspicious first when the later boot failed, with the reason', async () => {
    const failed = boot(2, { failedStage: 6, fingerprint: whole('def0000', 'b') });
    await using memory = await aMemory(boot(1, { fingerprint: whole('abc0000', 'a') }), failed);
    const fact = { kind: 'env_missing', runtime: 'node', code: '', subject: 'REGION', details: {}, line: '', lineIndex: 0 } as const;
    await memory.incidents.saveFailure(aFailure('f1', failed.id, { facts: [fact] }));
    const { data, lines } = await diff(memory, undefined, undefined);
    expect(data).toMatchObject({ suspects: [{ kind: 'env', subject: 'api: REGION', weight: 0.95, reason: 'it is what is missed' }] });
    const text = lines.join('\n');
    expect(text.indexOf('most suspicious')).toBeLessThan(text.indexOf('packages and runtimes'));
    expect(text).toContain('variable api: REGION changed');
    expect(text).toContain('abc0000 -> def0000');
  });

  it('takes what was found at the failure itself, where more was known', async () => {
    const failed = boot(2, { failedStage: 6, fingerprint: whole('def0000', 'b') });
    await using memory = await aMemory(boot(1, { fingerprint: whole('abc0000', 'a') }), failed);
    const suspect = {
      kind: 'file',
      subject: '/srv/x.ini',
      change: 'changed',
      detail: '/srv/x.ini changed',
      weight: 0.9,
      reason: 'it is broken',
    };
    await memory.incidents.saveExplanation(
      anExplanation('f1', failed.id, { suspects: [suspect, { ...suspect, weight: 0.2, subject: '/srv/y' }] }),
    );
    await memory.incidents.saveExplanation(anExplanation('f2', failed.id, { suspects: [suspect] }));
    expect((await diff(memory, undefined, undefined)).data).toMatchObject({ suspects: [suspect] });
  });

  it('suspects nothing when nothing failed, and reads explanations of an older Grace', async () => {
    const later = boot(2, { fingerprint: whole('def0000', 'b') });
    await using memory = await aMemory(boot(1, { fingerprint: whole('abc0000', 'a') }), later);
    await memory.incidents.saveExplanation(anExplanation('f1', later.id));
    expect((await diff(memory, undefined, undefined)).data).toMatchObject({ suspects: [], comparable: true });
  });
});
