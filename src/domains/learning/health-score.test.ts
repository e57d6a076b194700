import fc from 'fast-check';
import { expect, test } from 'vitest';
import { healthScore, SCORED_BOOTS, type BootOutcome } from './health-score.ts';

const good = (issues = 0): BootOutcome => ({ isSuccess: true, issues });
const bad = (issues = 1): BootOutcome => ({ isSuccess: false, issues });
const boots = (successes: number, failures: number): readonly BootOutcome[] => [
  ...Array.from({ length: failures }, () => bad()),
  ...Array.from({ length: successes }, () => good()),
];

test('a service that never booted is unknown, not poor', () => {
  expect(healthScore([])).toEqual({ score: 'unknown', successRate: 0, averageIssues: 0, trend: 'stable', boots: 0 });
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
  const boot = fc.record({ isSuccess: fc.boolean(), issues: fc.nat({ max: 9 }) });
  const opposite = { improving: 'degrading', degrading: 'improving', stable: 'stable', unknown: 'unknown' } as const;
  fc.assert(
    fc.property(fc.array(boot, { minLength: 2, maxLength: SCORED_BOOTS }), (some) => {
      expect(healthScore(some.toReversed()).trend).toBe(opposite[healthScore(some).trend]);
    }),
  );
});
