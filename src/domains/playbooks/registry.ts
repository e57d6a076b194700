import type { JsonObject } from '../../kernel/index.ts';
import type { AutonomyTier, Risk } from '../governance/index.ts';
import type { RemedyStep } from './playbook.ts';

/** A playbook as the store knows it: which file, which bytes, and how it has done so far. */
export interface RegisteredPlaybook {
  readonly name: string;
  readonly description: string;
  readonly risk: Risk;
  readonly tier: AutonomyTier;
  /** `boot_pipeline`, or the service it belongs to. */
  readonly service: string;
  /** From the risk: low → info, medium → warning, high → error, critical → critical. */
  readonly severity: string;
  readonly version: number;
  /** SHA-256 of the file. Another hash is another version, and loses earned trust. */
  readonly hash: string;
  readonly file: string;
  /** `learned`: made of what a person did by hand; offered, and never run before it was approved. */
  readonly origin: 'generated' | 'edited' | 'written' | 'shipped' | 'learned';
  /** Catalog family whose guard and diagnosis go with it. */
  readonly family: string | null;
  readonly signature: string | null;
  readonly component: string | null;
  readonly params: JsonObject;
  /** The steps it was generated from; empty when a person wrote it. */
  readonly steps: readonly RemedyStep[];
  readonly isEnabled: boolean;
  readonly createdAtMs: number;
  readonly verifiedCount: number;
  readonly failedCount: number;
}

export type RunState = 'running' | 'applied' | 'verified' | 'failed' | 'undone' | 'interrupted';

export interface PlaybookRun {
  readonly id: string;
  readonly playbook: string;
  readonly hash: string;
  readonly component: string;
  readonly bootId: string;
  readonly signature: string | null;
  readonly state: RunState;
  readonly decision: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
}

export interface PlaybookStore {
  get(name: string): Promise<RegisteredPlaybook | null>;
  list(): Promise<readonly RegisteredPlaybook[]>;
  save(playbook: RegisteredPlaybook): Promise<void>;
  count(name: string, outcome: 'verified' | 'failed'): Promise<void>;
  saveRun(run: PlaybookRun): Promise<void>;
  run(id: string): Promise<PlaybookRun | null>;
  runsIn(...states: readonly RunState[]): Promise<readonly PlaybookRun[]>;
  runsOf(bootId: string): Promise<readonly PlaybookRun[]>;
}

export const SEVERITY: Readonly<Record<Risk, string>> = { low: 'info', medium: 'warning', high: 'error', critical: 'critical' };
