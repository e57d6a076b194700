/** Over the last 10 boots [BL-11]. */
export interface HealthScore {
  readonly score: 'excellent' | 'good' | 'fair' | 'poor' | 'unknown';
  /** 0 to 1. */
  readonly successRate: number;
  readonly averageIssues: number;
  readonly trend: 'improving' | 'stable' | 'degrading';
  readonly boots: number;
  /** Why the score is what it is: how many boots failed, and where. */
  readonly reason: string;
  /** Why the trend is what it is: the newer half beside the older one. */
  readonly trendReason: string;
}

export interface BootOutcome {
  readonly isSuccess: boolean;
  /** Failures captured during the boot, healed ones included. */
  readonly issues: number;
  /** The stage it failed in, as `6. Autonomy Load`; null when it did not. */
  readonly failedStage: string | null;
}

export const SCORED_BOOTS = 10;
/** A difference in issues per boot below this is chance. */
const TREND_STEP = 0.25;
/** A failed boot weighs as much as this many issues that were healed. */
const FAILED_BOOT_ISSUES = 2;

/** @param newestFirst finished boots; those still running say nothing yet */
export function healthScore(newestFirst: readonly BootOutcome[]): HealthScore {
  const boots = newestFirst.slice(0, SCORED_BOOTS);
  const trend = trendOf(boots);
  const counted = { averageIssues: mean(boots.map((b) => b.issues)), boots: boots.length, ...trend };
  if (boots.length === 0) return { ...counted, score: 'unknown', successRate: 0, reason: 'no boot has finished yet' };
  const successRate = boots.filter((b) => b.isSuccess).length / boots.length;
  const score = successRate >= 0.9 ? 'excellent' : successRate >= 0.75 ? 'good' : successRate >= 0.5 ? 'fair' : 'poor';
  return { ...counted, score, successRate, reason: failedWhere(boots) };
}

/** `2 of the last 10 boots failed, both in stage 6. Autonomy Load`. */
function failedWhere(boots: readonly BootOutcome[]): string {
  const failed = boots.filter((b) => !b.isSuccess);
  const total = boots.length === 1 ? 'the only boot so far' : `the last ${boots.length} boots`;
  if (failed.length === 0) return boots.length === 1 ? `${total} succeeded` : `all of ${total} succeeded`;
  const stages = [...Map.groupBy(failed, (b) => b.failedStage ?? 'no stage')].map(([stage, all]) => ({ stage, times: all.length }));
  const said = boots.length === 1 ? `${total} failed` : `${failed.length} of ${total} failed`;
  const [first] = stages;
  if (stages.length === 1 && first !== undefined) {
    const all = failed.length === 1 ? '' : failed.length === 2 ? 'both ' : 'all ';
    return first.stage === 'no stage' ? said : `${said}, ${all}in stage ${first.stage}`;
  }
  const each = stages.toSorted((a, b) => b.times - a.times).map(({ stage, times }) => `${times} in ${stage}`);
  return `${said}: ${each.join(', ')}`;
}

/** Compares the newer half with the older one: fewer issues, or more successes, is better. */
function trendOf(boots: readonly BootOutcome[]): Pick<HealthScore, 'trend' | 'trendReason'> {
  const half = Math.floor(boots.length / 2);
  if (half === 0) return { trend: 'stable', trendReason: 'fewer than two boots have no trend' };
  const [newer, older] = [boots.slice(0, half), boots.slice(-half)];
  const badness = (part: readonly BootOutcome[]): number => mean(part.map((b) => b.issues + (b.isSuccess ? 0 : FAILED_BOOT_ISSUES)));
  const difference = badness(newer) - badness(older);
  const told = (part: readonly BootOutcome[]): string =>
    `${mean(part.map((b) => b.issues)).toFixed(1)} issues each and ${part.filter((b) => !b.isSuccess).length} failed`;
  const alone = ([boot]: readonly BootOutcome[]): string =>
    `${boot?.issues ?? 0} issues and ${boot?.isSuccess === true ? 'succeeded' : 'failed'}`;
  return {
    trend: difference < -TREND_STEP ? 'improving' : difference > TREND_STEP ? 'degrading' : 'stable',
    trendReason:
      half === 1
        ? `the newest had ${alone(newer)}, the oldest had ${alone(older)}`
        : `the newer ${half} had ${told(newer)}, the older ${half} had ${told(older)}`,
  };
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, v) => sum + v, 0) / values.length;
}
