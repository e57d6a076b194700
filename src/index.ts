// The public API of grace-runtime, named export by named export.
export { definePlaybook } from './domains/playbooks/index.ts';
export type { Playbook, PlaybookContext, PlaybookMatch, PlaybookVerify, StepResult } from './domains/playbooks/index.ts';
export type { AutonomyTier, Risk } from './domains/governance/index.ts';
export type { GraceConfigFile } from './runtime/config/index.ts';
