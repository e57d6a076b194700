import { join } from 'node:path';
import { lockHolder, lockInstance } from '../adapters/node/instance-lock.ts';
import { userName } from '../adapters/node/user-name.ts';
import { openStore } from '../adapters/store/index.ts';
import type { Emit } from '../domains/healing/index.ts';
import type { Logger } from '../kernel/index.ts';
import { actorOf } from './audit.ts';
import { compose, type Composed } from './compose.ts';
import { keepFromOthers, makeDataDir } from './data-dir.ts';
import type { GraceConfig } from './config/index.ts';
import { NO_BOOT } from './cut-off.ts';
import { openPolicies } from './policy.ts';

export interface ByHandOptions {
  readonly config: GraceConfig;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly logger: Logger;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

/**
 * Opens Grace for one thing that a person wants done now, with all that a boot would do it with. Where no other Grace runs, none
 * can be started meanwhile, and what a killed one had not finished is undone first.
 * @param work  told whether another Grace runs beside it
 */
export async function byHand<T>(options: ByHandOptions, work: (composed: Composed, isBesideGrace: boolean) => Promise<T>): Promise<T> {
  const { config } = options;
  const policies = await openPolicies(config);
  makeDataDir(config.dataDir);
  const isBesideGrace = lockHolder(config.dataDir) !== null;
  // Without a Grace nobody may start one meanwhile: it would take this run for one that was cut off.
  const release = isBesideGrace ? () => undefined : lockInstance(config.dataDir);
  let close = async (): Promise<void> => undefined;
  try {
    const store = await openStore(join(config.dataDir, 'grace.db'));
    keepFromOthers(config.dataDir);
    close = async () => store.close();
    const composed = await compose({
      ...options,
      ...policies,
      actor: actorOf(userName()),
      store,
      bootId: NO_BOOT,
      // What a Grace beside this one runs is well kept, and nobody's left-over.
      isDryRun: isBesideGrace,
      home: config.dataDir,
    });
    close = async () => {
      await composed.close();
      store.close();
    };
    if (!isBesideGrace) {
      await composed.endCutOff();
      await composed.healer.cutOff.undoUnfinished((name) => config.components.find((c) => c.name === name) ?? null, options.signal);
    }
    await composed.governance.settlePolicies();
    return await work(composed, isBesideGrace);
  } finally {
    await close();
    release();
  }
}
