import type { BootRecord } from '../../domains/boot/index.ts';
import type { HealthScore } from '../../domains/learning/index.ts';
import type { PlaybookRun } from '../../domains/playbooks/index.ts';
import type { Memory } from './memory.ts';
import { columns, paint, wrap } from './terminal.ts';
import { count } from './when.ts';

/** Until it was up, or given up: the soak time and the service's life after it are not part of it. */
export function tookMs(boot: BootRecord): number {
  const last = boot.report.stages.findLast((s) => s.result !== 'skipped');
  return last === undefined ? boot.report.summary.duration_ms : Math.round(last.startedAfterMs + last.durationMs);
}

/** Playbooks that ran in a boot and were not taken back. */
export async function fixesIn(memory: Memory, boot: BootRecord): Promise<readonly PlaybookRun[]> {
  return (await memory.playbooks.runsOf(boot.id)).filter((r) => r.state === 'verified' || r.state === 'applied');
}

const SCORE_STYLE = { excellent: 'green', good: 'green', fair: 'yellow', poor: 'red', unknown: 'dim' } as const;

export function scoreLine(score: HealthScore): string {
  if (score.score === 'unknown') return `${paint('dim', 'unknown')}: no boot has finished yet`;
  return (
    `${paint(SCORE_STYLE[score.score], score.score)}: ${Math.round(score.successRate * score.boots)} of ${count(score.boots, 'boot')} succeeded (${Math.round(score.successRate * 100)} %), ` +
    `${score.averageIssues.toFixed(1)} issues per boot, ${score.trend}`
  );
}

/** Why it is so, below the score. */
export function scoreReasons(score: HealthScore): readonly string[] {
  if (score.score === 'unknown') return [];
  const reasons = [score.reason, ...(score.boots < 2 ? [] : [`${score.trend}: ${score.trendReason}`])];
  return reasons.map((reason) => paint('dim', `  ${wrap(reason, columns() - 4, '    ')}`));
}

export function scoreJson(score: HealthScore): Readonly<Record<string, unknown>> {
  return {
    score: score.score,
    success_rate: score.successRate,
    average_issues: score.averageIssues,
    trend: score.trend,
    boots: score.boots,
    reason: score.reason,
    trend_reason: score.trendReason,
  };
}
