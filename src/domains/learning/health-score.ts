/** Over the last 10 boots [BL-11]. */
export interface HealthScore {
  readonly score: 'excellent' | 'good' | 'fair' | 'poor' | 'unknown';
  /** 0 to 1. */
  readonly successRate: number;
  readonly averageIssues: number;
  readonly trend: 'improving' | 'stable' | 'degrading';
  readonly boots: number;
}

export interface BootOutcome {
  readonly isSuccess: boolean;
  /** Failures captured during the boot, healed ones included. */
  readonly issues: number;
}

export const SCORED_BOOTS = 10;

/** @param newestFirst finished boots; those still running say nothing yet */
export function healthScore(newestFirst: readonly BootOutcome[]): HealthScore {
  const boots = newestFirst.slice(0, SCORED_BOOTS);
  if (boots.length === 0) return { score: 'unknown', successRate: 0, averageIssues: 0, trend: 'stable', boots: 0 };
  const successRate = boots.filter((b) => b.isSuccess).length / boots.length;
  const score = successRate >= 0.9 ? 'excellent' : successRate >= 0.75 ? 'good' : successRate >= 0.5 ? 'fair' : 'poor';
  return { score, successRate, averageIssues: mean(boots.map((b) => b.issues)), trend: trendOf(boots), boots: boots.length };
}

/** Compares the newer half with the older one: fewer issues, or more successes, is better. */
function trendOf(boots: readonly BootOutcome[]): HealthScore['trend'] {
  const half = Math.floor(boots.length / 2);
  if (half === 0) return 'stable';
  const badness = (part: readonly BootOutcome[]): number => mean(part.map((b) => b.issues + (b.isSuccess ? 0 : 2)));
  const difference = badness(boots.slice(0, half)) - badness(boots.slice(-half));
  return difference < -0.25 ? 'improving' : difference > 0.25 ? 'degrading' : 'stable';
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, v) => sum + v, 0) / values.length;
}
