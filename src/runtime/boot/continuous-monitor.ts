import { sep } from 'node:path';
import { nodeClock } from '../../adapters/node/clock.ts';
import { rotateLog } from '../../adapters/node/log-rotation.ts';
import {
  runSchedules,
  validateAgain,
  validateAnswered,
  type BootContext,
  type SchedulePorts,
  type ValidationPorts,
} from '../../domains/boot/index.ts';
import type { BootId } from '../../kernel/index.ts';
import type { Composed } from '../compose.ts';
import type { GraceConfig } from '../config/index.ts';

export interface ContinuousMonitorOptions {
  readonly config: Pick<GraceConfig, 'components' | 'dataDir' | 'monitor'>;
  readonly composed: Pick<
    Composed,
    'approvals' | 'boots' | 'core' | 'host' | 'ids' | 'missions' | 'redactedEmit' | 'redactor' | 'supervision'
  >;
  readonly bootId: BootId;
  readonly signal: AbortSignal;
  /** Of the boot; null before it has one. */
  context(): BootContext | null;
}

/** What is done again and again from stage 8 on, and the looks at the whole service among it. */
export class ContinuousMonitor {
  /** From then on what happens to components is no longer the boot's. */
  isWatching = false;
  private readonly options: ContinuousMonitorOptions;
  private validating: Promise<unknown> = Promise.resolve();

  constructor(options: ContinuousMonitorOptions) {
    this.options = options;
  }

  /** @returns how many schedules it has started */
  start(): number {
    const { config, bootId, signal } = this.options;
    this.isWatching = true;
    const { supervision, core, host, redactedEmit, boots } = this.options.composed;
    const ports: SchedulePorts = {
      clock: nodeClock,
      emit: redactedEmit,
      host,
      supervision,
      storeLatencyMs: async () => (await core.storeRoundTrip('health')).ms,
      validate: async () => {
        await this.look((context, given) => validateAgain(context, given).then(() => true));
      },
      saveMetrics: (samples) => boots.saveMetrics(bootId, samples),
      // A log that somebody named is theirs to rotate; Grace looks after those in its own directory.
      rotateLogs: async () => {
        for (const { logFile } of config.components) if (logFile.startsWith(config.dataDir + sep)) await rotateLog(logFile);
      },
    };
    return runSchedules(config.monitor, ports, signal).started;
  }

  /** Looks again at what waited for this approval. @returns false when this is no moment to */
  lookAgain(approval: string): Promise<boolean> {
    return this.look((context, ports) => validateAnswered(context, ports, approval));
  }

  /** One whole look, or one at what was answered, at a time: both read what stands, and write what they make of it. */
  private look(look: (context: BootContext, ports: ValidationPorts) => Promise<boolean>): Promise<boolean> {
    const { missions, approvals, ids, redactor } = this.options.composed;
    const ports: ValidationPorts = { missions, approvals, ids, redact: (found) => redactor.redactReport(found) };
    const mine = this.validating.then(() => {
      const context = this.options.context();
      return context === null ? true : look(context, ports);
    });
    this.validating = mine.catch(() => undefined); // whoever asked for it hears of it
    return mine;
  }
}
