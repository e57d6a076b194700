import { join } from 'node:path';
import { openStore } from '../../adapters/store/index.ts';
import type { BootReport } from '../../domains/boot/index.ts';
import { repositories } from '../../runtime/repositories.ts';
import { knownPatterns } from '../../runtime/track-record.ts';
import { columns, paint, table, wrap } from './terminal.ts';

/** Known failures shown at the end; the rest is in `grace patterns`. */
const PATTERNS_SHOWN = 8;

/** What this run of Grace has learned, and what it is immune against by now, for the person who just pressed Ctrl-C. */
export async function learnedSummary(dataDir: string, report: BootReport): Promise<readonly string[]> {
  const store = await openStore(join(dataDir, 'grace.db'));
  try {
    const memory = repositories(store);
    const { incidents, playbooks } = memory;
    const explanations = await incidents.explanations({ bootId: report.boot_id, limit: 50 });
    const patterns = await knownPatterns(memory);
    const lines: string[] = [];
    // A boot that was stopped by a check failed, and nothing is explained of it.
    if (explanations.length === 0 && report.outcome !== 'failed') lines.push('', paint('bold', 'nothing failed in this run'));
    if (explanations.length > 0) {
      lines.push('', paint('bold', 'learned in this run'));
      const byFailure = new Map(patterns.map((p) => [p.signature, p.incidentId as string]));
      const rows = explanations
        .toReversed()
        .map((e) => [`  ${byFailure.get(e.signature) ?? ''}`, e.outcome.replaceAll('_', ' '), e.playbook ?? '-', e.cause]);
      lines.push(fitted(rows));
    }
    const here = new Set(explanations.map((e) => e.signature));
    // What was made of a person's work guards nothing before it was approved and has worked.
    const offered = new Set((await playbooks.list()).flatMap((p) => (p.origin === 'learned' && p.verifiedCount === 0 ? [p.name] : [])));
    const older = patterns.filter((p) => !here.has(p.signature) && p.playbook !== null && !offered.has(p.playbook));
    if (older.length > 0) {
      lines.push('', paint('bold', 'known from before, and guarded against'));
      lines.push(
        fitted(
          older
            .slice(0, PATTERNS_SHOWN)
            .map((p) => [`  ${p.incidentId}`, p.state, p.playbook ?? '-', p.rootCause === '' ? p.template : p.rootCause]),
        ),
      );
      if (older.length > PATTERNS_SHOWN) lines.push(paint('dim', `  and ${older.length - PATTERNS_SHOWN} more: grace patterns`));
    }
    if (report.outcome === 'failed') lines.push('', `${paint('bold', 'what now')}: grace explain`);
    return lines;
  } finally {
    store.close();
  }
}

/** A narrower column would be a word a line. */
const CAUSE_CHARS_MIN = 30;

/** The last column, broken to what is left of the line; where that is too little, on lines of its own below the others. */
export function fitted(rows: readonly (readonly string[])[]): string {
  const widths = [0, 1, 2].map((i) => Math.max(0, ...rows.map((row) => row[i]?.length ?? 0)));
  const indent = widths.reduce((sum, width) => sum + width + 2, 0);
  const room = columns() - indent;
  if (room >= CAUSE_CHARS_MIN) return table(rows.map((row) => [...row.slice(0, 3), wrap(row[3] ?? '', room, ' '.repeat(indent))]));
  return table(rows.map((row) => row.slice(0, 3)))
    .split('\n')
    .map((line, i) => `${line}\n      ${wrap(rows[i]?.[3] ?? '', columns() - 6, '      ')}`)
    .join('\n');
}
