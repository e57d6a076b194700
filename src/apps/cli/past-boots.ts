import type { BootRecord } from '../../domains/boot/index.ts';
import { healthScore, SCORED_BOOTS, type HealthScore } from '../../domains/learning/index.ts';
import type { PlaybookRun } from '../../domains/playbooks/index.ts';
import type { Memory } from './memory.ts';
import { paint } from './terminal.ts';
import { count } from './when.ts';

/** A boot that was judged, with how many failures were captured in it. */
export interface PastBoot {
  readonly boot: BootRecord;
  readonly issues: number;
}

/** A dry run only checks: it says nothing about how well boots go. */
export function isDryRun(boot: BootRecord): boolean {
  const { stages } = boot.report;
  return boot.outcome === 'success' && stages.some((s) => s.number === 6 && s.result === 'skipped');
}

/** Until it was up, or given up: the soak time and the service's life after it are not part of it. */
export function tookMs(boot: BootRecord): number {
  const last = boot.report.stages.findLast((s) => s.result !== 'skipped');
  return last === undefined ? boot.report.summary.duration_ms : Math.round(last.startedAfterMs + last.durationMs);
}

/** Playbooks that ran in a boot and were not taken back. */
export async function fixesIn(memory: Memory, boot: BootRecord): Promise<readonly PlaybookRun[]> {
  return (await memory.playbooks.runsOf(boot.id)).filter((r) => r.state === 'verified' || r.state === 'applied');
}

/** Finished boots, newest first. One that was stopped by hand before it was up is no failure and no success. */
export async function pastBoots(memory: Memory, limit: number): Promise<readonly PastBoot[]> {
  // some more, since not all of them count
  const boots = (await memory.boots.list(limit * 3)).filter(
    (b) => b.outcome !== 'running' && !isDryRun(b) && !(b.outcome === 'stopped' && b.report.summary.stages_failed === 0),
  );
  return Promise.all(boots.slice(0, limit).map(async (boot) => ({ boot, issues: (await memory.incidents.failuresOf(boot.id)).length })));
}

export async function scoreOf(memory: Memory): Promise<{ readonly score: HealthScore; readonly boots: readonly PastBoot[] }> {
  const boots = await pastBoots(memory, SCORED_BOOTS);
  return { score: healthScore(boots.map(({ boot, issues }) => ({ isSuccess: boot.report.summary.success, issues }))), boots };
}

const SCORE_STYLE = { excellent: 'green', good: 'green', fair: 'yellow', poor: 'red', unknown: 'dim' } as const;

export function scoreLine(score: HealthScore): string {
  if (score.score === 'unknown') return `${paint('dim', 'unknown')}: no boot has finished yet`;
  return (
    `${paint(SCORE_STYLE[score.score], score.score)}: ${Math.round(score.successRate * score.boots)} of ${count(score.boots, 'boot')} succeeded (${Math.round(score.successRate * 100)} %), ` +
    `${score.averageIssues.toFixed(1)} issues per boot, ${score.trend}`
  );
}

export function scoreJson(score: HealthScore): Readonly<Record<string, unknown>> {
  return {
    score: score.score,
    success_rate: score.successRate,
    average_issues: score.averageIssues,
    trend: score.trend,
    boots: score.boots,
  };
}
