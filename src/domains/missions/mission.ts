import type { Finding, FindingPlace, Severity } from '../preflight/index.ts';

/**
 * Something found wrong that no playbook may mend, or that needs code: kept until it is gone or a person drops it.
 * The states of its making (analysing, coding, testing, …) come with the workers that do it.
 */
export interface Mission {
  readonly id: string;
  /** The same finding has the same key, whatever figures its words contain. */
  readonly key: string;
  readonly component: string;
  /** Of the finding: `config_broken`, `migration_pending`. */
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  /** What a person does about it. */
  readonly hint: string;
  readonly evidence: readonly string[];
  readonly place: FindingPlace | null;
  /** Which check or look found it last; absent in what an earlier Grace kept. */
  readonly origin?: string;
  /** The approval that its mending waits for; missing in those of earlier releases. */
  readonly approval?: string | null;
  /** `verified`: a later validation did not find it any more. `abandoned`: a person dropped it; it is not opened again while it lasts. */
  readonly state: 'open' | 'verified' | 'abandoned';
  readonly openedAtMs: number;
  readonly lastSeenAtMs: number;
  /** How many validations have seen it. */
  readonly seen: number;
  readonly closedAtMs: number | null;
  readonly closedBy: string | null;
  readonly closeReason: string | null;
}

/** Figures change from hour to hour (days left, bytes free), and do not make another finding. */
export function missionKey({ component, code, message, place }: Finding): string {
  const where = place === undefined ? '' : place.file;
  return [component, code, where, message.replaceAll(/\d+/g, '#')].join('\u0000');
}
