import type { BootId, JsonObject } from '../../kernel/index.ts';
import type { BootReport } from './report.ts';

export interface BootRecord {
  readonly id: BootId;
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
  readonly outcome: BootReport['outcome'];
  readonly mode: string;
  /** It stayed ready for its soak time and its smoke tests passed: what later boots are compared with. */
  readonly isVerified: boolean;
  readonly report: BootReport;
  readonly fingerprint: JsonObject;
}

export interface BootStore {
  save(record: BootRecord): Promise<void>;
  get(id: string): Promise<BootRecord | null>;
  /** Newest first. */
  list(limit: number): Promise<readonly BootRecord[]>;
  lastVerified(): Promise<BootRecord | null>;
  /** Boots that say they are running: after a crash of Grace, the ones that were cut off. */
  running(): Promise<readonly BootRecord[]>;
  /** Forgets metrics older than this; boots and patterns stay. */
  forgetMetricsBefore(atMs: number): Promise<void>;
  /** Empties the fingerprints of all but the newest boots; the last verified one keeps its own whatever its age. */
  forgetFingerprints(kept: number): Promise<void>;
  saveMetrics(
    bootId: BootId,
    metrics: readonly { readonly name: string; readonly component: string; readonly atMs: number; readonly value: number }[],
  ): Promise<void>;
}
