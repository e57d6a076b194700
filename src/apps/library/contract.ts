import type { ReportedFailure } from '../../domains/boot/index.ts';
import type { AutonomyTier, Risk } from '../../domains/governance/index.ts';
import type { Pattern } from '../../domains/incidents/index.ts';
import type { HealthScore, Suggestion } from '../../domains/learning/index.ts';
import type { JsonObject } from '../../kernel/index.ts';

export interface MemoryOptions {
  /** The service's folder, where `grace up` is run. Default: the working directory. */
  readonly directory?: string | undefined;
  /** Where Grace keeps its data, relative to `directory`. Default: as the configuration says, else `.grace`. */
  readonly dataDir?: string | undefined;
  /** Config file, relative to `directory`. Default: `grace.config.*` there, if any. */
  readonly config?: string | undefined;
}

export interface FailureInput {
  /** Where in the life of the service: `Import orders`, or a stage of the boot such as `6. Autonomy Load`. */
  readonly stage: string;
  /** Default: the one Grace started this process as, or the only one of the configuration. */
  readonly component?: string | undefined;
  /** Whatever was thrown; its stack and its causes are read. */
  readonly error?: unknown;
  /** One line: what happened. Default: the message of `error`, or the first line of `output`. */
  readonly message?: string | undefined;
  /** What the failing program wrote. */
  readonly output?: string | undefined;
  readonly exitCode?: number | undefined;
  /** Anything that helps to understand it. Secrets are taken out. */
  readonly context?: JsonObject | undefined;
}

export interface RecordedFailure {
  /** Id of the incident: `grace explain <incident>`. */
  readonly incident: string;
  /** Never seen before. */
  readonly isNew: boolean;
  readonly signature: string;
  /** One sentence. */
  readonly cause: string;
  /** The playbook for it; it may still have to be written. Null where nobody but a person can help. */
  readonly suggestedPlaybook: string | null;
  readonly explanation: ReportedFailure;
}

export interface GenerateOptions {
  /** Write it into the playbook folder and register it. Default: only show it. */
  readonly write?: boolean | undefined;
}

export interface GeneratedPlaybook {
  readonly name: string;
  /** TypeScript. */
  readonly source: string;
  /** Where it lies; null when it was not written. */
  readonly file: string | null;
}

/** A family of failures, with what mends it. */
export interface KnownPattern extends Pattern {
  /** Of its playbook; null without one. */
  readonly risk: Risk | null;
  readonly tier: AutonomyTier | null;
  /** Incidents that people merged into it. */
  readonly merged: readonly string[];
}

/** What Grace remembers of a service. All of it is redacted. */
export interface Memory extends AsyncDisposable {
  /** Remembers, recognises and explains a failure; nothing is done about it. */
  recordFailure(failure: FailureInput): Promise<RecordedFailure>;
  /** The playbook of an incident as TypeScript; written only when asked. */
  generatePlaybook(incident: string, options?: GenerateOptions): Promise<GeneratedPlaybook>;
  /** How well the last ten boots went, and why. */
  healthScore(): Promise<HealthScore>;
  /** Every family of failures that was seen, the one seen last first. */
  patterns(): Promise<readonly KnownPattern[]>;
  /** What would be worth doing, most worthwhile first. */
  suggestions(): Promise<readonly Suggestion[]>;
  /** Waits for what is still being done. May be called twice. */
  close(): Promise<void>;
}
