// Boot: the eight stages, from nothing to a service that is watched. `pipeline` states their order once.
export { type BootContext, type CoreChecks, type Stage, type StageOutcome } from './boot-context.ts';
export { BOOT_PLANS, type BootMode, type BootPlan } from './boot-plan.ts';
export { LAYERS, type LayerReport } from './layers.ts';
export { renderReport, runPipeline, type PipelineOptions } from './pipeline.ts';
export type { BootRecord, BootStore } from './ports.ts';
export {
  reportedFailure,
  type BootReport,
  type ComponentReport,
  type ReportedFailure,
  type StageReport,
  type StageResultKind,
} from './report.ts';
export { validateAgain, validateAnswered, type ValidationPorts } from './continuous-validation.ts';
export { runSchedules, type ScheduleReport, type SchedulePorts, type ScheduleTimes } from './schedules.ts';
