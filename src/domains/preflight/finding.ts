import type { JsonObject } from '../../kernel/index.ts';

export type Severity = 'info' | 'warn' | 'error';

/** What a check sees wrong. */
export interface Finding {
  readonly severity: Severity;
  /** Stable and greppable: `port_in_use`, `env_missing`. */
  readonly code: string;
  /** Which component it is about; `grace` for Grace itself. */
  readonly component: string;
  readonly message: string;
  readonly evidence: readonly string[];
  /** What a person does about it. */
  readonly hint: string;
  /** The playbook that would fix it, when one is known. */
  readonly fix: FindingFix | null;
  /** Which check or look found it; only that one can say that it is gone. */
  readonly origin?: string;
  /** Where it is, when it is in a file. */
  readonly place?: FindingPlace;
}

export interface FindingFix {
  readonly playbook: string;
  readonly params: JsonObject;
}

/** Counted from 1; null where only the file is known. */
export interface FindingPlace {
  readonly file: string;
  readonly line: number | null;
  readonly column: number | null;
}
