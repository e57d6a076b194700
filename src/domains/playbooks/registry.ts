import type { JsonObject } from '../../kernel/index.ts';
import type { AutonomyTier, Risk } from '../governance/index.ts';
import type { RemedyStep } from './playbook.ts';

/** A playbook as the store knows it: which file, which bytes, and how it has done so far. */
export interface RegisteredPlaybook {
  readonly name: string;
  readonly description: string;
  readonly risk: Risk;
  readonly tier: AutonomyTier;
  /** `boot_pipeline`, or the service it belongs to. */
  readonly service: string;
  /** From the risk: low → info, medium → warning, high → error, critical → critical. */
  readonly severity: string;
  readonly version: number;
  /** SHA-256 of the file. Another hash is another version, and loses earned trust. */
  readonly hash: string;
  readonly file: string;
  /** `learned`: made of what a person did by hand; offered, and never run before it was approved. */
  readonly origin: 'generated' | 'edited' | 'written' | 'shipped' | 'learned';
  /** Catalog family whose guard and diagnosis go with it. */
  readonly family: string | null;
  readonly signature: string | null;
  readonly component: string | null;
  readonly params: JsonObject;
  /** The steps it was generated from; empty when a person wrote it. */
  readonly steps: readonly RemedyStep[];
  readonly isEnabled: boolean;
  readonly createdAtMs: number;
  readonly verifiedCount: number;
  readonly failedCount: number;
}

/**
 * `running` → `applied` → `verified`, which becomes `relapsed` when the failure is back within the stability window.
 * `inconclusive`: it acted, and nothing could tell whether it helped. `undoing` → `undone`, or `failed` when something could not be
 * put back. `refused`: it changed nothing. `interrupted`: a crash of Grace cut it off, and it was undone.
 */
export type RunState =
  | 'running'
  | 'applied'
  | 'verified'
  | 'relapsed'
  | 'inconclusive'
  | 'undoing'
  | 'undone'
  | 'failed'
  | 'refused'
  | 'interrupted';

/** Whose tries a run counts to: those of the process, of a check of a stage, or none, since it prevented a failure or was asked for. */
export type AttemptScope = 'process' | `check ${string}` | 'prevention' | 'person';

export interface PlaybookRun {
  readonly id: string;
  readonly playbook: string;
  readonly hash: string;
  readonly component: string;
  readonly bootId: string;
  readonly signature: string | null;
  /** The failure it is for; null where it came before one. */
  readonly failureId: string | null;
  readonly scope: AttemptScope;
  /** How sure the diagnosis was, 0 to 1: a guess that did not help is taken back more easily. */
  readonly confidence: number;
  /** Whether the component is started again after it. */
  readonly restart: boolean;
  readonly state: RunState;
  readonly decision: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number | null;
  /** What it is once all of it is put back; decided before its undo begins, so that whoever goes on with that knows it too. */
  readonly endsAs?: UndoEnd;
}

/** `undone`: it did not help. `relapsed`: it seemed to have helped, and had not. `interrupted`: it was cut off, and shows nothing. */
export type UndoEnd = 'undone' | 'relapsed' | 'interrupted';

export interface PlaybookStore {
  get(name: string): Promise<RegisteredPlaybook | null>;
  list(): Promise<readonly RegisteredPlaybook[]>;
  save(playbook: RegisteredPlaybook): Promise<void>;
  /**
   * Stores a run, and with it, in one, what its playbook has to show: how often it was verified and how often it has failed.
   * @param why  of its state, for the audit log
   * @throws when a run that is about to act, or to be put back, cannot be recorded: then nothing may be done
   */
  saveRun(run: PlaybookRun, why?: string): Promise<void>;
  run(id: string): Promise<PlaybookRun | null>;
  runsIn(...states: readonly RunState[]): Promise<readonly PlaybookRun[]>;
  runsOf(bootId: string): Promise<readonly PlaybookRun[]>;
  /** Started since then, oldest first. */
  runsSince(ms: number): Promise<readonly PlaybookRun[]>;
}

export const SEVERITY: Readonly<Record<Risk, string>> = { low: 'info', medium: 'warning', high: 'error', critical: 'critical' };
