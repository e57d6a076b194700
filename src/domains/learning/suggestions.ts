import type { AutonomyTier } from '../governance/index.ts';
import type { Pattern } from '../incidents/index.ts';
import type { RegisteredPlaybook } from '../playbooks/index.ts';
import type { BootOutcome } from './health-score.ts';

/** Something worth a person's time. */
export interface Suggestion {
  readonly kind:
    | 'approve'
    | 'look_at_candidate'
    | 'look_at_pattern'
    | 'review_playbook'
    | 'look_at_cause'
    | 'raise_autonomy'
    | 'weak_stage';
  /** Incident, playbook, stage or approval it is about. */
  readonly subject: string;
  /** What to do. */
  readonly text: string;
  /** The figures it rests on. */
  readonly reason: string;
  /** To see for oneself, or to do it; null where a command cannot. */
  readonly command: string | null;
  /** Orders them, most worthwhile first. */
  readonly weight: number;
}

export interface SuggestionInput {
  readonly patterns: readonly Pattern[];
  readonly playbooks: readonly RegisteredPlaybook[];
  /** Newest first. */
  readonly boots: readonly BootOutcome[];
  /** By playbook, in words, what it has shown: of those alone that have earned one tier more. */
  readonly earned: ReadonlyMap<string, string>;
  /** Ids of fixes that wait for a person. */
  readonly pendingApprovals: readonly string[];
}

/** Coming back this often without a playbook, a failure needs a person. */
const RECURRENCES_TO_LOOK_AT = 3;
/** Mended this often and still coming back, what is mended is a symptom. */
const MENDED_TO_LOOK_AT = 3;
/** Of failed boots, the share that end in one stage before it is called weak. */
const STAGE_SHARE = 0.5;
/** And the number: one boot says nothing about a stage. */
const FAILED_BOOTS_MIN = 2;

/** One step less asking. Tier 1 runs by itself already. */
const LESS_ASKING: Readonly<Record<AutonomyTier, AutonomyTier | null>> = {
  tier_1: null,
  tier_2: 'tier_1',
  tier_3: 'tier_2',
  tier_4: 'tier_3',
};

/** What would be worth doing, ranked, each with its reason [BL-12]. Nothing here is done by Grace itself. */
export function suggestionsFor({ patterns, playbooks, boots, pendingApprovals, earned }: SuggestionInput): readonly Suggestion[] {
  const byName = new Map(playbooks.map((p) => [p.name, p]));
  const found = [
    ...waiting(pendingApprovals),
    ...patterns.map((p) => aboutPattern(p, p.playbook === null ? undefined : byName.get(p.playbook))),
    ...playbooks.map((p) => aboutPlaybook(p, earned.get(p.name))),
    weakStage(boots),
  ];
  return found.filter((s) => s !== null).toSorted((a, b) => b.weight - a.weight || a.subject.localeCompare(b.subject));
}

function waiting(approvals: readonly string[]): readonly Suggestion[] {
  const [only = ''] = approvals;
  if (approvals.length === 0) return [];
  return [
    {
      kind: 'approve',
      subject: approvals.length === 1 ? only : '',
      text: `answer ${approvals.length === 1 ? 'the fix that waits' : `the ${approvals.length} fixes that wait`} for approval`,
      reason: 'until somebody does, what they mend stays broken',
      command: approvals.length === 1 ? `grace approvals show ${only}` : 'grace approvals list',
      weight: 1000,
    },
  ];
}

function aboutPattern(p: Pattern, playbook: RegisteredPlaybook | undefined): Suggestion | null {
  const seen = { subject: p.incidentId, command: `grace explain ${p.incidentId}` };
  if (p.playbook === null && p.occurrences >= RECURRENCES_TO_LOOK_AT)
    return {
      ...seen,
      kind: 'look_at_pattern',
      text: `look at ${p.incidentId} (${p.component}): it has no playbook`,
      reason: `it came back ${p.occurrences} times, and Grace knows nothing to do about it`,
      weight: 100 + p.occurrences,
    };
  if (playbook !== undefined && p.state === 'candidate' && playbook.verifiedCount >= MENDED_TO_LOOK_AT)
    return {
      ...seen,
      kind: 'look_at_cause',
      text: `look for the cause behind ${p.incidentId}: ${playbook.name} mends it, and it comes back`,
      reason: `${trackRecord(playbook)}, seen ${p.occurrences} times: what is mended is a symptom`,
      weight: 70 + p.occurrences,
    };
  return null;
}

function aboutPlaybook(p: RegisteredPlaybook, earned: string | undefined): Suggestion | null {
  const seen = { subject: p.name, command: `grace playbooks show ${p.name}` };
  if (p.failedCount > 0 && p.failedCount >= p.verifiedCount && p.isEnabled)
    return {
      ...seen,
      kind: 'review_playbook',
      text: `review playbook ${p.name}, or disable it`,
      reason: `it fails as often as it helps: ${trackRecord(p)}`,
      weight: 90 + p.failedCount,
    };
  if (p.origin === 'learned' && p.verifiedCount === 0 && p.failedCount === 0 && p.isEnabled)
    return {
      ...seen,
      kind: 'look_at_candidate',
      text: `look at candidate ${p.name}: what a person did by hand, as a playbook`,
      reason: 'it is offered, and never runs before somebody approved it',
      weight: 120,
    };
  const tier = LESS_ASKING[p.tier];
  // What was learned from a person keeps asking, whatever its file says.
  if (tier !== null && p.origin !== 'learned' && earned !== undefined)
    return {
      ...seen,
      kind: 'raise_autonomy',
      text: `let playbook ${p.name} run with less asking: it could be ${tier}`,
      reason: earned,
      command: `grace playbooks promote ${p.name} --to ${tier} --reason …`,
      weight: 50 + p.verifiedCount,
    };
  return null;
}

function weakStage(boots: readonly BootOutcome[]): Suggestion | null {
  const failed = boots.map((b) => b.failedStage).filter((s) => s !== null);
  const [stage, times] =
    [...Map.groupBy(failed, (s) => s)].map(([s, all]) => [s, all.length] as const).toSorted((a, b) => b[1] - a[1])[0] ?? [];
  if (stage === undefined || times === undefined || times < FAILED_BOOTS_MIN || times / failed.length < STAGE_SHARE) return null;
  return {
    kind: 'weak_stage',
    subject: stage,
    text: `add a check before stage ${stage}`,
    reason: `${times} of ${failed.length} failed boots ended there: seen earlier, it would save the wait`,
    command: 'grace boots',
    weight: 40 + times,
  };
}

/** How a playbook has done so far, in words. */
export function trackRecord(p: Pick<RegisteredPlaybook, 'verifiedCount' | 'failedCount'>): string {
  const times = (n: number): string => (n === 1 ? 'once' : `${n} times`);
  return `verified ${times(p.verifiedCount)}, ${p.failedCount === 0 ? 'never failed' : `failed ${times(p.failedCount)}`}`;
}
