import type { Signature } from '../kernel/index.ts';
import type { IncidentStore } from '../domains/incidents/index.ts';
import type { RecentFailure } from '../domains/playbooks/index.ts';

/** A flood of different failures is one story; its first signatures tell it. */
const SIGNATURES_MAX = 50;

/** What was captured of a component since then, by signature, the most frequent first. */
export async function recentFailures(
  component: string,
  sinceMs: number,
  incidents: Pick<IncidentStore, 'occurrences' | 'pattern'>,
): Promise<readonly RecentFailure[]> {
  const counts = new Map<Signature, number>();
  for (const { signature } of await incidents.occurrences(sinceMs)) counts.set(signature, (counts.get(signature) ?? 0) + 1);
  const found: RecentFailure[] = [];
  for (const [signature, count] of [...counts].toSorted(([, a], [, b]) => b - a).slice(0, SIGNATURES_MAX)) {
    const pattern = await incidents.pattern(signature);
    if (pattern?.component !== component) continue;
    found.push({ signature, template: pattern.template, count, family: pattern.familyName, playbook: pattern.playbook });
  }
  return found;
}
