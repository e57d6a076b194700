import type { SuccessRate } from './success-rate.ts';

/** How likely it may be that the true rate is outside the bounds at any look at all, of however many. */
const ALPHA = 0.01;
/** Bisections of [0, 1]: a millionth, which is finer than anybody reads. */
const STEPS = 20;

/**
 * How often something goes well, between bounds that hold at every look at once: whoever looks after each trial, for as long as they
 * like, ever sees the true rate outside them in no more than 1 of 100 histories. An interval for one look (`successRate`) is outside in
 * far more of them, and who only waits for a lucky look finds it. So these are wider, and they are what a promotion goes by.
 *
 * The bounds enclose each rate `p` under which the trials are not too unlikely beside those under all rates taken together, uniformly:
 * B(s + 1, n - s + 1) / (p^s (1 - p)^(n - s)) < 1 / alpha. The left side is a martingale under `p`, and Ville's inequality does the rest.
 * @param successes  0 to `trials`, of trials that do not depend on one another
 * @see H. Robbins, Statistical Methods Related to the Law of the Iterated Logarithm, Ann. Math. Statist. 41 (1970), 1397-1409;
 *      S. R. Howard, A. Ramdas, J. McAuliffe, J. Sekhon, Time-uniform, Nonparametric, Nonasymptotic Confidence Sequences,
 *      Ann. Statist. 49 (2021), 1055-1080
 */
export function lastingRate(successes: number, trials: number): SuccessRate {
  const failures = trials - successes;
  const limit = Math.log(1 / ALPHA) - logBeta(successes, failures);
  const share = trials === 0 ? 0.5 : successes / trials;
  const isInside = (p: number): boolean => -times(successes, Math.log(p)) - times(failures, Math.log1p(-p)) < limit;
  const edge = (outside: number): number => {
    if (isInside(outside)) return outside;
    let [out, inside] = [outside, share];
    for (let i = 0; i < STEPS; i++) {
      const middle = (out + inside) / 2;
      if (isInside(middle)) inside = middle;
      else out = middle;
    }
    return out; // the outer side: never narrower than it may be
  };
  return { successes, trials, lower: edge(0), upper: edge(1) };
}

/** The logarithm of B(s + 1, f + 1), which is s! f! / (s + f + 1)!. */
function logBeta(s: number, f: number): number {
  return logFactorial(s) + logFactorial(f) - logFactorial(s + f + 1);
}

function logFactorial(n: number): number {
  let sum = 0;
  for (let i = 2; i <= n; i++) sum += Math.log(i);
  return sum;
}

/** `0 * -Infinity` is 0 here: a rate of 0 makes no success unlikely that never was. */
function times(count: number, logarithm: number): number {
  return count === 0 ? 0 : count * logarithm;
}
