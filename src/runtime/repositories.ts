import { nodeClock } from '../adapters/node/clock.ts';
import {
  approvalStore,
  bootStore,
  decisionStore,
  groupingRuleStore,
  incidentStore,
  journalStore,
  missionStore,
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
import type { MissionStore } from '../domains/missions/index.ts';
import type { Journal, PlaybookStore } from '../domains/playbooks/index.ts';
import type { Audit } from './audit.ts';
import { auditedCarries, auditedRepositories } from './audited-repositories.ts';
import { openLimits } from './limits.ts';

/** Repositories over an opened store: all that commands need which only look. */
export interface Repositories {
  readonly boots: BootStore;
  readonly incidents: IncidentStore;
  readonly playbooks: PlaybookStore;
  readonly journal: Journal;
  readonly approvals: ApprovalStore;
  readonly limits: LimitStore;
  readonly decisions: DecisionRecord;
  readonly missions: MissionStore;
  readonly modes: ModeStore;
  readonly requests: PersonRequestStore;
  readonly policyTexts: PolicyTextStore;
  readonly tierChanges: TierChangeStore;
  readonly shadows: ShadowStore;
  readonly groupingRules: GroupingRuleStore;
  readonly templates: TemplateStore;
}

/**
 * @param audit  what decides or acts is written into it, before it counts; null for those who look, or work with a copy
 * @param actor  who does what says no name itself
 */
export function repositories(store: OpenedStore, audit: Audit | null = null, actor = 'grace'): Repositories {
  const incidents = incidentStore(store.db);
  const looking = playbookStore(store.db);
  const texts = policyTextStore(store.db);
  const steps = journalStore(store.db);
  const carries =
    audit === null
      ? null
      : auditedCarries(store, audit, actor, {
          playbooks: looking,
          incidents,
          missions: missionStore(store.db),
          policyTexts: texts,
          steps: (run) => steps.entries(run),
        });
  const plain: Repositories = {
    boots: bootStore(store.db),
    incidents,
    playbooks: playbookStore(store.db, carries?.run, carries?.playbook),
    journal: journalStore(store.db, carries?.step),
    approvals: approvalStore(store.db, carries?.approval),
    limits: openLimits(store, nodeClock, carries?.breaker),
    decisions: decisionStore(store.db, undefined, carries?.decision),
    missions: missionStore(store.db, carries?.mission),
    modes: modeStore(store.db, carries?.mode),
    requests: personRequestStore(store.db, carries?.request),
    policyTexts: policyTextStore(store.db, carries?.policyText),
    tierChanges: tierChangeStore(store.db, carries?.tierChange),
    shadows: shadowStore(store.db),
    groupingRules: groupingRuleStore(store.db, carries?.groupingRule),
    templates: templateStore(store.db),
  };
  return audit === null ? plain : auditedRepositories(plain, audit, actor);
}
