import type { Files, JsonObject } from '../../kernel/index.ts';
import type { AutonomyTier, Risk } from '../governance/index.ts';
import type { Fact, Failure } from '../incidents/index.ts';
import type { ComponentOverrides, HostView, LastGood, RemedyStep } from '../playbooks/index.ts';
import type { Finding } from '../preflight/index.ts';
import type { ComponentSpec } from '../supervisor/index.ts';
import type { Drift } from './drift.ts';
import type { ReleaseState } from './release-state.ts';

/** Everything a family may look at. Read-only: whatever acts is a primitive. */
export interface CaseFile {
  readonly failure: Failure;
  readonly component: ComponentSpec;
  /** The other components, for their ports and start commands. */
  readonly components: readonly ComponentSpec[];
  /** The environment it was started with; never show values. */
  readonly env: Readonly<Record<string, string>>;
  readonly overrides: ComponentOverrides;
  /** What is different from the last verified boot, most suspicious first. Empty when there was none. */
  readonly drift: readonly Drift[];
  readonly host: HostView;
  readonly files: Files;
  readonly lastGood: LastGood;
  /** How often this failure was already met in this boot, and what was tried: playbook names. */
  readonly attempts: readonly string[];
  /** The last release that worked, when boots fail in a row since; null when too few do, or none ever worked. */
  readonly release: ReleaseState | null;
  /** The user its process was seen to run as; null when it never lived long enough. */
  readonly runsAs: { readonly uid: number; readonly gid: number } | null;
}

/** What a family makes of a failure. */
export interface Diagnosis {
  readonly family: string;
  /** One sentence for a person at night: what is wrong and why. */
  readonly cause: string;
  readonly evidence: readonly string[];
  /** 0 to 1: how sure. Above 0.8 Grace acts on it even before a time limit is reached. */
  readonly confidence: number;
  /** Null: nobody but a person (or time) can help. */
  readonly remedy: Remedy | null;
  /** What a person can do, most useful first. */
  readonly advice: readonly string[];
  /** The cause may go away by itself or through somebody else: what to watch until then. */
  readonly waitFor: WaitFor | null;
}

export type WaitFor =
  | { readonly kind: 'port_free'; readonly port: number }
  | { readonly kind: 'reachable'; readonly host: string; readonly port: number }
  | { readonly kind: 'file_change'; readonly path: string }
  | { readonly kind: 'disk_room'; readonly path: string; readonly bytes: number };

export interface Remedy {
  /** snake_case, a verb first: `restore_last_good_config`. */
  readonly playbook: string;
  readonly description: string;
  readonly risk: Risk;
  readonly tier: AutonomyTier;
  readonly steps: readonly RemedyStep[];
  /** Whether the component is started again afterwards; false when it only needs to be left alone. */
  readonly restart: boolean;
  /** Chosen only when nothing else is left to try, also when the tries are used up: people have to agree to it. */
  readonly isLastResort?: true;
}

/** A known kind of failure: one file in `catalog/families`. */
export interface FailureFamily {
  /** snake_case, as in the glossary. */
  readonly name: string;
  readonly title: string;
  /**
   * Recognise, explain and propose. Looks only as far as it must: a family that has no fact to go on returns at once.
   * @returns possible causes, any order; empty when it is none of its business
   */
  diagnose(c: CaseFile): Promise<readonly Diagnosis[]>;
  /** Whether what this family is about is about to happen; asked in pre-flight for every pattern learned from it. */
  readonly guard: ((g: GuardCase) => Promise<Finding | null>) | null;
}

/** What a guard may look at: the parameters of the playbook that fixed it, and the machine. */
export interface GuardCase {
  readonly component: ComponentSpec;
  readonly components: readonly ComponentSpec[];
  readonly env: Readonly<Record<string, string>>;
  readonly steps: readonly RemedyStep[];
  readonly drift: readonly Drift[];
  readonly host: HostView;
  readonly files: Files;
  readonly lastGood: LastGood;
  readonly playbook: string;
  readonly params: JsonObject;
}

/** The facts of some kinds, in order of appearance. */
export function factsOf(c: Pick<CaseFile, 'failure'>, ...kinds: readonly Fact['kind'][]): readonly Fact[] {
  return c.failure.facts.filter((f) => kinds.includes(f.kind));
}
