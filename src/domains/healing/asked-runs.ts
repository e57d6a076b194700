import type { PlaybookRun } from '../playbooks/index.ts';
import type { ComponentSpec } from '../supervisor/index.ts';
import { tellEarlierRelease, triedRollback } from './earlier-release.ts';
import type { HealerPorts } from './healer-ports.ts';
import type { PlaybookRuns } from './playbook-runs.ts';

/** Runs that a person or a guard has asked for: no failure shows whether they have helped, and the next boot says. */
export class AskedRuns {
  private readonly ports: Pick<HealerPorts, 'playbooks' | 'journal' | 'clock' | 'emit'>;
  private readonly runs: PlaybookRuns;

  constructor(ports: AskedRuns['ports'], runs: PlaybookRuns) {
    this.ports = ports;
    this.runs = runs;
  }

  /** Rollbacks that people asked for, and that no boot has proven yet. */
  async rollbacks(): Promise<readonly PlaybookRun[]> {
    const { playbooks, journal } = this.ports;
    const found: PlaybookRun[] = [];
    for (const run of await playbooks.runsIn('applied', 'inconclusive'))
      if (run.scope === 'person' && (await triedRollback(journal, run.id))) found.push(run);
    return found;
  }

  /** What prevented a failure has done so, and what a person asked for has done no harm: everything works. */
  async confirm(): Promise<void> {
    const { playbooks, clock } = this.ports;
    const runs = (await playbooks.runsIn('applied', 'inconclusive')).filter((run) => run.scope === 'prevention' || run.scope === 'person');
    for (const run of runs) await playbooks.saveRun({ ...run, state: 'verified', endedAtMs: clock.nowMs() }, 'everything works');
    for (const run of runs) await tellEarlierRelease(this.ports, run.id, run.component);
  }

  /** Nothing could tell whether what people asked for has done harm: the next boot does. */
  async leaveOpen(runs: readonly PlaybookRun[], reason: string): Promise<void> {
    const { playbooks, clock } = this.ports;
    for (const run of runs) await playbooks.saveRun({ ...run, state: 'inconclusive', endedAtMs: clock.nowMs() }, reason);
  }

  /** The earlier release fails as well: whoever asked for it has not got what they wanted, and finds what they had. */
  async takeBack(run: PlaybookRun, component: ComponentSpec, signal: AbortSignal): Promise<void> {
    const reason = 'the component fails with the earlier release as well';
    const { left } = await this.runs.undo(run, component, signal, 'undone', reason);
    this.ports.emit({ type: 'playbook_failed', component: component.name, playbook: run.playbook, reason, undone: left.length === 0 });
  }
}
