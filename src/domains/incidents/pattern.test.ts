import fc from 'fast-check';
import { expect, test } from 'vitest';
import { signatureOf } from '../../kernel/index.ts';
import { IMMUNE_AFTER_BOOTS, incidentIdOf, nextPatternState, stageSlug, type PatternEvent, type PatternState } from './pattern.ts';

type Standing = ReturnType<typeof nextPatternState>;

const fresh: Standing = { state: 'new', cleanBoots: 0 };
const after = (from: Standing, ...events: readonly PatternEvent[]): Standing => events.reduce(nextPatternState, from);
const healed = after(fresh, 'fix_applied', 'fix_verified');
const cleanBoots = (count: number): readonly PatternEvent[] => Array.from({ length: count }, () => 'clean_boot' as const);

test('a fix that was applied makes a candidate, and only its proof makes it verified', () => {
  expect(after(fresh, 'fix_applied')).toEqual({ state: 'candidate', cleanBoots: 0 });
  expect(after(fresh, 'fix_applied', 'fix_verified')).toEqual({ state: 'verified', cleanBoots: 0 });
});

test('becomes immune after three clean boots, not after two', () => {
  expect(after(healed, ...cleanBoots(IMMUNE_AFTER_BOOTS - 1))).toEqual({ state: 'verified', cleanBoots: 2 });
  expect(after(healed, ...cleanBoots(IMMUNE_AFTER_BOOTS))).toEqual({ state: 'immune', cleanBoots: 3 });
});

test('a recurrence ends immunity, and three more clean boots are not enough without a new proof', () => {
  const back = after(healed, ...cleanBoots(3), 'recurred');
  expect(back).toEqual({ state: 'candidate', cleanBoots: 0 });
  expect(after(back, ...cleanBoots(5))).toEqual({ state: 'candidate', cleanBoots: 0 });
  expect(after(back, 'fix_verified', ...cleanBoots(3)).state).toBe('immune');
});

test('a recurrence in between starts the count of clean boots anew', () => {
  expect(after(healed, 'clean_boot', 'clean_boot', 'recurred', 'fix_verified', 'clean_boot')).toEqual({ state: 'verified', cleanBoots: 1 });
});

test('a failure that was only seen stays new, however often it comes back or stays away', () => {
  expect(after(fresh, 'recurred', 'recurred', ...cleanBoots(4))).toEqual(fresh);
});

test('a fix that failed leaves nothing proven, whatever was before', () => {
  for (const state of ['new', 'candidate', 'verified', 'immune'] satisfies PatternState[])
    expect(nextPatternState({ state, cleanBoots: 2 }, 'fix_failed')).toEqual(fresh);
});

test('never counts as immune without a proof and three clean boots since the last recurrence or failed fix', () => {
  const event = fc.constantFrom<PatternEvent>('recurred', 'fix_applied', 'fix_verified', 'fix_failed', 'clean_boot');
  fc.assert(
    fc.property(fc.array(event, { maxLength: 30 }), (events) => {
      if (after(fresh, ...events).state !== 'immune') return;
      const bad = Math.max(events.lastIndexOf('recurred'), events.lastIndexOf('fix_failed'));
      const since = events.slice(bad + 1);
      expect(since).toContain('fix_verified');
      expect(since.filter((e) => e === 'clean_boot').length).toBeGreaterThanOrEqual(IMMUNE_AFTER_BOOTS);
    }),
    { numRuns: 500 },
  );
});

test('an incident is named for its stage and the start of its signature', () => {
  expect(incidentIdOf('6. Autonomy Load', signatureOf('0123456789abcdef'))).toBe('autonomy_load_01234567');
  expect(incidentIdOf('2. Schema Sync & Secrets', signatureOf('ffffffff00000000'))).toBe('schema_sync_secrets_ffffffff');
  expect(stageSlug('')).toBe('runtime');
});
