import { expect, test } from 'vitest';
import { BASELINE_SAMPLES, LatencyBaseline } from './latency-baseline.ts';

function fed(...latencies: readonly number[]): LatencyBaseline {
  const baseline = new LatencyBaseline();
  for (const ms of latencies) baseline.add(ms);
  return baseline;
}
const times = (count: number, ms: number): readonly number[] => Array.from({ length: count }, () => ms);
const healthy = times(BASELINE_SAMPLES, 50);

test('says nothing until it knows what is usual and what is now', () => {
  expect(fed(...times(BASELINE_SAMPLES - 1, 50)).baselineMs()).toBeNull();
  expect(fed(...healthy).baselineMs()).toBe(50);
  expect(fed(...healthy, ...times(8, 600)).verdict().state).toBe('learning');
});

test('slow is more than six times the usual, not six times', () => {
  expect(fed(...healthy, ...times(9, 300)).verdict()).toEqual({ state: 'normal' });
  expect(fed(...healthy, ...times(9, 301)).verdict()).toEqual({ state: 'slow', nowMs: 301, baselineMs: 50 });
});

test('a multiple that nobody would notice is not slow', () => {
  expect(fed(...times(BASELINE_SAMPLES, 2), ...times(9, 250)).verdict().state).toBe('normal');
  expect(fed(...times(BASELINE_SAMPLES, 2), ...times(9, 253)).verdict().state).toBe('slow');
});

test('a hiccup is not a trend: it takes more than half of the newest answers', () => {
  expect(fed(...healthy, ...times(5, 50), ...times(4, 690)).verdict().state).toBe('normal');
  expect(fed(...healthy, ...times(4, 50), ...times(5, 690)).verdict().state).toBe('slow');
});

test('one slow first answer, as from a cold cache, does not spoil the baseline', () => {
  expect(fed(5000, ...times(BASELINE_SAMPLES - 1, 50), ...times(9, 400)).verdict()).toMatchObject({ state: 'slow', baselineMs: 50 });
});

test('it is normal again when it answers as usual again', () => {
  expect(fed(...healthy, ...times(9, 600), ...times(9, 50)).verdict().state).toBe('normal');
});

test('after a restart the newest answers are forgotten and the baseline is not', () => {
  const baseline = fed(...healthy, ...times(9, 600));
  baseline.forgetRecent();
  expect(baseline.verdict().state).toBe('learning');
  expect(baseline.baselineMs()).toBe(50);
});

test('answering only in between is as bad as slow: five of the last fifteen looks, not four', () => {
  const mixed = (misses: number): LatencyBaseline => {
    const baseline = fed(...healthy);
    for (let i = 0; i < 15; i++)
      if (i < misses) baseline.miss();
      else baseline.add(50);
    return baseline;
  };
  expect(mixed(4).verdict().state).toBe('normal');
  expect(mixed(5).verdict()).toEqual({ state: 'unsteady', bad: 5, looks: 15 });
});

test('an answer that comes far too late counts like none', () => {
  const baseline = fed(...healthy, ...times(10, 50), ...times(5, 751));
  expect(baseline.verdict()).toMatchObject({ state: 'unsteady', bad: 5 });
  expect(fed(...healthy, ...times(10, 50), ...times(5, 750)).verdict().state).not.toBe('unsteady');
});
