import type { BootId, JsonObject } from '../../kernel/index.ts';
import type { Finding } from '../preflight/index.ts';

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

export interface BootReport {
  readonly boot_id: BootId;
  /** ISO 8601, UTC. */
  readonly boot_timestamp: string;
  readonly service: string;
  readonly mode: string;
  readonly outcome: 'running' | 'success' | 'failed' | 'interrupted' | 'stopped';
  readonly stages: readonly StageReport[];
  readonly components: readonly ComponentReport[];
  readonly incidents: readonly string[];
  readonly playbooks: readonly string[];
  readonly summary: {
    readonly success: boolean;
    readonly stages_passed: number;
    readonly stages_failed: number;
    readonly fixes: number;
    readonly duration_ms: number;
  };
}
