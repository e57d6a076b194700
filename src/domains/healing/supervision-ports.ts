import type { BootId, Clock, Files, Ids, Logger, Spawner } from '../../kernel/index.ts';
import type { ApprovalStore, LimitStore } from '../governance/index.ts';
import type { Prober, SmokeSpec } from '../health/index.ts';
import type { Fact } from '../incidents/index.ts';
import type { Captured, CapturePorts, CaseFile } from '../learning/index.ts';
import type { HostView, PlaybookStore } from '../playbooks/index.ts';
import type { ComponentSpec, Launch, ProcessHost, ProcessStore } from '../supervisor/index.ts';
import type { Emit } from './events.ts';
import type { Knowledge } from './knowledge.ts';

export interface SupervisionPorts {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly files: Files;
  readonly spawner: Spawner;
  readonly logger: Logger;
  readonly host: ProcessHost;
  readonly view: HostView;
  readonly prober: Prober;
  readonly processes: ProcessStore;
  readonly approvals: ApprovalStore;
  readonly limits: LimitStore;
  readonly playbooks: PlaybookStore;
  readonly capture: CapturePorts;
  knowledge(): Promise<Knowledge>;
  readonly emit: Emit;
  /** Command line, environment and limits for the next start, with what was learned. */
  launchOf(spec: ComponentSpec): Promise<Launch & { readonly specHash: string; readonly skip: boolean }>;
  /** How long a component took to get ready at the last verified boot; null when there was none. */
  usualStartMs(component: string): Promise<number | null>;
  /** Files that differ from the last good boot, most suspicious first; the few that are worth watching. */
  suspectFiles(spec: ComponentSpec): Promise<readonly string[]>;
  caseFile(captured: Captured, component: ComponentSpec, attempts: readonly string[]): Promise<CaseFile>;
}

export interface SupervisionSettings {
  readonly bootId: BootId;
  readonly components: readonly ComponentSpec[];
  readonly smoke: readonly SmokeSpec[];
  readonly projectDir: string;
  readonly maxHealingAttempts: number;
  readonly hold: 'auto' | 'always' | 'never';
  /** Looks and tells, changes nothing and remembers nothing. */
  readonly isDryRun: boolean;
  /** How long a dependency may take after its start command. */
  dependencyStartMs(name: string): number;
  /** How long a boot waits for a dependency that nobody here may start; null: for ever. */
  dependencyWaitMs(name: string): number | null;
}

export type BringUpResult =
  | { readonly state: 'ready'; readonly tookMs: number; readonly wasAdopted: boolean }
  | { readonly state: 'skipped'; readonly reason: string }
  | { readonly state: 'completed' }
  | { readonly state: 'failed'; readonly captured: Captured; readonly cause: string };

/** How a restart that a person asked for went; `detail` is for that person. */
export interface RestartResult {
  readonly state: 'ready' | 'failed' | 'busy';
  readonly detail: string;
}

/** What a check of a stage found wrong with a component. */
export interface CheckFailure {
  readonly message: string;
  readonly facts: readonly Fact[];
  /** False when the boot may go on without it. */
  readonly mustPass: boolean;
}

export type CheckResult =
  | { readonly state: 'passed'; readonly fixes: readonly string[] }
  | {
      readonly state: 'failed';
      readonly cause: string;
      /** What the check itself saw. */
      readonly seen: string;
      readonly advice: readonly string[];
      readonly fixes: readonly string[];
      /** Something else acted on the component, so that nothing was tried: it is to be looked at again. */
      readonly isBusy?: boolean;
      /** What people were asked for. */
      readonly approval?: string | null;
      /** Whether a playbook has run for it, and did not help. */
      readonly wasTried?: boolean;
    };
