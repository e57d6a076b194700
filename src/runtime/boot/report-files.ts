import { join } from 'node:path';
import { nodeFiles } from '../../adapters/node/files.ts';
import { renderReport, type BootReport } from '../../domains/boot/index.ts';
import { messageOf, type Logger } from '../../kernel/index.ts';

/**
 * Writes the report of a boot for people and for training [BP-5]. Never throws.
 * @returns the path of the one for people
 */
export async function writeReportFiles(report: BootReport, dataDir: string, logger: Logger): Promise<string> {
  const training = join(dataDir, 'training', 'startup_failures');
  const text = join(dataDir, 'logs', 'last_boot_report.txt');
  try {
    await nodeFiles.makeDir(training);
    await nodeFiles.makeDir(join(dataDir, 'logs'));
    await nodeFiles.writeAtomic(join(training, `${report.boot_id}.json`), `${JSON.stringify(report, null, 2)}\n`);
    await nodeFiles.writeAtomic(text, renderReport(report));
  } catch (error) {
    logger.warn('the boot report could not be written', { error: messageOf(error) });
  }
  return text;
}
