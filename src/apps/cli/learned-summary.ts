import { join } from 'node:path';
import { openStore } from '../../adapters/store/index.ts';
import type { BootReport } from '../../domains/boot/index.ts';
import { repositories } from '../../runtime/repositories.ts';
import { paint, table } from './terminal.ts';

/** What this run of Grace has learned, for the person who just pressed Ctrl-C. */
export async function learnedSummary(dataDir: string, report: BootReport): Promise<readonly string[]> {
  const store = await openStore(join(dataDir, 'grace.db'));
  try {
    const { incidents } = repositories(store);
    const explanations = await incidents.explanations({ bootId: report.boot_id, limit: 50 });
    const lines: string[] = [];
    if (explanations.length === 0) {
      lines.push(paint('dim', 'nothing failed'));
    } else {
      lines.push('', paint('bold', 'learned in this run'));
      const rows = await Promise.all(
        explanations.toReversed().map(async (e) => {
          const pattern = await incidents.pattern(e.signature);
          return [`  ${pattern?.incidentId ?? ''}`, e.outcome.replaceAll('_', ' '), e.playbook ?? '-', e.cause];
        }),
      );
      lines.push(table(rows));
    }
    if (report.outcome === 'failed') lines.push('', 'more: grace explain');
    return lines;
  } finally {
    store.close();
  }
}
