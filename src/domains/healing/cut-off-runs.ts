import type { PlaybookRun } from '../playbooks/index.ts';
import type { ComponentSpec } from '../supervisor/index.ts';
import type { AppliedRuns } from './applied-runs.ts';
import { countedRun } from './counted-runs.ts';
import { didNotHelp } from './did-not-help.ts';
import type { HealerPorts } from './healer-ports.ts';
import type { PlaybookRuns, Tell } from './playbook-runs.ts';
import { sweepHalves } from './sweep-halves.ts';

/** What was judged when an earlier Grace ended: it is started again long before. */
const LATELY_MS = 86_400_000;

type SpecOf = (component: string) => ComponentSpec | null;

/**
 * Runs that ended with the process they ran in, a Grace or a command beside it: steps that may have acted are undone, last first, once.
 * What had acted and was not yet proven is left for the next boot to prove.
 */
export class CutOffRuns {
  private readonly ports: HealerPorts;
  private readonly runs: PlaybookRuns;
  private readonly applied: AppliedRuns;

  constructor(ports: HealerPorts, runs: PlaybookRuns, applied: AppliedRuns) {
    this.ports = ports;
    this.runs = runs;
    this.applied = applied;
  }

  /** Undoes what a crash of Grace cut off. @returns playbook names */
  async undoUnfinished(component: SpecOf, signal: AbortSignal): Promise<readonly string[]> {
    const { playbooks, limits, emit } = this.ports;
    const undone: string[] = [];
    for (const run of await playbooks.runsIn('running', 'undoing')) {
      const outcome = await this.undo(run, component(run.component), signal);
      if (outcome === 'undone') undone.push(run.playbook);
      if (outcome !== 'held') continue;
      const text = (await limits.isHeld(run.component, run.id))
        ? `${run.playbook} is running on ${run.component} by another process that lives: it is left to go on`
        : `${run.playbook} was cut off, and another playbook is acting on ${run.component}: the next start undoes it`;
      emit({ type: 'notice', level: 'warn', text });
    }
    await this.judgeLately();
    return undone;
  }

  /**
   * Undoes what a command that was killed beside this Grace has not finished, once: as a start would.
   * @param endLeft  ends what such a command has left running; called before anything is put back, and only when there is something
   */
  async undoLeftByOthers(component: SpecOf, signal: AbortSignal, endLeft: () => Promise<void>): Promise<void> {
    const left = await this.leftByOthers();
    if (left.length === 0) return;
    await endLeft();
    for (const run of left) {
      if ((await this.undo(run, component(run.component), signal)) !== 'undone') continue;
      const text = `${run.playbook} was cut off on ${run.component} with the command that ran it, and what it had done was put back`;
      this.ports.emit({ type: 'notice', level: 'warn', text: `${text}: grace playbooks show ${run.playbook}` });
    }
  }

  /** Runs of another process that is gone without having ended them. */
  private async leftByOthers(): Promise<readonly PlaybookRun[]> {
    const { playbooks, limits } = this.ports;
    const left: PlaybookRun[] = [];
    for (const run of await playbooks.runsIn('running', 'undoing'))
      if (!this.runs.isUndoing(run.id) && !(await limits.isHeld(run.component, run.id))) left.push(run);
    return left;
  }

  /**
   * Undoes one, unless somebody else does or acts on its component.
   * @returns `over`: it had come to its end; `held`: another run has the component, and it is to be tried again
   */
  private async undo(run: PlaybookRun, spec: ComponentSpec | null, signal: AbortSignal): Promise<'undone' | 'over' | 'held'> {
    const { playbooks, limits } = this.ports;
    const lease = await limits.lease(run.component, run.id);
    if (lease === null) return 'held';
    try {
      // It may have come to its end since the list was read.
      const present = await playbooks.run(run.id);
      if (present === null || (present.state !== 'running' && present.state !== 'undoing')) return 'over';
      await this.putBack(present, spec, signal);
      return 'undone';
    } finally {
      await lease.release();
    }
  }

  private async putBack(run: PlaybookRun, spec: ComponentSpec | null, signal: AbortSignal): Promise<void> {
    const { playbooks, clock, emit } = this.ports;
    if (spec === null) {
      emit({
        type: 'notice',
        level: 'warn',
        text: `${run.playbook} was cut off, and ${run.component} is not configured any more: what it changed is left as it is`,
      });
      await playbooks.saveRun({ ...run, state: 'failed', endedAtMs: clock.nowMs() }, 'it was cut off, and its component is gone');
      return;
    }
    // An undo that was begun before its end was written down with it was one of a try that did not help.
    const endsAs = run.state === 'running' ? 'interrupted' : (run.endsAs ?? 'undone');
    const sweep = async (): Promise<void> => {
      const { files, backupDir } = this.ports.primitiveContext(spec, signal, () => undefined);
      await sweepHalves(files, await this.ports.journal.entries(run.id), backupDir, run.startedAtMs);
    };
    const tell: Tell = (undoing, outcome) => this.applied.tellCutOff(undoing, spec, outcome);
    await this.runs.undo(run, spec, signal, endsAs, 'a crash of Grace cut it off', endsAs === 'interrupted' ? null : tell, sweep);
  }

  /** A crash right after a run was judged has kept its breaker from opening. */
  private async judgeLately(): Promise<void> {
    const { playbooks, clock } = this.ports;
    const judged = new Map<string, PlaybookRun>();
    for (const run of await playbooks.runsSince(clock.nowMs() - LATELY_MS))
      if (countedRun(run).outcome === 'did_not_help') judged.set(`${run.playbook} ${run.component}`, run);
    for (const run of judged.values()) await didNotHelp(this.ports, run);
  }
}
