import { nodeFiles } from '../../adapters/node/files.ts';
import type { BootContext, BootReport } from '../../domains/boot/index.ts';
import { sweepOwnHalves } from '../../domains/healing/index.ts';
import type { ComponentSpec } from '../../domains/supervisor/index.ts';
import { messageOf, type Logger } from '../../kernel/index.ts';
import type { Composed } from '../compose.ts';
import type { GraceConfig } from '../config/index.ts';
import { writeReportFiles } from './report-files.ts';

export interface TakeOverOptions {
  readonly config: Pick<GraceConfig, 'components' | 'dataDir' | 'playbooksDir'>;
  readonly composed: Pick<Composed, 'boots' | 'endCutOff' | 'healer' | 'supervision'>;
  /** Of the boot that takes over. */
  readonly startedAtMs: number;
  readonly isDryRun: boolean;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/**
 * What an earlier Grace has left, before anything else is done: its boots that were cut off say so, what it ran for itself is ended,
 * what it had not finished is undone, and what still runs is adopted. A dry run does no more than the first.
 */
export async function takeOver(options: TakeOverOptions): Promise<BootContext['reconciled']> {
  const { config, signal } = options;
  const { endCutOff, healer, supervision } = options.composed;
  const specOf = (name: string): ComponentSpec | null => config.components.find((c) => c.name === name) ?? null;
  const interrupted = await markInterrupted(options);
  if (options.isDryRun) return { adopted: [], ended: [], undone: [], interrupted };
  await endCutOff();
  await sweepHalves(options);
  const undone = await healer.cutOff.undoUnfinished(specOf, signal);
  const { adopted, ended } = await supervision.reconcile();
  supervision.carryOver(await healer.applied.unproven(specOf));
  supervision.carryAsked(await healer.asked.rollbacks());
  return { adopted, ended, undone, interrupted };
}

/** Boots that still say they run were cut off with their Grace. */
async function markInterrupted({ composed, config, startedAtMs, logger }: TakeOverOptions): Promise<readonly string[]> {
  const cut = await composed.boots.running();
  for (const boot of cut) {
    const report: BootReport = { ...boot.report, outcome: 'interrupted' };
    await composed.boots.save({ ...boot, outcome: 'interrupted', endedAtMs: boot.endedAtMs ?? startedAtMs, report });
    await writeReportFiles(report, config.dataDir, logger);
  }
  return cut.map((b) => b.id);
}

/** Half files of a Grace that was killed as it wrote them: nothing refers to them, and one may hold a secret. */
async function sweepHalves({ config, startedAtMs, logger }: TakeOverOptions): Promise<void> {
  try {
    await sweepOwnHalves(nodeFiles, [config.dataDir, config.playbooksDir], startedAtMs);
  } catch (error) {
    logger.warn('half files of an earlier Grace could not be removed', { error: messageOf(error) });
  }
}
