import type { Explanation, ExplainedChange, Failure, SuggestedCommand } from '../incidents/index.ts';
import type { RegisteredPlaybook } from '../playbooks/index.ts';
import type { Verdict } from './diagnose.ts';

export interface Told {
  readonly failure: Failure;
  readonly verdict: Verdict;
  /** What is different from the last good boot, most suspicious first. */
  readonly changes: readonly string[];
  /** The same in parts, with the reason for each suspicion. */
  readonly suspects?: readonly ExplainedChange[];
  readonly action: string;
  readonly playbook: Pick<RegisteredPlaybook, 'name' | 'risk'> | null;
  readonly outcome: Explanation['outcome'];
  /** What a person can do, most useful first. */
  readonly advice: readonly string[];
  readonly commands: readonly SuggestedCommand[];
}

/** Causes told beside the one that was believed. */
const ALTERNATIVES_MAX = 4;

/** What is kept of a diagnosis, so that it can be told again. */
export function explanationOf({ failure, verdict, changes, suspects, action, playbook, outcome, advice, commands }: Told): Explanation {
  const shown = verdict.chosen ?? verdict.best;
  return {
    failureId: failure.id,
    signature: failure.signature,
    bootId: failure.bootId,
    atMs: failure.atMs,
    component: failure.component,
    what: failure.message,
    cause: shown.cause,
    familyName: shown.family,
    confidence: shown.confidence,
    evidence: shown.evidence,
    changes,
    ...(suspects === undefined ? {} : { suspects }),
    action,
    playbook: playbook?.name ?? null,
    risk: playbook?.risk ?? null,
    outcome,
    advice,
    commands,
    alternatives: verdict.all
      .filter((d) => d !== shown)
      .slice(0, ALTERNATIVES_MAX)
      .map((d) => `${d.family} (${d.confidence.toFixed(2)}): ${d.cause}`),
  };
}
