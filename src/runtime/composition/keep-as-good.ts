import type { LastGoodKeeper } from '../../domains/learning/index.ts';
import type { ComponentRunner, ComponentSpec } from '../../domains/supervisor/index.ts';
import { messageOf, type BootId, type Logger } from '../../kernel/index.ts';
import type { Lookback } from '../lookback.ts';
import type { ServiceDatabases } from '../service-databases.ts';
import type { ProcessLooks } from './process-looks.ts';

export interface KeepAsGoodPorts {
  readonly bootId: BootId;
  readonly logger: Logger;
  readonly lastGood: Pick<LastGoodKeeper, 'take'>;
  readonly lookback: Pick<Lookback, 'noteRestless'>;
  readonly looks: Pick<ProcessLooks, 'keep'>;
  readonly databases: Pick<ServiceDatabases, 'keep'>;
  readonly runners: ReadonlyMap<string, ComponentRunner>;
}

/** Takes the present state as good: files, what the process looks like, its packages, the schema. Never throws. */
export async function keepAsGood(components: readonly ComponentSpec[], ports: KeepAsGoodPorts): Promise<void> {
  const { bootId, logger, lastGood, lookback, looks, databases, runners } = ports;
  for (const spec of components) {
    try {
      await lookback.noteRestless(spec, () => lastGood.take(spec, bootId));
      if (spec.kind !== 'process') continue;
      await looks.keep(spec, runners.get(spec.name)?.port ?? null);
      await databases.keep(spec, bootId);
    } catch (error) {
      logger.warn('the present state could not be kept as good', { component: spec.name, error: messageOf(error) });
    }
  }
}
