import { messageOf, type Clock, type Ids, type Json } from '../../kernel/index.ts';
import { componentOf, subjectOf, type Decision, type DecisionRequest } from './decision.ts';
import type { GovernedAction } from './governed-action.ts';
import type { DecisionPoint } from './ports.ts';

/** What was decided, by whom it was asked, and why: a decision of the policies, or of people about a request. */
export interface RecordedDecision {
  readonly id: string;
  readonly atMs: number;
  /** A user, or `grace`. */
  readonly actor: string;
  readonly actorKind: 'grace' | 'person';
  /** `answer_approval`: somebody said yes or no to a request, or tried to. */
  readonly action: GovernedAction | 'answer_approval';
  /** What it is about: the playbook, the component, the mode, the digest, the approval. */
  readonly subject: string;
  /** Empty where it is about Grace itself. */
  readonly component: string;
  /** Of the policies; `approved` and `rejected` by people; `refused`: an approval that did not count. */
  readonly verdict: Decision['verdict'] | 'approved' | 'rejected' | 'refused';
  readonly reason: string;
  /** Ids of those that decided. */
  readonly policies: readonly string[];
  /** The approval that it rests on, or that it is about. */
  readonly approval: string | null;
  /** Everything that the policies could look at. */
  readonly asked: Json;
}

/** Where decisions are written down. A log that nobody can rewrite takes its place later; until then the store. */
export interface DecisionRecord {
  /** Durable when it returns; throws when it cannot be. */
  write(entry: RecordedDecision): Promise<void>;
  /** Newest first. */
  list(about: { readonly component?: string; readonly limit: number }): Promise<readonly RecordedDecision[]>;
  /** The id of the newest decision that let exactly this be done; null when none did. */
  lastAllowed(action: GovernedAction, subject: string): Promise<string | null>;
}

export interface RecordPorts {
  readonly record: DecisionRecord;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly ids: Ids;
}

/** The decision point, with every decision written down before anybody can act on it [GV-2]. */
export function recordedDecisions(point: DecisionPoint, { record, clock, ids }: RecordPorts): DecisionPoint {
  return {
    async decide(request) {
      const decision = await point.decide(request);
      return request.isForecast === true ? decision : recordDecision({ record, clock, ids }, request, decision);
    },
  };
}

/**
 * Writes a decision down before anybody can act on it, whoever made it: the policies, or a limit before they were asked.
 * @returns it; a no where it cannot be written down
 */
export async function recordDecision(ports: RecordPorts, request: DecisionRequest, decision: Decision): Promise<Decision> {
  try {
    await ports.record.write({ id: ports.ids.next('dc'), atMs: ports.clock.nowMs(), ...entryOf(request, decision) });
    return decision;
  } catch (error) {
    return { verdict: 'deny', reason: `the decision cannot be recorded: ${messageOf(error)}; nothing is done`, policies: [] };
  }
}

function entryOf(request: DecisionRequest, { verdict, reason, policies }: Decision): Omit<RecordedDecision, 'id' | 'atMs'> {
  const { actor, approval = null, ...asked } = request;
  return {
    actor: actor.name,
    actorKind: actor.kind,
    action: request.action,
    subject: subjectOf(request),
    component: componentOf(request),
    verdict,
    reason,
    policies,
    approval,
    asked: asked,
  };
}

/** What people say to a request, and what does not count: written down like a decision. */
export function answerEntry(
  answered: { readonly id: string; readonly component: string; readonly playbook: string; readonly action: GovernedAction },
  by: string,
  verdict: 'approved' | 'rejected' | 'refused',
  reason: string,
  claimedName: string | null = null,
): Omit<RecordedDecision, 'id' | 'atMs'> {
  return {
    actor: by,
    actorKind: by === 'grace' ? 'grace' : 'person',
    action: 'answer_approval',
    subject: answered.id,
    component: answered.component,
    verdict,
    reason,
    policies: [],
    approval: answered.id,
    asked: { action: answered.action, about: answered.playbook, ...(claimedName === null ? {} : { claimed_name: claimedName }) },
  };
}
