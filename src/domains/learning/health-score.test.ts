import fc from 'fast-check';
import { expect, test } from 'vitest';
import { healthScore, SCORED_BOOTS, type BootOutcome } from './health-score.ts';

const good = (issues = 0): BootOutcome => ({ isSuccess: true, issues, failedStage: null });
const bad = (issues = 1): BootOutcome => ({ isSuccess: false, issues, failedStage: '6. Autonomy Load' });
const boots = (successes: number, failures: number): readonly BootOutcome[] => [
  ...Array.from({ length: failures }, () => bad()),
  ...Array.from({ length: successes }, () => good()),
];

test('a service that never booted is unknown, not poor', () => {
  expect(healthScore([])).toMatchObject({
    score: 'unknown',
    successRate: 0,
    averageIssues: 0,
    trend: 'stable',
    boots: 0,
    reason: 'no boot has finished yet',
  });
});

test.each([
  [10, 0, 'excellent'],
  [9, 1, 'excellent'],
  [8, 2, 'good'],
  [3, 1, 'good'],
  [7, 3, 'fair'],
  [5, 5, 'fair'],
  [4, 6, 'poor'],
  [0, 1, 'poor'],
] as const)('%d good boots and %d failed ones are %s', (successes, failures, score) => {
  expect(healthScore(boots(successes, failures)).score).toBe(score);
});

test('only the last ten boots count: what was long ago is forgiven', () => {
  expect(healthScore([...boots(SCORED_BOOTS, 0), bad(), bad(), bad()])).toMatchObject({ score: 'excellent', boots: SCORED_BOOTS });
});

test('fewer failures, or fewer issues, than before is better', () => {
  expect(healthScore([good(), good(), bad(), bad()]).trend).toBe('improving');
  expect(healthScore([bad(), bad(), good(), good()]).trend).toBe('degrading');
  expect(healthScore([good(0), good(0), good(2), good(2)]).trend).toBe('improving');
  expect(healthScore([good(1), good(1), good(1), good(1)]).trend).toBe('stable');
});

test('one boot has no trend', () => {
  expect(healthScore([bad(9)]).trend).toBe('stable');
});

test('the same boots the other way round have the opposite trend', () => {
  const boot = fc.record({ isSuccess: fc.boolean(), issues: fc.nat({ max: 9 }), failedStage: fc.constant(null) });
  const opposite = { improving: 'degrading', degrading: 'improving', stable: 'stable', unknown: 'unknown' } as const;
  fc.assert(
    fc.property(fc.array(boot, { minLength: 2, maxLength: SCORED_BOOTS }), (some) => {
      expect(healthScore(some.toReversed()).trend).toBe(opposite[healthScore(some).trend]);
    }),
  );
});

test.each<[string, readonly BootOutcome[], string]>([
  ['one that failed', [bad()], 'the only boot so far failed, in stage 6. Autonomy Load'],
  ['one that succeeded', [good()], 'the only boot so far succeeded'],
  ['none that failed', boots(3, 0), 'all of the last 3 boots succeeded'],
  ['two in one stage', boots(8, 2), '2 of the last 10 boots failed, both in stage 6. Autonomy Load'],
  ['three in one stage', boots(1, 3), '3 of the last 4 boots failed, all in stage 6. Autonomy Load'],
  [
    'two in one and one in another',
    [bad(), bad(), { ...bad(), failedStage: '1. Preflight Gate' }],
    '3 of the last 3 boots failed: 2 in 6. Autonomy Load, 1 in 1. Preflight Gate',
  ],
  ['one that was cut off', [{ ...bad(), failedStage: null }, good()], '1 of the last 2 boots failed'],
])('%s: the reason says how many and where', (_what, some, reason) => {
  expect(healthScore(some).reason).toBe(reason);
});

test('the trend says what it compared', () => {
  expect(healthScore([good(), bad(3)]).trendReason).toBe('the newest had 0 issues and succeeded, the oldest had 3 issues and failed');
  expect(healthScore([good(0), good(0), bad(2), good(1)]).trendReason).toBe(
    'the newer 2 had 0.0 issues each and 0 failed, the older 2 had 1.5 issues each and 1 failed',
  );
});
