import type { BootRecord } from '../domains/boot/index.ts';
import { approvalState, effectiveTier, isEarned, tellStanding } from '../domains/governance/index.ts';
import { standingsOf } from '../domains/healing/index.ts';
import { mergedInto, standingPatterns, type Pattern } from '../domains/incidents/index.ts';
import {
  evolution,
  evolutionStartMs,
  healthScore,
  SCORED_BOOTS,
  suggestionsFor,
  type BootOutcome,
  type HealthScore,
  type Suggestion,
  type WeekOfLearning,
} from '../domains/learning/index.ts';
import type { Repositories } from './repositories.ts';

/** A boot that was judged. */
export interface PastBoot extends BootOutcome {
  readonly boot: BootRecord;
}

/** Further back than the score: a stage that fails once a week is seen in it. */
const BOOTS_LOOKED_AT = 50;
/** Boots of a year, at several a day. */
const BOOTS_COUNTED_MAX = 5000;

/** A dry run only checks: it says nothing about how well boots go. */
export function isDryRun(boot: BootRecord): boolean {
  const { stages } = boot.report;
  return boot.outcome === 'success' && stages.some((s) => s.number === 6 && s.result === 'skipped');
}

/** One that was stopped by hand before it was up is no failure and no success. */
function isJudged(boot: BootRecord): boolean {
  return boot.outcome !== 'running' && !isDryRun(boot) && !(boot.outcome === 'stopped' && boot.report.summary.stages_failed === 0);
}

/** Finished boots that say how well boots go, newest first. */
export async function pastBoots(memory: Repositories, limit: number): Promise<readonly PastBoot[]> {
  // some more, since not all of them count
  const boots = (await memory.boots.list(limit * 3)).filter(isJudged).slice(0, limit);
  return Promise.all(
    boots.map(async (boot) => ({
      boot,
      isSuccess: boot.report.summary.success,
      issues: (await memory.incidents.failuresOf(boot.id)).length,
      failedStage: boot.report.stages.find((s) => s.result === 'failed')?.stage ?? null,
    })),
  );
}

export async function scoreOf(memory: Repositories): Promise<{ readonly score: HealthScore; readonly boots: readonly PastBoot[] }> {
  const boots = await pastBoots(memory, SCORED_BOOTS);
  return { score: healthScore(boots), boots };
}

/** Patterns that stand for themselves, the one seen last first: what people merged is told with the one it went into. */
export async function knownPatterns(memory: Repositories): Promise<readonly Pattern[]> {
  return standingPatterns(await memory.incidents.patterns(), await memory.groupingRules.list());
}

export async function suggestionsOf(memory: Repositories, nowMs: number): Promise<readonly Suggestion[]> {
  const playbooks = await memory.playbooks.list();
  const earned = new Map<string, string>();
  for (const { name, hash, tier } of playbooks) {
    if (effectiveTier(tier, await memory.tierChanges.of(name, hash)) !== tier) continue;
    const standings = await standingsOf(memory, name, hash, nowMs);
    if (standings.length > 0 && standings.every(isEarned)) earned.set(name, standings.map(tellStanding).join('; '));
  }
  return suggestionsFor({
    earned,
    patterns: await knownPatterns(memory),
    playbooks,
    boots: await pastBoots(memory, BOOTS_LOOKED_AT),
    pendingApprovals: (await memory.approvals.list()).filter((a) => approvalState(a, nowMs) === 'pending').map((a) => a.id),
  });
}

/** @param weeks   how many ISO weeks back, this one included */
export async function evolutionOf(memory: Repositories, weeks: number, nowMs: number): Promise<readonly WeekOfLearning[]> {
  const rules = await memory.groupingRules.list();
  const boots = (await memory.boots.list(BOOTS_COUNTED_MAX)).filter(isJudged);
  const occurrences = await memory.incidents.occurrences(evolutionStartMs(weeks, nowMs));
  return evolution(
    {
      occurrences: occurrences.map((o) => ({ ...o, signature: mergedInto(o.signature, rules) })),
      patterns: await knownPatterns(memory),
      playbooks: await memory.playbooks.list(),
      boots: boots.map((b) => ({ atMs: b.startedAtMs, isSuccess: b.report.summary.success })),
    },
    weeks,
    nowMs,
  );
}
