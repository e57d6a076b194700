import type { BootId, Signature } from '../../kernel/index.ts';
import type { Failure } from './failure.ts';
import type { GroupingRule } from './grouping-rule.ts';
import type { Pattern } from './pattern.ts';

/** What a person can paste into a shell: it looks, or does what Grace would do under its rules; never destructive. */
export interface SuggestedCommand {
  readonly command: string;
  readonly why: string;
}

/** What Grace says about a failure, kept so that `grace explain` can say it again. Redacted. */
export interface Explanation {
  readonly failureId: string;
  readonly signature: Signature;
  readonly bootId: BootId;
  readonly atMs: number;
  readonly component: string;
  readonly what: string;
  readonly cause: string;
  readonly familyName: string | null;
  readonly confidence: number;
  readonly evidence: readonly string[];
  /** What changed since the last verified boot, the most suspicious first, each with its reason. */
  readonly changes: readonly string[];
  /** The same in parts; an older Grace did not keep them. */
  readonly suspects?: readonly ExplainedChange[];
  /** What Grace did, or why it did nothing. */
  readonly action: string;
  readonly playbook: string | null;
  readonly risk: string | null;
  readonly outcome: 'open' | 'healed' | 'not_healed' | 'waiting' | 'needs_approval' | 'observed';
  readonly advice: readonly string[];
  /** Other causes that were considered, with their confidence. */
  readonly alternatives: readonly string[];
  /** Absent in what an older Grace stored. */
  readonly commands?: readonly SuggestedCommand[];
}

/** One failure, as little of it as counting needs. */
export interface Occurrence {
  readonly failureId: string;
  readonly signature: Signature;
  readonly bootId: BootId;
  readonly atMs: number;
  /** Null when it was never explained. */
  readonly outcome: Explanation['outcome'] | null;
  readonly playbook: string | null;
}

/** One change that may be why something fails. */
export interface ExplainedChange {
  readonly kind: string;
  readonly subject: string;
  readonly change: string;
  /** Before and after where that is harmless; may be empty. */
  readonly detail: string;
  /** 0 to 1. */
  readonly weight: number;
  readonly reason: string;
}

/** Where failures, patterns and explanations are kept. */
export interface IncidentStore {
  saveFailure(failure: Failure): Promise<void>;
  failure(id: string): Promise<Failure | null>;
  failuresOf(boot: BootId): Promise<readonly Failure[]>;
  failuresLike(signature: Signature, limit: number): Promise<readonly Failure[]>;
  /** Everything since then, oldest first; full texts of old failures are forgotten, their explanations are not. */
  occurrences(sinceMs: number): Promise<readonly Occurrence[]>;
  pattern(signature: Signature): Promise<Pattern | null>;
  patternByIncident(incidentId: string): Promise<Pattern | null>;
  patterns(): Promise<readonly Pattern[]>;
  /** Never counts down: somebody else may have counted on since the pattern was read. */
  savePattern(pattern: Pattern): Promise<void>;
  /**
   * Reads, changes and writes a pattern at once, so that of two processes none loses what the other counted.
   * @param change   is given null for one that is not known; null leaves all as it is
   */
  changePattern(signature: Signature, change: (known: Pattern | null) => Pattern | null): Promise<Pattern | null>;
  saveExplanation(explanation: Explanation): Promise<void>;
  explanations(filter: { readonly bootId?: string; readonly signature?: string; readonly limit: number }): Promise<readonly Explanation[]>;
}

/** Where the rules of people about which failures are one are kept. */
export interface GroupingRuleStore {
  /** Oldest first, those taken back included. */
  list(): Promise<readonly GroupingRule[]>;
  /** Together with the patterns it changes: all of it, or nothing. */
  save(rule: GroupingRule, patterns: readonly Pattern[]): Promise<void>;
}
