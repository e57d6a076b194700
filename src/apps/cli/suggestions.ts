import type { Pattern } from '../../domains/incidents/index.ts';
import type { RegisteredPlaybook } from '../../domains/playbooks/index.ts';
import { trackRecord } from './playbooks.ts';
import type { PastBoot } from './past-boots.ts';

/** Something worth a person's time; `weight` orders them, most worthwhile first. */
export interface Suggestion {
  readonly kind: 'raise_autonomy' | 'review_playbook' | 'look_at_pattern' | 'weak_stage' | 'approve';
  readonly subject: string;
  readonly text: string;
  readonly weight: number;
}

/** Verified this often without a failure, a fix has shown that it can run by itself. */
const VERIFIED_FOR_AUTONOMY = 5;
/** Coming back this often without a playbook, a failure needs a person. */
const RECURRENCES_TO_LOOK_AT = 3;
/** Of failed boots, the share that end in one stage before it is called weak. */
const STAGE_SHARE = 0.5;
const FAILED_BOOTS_MIN = 2;

/** @returns ranked suggestions [BL-12] */
export function suggestions(
  patterns: readonly Pattern[],
  playbooks: readonly RegisteredPlaybook[],
  boots: readonly PastBoot[],
  pendingApprovals: number,
): readonly Suggestion[] {
  const found: Suggestion[] = [];
  if (pendingApprovals > 0)
    found.push({
      kind: 'approve',
      subject: '',
      text: `${pendingApprovals} fix${pendingApprovals === 1 ? ' waits' : 'es wait'} for approval: grace approvals list`,
      weight: 1000,
    });
  for (const p of patterns) {
    if (p.playbook !== null || p.occurrences < RECURRENCES_TO_LOOK_AT) continue;
    found.push({
      kind: 'look_at_pattern',
      subject: p.incidentId,
      text: `${p.incidentId} (${p.component}) came back ${p.occurrences} times without a playbook: look at it with grace explain ${p.incidentId}`,
      weight: 100 + p.occurrences,
    });
  }
  for (const p of playbooks) {
    if (p.failedCount > 0 && p.failedCount >= p.verifiedCount)
      found.push({
        kind: 'review_playbook',
        subject: p.name,
        text: `playbook ${p.name} fails as often as it helps (${trackRecord(p)}): read it with grace playbooks show ${p.name}${p.isEnabled ? ', or disable it' : ''}`,
        weight: 90 + p.failedCount,
      });
    else if (p.verifiedCount >= VERIFIED_FOR_AUTONOMY && p.failedCount === 0 && p.tier !== 'tier_1')
      found.push({
        kind: 'raise_autonomy',
        subject: p.name,
        text: `playbook ${p.name} was verified ${p.verifiedCount} times and never failed: raise its autonomy above ${p.tier}`,
        weight: 50 + p.verifiedCount,
      });
  }
  const weak = weakStage(boots);
  if (weak !== null) found.push(weak);
  return found.toSorted((a, b) => b.weight - a.weight);
}

function weakStage(boots: readonly PastBoot[]): Suggestion | null {
  const failed = boots.map(({ boot }) => boot.report.stages.find((s) => s.result === 'failed')?.stage).filter((s) => s !== undefined);
  const [stage, times] =
    [...Map.groupBy(failed, (s) => s)].map(([s, all]) => [s, all.length] as const).toSorted((a, b) => b[1] - a[1])[0] ?? [];
  if (stage === undefined || times === undefined || failed.length < FAILED_BOOTS_MIN || times / failed.length < STAGE_SHARE) return null;
  return {
    kind: 'weak_stage',
    subject: stage,
    text: `boots fail mostly in stage "${stage}" (${times} of ${failed.length}): a check before it would save the wait`,
    weight: 40 + times,
  };
}
