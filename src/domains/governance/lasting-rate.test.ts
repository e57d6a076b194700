import { expect, test } from 'vitest';
import { seededRandom } from '../../kernel/index.ts';
import { lastingRate } from './lasting-rate.ts';
import { successRate } from './success-rate.ts';

test('without data it says nothing, and with data it holds what was seen', () => {
  expect(lastingRate(0, 0)).toEqual({ successes: 0, trials: 0, lower: 0, upper: 1 });
  for (const [s, n] of [
    [0, 1],
    [1, 1],
    [3, 7],
    [500, 500],
    [499, 1000],
  ] as const) {
    // prettier-ignore
    const { lower, upper } = lastingRate(s, n);
    expect(lower).toBeLessThanOrEqual(s / n);
    expect(upper).toBeGreaterThanOrEqual(s / n);
    expect([lower, upper].every((p) => p >= 0 && p <= 1)).toBe(true);
  }
});

test('with nothing but successes the lower bound is what the formula gives in closed form', () => {
  // B(n + 1, 1) = 1 / (n + 1), so that p^n = 1 / ((n + 1) 100)
  for (const n of [1, 10, 100]) {
    expect(lastingRate(n, n).lower).toBeCloseTo((1 / ((n + 1) * 100)) ** (1 / n), 5);
    expect(lastingRate(0, n).upper).toBeCloseTo(1 - lastingRate(n, n).lower, 5);
    expect(lastingRate(n, n).upper).toBe(1);
  }
});

test('the true rate is outside at any of three hundred looks in fewer than 1 of 100 histories, where one-look bounds lose it in more than 20', () => {
  const random = seededRandom(5);
  const everOutside = { lasting: 0, once: 0 };
  const histories = 500;
  for (let h = 0; h < histories; h++) {
    let successes = 0;
    const was = { lasting: false, once: false };
    for (let n = 1; n <= 300; n++) {
      if (random.next() < 0.7) successes++;
      for (const [name, rate] of [
        ['lasting', lastingRate],
        ['once', successRate],
      ] as const) {
        // prettier-ignore
        if (was[name]) continue;
        const { lower, upper } = rate(successes, n);
        was[name] = lower > 0.7 || upper < 0.7;
      }
    }
    if (was.lasting) everOutside.lasting++;
    if (was.once) everOutside.once++;
  }
  expect(everOutside.lasting / histories).toBeLessThan(0.01);
  expect(everOutside.once / histories).toBeGreaterThan(0.2);
});
