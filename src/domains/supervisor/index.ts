// Supervisor: what is started, in which order, and how often again.
export type { ComponentSpec, LimitsSpec, ProcessIdentity, RestartSpec, StopSpec } from './component.ts';
export { BEAT_MS, beatAt } from './beat.ts';
export { layersOf } from './layers.ts';
export { RestartIntensity, type RestartVerdict } from './restart-intensity.ts';
export type {
  ExitInfo,
  LaunchRequest,
  LaunchResult,
  ProcessHandle,
  ProcessHost,
  ProcessPulse,
  ProcessRecord,
  ProcessStore,
  ProcessVitals,
} from './ports.ts';
export { ComponentRunner, type Launch, type Problem, type RunnerPorts, type StartOutcome } from './component-runner.ts';
