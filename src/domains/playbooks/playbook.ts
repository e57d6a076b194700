import type { Json, JsonObject } from '../../kernel/index.ts';
import type { AutonomyTier, Risk } from '../governance/index.ts';
import type { PrimitiveParams } from './primitive-params.ts';

export interface StepResult {
  readonly step: string;
  readonly success: boolean;
  readonly summary?: string;
  readonly error?: string;
}

export interface PlaybookResult {
  readonly success: boolean;
  readonly results: readonly StepResult[];
}

/** What a playbook can ask for. It has no other powers. */
export interface PlaybookContext<P extends JsonObject = JsonObject> {
  readonly params: P;
  readonly component: string;
  /**
   * Asks for one primitive under this step's name, and waits until it is done.
   * @param name       what the step is for, in words; it stands in the journal and before people
   * @param primitive  the power that is asked for
   * @throws when the primitive was refused or failed; the playbook then ends and its finished steps are undone
   */
  step<N extends keyof PrimitiveParams>(name: string, primitive: N, params: PrimitiveParams[N]): Promise<StepResult>;
}

/** The same for whoever runs a playbook: what it asks for is looked up and checked, whatever its types said. */
export interface RunContext {
  readonly params: JsonObject;
  readonly component: string;
  step(name: string, primitive: string, params: JsonObject): Promise<StepResult>;
}

export interface PlaybookMatch {
  /** The exact failure. */
  readonly signature?: string;
  /** Any failure that this catalog family recognises. */
  readonly family?: string;
  readonly component?: string;
}

/** How success is told, beside the failing check, readiness and the soak time, which always count. */
export interface PlaybookVerify {
  readonly smoke?: boolean;
}

export interface Playbook<P extends JsonObject = JsonObject> {
  readonly name: string;
  readonly description: string;
  readonly risk: Risk;
  readonly tier: AutonomyTier;
  readonly service: string;
  readonly match: PlaybookMatch;
  /** Default parameters; a diagnosis may give others. */
  readonly params: P;
  run(context: PlaybookContext<P>): Promise<void>;
  readonly verify?: PlaybookVerify;
}

/** What a playbook says of itself: plain data. */
export type PlaybookHead = Omit<Playbook, 'run'>;

/**
 * A playbook of which what it says and what it does are known to be of the same bytes. Where and how its code runs is the
 * library's affair: nothing that it throws or asks for is trusted more than a text from outside.
 */
export interface LoadedPlaybook extends PlaybookHead {
  /**
   * Runs it until it is over; what it asks for goes through `context.step`.
   * @param signal  ends it, whatever it is doing
   * @throws the very error of a step that the playbook did not handle, PlaybookCutOff, or what it threw itself
   */
  run(context: RunContext, signal?: AbortSignal): Promise<void>;
}

/** Identity; gives a playbook file its types. Parameters keep their literal types, so that a choice among words stays one. */
export function definePlaybook<const P extends JsonObject>(playbook: Playbook<P>): Playbook<P> {
  return playbook;
}

/** One step of a remedy: what a diagnosis proposes and a generated playbook spells out. */
export interface RemedyStep {
  /** `put config.yaml back as it was at the last good boot`. */
  readonly name: string;
  readonly primitive: string;
  readonly params: JsonObject;
}

export type JournalState = 'planned' | 'done' | 'failed' | 'undone';

/** One line of the journal: written before a step acts and after it ended. */
export interface JournalEntry {
  readonly runId: string;
  readonly index: number;
  readonly step: string;
  readonly primitive: string;
  readonly params: Json;
  readonly targets: readonly string[];
  /** What was there before it acted, as its primitive observes it; null where that cannot be compared. */
  readonly before: Json;
  /** The same right after it had acted: what is different from this by now is somebody else's. Null when it was not looked at. */
  readonly after?: Json;
  readonly undo: Json;
  readonly state: JournalState;
  readonly summary: string;
}
