import type { Approval } from './approval.ts';
import type { Decision, DecisionRequest } from './decision.ts';

export interface ApprovalStore {
  save(approval: Approval): Promise<void>;
  /**
   * Reads, changes and writes with nobody in between: two people may answer at the same moment in two processes.
   * What `work` throws leaves it as it was. @returns null when there is none
   */
  change(id: string, work: (approval: Approval) => Approval): Promise<Approval | null>;
  get(id: string): Promise<Approval | null>;
  list(): Promise<readonly Approval[]>;
  byBinding(bindingHash: string): Promise<Approval | null>;
}

/** The one place that decides whether something that is governed may be done. */
export interface DecisionPoint {
  /** Never throws: what cannot be decided is denied, with the reason. */
  decide(request: DecisionRequest): Promise<Decision>;
}
