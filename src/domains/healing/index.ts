// Healing: from a captured failure to an applied, verified or undone playbook.
export type { Emit, GraceEvent } from './events.ts';
export { Healer, type AppliedRun, type HealResult } from './healer.ts';
export type { HealerPorts, Knowledge, PlaybookLibrary, WhatChanged } from './healer-ports.ts';
export type { PolicyPorts } from './authorize.ts';
export { PeopleLearner, type LessonStore, type PeopleLearnerPorts } from './learn-from-people.ts';
export { EarnedAutonomy, standingsOf, type StandingPorts } from './earned-autonomy.ts';
export { Shadow, type ShadowPorts } from './shadow.ts';
export { Supervision } from './supervision.ts';
export type { BringUpResult, CheckFailure, CheckResult, SupervisionPorts, SupervisionSettings } from './supervision-ports.ts';
export { registerShipped, syncPlaybooks } from './sync-playbooks.ts';
export { propose, type Proposal } from './propose.ts';
