// Healing: from a captured failure to an applied, verified or undone playbook.
export type { Emit, GraceEvent } from './events.ts';
export { Healer } from './healer.ts';
export type { HealerPorts, PlaybookLibrary, WhatChanged } from './healer-ports.ts';
export type { Knowledge } from './knowledge.ts';
export type { PolicyPorts } from './authorize.ts';
export { AnsweredApprovals, type AnsweredApprovalPorts } from './answered-approvals.ts';
export { askForApproval } from './ask-approval.ts';
export { PeopleLearner, type LessonStore, type PeopleLearnerPorts } from './learn-from-people.ts';
export { PersonRequests, type PersonRequestPorts } from './person-requests.ts';
export { EarnedAutonomy, standingsOf, type StandingPorts } from './earned-autonomy.ts';
export { Shadow, type ShadowPorts } from './shadow.ts';
export { knowsSteps } from './foresee.ts';
export { changesNoData } from './tier-of.ts';
export { Supervision } from './supervision.ts';
export type {
  BringUpResult,
  CheckFailure,
  CheckResult,
  RestartResult,
  SupervisionPorts,
  SupervisionSettings,
} from './supervision-ports.ts';
export { sweepOwnHalves } from './sweep-halves.ts';
export { registerShipped, syncPlaybooks } from './sync-playbooks.ts';
export { propose, type Proposal } from './propose.ts';
