import { formatDuration } from '../../kernel/index.ts';
import type { Phase } from '../governance/index.ts';
import type { Captured } from '../learning/index.ts';
import type { PlaybookRun } from '../playbooks/index.ts';
import type { ComponentSpec } from '../supervisor/index.ts';
import type { AppliedRun, AppliedRuns } from './applied-runs.ts';
import { didNotHelp } from './did-not-help.ts';
import { triedRollback } from './earlier-release.ts';
import type { HealerPorts } from './healer-ports.ts';
import type { IncidentRecord } from './incident-record.ts';
import type { PlaybookRuns } from './playbook-runs.ts';
import { countAgain } from './tries.ts';

/** A run that was verified within the stability window was started no longer before it than this. */
const LOOKS_BACK_MS = 30 * 60_000;

/** Fixes that were verified, and whose failure is back within the stability window: they have not helped. */
export class Relapses {
  private readonly ports: HealerPorts;
  private readonly runs: PlaybookRuns;
  private readonly applied: AppliedRuns;
  private readonly record: IncidentRecord;

  constructor(ports: HealerPorts, runs: PlaybookRuns, applied: AppliedRuns, record: IncidentRecord) {
    this.ports = ports;
    this.runs = runs;
    this.applied = applied;
    this.record = record;
  }

  /**
   * Those that this failure shows, and that are still in place: each is taken back and counts as a failed try.
   * @returns their runs, oldest first
   */
  async takeBack(captured: Captured, component: ComponentSpec, phase: Phase, signal: AbortSignal): Promise<readonly PlaybookRun[]> {
    const { playbooks, journal, clock, limitSettings } = this.ports;
    const nowMs = clock.nowMs();
    const { signature } = captured.failure;
    const runs = (await playbooks.runsSince(nowMs - limitSettings.stabilityMs - LOOKS_BACK_MS)).filter(
      (r) =>
        r.state === 'verified' &&
        r.component === component.name &&
        r.signature === signature &&
        r.scope !== 'prevention' &&
        nowMs - (r.endedAtMs ?? 0) < limitSettings.stabilityMs,
    );
    const relapsed: PlaybookRun[] = [];
    for (const run of runs.toReversed()) {
      // The release it left has failed too: going forward to it again would be no help.
      if (await triedRollback(journal, run.id)) continue;
      if (!(await this.runs.isInPlace(run, component, signal))) continue;
      relapsed.unshift(run);
      const { id: runId, playbook, confidence, restart } = run;
      const told = { runId, playbook, captured, component, confidence, restart };
      const reason = `the same failure is back ${formatDuration(nowMs - (run.endedAtMs ?? nowMs))} after it seemed to have helped`;
      // Where it may not be taken back people are told.
      if (this.applied.mayTakeBack(phase)) await this.applied.takeBack(run, told, reason, signal, 'relapsed');
      else await this.leave(run, told, reason);
    }
    return relapsed;
  }

  private async leave(stored: PlaybookRun, run: AppliedRun, reason: string): Promise<void> {
    const { playbooks, limits, clock, emit } = this.ports;
    await countAgain(limits, stored);
    await this.record.advance(run.captured, 'fix_failed');
    const left = 'at run time Grace only observes, so what it changed is left as it is';
    await this.record.noteOutcome(run, 'not_healed', `${run.playbook} did not help (${reason}); ${left}`);
    await playbooks.saveRun({ ...stored, state: 'relapsed', endedAtMs: clock.nowMs() }, `${reason}; ${left}`);
    emit({ type: 'playbook_failed', component: run.component.name, playbook: run.playbook, reason: `${reason}; ${left}`, undone: false });
    await didNotHelp(this.ports, stored);
  }
}
