import type { BootId, JsonObject } from '../../kernel/index.ts';
import type { Explanation, SuggestedCommand } from '../incidents/index.ts';
import type { CheckReport, Finding } from '../preflight/index.ts';

import type { LayerReport } from './layers.ts';
import type { StagePart } from './stage-parts.ts';

export type StageResultKind = 'success' | 'failed' | 'warned' | 'skipped';

export interface StageReport {
  readonly number: number;
  /** `1. Preflight Gate`. */
  readonly stage: string;
  readonly result: StageResultKind;
  readonly success: boolean;
  readonly startedAfterMs: number;
  readonly durationMs: number;
  readonly metrics: JsonObject;
  readonly findings: readonly Finding[];
  /** Each pre-flight check of this stage, with its time; absent where it has none. */
  readonly checks?: readonly CheckReport[];
  /** Its parts, with their times; absent in reports of an older Grace. */
  readonly parts?: readonly StagePart[];
  /** What was put right, in words. */
  readonly fixes: readonly string[];
  /** Why it failed; null when it did not. */
  readonly failure: string | null;
  /** One line: the most important about it. */
  readonly detail: string;
}

export interface ComponentReport {
  readonly name: string;
  readonly state: 'ready' | 'adopted' | 'failed' | 'skipped' | 'waiting';
  readonly startedAfterMs: number;
  readonly readyAfterMs: number | null;
  /** The dependency that was ready last before it could start. */
  readonly waitedFor: string | null;
  readonly starts: number;
  readonly pid: number | null;
  readonly port: number | null;
}

/** What is said of one failure: in the report of its boot, and to scripts that ask for it. */
export interface ReportedFailure {
  readonly incident: string;
  readonly component: string;
  /** Family that explains it. */
  readonly class: string;
  readonly what: string;
  readonly cause: string;
  readonly confidence: number;
  readonly evidence: readonly string[];
  readonly changes: readonly string[];
  /** What Grace did, or why it did nothing. */
  readonly action: string;
  readonly playbook: string | null;
  readonly risk: string | null;
  readonly verified: boolean;
  readonly outcome: Explanation['outcome'];
  readonly advice: readonly string[];
  readonly commands: readonly SuggestedCommand[];
  readonly alternatives: readonly string[];
  readonly boot: string;
  /** ISO 8601, UTC. */
  readonly at: string;
}

export function reportedFailure(e: Explanation, incident: string): ReportedFailure {
  return {
    incident,
    component: e.component,
    class: e.familyName ?? 'unexplained',
    what: e.what,
    cause: e.cause,
    confidence: e.confidence,
    evidence: e.evidence,
    changes: e.changes,
    action: e.action,
    playbook: e.playbook,
    risk: e.risk,
    verified: e.outcome === 'healed',
    outcome: e.outcome,
    advice: e.advice,
    commands: e.commands ?? [],
    alternatives: e.alternatives,
    boot: e.bootId,
    at: new Date(e.atMs).toISOString(),
  };
}

export interface BootReport {
  readonly boot_id: BootId;
  /** ISO 8601, UTC. */
  readonly boot_timestamp: string;
  readonly service: string;
  readonly mode: string;
  readonly outcome: 'running' | 'success' | 'failed' | 'interrupted' | 'stopped';
  readonly stages: readonly StageReport[];
  /** In the mode `layered` alone. */
  readonly layers?: readonly LayerReport[];
  readonly components: readonly ComponentReport[];
  readonly incidents: readonly string[];
  /** What failed, each pattern once, oldest first; absent in reports of an older Grace and while a boot runs. */
  readonly failures?: readonly ReportedFailure[];
  readonly playbooks: readonly string[];
  /** Absent in reports of an older Grace, of a dry run, and while a boot runs. */
  readonly audit?: {
    /** The signed head of the audit log as the boot ended; null when there was none. */
    readonly checkpoint: string | null;
    /** Why the log took no entries. */
    readonly problem: string | null;
  };
  readonly summary: {
    readonly success: boolean;
    readonly stages_passed: number;
    readonly stages_failed: number;
    readonly fixes: number;
    readonly duration_ms: number;
  };
}
