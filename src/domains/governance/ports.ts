import type { Approval } from './approval.ts';
import type { Decision, DecisionRequest } from './decision.ts';
import type { RecordedDecision } from './decision-record.ts';

export interface ApprovalStore {
  save(approval: Approval): Promise<void>;
  /**
   * Reads, changes and writes with nobody in between: two people may answer at the same moment in two processes.
   * What `work` throws leaves it as it was; it is called again when somebody was faster.
   * @param answer  who said what, written down with it or not at all
   * @returns null when there is none
   */
  change(id: string, work: (approval: Approval) => Approval, answer?: RecordedDecision | null): Promise<Approval | null>;
  /** Notes, once for each, that nobody answered in time. @returns those it is new of */
  expire(nowMs: number): Promise<readonly Approval[]>;
  get(id: string): Promise<Approval | null>;
  /** Those whose time ends after this moment, whatever people have said to them; oldest first. */
  endingAfter(ms: number): Promise<readonly Approval[]>;
  list(): Promise<readonly Approval[]>;
  byBinding(bindingHash: string): Promise<Approval | null>;
}

/** The one place that decides whether something that is governed may be done. */
export interface DecisionPoint {
  /** Never throws: what cannot be decided is denied, with the reason. */
  decide(request: DecisionRequest): Promise<Decision>;
}
