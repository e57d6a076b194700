import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { nodeClock } from '../../adapters/node/clock.ts';
import { lockHolder } from '../../adapters/node/instance-lock.ts';
import { openStore, type OpenedStore } from '../../adapters/store/index.ts';
import type { ReportedFailure } from '../../domains/boot/index.ts';
import type { AutonomyTier, Risk } from '../../domains/governance/index.ts';
import { registerShipped } from '../../domains/healing/index.ts';
import { membersOf, type Pattern } from '../../domains/incidents/index.ts';
import type { HealthScore, Suggestion } from '../../domains/learning/index.ts';
import type { JsonObject } from '../../kernel/index.ts';
import { findConfigFile, loadConfig, type GraceConfig } from '../../runtime/config/index.ts';
import { repositories, type Repositories } from '../../runtime/repositories.ts';
import { knownPatterns, scoreOf, suggestionsOf } from '../../runtime/track-record.ts';
import { InputInvalid, MemoryClosed } from './errors.ts';
import type { Workshop } from './workshop.ts';

export interface MemoryOptions {
  /** The service's folder, where `grace up` is run. Default: the working directory. */
  readonly directory?: string | undefined;
  /** Where Grace keeps its data, relative to `directory`. Default: as the configuration says, else `.grace`. */
  readonly dataDir?: string | undefined;
  /** Config file, relative to `directory`. Default: `grace.config.*` there, if any. */
  readonly config?: string | undefined;
}

export interface FailureInput {
  /** Where in the life of the service: `Import orders`, or a stage of the boot such as `6. Autonomy Load`. */
  readonly stage: string;
  /** Default: the one Grace started this process as, or the only one of the configuration. */
  readonly component?: string | undefined;
  /** Whatever was thrown; its stack and its causes are read. */
  readonly error?: unknown;
  /** One line: what happened. Default: the message of `error`, or the first line of `output`. */
  readonly message?: string | undefined;
  /** What the failing program wrote. */
  readonly output?: string | undefined;
  readonly exitCode?: number | undefined;
  /** Anything that helps to understand it. Secrets are taken out. */
  readonly context?: JsonObject | undefined;
}

export interface RecordedFailure {
  /** Id of the incident: `grace explain <incident>`. */
  readonly incident: string;
  /** Never seen before. */
  readonly isNew: boolean;
  readonly signature: string;
  /** One sentence. */
  readonly cause: string;
  /** The playbook for it; it may still have to be written. Null where nobody but a person can help. */
  readonly suggestedPlaybook: string | null;
  readonly explanation: ReportedFailure;
}

export interface GenerateOptions {
  /** Write it into the playbook folder and register it. Default: only show it. */
  readonly write?: boolean | undefined;
}

export interface GeneratedPlaybook {
  readonly name: string;
  /** TypeScript. */
  readonly source: string;
  /** Where it lies; null when it was not written. */
  readonly file: string | null;
}

/** A family of failures, with what mends it. */
export interface KnownPattern extends Pattern {
  /** Of its playbook; null without one. */
  readonly risk: Risk | null;
  readonly tier: AutonomyTier | null;
  /** Incidents that people merged into it. */
  readonly merged: readonly string[];
}

/** What Grace remembers of a service. All of it is redacted. */
export interface Memory extends AsyncDisposable {
  /** Remembers, recognises and explains a failure; nothing is done about it. */
  recordFailure(failure: FailureInput): Promise<RecordedFailure>;
  /** The playbook of an incident as TypeScript; written only when asked. */
  generatePlaybook(incident: string, options?: GenerateOptions): Promise<GeneratedPlaybook>;
  /** How well the last ten boots went, and why. */
  healthScore(): Promise<HealthScore>;
  /** Every family of failures that was seen, the one seen last first. */
  patterns(): Promise<readonly KnownPattern[]>;
  /** What would be worth doing, most worthwhile first. */
  suggestions(): Promise<readonly Suggestion[]>;
  /** Waits for what is still being done. May be called twice. */
  close(): Promise<void>;
}

export async function openMemory(options: MemoryOptions): Promise<Memory> {
  const config = await configOf(options);
  const file = join(config.dataDir, 'grace.db');
  return new OpenMemory(config, file, await shareStore(file));
}

/**
 * Stores that are open in this process, by file. One connection each: SQLite lets a second one wait without letting the
 * first go on when both are in one thread.
 */
const shared = new Map<string, { users: number; readonly opening: Promise<OpenedStore> }>();

async function shareStore(file: string): Promise<OpenedStore> {
  const entry = shared.get(file) ?? { users: 0, opening: openWhole(file) };
  shared.set(file, entry);
  entry.users++;
  try {
    return await entry.opening;
  } catch (error) {
    shared.delete(file);
    throw error;
  }
}

async function releaseStore(file: string): Promise<void> {
  const entry = shared.get(file);
  if (entry === undefined || --entry.users > 0) return;
  shared.delete(file);
  (await entry.opening).close();
}

/** A store that is made here is as complete as one that a boot has made. */
async function openWhole(file: string): Promise<OpenedStore> {
  const store = await openStore(file);
  try {
    if (store.isNew) {
      const { shippedPlaybooks } = await import('../../catalog/playbooks/index.ts');
      await registerShipped(shippedPlaybooks, repositories(store).playbooks, nodeClock);
    }
    return store;
  } catch (error) {
    store.close();
    throw error;
  }
}

class OpenMemory implements Memory {
  private readonly config: GraceConfig;
  private readonly file: string;
  private readonly store: OpenedStore;
  private readonly known: Repositories;
  private workshop: Promise<Workshop> | null = null;
  private readonly working = new Set<Promise<unknown>>();
  private isClosed = false;

  constructor(config: GraceConfig, file: string, store: OpenedStore) {
    this.config = config;
    this.file = file;
    this.store = store;
    this.known = repositories(store);
  }

  recordFailure(failure: FailureInput): Promise<RecordedFailure> {
    return this.work(async () => (await this.opened()).record(failure));
  }

  generatePlaybook(incident: string, { write = false }: GenerateOptions = {}): Promise<GeneratedPlaybook> {
    return this.work(async () => (await this.opened()).generate(incident, write));
  }

  healthScore(): Promise<HealthScore> {
    return this.work(async () => (await scoreOf(this.known)).score);
  }

  patterns(): Promise<readonly KnownPattern[]> {
    return this.work(async () => {
      const playbooks = new Map((await this.known.playbooks.list()).map((p) => [p.name, p]));
      const rules = await this.known.groupingRules.list();
      const all = await this.known.incidents.patterns();
      return (await knownPatterns(this.known)).map((pattern) => {
        const playbook = pattern.playbook === null ? undefined : playbooks.get(pattern.playbook);
        const members = new Set(membersOf(pattern.signature, rules));
        const merged = all.filter((p) => members.has(p.signature)).map((p) => p.incidentId);
        return { ...pattern, risk: playbook?.risk ?? null, tier: playbook?.tier ?? null, merged };
      });
    });
  }

  suggestions(): Promise<readonly Suggestion[]> {
    return this.work(() => suggestionsOf(this.known, nodeClock.nowMs()));
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    await Promise.allSettled(this.working);
    await releaseStore(this.file);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Readers, families and primitives, loaded by the first failure that needs them. */
  private opened(): Promise<Workshop> {
    this.workshop ??= import('./workshop.ts').then(({ openWorkshop }) =>
      openWorkshop({
        config: this.config,
        store: this.store,
        isBesideGrace: () => lockHolder(this.config.dataDir) !== null,
      }),
    );
    return this.workshop;
  }

  private async work<T>(what: () => Promise<T>): Promise<T> {
    if (this.isClosed) throw new MemoryClosed();
    const doing = what();
    this.working.add(doing);
    try {
      return await doing;
    } finally {
      this.working.delete(doing);
    }
  }
}

/** What `grace up` would be told in that folder. A library has nothing to run, so a project without a start command will do. */
async function configOf({ directory = process.cwd(), dataDir, config }: MemoryOptions): Promise<GraceConfig> {
  const folder = resolve(directory);
  // A store made in a folder that was mistyped is one that nobody looks into.
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new InputInvalid(`${folder} is no folder`, 'give the folder of the service as directory');
  const asked = { directory: folder, configFile: config, environment: process.env, flags: { dataDir } };
  const hasFile = config !== undefined || findConfigFile(folder) !== null;
  if (hasFile) return loadConfig(asked);
  try {
    return await loadConfig(asked);
  } catch {
    return loadConfig({ ...asked, command: ['node'] });
  }
}
