// Configuration: what Grace was told, by whom, and what that means. The config file is read (load), what the project
// says about itself is worked out (detect), everything is checked in one pass (validate), environment and flags are put
// on top, and one frozen GraceConfig comes out (resolve). Defaults exist in defaults.ts, and where
// they are worked out in resolve*.ts, and nowhere else.
export type {
  AuditConfig,
  BootConfig,
  BootMode,
  ConfigFlags,
  DependencyWait,
  GraceConfig,
  HealingConfig,
  LogLevel,
  MonitorConfig,
  SmokeSpec,
} from './grace-config.ts';
export type { CommandFile, ComponentFile, DependencyFile, GraceConfigFile, ProbeFile, SmokeFile } from './schema.ts';
export { ConfigInvalid, type Mistake } from './mistakes.ts';
export { findConfigFile, type LoadedFile } from './load.ts';
export { ENVIRONMENT_NAMES, type EnvironmentName, type EnvironmentSettings } from './environment.ts';
export type { Origin, Provenance, Source } from './origin.ts';
export { loadConfig, type ConfigRequest } from './load-config.ts';
export { detectProject, type ComponentDetection, type DetectedProject } from './detect.ts';
export type { Found, Language } from './detect-command.ts';
export { explainConfig, explainText, type ExplainedSetting } from './explain.ts';
export { renderConfigFile } from './write-init.ts';
