// The public API of grace-runtime, named export by named export. test/public-api.test.ts lists it: growing it is a decision.
export { definePlaybook } from './domains/playbooks/index.ts';
export type { Playbook, PlaybookContext, PlaybookMatch, PlaybookVerify, PrimitiveParams, StepResult } from './domains/playbooks/index.ts';
export type { AutonomyTier, Risk } from './domains/governance/index.ts';
export type { GraceConfigFile } from './runtime/config/index.ts';
export { generatePlaybook, healthScore, openMemory, patterns, recordFailure, suggestions } from './apps/library/index.ts';
export type {
  FailureInput,
  GeneratedPlaybook,
  GenerateOptions,
  KnownPattern,
  Memory,
  MemoryOptions,
  RecordedFailure,
} from './apps/library/contract.ts';
export { registerRoutes } from './apps/library/routes/register-routes.ts';
export type { ReportedFailure } from './domains/boot/index.ts';
export type { SuggestedCommand } from './domains/incidents/index.ts';
export type { HealthScore, Suggestion } from './domains/learning/index.ts';
export { GraceError } from './kernel/index.ts';
