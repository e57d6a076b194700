import { statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { nodeClock } from '../../adapters/node/clock.ts';
import { lockHolder } from '../../adapters/node/instance-lock.ts';
import { openStore, type OpenedStore } from '../../adapters/store/index.ts';
import { registerShipped } from '../../domains/healing/index.ts';
import { membersOf } from '../../domains/incidents/index.ts';
import type { HealthScore, Suggestion } from '../../domains/learning/index.ts';
import { findConfigFile, loadConfig, type GraceConfig } from '../../runtime/config/index.ts';
import { repositories, type Repositories } from '../../runtime/repositories.ts';
import { knownPatterns, scoreOf, suggestionsOf } from '../../runtime/track-record.ts';
import { InputInvalid, MemoryClosed } from './errors.ts';
import type { MemoryOptions, FailureInput, RecordedFailure, GenerateOptions, GeneratedPlaybook, KnownPattern, Memory } from './contract.ts';
import type { Workshop } from './workshop.ts';

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
    await (await this.workshop?.catch(() => null))?.close();
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
