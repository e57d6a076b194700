import { failuresInARow } from '../governance/index.ts';
import type { PlaybookRun } from '../playbooks/index.ts';
import { countedRun } from './counted-runs.ts';
import type { HealerPorts } from './healer-ports.ts';

/** A breaker looks at what was tried this month: older tries say little about the playbook of today. */
const BREAKER_LOOKS_BACK_MS = 30 * 86_400_000;

/** Takes autonomy from a playbook whose try did not help, and opens its breaker when it is one too many: the runs in the store say so. */
export async function didNotHelp(
  ports: Pick<HealerPorts, 'playbooks' | 'limits' | 'limitSettings' | 'autonomy' | 'ids' | 'clock' | 'emit'>,
  run: Pick<PlaybookRun, 'playbook' | 'component'>,
): Promise<void> {
  const { playbooks, limits, limitSettings, ids, clock, emit } = ports;
  await ports.autonomy.judge(run.playbook);
  const runs = (await playbooks.runsSince(clock.nowMs() - BREAKER_LOOKS_BACK_MS)).map(countedRun);
  const breakers = await limits.breakers();
  const isOpen = breakers.some((b) => b.closedAtMs === null && b.playbook === run.playbook && b.component === run.component);
  const failures = failuresInARow(run.playbook, run.component, runs, breakers);
  if (isOpen || failures < limitSettings.breakerAfter) return;
  const breaker = {
    id: ids.next('brk'),
    kind: 'breaker' as const,
    playbook: run.playbook,
    component: run.component,
    openedAtMs: clock.nowMs(),
    reason: `${run.playbook} did not help ${run.component} ${failures} times in a row`,
    closedAtMs: null,
    closedBy: null,
    closeReason: null,
  };
  await limits.saveBreaker(breaker);
  emit({ type: 'breaker_opened', breaker: breaker.id, component: run.component, playbook: run.playbook, reason: breaker.reason });
}
