import type { Approval } from './approval.ts';

export interface ApprovalStore {
  save(approval: Approval): Promise<void>;
  get(id: string): Promise<Approval | null>;
  list(): Promise<readonly Approval[]>;
  byBinding(bindingHash: string): Promise<Approval | null>;
}
