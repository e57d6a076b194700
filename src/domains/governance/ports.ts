import type { Approval } from './approval.ts';
import type { Decision, DecisionRequest } from './decision.ts';

export interface ApprovalStore {
  save(approval: Approval): Promise<void>;
  get(id: string): Promise<Approval | null>;
  list(): Promise<readonly Approval[]>;
  byBinding(bindingHash: string): Promise<Approval | null>;
}

/** The one place that decides whether a playbook may run. */
export interface DecisionPoint {
  /** Never throws: what cannot be decided is denied, with the reason. */
  decide(request: DecisionRequest): Promise<Decision>;
}
