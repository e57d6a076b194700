import { nodeClock } from '../../adapters/node/clock.ts';
import type { ComponentSpec } from '../../domains/supervisor/index.ts';
import { messageOf, type Logger } from '../../kernel/index.ts';
import type { Composed } from '../compose.ts';
import { learnFromPeople } from './learn-from-people.ts';

export interface RecoveriesOptions {
  readonly components: readonly ComponentSpec[];
  readonly composed: Pick<Composed, 'keepAsGood' | 'lookback' | 'onEvent' | 'shadow' | 'supervision'>;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Whether the boot was shown to be good: only then may its files take the place of those that were. */
  isVerified(): boolean;
}

/** While the service runs, a component that failed and is ready again may have been mended by hand. */
export class Recoveries {
  private readonly options: RecoveriesOptions;
  /** Components that are ready again and have to stay so for their soak time. */
  private readonly proving = new Set<string>();

  constructor(options: RecoveriesOptions) {
    this.options = options;
  }

  watch(): void {
    const { components, composed, logger, signal } = this.options;
    composed.onEvent((event) => {
      if (event.type !== 'component_ready' || signal.aborted) return;
      const spec = components.find((c) => c.name === event.component);
      if (spec !== undefined)
        void this.learnFrom(spec).catch((error: unknown) => {
          if (!signal.aborted) logger.warn('a recovery could not be learned from', { component: spec.name, error: messageOf(error) });
        });
    });
  }

  private async learnFrom(spec: ComponentSpec): Promise<void> {
    const { components, composed, signal } = this.options;
    const { lookback, shadow, supervision } = composed;
    if (this.proving.has(spec.name)) return;
    if (!(await lookback.people.isWaiting(spec.name)) && !(await shadow.isOpen(spec.name))) return;
    this.proving.add(spec.name);
    try {
      await nodeClock.sleep(spec.soakMs, signal);
      if ((await supervision.runners.get(spec.name)?.isReadyNow()) !== true) return;
      await shadow.lookAhead(spec);
      if (this.options.isVerified()) await composed.keepAsGood([spec]);
      await learnFromPeople([spec], components, composed);
    } finally {
      this.proving.delete(spec.name);
    }
  }
}
