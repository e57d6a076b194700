import type { BootId, Clock, Files, JsonObject, Logger, Spawner } from '../../kernel/index.ts';
import type { Phase } from '../governance/index.ts';
import type { Emit, Supervision } from '../healing/index.ts';
import type { LeftBehind } from '../learning/index.ts';
import type { SmokeSpec } from '../health/index.ts';
import type { Check, CheckReport, Finding } from '../preflight/index.ts';
import type { HostView } from '../playbooks/index.ts';
import type { ComponentSpec } from '../supervisor/index.ts';
import type { BootMode } from './boot-plan.ts';
import type { StagePart } from './stage-parts.ts';

/** What the stages work with. */
export interface BootContext {
  readonly bootId: BootId;
  readonly service: string;
  readonly mode: BootMode;
  /** Checks alone: nothing is started, so that nothing else would tell. */
  readonly isDryRun: boolean;
  readonly projectDir: string;
  readonly dataDir: string;
  readonly components: readonly ComponentSpec[];
  readonly smoke: readonly SmokeSpec[];
  readonly clock: Clock;
  readonly files: Files;
  readonly spawner: Spawner;
  readonly logger: Logger;
  readonly view: HostView;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  readonly supervision: Supervision;
  readonly core: CoreChecks;
  readonly startedMonotonicMs: number;
  /** Ends the start of all components, as Ctrl-C does; the boot has failed then. */
  giveUp(reason: string): void;
  /** Starts what goes on while the service runs; stage 8 does. */
  startSchedules(): number;
  /** Filled by stage 1, used up by stage 4. */
  readonly guardFindings: Finding[];
  /** Filled as components come up. */
  readonly componentTimes: Map<
    string,
    {
      startedAfterMs: number;
      readyAfterMs: number | null;
      waitedFor: string | null;
      state: 'ready' | 'adopted' | 'failed' | 'skipped' | 'waiting';
    }
  >;
  /** What reconciliation found; it runs before the first stage. */
  readonly reconciled: {
    readonly adopted: readonly string[];
    readonly ended: readonly string[];
    readonly undone: readonly string[];
    readonly interrupted: readonly string[];
  };
}

/** Questions about Grace's own parts, answered by whoever wired them. */
export interface CoreChecks {
  /** Required tables that are not there; schema version found and expected. */
  storeSchema(): Promise<{
    readonly missing: readonly string[];
    readonly version: number;
    readonly expected: number;
    readonly isNew: boolean;
  }>;
  /** Writes, reads back and removes a row; throws when it cannot. @returns milliseconds */
  storeRoundTrip(text: string): Promise<{ readonly text: string; readonly ms: number }>;
  /** An event sent to itself; throws when it does not arrive. */
  meshRoundTrip(): Promise<number>;
  /** What keeps fixes from being recorded, and from being run; null for nothing. */
  spine(): Promise<{ readonly governance: string | null; readonly executor: string | null }>;
  /** Environment a component would be started with. */
  environmentOf(spec: ComponentSpec): Promise<Readonly<Record<string, string>>>;
  /** Migrations of the service's own database that are not applied; empty when all are or nobody can tell. */
  pendingMigrations(spec: ComponentSpec): Promise<readonly string[]>;
  /** Tables and columns that the present release wants, that its database lacks, and that can be added without losing anything. */
  schemaLacks(spec: ComponentSpec): Promise<{ readonly wantedBy: string; readonly names: readonly string[] } | null>;
  /** How many looks at the database of a component have failed so far: its server was away, full or slow, or refused the login. */
  failedLooks(spec: ComponentSpec): number;
  /** What a component's start command or its configuration names, and only the last good boot had. */
  missingNamed(spec: ComponentSpec): Promise<readonly string[]>;
  /** What the command or its configuration names, and another user keeps from the one who had it at the last good boot. */
  takenAway(spec: ComponentSpec): Promise<readonly string[]>;
  /** A configuration that leads away from the data of the last good boot. */
  dataLeftBehind(spec: ComponentSpec): Promise<LeftBehind | null>;
  /** Runs the pre-flight checks of one moment of the boot. */
  preflight(when: Check['when']): Promise<readonly CheckReport[]>;
  /** Asks the guards of everything learned so far. */
  guards(spec: ComponentSpec): Promise<readonly Finding[]>;
  /** Runs the playbook of a guard's finding. */
  runGuardFix(
    spec: ComponentSpec,
    finding: Finding,
    phase: Phase,
    signal: AbortSignal,
  ): Promise<{ readonly state: 'applied' | 'nothing_to_do' | 'failed' | 'waiting'; readonly detail: string }>;
  /** Reads the playbook folder: new and edited files are registered. */
  syncPlaybooks(): Promise<{ readonly known: number; readonly edited: readonly string[]; readonly broken: readonly Finding[] }>;
  metricsCatalog(): { readonly metrics: number; readonly rules: number };
  consoleEncoding(): 'utf-8' | 'ascii' | 'other';
}

export interface StageOutcome {
  readonly result: 'success' | 'failed' | 'warned' | 'skipped';
  readonly metrics: JsonObject;
  readonly findings: readonly Finding[];
  /** Each check that looked, with its time. */
  readonly checks?: readonly CheckReport[];
  /** Its parts, with their times, in order. */
  readonly parts?: readonly StagePart[];
  readonly fixes: readonly string[];
  /** Why it failed, for people; null when it did not. */
  readonly failure: string | null;
  /** One line for the live view. */
  readonly detail: string;
}

export interface Stage {
  readonly number: number;
  readonly name: string;
  /** What its failure does to the boot. */
  readonly onFailure: 'abort' | 'continue';
  run(context: BootContext): Promise<StageOutcome>;
}

export function stageTitle(stage: Pick<Stage, 'number' | 'name'>): string {
  return `${stage.number}. ${stage.name}`;
}

/** What a check of a component came to: what to do about it, and what was seen where that says more than the cause. */
export function failedCheck(
  code: string,
  component: string,
  failed: { readonly cause: string; readonly seen: string; readonly advice: readonly string[] },
): Finding {
  const evidence = failed.seen === failed.cause ? [] : [failed.seen];
  return finding('error', code, component, failed.cause, failed.advice[0] ?? 'see: grace explain', evidence);
}

/** A finding without the parts most do not have. */
export function finding(
  severity: Finding['severity'],
  code: string,
  component: string,
  message: string,
  hint: string,
  evidence: readonly string[] = [],
): Finding {
  return { severity, code, component, message, hint, evidence, fix: null };
}
