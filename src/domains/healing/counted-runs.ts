import { HOUR_MS, type CountedRun } from '../governance/index.ts';
import type { PlaybookRun } from '../playbooks/index.ts';
import type { HealerPorts } from './healer-ports.ts';

/** Runs of the last hour and of the cooldown, as the limits see them. */
export async function countedLately({
  playbooks,
  clock,
  limitSettings,
}: Pick<HealerPorts, 'playbooks' | 'clock' | 'limitSettings'>): Promise<readonly CountedRun[]> {
  const runs = await playbooks.runsSince(clock.nowMs() - Math.max(HOUR_MS, limitSettings.cooldownMs));
  return runs.filter((r) => r.state !== 'refused' && r.scope !== 'person').map(countedRun);
}

/** A run as limits and breakers see it: whether it has helped. */
export function countedRun(run: PlaybookRun): CountedRun {
  const { playbook, component, signature, startedAtMs, endedAtMs } = run;
  return { playbook, component, signature, startedAtMs, endedAtMs, outcome: OUTCOME[run.state] };
}

const OUTCOME: Readonly<Record<PlaybookRun['state'], CountedRun['outcome']>> = {
  running: 'open',
  applied: 'open',
  verified: 'helped',
  relapsed: 'did_not_help',
  inconclusive: 'open',
  undoing: 'did_not_help',
  undone: 'did_not_help',
  failed: 'did_not_help',
  refused: 'open',
  interrupted: 'cut_off',
};
