import { approvalStore, bootStore, groupingRuleStore, incidentStore, playbookStore, type OpenedStore } from '../adapters/store/index.ts';
import type { BootStore } from '../domains/boot/index.ts';
import type { ApprovalStore } from '../domains/governance/index.ts';
import type { GroupingRuleStore, IncidentStore } from '../domains/incidents/index.ts';
import type { PlaybookStore } from '../domains/playbooks/index.ts';

/** Repositories over an opened store: all that commands need which only look. */
export interface Repositories {
  readonly boots: BootStore;
  readonly incidents: IncidentStore;
  readonly playbooks: PlaybookStore;
  readonly approvals: ApprovalStore;
  readonly groupingRules: GroupingRuleStore;
}

export function repositories(store: OpenedStore): Repositories {
  return {
    boots: bootStore(store.db),
    incidents: incidentStore(store.db),
    playbooks: playbookStore(store.db),
    approvals: approvalStore(store.db),
    groupingRules: groupingRuleStore(store.db),
  };
}
