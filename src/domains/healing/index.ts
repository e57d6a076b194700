// Healing: from a captured failure to an applied, verified or undone playbook.
export type { Emit, GraceEvent } from './events.ts';
export { Healer, type AppliedRun, type HealerPorts, type HealResult, type Knowledge, type PlaybookLibrary } from './healer.ts';
export {
  Supervision,
  type BringUpResult,
  type CheckFailure,
  type CheckResult,
  type SupervisionPorts,
  type SupervisionSettings,
} from './supervision.ts';
export { registerShipped, syncPlaybooks } from './sync-playbooks.ts';
