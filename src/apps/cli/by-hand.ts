import { join } from 'node:path';
import { fileLogger } from '../../adapters/node/file-logger.ts';
import { userName } from '../../adapters/node/user-name.ts';
import { Redactor } from '../../domains/incidents/index.ts';
import type { Logger } from '../../kernel/index.ts';
import { loadConfig, type GraceConfig } from '../../runtime/config/index.ts';
import type { LookOptions } from './memory.ts';

/** A dry run leaves nothing behind, not even a line in a log. */
export const SILENT: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/** What a command works with that acts on the service because a person says so. */
export interface ByHand {
  readonly config: GraceConfig;
  readonly environment: NodeJS.ProcessEnv;
  /** Aborted by the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  readonly by: string;
}

/** @throws ConfigInvalid */
export async function byHand(options: LookOptions): Promise<ByHand> {
  const config = await loadConfig({
    directory: process.cwd(),
    configFile: options.config,
    environment: process.env,
    flags: { dataDir: options.dataDir },
  });
  const stop = new AbortController();
  const onSignal = (): void => stop.abort(new Error('it was told to stop'));
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  return { config, environment: process.env, signal: stop.signal, by: userName() };
}

/** Grace's own log, without secrets. */
export function ownLog({ dataDir, logLevel }: GraceConfig): Logger {
  const redactor = new Redactor();
  redactor.learnEnvironment(process.env);
  return fileLogger(join(dataDir, 'logs', 'grace.log'), logLevel, (fields) => redactor.redactDeep(fields));
}
