import type { Clock, Ids, Logger } from '../../kernel/index.ts';
import type { ApprovalStore, DecisionRecord, HealingLimits, LimitStore } from '../governance/index.ts';
import type { IncidentStore } from '../incidents/index.ts';
import type { Captured, CaseFile, Diagnosis, Suspect } from '../learning/index.ts';
import type { Journal, LoadedPlaybook, PlaybookStore, PrimitiveContext, RemedyStep } from '../playbooks/index.ts';
import type { Snapshots } from '../snapshots/index.ts';
import type { ComponentSpec } from '../supervisor/index.ts';
import type { PolicyPorts } from './authorize.ts';
import type { EarnedAutonomy } from './earned-autonomy.ts';
import type { Emit } from './events.ts';
import type { Knowledge } from './knowledge.ts';
import type { RunLimits } from './run-limits.ts';
import type { Shadow } from './shadow.ts';

/** Playbook files: written, read back and loaded. Loading trusts nothing: the code of a file runs elsewhere. */
export interface PlaybookLibrary {
  /** @returns where it was written and the hash of its bytes */
  write(name: string, source: string): Promise<{ readonly file: string; readonly hash: string }>;
  /**
   * What is run later is what was hashed here, also when the file has changed by then.
   * @throws PlaybookInvalid when it does not compile or is not a playbook
   */
  load(file: string): Promise<{ readonly playbook: LoadedPlaybook; readonly hash: string }>;
  /** Null when the file is gone. */
  hash(file: string): Promise<string | null>;
  /** Files in the folder, whether registered or not. */
  files(): Promise<readonly string[]>;
}

/** What is different from when all was well, and what is known from people. */
export interface WhatChanged {
  /** The most suspicious first. */
  readonly suspects: readonly Suspect[];
  /** What a person did about this very failure before. */
  readonly lessons: readonly string[];
}

export interface HealerPorts extends PolicyPorts {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly incidents: IncidentStore;
  readonly playbooks: PlaybookStore;
  readonly approvals: ApprovalStore;
  readonly decisions: DecisionRecord;
  readonly journal: Journal;
  readonly limits: LimitStore;
  readonly limitSettings: HealingLimits;
  /** How long runs and their steps may take; what they usually may unless given. */
  readonly runLimits?: RunLimits;
  readonly library: PlaybookLibrary;
  /** Loaded when something is about to be changed. */
  snapshots(): Promise<Snapshots>;
  /** What would have been done where it may not be. */
  readonly shadow: Pick<Shadow, 'note'>;
  readonly autonomy: Pick<EarnedAutonomy, 'judge'>;
  /** Loaded when the first failure needs it: most boots never do. */
  knowledge(): Promise<Knowledge>;
  readonly emit: Emit;
  /** Where a person runs `grace`: commands are told for that place. */
  readonly projectDir: string;
  caseFile(captured: Captured, component: ComponentSpec, attempts: readonly string[]): Promise<CaseFile>;
  /** Looks at everything that may have changed, and keeps it, before anything is done about the failure. Never throws. */
  whatChanged(captured: Captured, c: CaseFile): Promise<WhatChanged>;
  /**
   * Keeps how the world differs now, as the test that a playbook is born with; absent where none is kept. Never throws.
   * @param steps  those of the playbook, which is just written
   */
  recordFailure?(
    playbook: string,
    captured: Captured,
    component: ComponentSpec,
    steps: readonly RemedyStep[],
    diagnosis: Pick<Diagnosis, 'family' | 'cause'>,
  ): Promise<void>;
  primitiveContext(component: ComponentSpec, signal: AbortSignal, progress: (text: string) => void): PrimitiveContext;
}
