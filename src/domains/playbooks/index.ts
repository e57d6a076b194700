// Playbooks: what may be done about a failure. A playbook is steps; a step asks for a primitive; a primitive looks,
// keeps its undo, and acts. The journal survives a crash, so that nothing is done twice or left half done.
export { PlaybookCutOff, PlaybookInvalid, PrimitiveMisuse, WorkTreeStuck } from './errors.ts';
export {
  definePlaybook,
  type JournalEntry,
  type JournalState,
  type LoadedPlaybook,
  type Playbook,
  type PlaybookContext,
  type PlaybookHead,
  type PlaybookMatch,
  type PlaybookResult,
  type PlaybookVerify,
  type RemedyStep,
  type RunContext,
  type StepResult,
} from './playbook.ts';
export type { PrimitiveParams } from './primitive-params.ts';
export type {
  ComponentOverrides,
  DatabaseRepair,
  Sealing,
  LastGood,
  LastGoodEntry,
  Overrides,
  Primitive,
  PrimitiveContext,
  PrimitivePlan,
  PrimitiveResult,
  ProcessControl,
  RecentFailure,
} from './primitive.ts';
export type { DroppedCall, ModuleCalls, ReadModules } from './module-calls.ts';
export type { CommitChange, WorkTree, WorkTrees } from './work-tree.ts';
export { observeTargets } from './observe-targets.ts';
export { reachesOut } from './project-script.ts';
export { USUAL_PATH, type HostView, type PackageState, type PortHolder, type ProcessView, type SchemaDrift } from './host-view.ts';
export { planRun, type PlannedRun, type PlannedStep } from './plan-run.ts';
export { isInPlace, remainsOf, undoRun, type UndoOutcome } from './undo-run.ts';
export {
  executePlaybook,
  type ExecuteOptions,
  type ExecuteOutcome,
  type Journal,
  type StepLimits,
  type StepState,
} from './execute-playbook.ts';
export {
  SEVERITY,
  type AttemptScope,
  type PlaybookRun,
  type PlaybookStore,
  type RegisteredPlaybook,
  type RunState,
  type UndoEnd,
} from './registry.ts';
