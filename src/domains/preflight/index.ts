// Pre-flight: what is wrong before anything is started. A check looks and changes nothing; what it sees is a finding.
// `run-checks` runs them side by side, each within its own time; the checks themselves are in the catalog.
export type { Check, CheckAnswer, CheckContext, CheckReport } from './check.ts';
export type { MigrationLook, MigrationLooks } from './migration-ports.ts';
export type { Finding, FindingFix, FindingPlace, Severity } from './finding.ts';
export type { Allowance, FileSystem, Machine, RunningProcess } from './machine.ts';
export type {
  EngineProblem,
  ImportGraph,
  ImportGraphs,
  ImportOrder,
  ImportPlace,
  ImportProblem,
  ImportProblemKind,
  NativeProblem,
} from './import-graph.ts';
export type {
  AskHttp,
  ConfigFormat,
  ConfigText,
  HttpQuestion,
  LintConfigFiles,
  ModuleAnswer,
  ModuleIssue,
  ModuleOrder,
  OpenApiAnswer,
  ReadOpenApi,
  RunningComponent,
  RunModule,
  ServiceView,
  TextProblem,
} from './ports.ts';
export type { AskServer, ServerAnswer, ServerFailure, ServerProtocol, ServerQuestion } from './server-question.ts';
export { runChecks, type CheckMemory } from './run-checks.ts';
export {
  askedPaths,
  compareRoutes,
  expectedRoute,
  isAnswer,
  ROUTE_CHARS_MAX,
  ROUTES_MAX,
  routeText,
  shareOf,
  shareText,
  type ExpectedRoute,
  type RegisteredRoute,
  type RegisteredRoutes,
  type Registration,
} from './routes.ts';
export type { DependencyClaim, ModuleRef, OpenApiRef, OwnCheckSpec, PreflightSettings, RegistrationSettings } from './settings.ts';
export type { ApplyMigrations, MigrationsApplied, MigrationsOrder, SchemaLook, SchemaLooks, SchemaSource } from './schema-ports.ts';
