import { accessSync, existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { codeOf } from '../../kernel/index.ts';
import { userName } from '../../adapters/node/user-name.ts';
import { openStore, processStore } from '../../adapters/store/index.ts';
import type { ProcessStore } from '../../domains/supervisor/index.ts';
import { actorOf } from '../../runtime/audit.ts';
import { auditBeside } from '../../runtime/audit-beside.ts';
import { repositories, type Repositories } from '../../runtime/repositories.ts';
import { ConfigInvalid, findConfigFile, loadConfig } from '../../runtime/config/index.ts';
import { tell, type Answer } from './answer.ts';
import { NothingBootedYet } from './errors.ts';

/** What Grace remembers of a service, opened for a command that looks at it. */
export interface Memory extends Repositories {
  readonly processes: ProcessStore;
  readonly dataDir: string;
  readonly nowMs: number;
}

export interface LookOptions {
  readonly config?: string;
  readonly dataDir?: string;
  readonly json?: boolean;
}

/**
 * Opens the store, asks, prints the answer. Looking never creates a store, and does without the parts that run services,
 * so that it answers at once.
 * @throws NothingBootedYet
 * @returns the exit code
 */
export async function look(options: LookOptions, ask: (memory: Memory) => Promise<Answer>): Promise<number> {
  const memory = await openMemory(await dataDirOf(options));
  try {
    return tell(await ask(memory), options.json === true);
  } finally {
    await memory.close();
  }
}

/** Not there; what may only not be looked at is for the store to say. */
function isMissing(file: string): boolean {
  try {
    accessSync(file);
    return false;
  } catch (error) {
    return codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';
  }
}

/** What is decided with it is written into the audit log, beside a Grace that may be running. */
export async function openMemory(dataDir: string): Promise<Memory & { close(): Promise<void> }> {
  const file = join(dataDir, 'grace.db');
  if (isMissing(file)) throw new NothingBootedYet(dataDir);
  const store = await openStore(file);
  const [lastBoot] = await repositories(store).boots.list(1);
  const audit = auditBeside(dataDir, lastBoot?.report.service ?? basename(dirname(dataDir)));
  const memory = {
    ...repositories(store, audit, actorOf(userName())),
    processes: processStore(store.db),
    dataDir,
    nowMs: Date.now(),
    async close() {
      await audit.close();
      store.close();
    },
  };
  // A service that uses the library has failures before its first boot under Grace.
  if (lastBoot === undefined && (await memory.incidents.patterns()).length === 0) {
    store.close();
    throw new NothingBootedYet(dataDir);
  }
  return memory;
}

/**
 * Where `grace up` would keep its data. A config with a mistake is not in the way of asking what went wrong: the store is
 * then looked for where it is by default.
 * @throws ConfigInvalid when the store is not there either, or the named config does not exist
 */
export async function dataDirOf(
  options: LookOptions,
  directory = process.cwd(),
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<string> {
  const configFile = options.config === undefined ? findConfigFile(directory) : resolve(directory, options.config);
  const projectDir = configFile === null ? directory : dirname(configFile);
  if (options.dataDir !== undefined) return resolve(projectDir, options.dataDir);
  try {
    const config = await loadConfig({
      directory,
      configFile: options.config,
      command: configFile === null ? ['grace'] : undefined, // looking needs nothing to run
      environment,
    });
    return config.dataDir;
  } catch (error) {
    if (!(error instanceof ConfigInvalid)) throw error;
    const usual = resolve(projectDir, environment['GRACE_DATA_DIR'] || '.grace');
    if (!existsSync(join(usual, 'grace.db'))) throw error;
    return usual;
  }
}
