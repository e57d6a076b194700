import { expect, test } from 'vitest';
import { InvariantViolated } from '../../kernel/index.ts';
import { RestartIntensity } from './restart-intensity.ts';

const SPEC = { policy: 'always', intensity: 3, periodMs: 60_000, backoffMs: 100, backoffMsMax: 350 } as const;

test('allows as many restarts as it says, and not one more', () => {
  const intensity = new RestartIntensity(SPEC);
  expect([0, 1000, 2000].map((t) => intensity.next(t))).toMatchObject([{ left: 2 }, { left: 1 }, { left: 0 }]);
  expect(intensity.next(3000)).toEqual({ state: 'exhausted', sinceMs: 3000 });
});

test('a clock that does not move uses it up all the same', () => {
  const intensity = new RestartIntensity(SPEC);
  for (let i = 0; i < 3; i++) expect(intensity.next(500).state).toBe('allowed');
  expect(intensity.next(500)).toEqual({ state: 'exhausted', sinceMs: 0 });
});

test('a restart counts until its period is over, and from then on no more', () => {
  const intensity = new RestartIntensity(SPEC);
  for (const t of [0, 1, 2]) intensity.next(t);
  expect(intensity.next(59_999).state).toBe('exhausted');
  expect(intensity.next(60_000).state).toBe('allowed');
});

test('what is refused does not count, so that asking again cannot keep it exhausted', () => {
  const intensity = new RestartIntensity(SPEC);
  for (const t of [0, 0, 0]) intensity.next(t);
  for (const t of [10_000, 30_000, 50_000]) expect(intensity.next(t).state).toBe('exhausted');
  expect(intensity.next(60_000)).toMatchObject({ state: 'allowed', left: 2 });
});

test('the first two restarts are immediate, later ones wait twice as long each, up to a limit', () => {
  const intensity = new RestartIntensity({ ...SPEC, intensity: 6 });
  expect([0, 10, 20, 30, 40, 50].map((t) => intensity.next(t))).toMatchObject([0, 0, 100, 200, 350, 350].map((delayMs) => ({ delayMs })));
});

test('after a calm minute a crash is a new story: no waiting', () => {
  const intensity = new RestartIntensity({ ...SPEC, intensity: 6, periodMs: 3_600_000 });
  intensity.next(0);
  intensity.next(5);
  expect(intensity.next(10)).toMatchObject({ delayMs: 100 });
  expect(intensity.next(10 + 59_999)).toMatchObject({ delayMs: 200 });
  expect(intensity.next(10 + 59_999 + 60_000)).toMatchObject({ delayMs: 0 });
});

test('an intensity of none allows none', () => {
  expect(new RestartIntensity({ ...SPEC, intensity: 0 }).next(5)).toEqual({ state: 'exhausted', sinceMs: 0 });
});

test('a verified fix wipes the slate', () => {
  const intensity = new RestartIntensity(SPEC);
  for (const t of [0, 1, 2]) intensity.next(t);
  intensity.reset();
  expect(intensity.next(3)).toEqual({ state: 'allowed', left: 2, delayMs: 0 });
});

test('a clock that runs backwards is a mistake of whoever brought it', () => {
  const intensity = new RestartIntensity(SPEC);
  intensity.next(1000);
  expect(() => intensity.next(999)).toThrow(InvariantViolated);
});
