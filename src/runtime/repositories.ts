import { nodeClock } from '../adapters/node/clock.ts';
import {
  approvalStore,
  bootStore,
  decisionStore,
  groupingRuleStore,
  incidentStore,
  modeStore,
  personRequestStore,
  playbookStore,
  policyTextStore,
  shadowStore,
  templateStore,
  tierChangeStore,
  type OpenedStore,
} from '../adapters/store/index.ts';
import type { BootStore } from '../domains/boot/index.ts';
import type {
  ApprovalStore,
  DecisionRecord,
  LimitStore,
  ModeStore,
  PersonRequestStore,
  PolicyTextStore,
  TierChangeStore,
} from '../domains/governance/index.ts';
import type { GroupingRuleStore, IncidentStore } from '../domains/incidents/index.ts';
import type { ShadowStore, TemplateStore } from '../domains/learning/index.ts';
import type { PlaybookStore } from '../domains/playbooks/index.ts';
import { openLimits } from './limits.ts';

/** Repositories over an opened store: all that commands need which only look. */
export interface Repositories {
  readonly boots: BootStore;
  readonly incidents: IncidentStore;
  readonly playbooks: PlaybookStore;
  readonly approvals: ApprovalStore;
  readonly limits: LimitStore;
  readonly decisions: DecisionRecord;
  readonly modes: ModeStore;
  readonly requests: PersonRequestStore;
  readonly policyTexts: PolicyTextStore;
  readonly tierChanges: TierChangeStore;
  readonly shadows: ShadowStore;
  readonly groupingRules: GroupingRuleStore;
  readonly templates: TemplateStore;
}

export function repositories(store: OpenedStore): Repositories {
  return {
    boots: bootStore(store.db),
    incidents: incidentStore(store.db),
    playbooks: playbookStore(store.db),
    approvals: approvalStore(store.db),
    limits: openLimits(store, nodeClock),
    decisions: decisionStore(store.db),
    modes: modeStore(store.db),
    requests: personRequestStore(store.db),
    policyTexts: policyTextStore(store.db),
    tierChanges: tierChangeStore(store.db),
    shadows: shadowStore(store.db),
    groupingRules: groupingRuleStore(store.db),
    templates: templateStore(store.db),
  };
}
