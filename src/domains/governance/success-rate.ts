/** How often something went well, and between which bounds its true rate lies. */
export interface SuccessRate {
  readonly successes: number;
  readonly trials: number;
  /** 0 to 1. */
  readonly lower: number;
  readonly upper: number;
}

/** Standard normal quantile of a two-sided interval of 95 %. */
const Z_95 = 1.959963984540054;

/**
 * The Wilson score interval, at 95 %. With few trials it is wide, and with none it is all of [0, 1]: no data says nothing.
 * @param successes  0 to `trials`
 * @see E. B. Wilson, Probable Inference, the Law of Succession, and Statistical Inference, JASA 22 (1927), 209-212; recommended for
 *      few trials by L. D. Brown, T. T. Cai, A. DasGupta, Interval Estimation for a Binomial Proportion, Statistical Science 16 (2001)
 */
export function successRate(successes: number, trials: number): SuccessRate {
  if (trials === 0) return { successes, trials, lower: 0, upper: 1 };
  const share = successes / trials;
  const z2 = Z_95 * Z_95;
  const middle = (share + z2 / (2 * trials)) / (1 + z2 / trials);
  const half = (Z_95 / (1 + z2 / trials)) * Math.sqrt((share * (1 - share)) / trials + z2 / (4 * trials * trials));
  return { successes, trials, lower: Math.max(0, middle - half), upper: Math.min(1, middle + half) };
}
