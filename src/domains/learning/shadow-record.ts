import type { Json } from '../../kernel/index.ts';
import type { ForeseenStep } from '../governance/index.ts';

/** What one step would act on, as it was at some moment. */
export interface SeenStep extends ForeseenStep {
  /** What was looked at for the picture: two pictures of other places say nothing about a change. */
  readonly looked: readonly string[];
  /** It only waits or tells: it is no part of what is scored. */
  readonly changesNothing: boolean;
  /** What it would change, in a form that can be compared; null where that could not be seen. */
  readonly picture: Json;
}

export type ShadowScore = 'open' | 'hit' | 'miss' | 'harm' | 'unknown';

/**
 * What ended the failure: nothing but time or a start again, a person, a playbook that ran after all.
 * `unknown`: it cannot be told.
 */
export type EndedBy = 'itself' | 'person' | 'playbook' | 'unknown';

/** What a playbook would have done about one episode of a failure, which it was not allowed to [GV-4]. */
export interface ShadowRecord {
  readonly id: string;
  readonly playbook: string;
  readonly hash: string;
  readonly component: string;
  readonly signature: string;
  /** The failure seen last. */
  readonly failureId: string;
  readonly bootId: string;
  /** What was decided, and why. */
  readonly verdict: string;
  readonly reason: string;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  /** How often the same failure was seen in this episode: once more than it was started again in vain. */
  readonly seen: number;
  /** When it was seen first, and last; null when the steps are known to the file alone. */
  readonly first: readonly SeenStep[] | null;
  readonly last: readonly SeenStep[] | null;
  readonly score: ShadowScore;
  readonly endedBy: EndedBy | null;
  readonly endedAtMs: number | null;
  /** What the score rests on, in sentences. */
  readonly evidence: readonly string[];
}

export interface ShadowStore {
  save(record: ShadowRecord): Promise<void>;
  get(id: string): Promise<ShadowRecord | null>;
  /** Of one component, open ones only. */
  open(component: string): Promise<readonly ShadowRecord[]>;
  /** Begun since then, oldest first. */
  list(sinceMs: number): Promise<readonly ShadowRecord[]>;
  ofSignature(signature: string): Promise<readonly ShadowRecord[]>;
}
