import type { Clock, Files, JsonObject, Spawner } from '../../kernel/index.ts';
import type { ComponentSpec } from '../supervisor/index.ts';
import type { Finding, Severity } from './finding.ts';
import type { Machine } from './machine.ts';
import type { ImportGraphs } from './import-graph.ts';
import type { MigrationLooks } from './migration-ports.ts';
import type { AskServer } from './server-question.ts';
import type { SchemaLooks } from './schema-ports.ts';
import type { AskHttp, LintConfigFiles, ReadOpenApi, RunModule, ServiceView } from './ports.ts';
import type { PreflightSettings } from './settings.ts';

/** One look at the service before it runs. It changes nothing. */
export interface Check {
  /** Stable, snake_case: named in reports and in `preflight.skip`. */
  readonly name: string;
  /** For people: what it looks at. */
  readonly title: string;
  /** When it is reached, the check counts as broken and its signal is aborted. */
  readonly timeLimitMs: number;
  /**
   * `before_start`: a boot waits for it, and an error of it stops the boot; only for what the config asks for.
   * `beside_start`: it runs while the service starts, and stops nothing; an error of it is a NO-GO of `grace check` alone.
   * `when_ready`: the service is up and has passed its smoke checks. An error of it fails the boot, so it is one only where the
   * config asks for that. A dry run starts nothing, and leaves it out.
   */
  readonly when: 'before_start' | 'beside_start' | 'when_ready';
  /** What it means that the check itself broke or took too long; a warning unless said. */
  readonly severityWhenBroken?: Severity;
  /** False where there is nothing to look at: the check is then not reported. Cheap: it may `stat` a few files and loads nothing. */
  isNeeded(context: CheckContext): Promise<boolean>;
  /**
   * Everything its answer depends on, as one text; the answer to the same text is remembered, and `run` is not called. Left out where
   * the answer depends on what cannot be read beforehand.
   */
  inputs?(context: CheckContext): Promise<string>;
  run(context: CheckContext): Promise<readonly Finding[] | CheckAnswer>;
}

/** What some checks have to say beside what is wrong. */
export interface CheckAnswer {
  readonly findings: readonly Finding[];
  /** Of a check that counts: one line for people. */
  readonly summary?: string;
  /** The same for scripts. */
  readonly figures?: JsonObject;
  /** Components that it could not look at: their database did not answer. What is wrong with them may still be so. */
  readonly unseen?: readonly string[];
}

/** What a check may use. */
export interface CheckContext {
  readonly projectDir: string;
  /** Processes alone; what somebody else runs is in `dependencies`. */
  readonly components: readonly ComponentSpec[];
  readonly dependencies: readonly ComponentSpec[];
  readonly settings: PreflightSettings;
  /** Directories of Grace's own: never looked into. */
  readonly ownDirs: readonly string[];
  readonly clock: Clock;
  readonly files: Files;
  readonly spawner: Spawner;
  readonly lint: LintConfigFiles;
  readonly runModule: RunModule;
  readonly ask: AskHttp;
  readonly askServer: AskServer;
  readonly machine: Machine;
  readonly imports: ImportGraphs;
  readonly schemas: SchemaLooks;
  readonly migrations: MigrationLooks;
  readonly readOpenApi: ReadOpenApi;
  /** The service as it runs; null before it was started. */
  readonly service: ServiceView | null;
  /** Components that a smoke check is about. */
  readonly smokeTested: ReadonlySet<string>;
  /** Aborted when the time of the check is over, or Grace stops. */
  readonly signal: AbortSignal;
  environmentOf(spec: ComponentSpec): Promise<Readonly<Record<string, string>>>;
}

/** How one check went. */
export interface CheckReport {
  readonly name: string;
  readonly title: string;
  readonly when: Check['when'];
  readonly durationMs: number;
  /** Its inputs were those of an earlier boot, and so is the answer. */
  readonly isRemembered: boolean;
  readonly findings: readonly Finding[];
  /** False when it broke, took too long, or found more than a report holds: what it does not name may still be there. */
  readonly couldLook: boolean;
  /** Components that it could not look at, although it could look at others. */
  readonly unseen?: readonly string[];
  /** Absent where the check does not count. */
  readonly summary?: string;
  readonly figures?: JsonObject;
}
