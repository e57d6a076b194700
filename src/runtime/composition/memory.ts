import { join } from 'node:path';
import { nodeClock } from '../../adapters/node/clock.ts';
import {
  failedStateStore,
  lastGoodStore,
  overrideStore,
  processStore,
  snapshotStore,
  type OpenedStore,
  type SnapshotStore,
} from '../../adapters/store/index.ts';
import type { Emit } from '../../domains/healing/index.ts';
import type { Redactor } from '../../domains/incidents/index.ts';
import type { FailedStateStore, LastGoodStore } from '../../domains/learning/index.ts';
import type { Overrides } from '../../domains/playbooks/index.ts';
import type { ProcessStore } from '../../domains/supervisor/index.ts';
import { GraceError, messageOf, type Logger } from '../../kernel/index.ts';
import { Audit } from '../audit.ts';
import type { GraceConfig } from '../config/index.ts';
import { repositories, type Repositories } from '../repositories.ts';

export interface MemoryOptions {
  readonly config: Pick<GraceConfig, 'name' | 'dataDir'>;
  readonly store: OpenedStore;
  readonly redactor: Redactor;
  /** Who does what says no name itself. */
  readonly actor: string;
  /** The store is a copy that goes away: nothing of what is decided is written into a log. */
  readonly isCopy: boolean;
  readonly logger: Logger;
  readonly emit: Emit;
}

/** Grace's own memory over an opened store, which whoever opened it closes after this. */
export interface Memory {
  /** Null for a copy. */
  readonly audit: Audit | null;
  readonly repos: Repositories;
  readonly overrides: Overrides;
  readonly snapshots: SnapshotStore;
  readonly lastGood: LastGoodStore;
  readonly failedStates: FailedStateStore;
  readonly processes: ProcessStore;
  /** Waits for the entries of the audit log that are on their way. */
  close(): Promise<void>;
}

export function openMemory(options: MemoryOptions): Memory {
  const { store, redactor } = options;
  const audit = options.isCopy ? null : openAudit(options);
  return {
    audit,
    repos: redacted(repositories(store, audit, options.actor), redactor),
    overrides: overrideStore(store.db),
    snapshots: snapshotStore(store.db),
    lastGood: lastGoodStore(store.db),
    failedStates: failedStateStore(store.db),
    processes: processStore(store.db),
    async close() {
      await audit?.close();
    },
  };
}

/** Nothing reaches the store or a playbook before it went through the redactor, whoever wrote it. */
function redacted(stored: Repositories, redactor: Redactor): Repositories {
  return {
    ...stored,
    incidents: {
      ...stored.incidents,
      saveExplanation: (e) => stored.incidents.saveExplanation(redactor.redactDeep(e)),
      savePattern: (p) => stored.incidents.savePattern(redactor.redactDeep(p)),
    },
    missions: {
      ...stored.missions,
      // Its key is made of words that were redacted, and stays the same whatever is done to it.
      save: (m, was) => stored.missions.save({ ...redactor.redactReport(m), key: m.key }, was),
    },
    shadows: { ...stored.shadows, save: (r) => stored.shadows.save(redactor.redactDeep(r)) },
    approvals: { ...stored.approvals, save: (a) => stored.approvals.save(redactor.redactDeep(a)) },
    decisions: { ...stored.decisions, write: (entry) => stored.decisions.write(redactor.redactDeep(entry)) },
    journal: {
      ...stored.journal,
      write: (entry) => stored.journal.write({ ...entry, summary: redactor.redact(entry.summary) }),
    },
  };
}

/** The log of this Grace; that it takes no entries is told where all that happens is. */
function openAudit({ config, logger, emit, redactor }: MemoryOptions): Audit {
  return new Audit({
    path: join(config.dataDir, 'grace.db'),
    service: config.name,
    clock: nodeClock,
    redactor,
    onTrouble(error) {
      const text = redactor.redact(messageOf(error));
      logger.error('the audit log takes no entries', { error: text });
      const hint = error instanceof GraceError && error.hint !== undefined ? `\n  ${error.hint}` : '';
      emit({
        type: 'notice',
        level: 'error',
        text: `${text}: no playbook acts and nothing is decided until it does; the service is looked after${hint}`,
      });
    },
  });
}
