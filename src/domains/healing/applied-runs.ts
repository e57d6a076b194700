import type { Phase } from '../governance/index.ts';
import type { Captured } from '../learning/index.ts';
import type { AttemptScope, PlaybookRun, UndoOutcome } from '../playbooks/index.ts';
import type { ComponentSpec } from '../supervisor/index.ts';
import { tellEarlierRelease } from './earlier-release.ts';
import type { HealerPorts } from './healer-ports.ts';
import type { IncidentRecord } from './incident-record.ts';
import type { PlaybookRuns } from './playbook-runs.ts';
import { countAgain } from './tries.ts';

/** A playbook that has run and is not yet proven. */
export interface AppliedRun {
  readonly runId: string;
  readonly playbook: string;
  readonly captured: Captured;
  readonly component: ComponentSpec;
  /** How sure the diagnosis was, 0 to 1. */
  readonly confidence: number;
  readonly restart: boolean;
}

/** Playbooks that have run for a failure: proven, left open, or taken back, as what comes after them shows. */
export class AppliedRuns {
  private readonly ports: Pick<
    HealerPorts,
    'playbooks' | 'journal' | 'incidents' | 'limits' | 'autonomy' | 'knowledge' | 'clock' | 'emit' | 'executeAtRuntime'
  >;
  private readonly runs: PlaybookRuns;
  private readonly record: IncidentRecord;

  constructor(ports: AppliedRuns['ports'], runs: PlaybookRuns, record: IncidentRecord) {
    this.ports = ports;
    this.runs = runs;
    this.record = record;
  }

  /** Fixes that had acted when an earlier Grace ended, and that nobody has proven yet: this boot does, or takes them back. */
  async unproven(component: (name: string) => ComponentSpec | null): Promise<readonly (AppliedRun & { readonly scope: AttemptScope })[]> {
    const { playbooks, clock } = this.ports;
    const found: (AppliedRun & { readonly scope: AttemptScope })[] = [];
    for (const run of await playbooks.runsIn('applied', 'inconclusive')) {
      const applied = await this.ofRun(run, component(run.component));
      if (applied !== null) found.push({ ...applied, scope: run.scope });
      else if (run.scope !== 'prevention' && run.scope !== 'person')
        await playbooks.saveRun(
          { ...run, state: 'interrupted', endedAtMs: clock.nowMs() },
          'its failure or its component is not known any more',
        );
    }
    return found;
  }

  /** The fix held: failing check passed, ready, stable for the soak time, smoke tests passed. */
  async confirm(run: AppliedRun): Promise<void> {
    const { playbooks, clock, emit } = this.ports;
    // The run comes after what can be repeated: cut off before it, the next boot proves it again and nothing is missing.
    await this.record.advance(run.captured, 'fix_verified');
    await this.record.noteOutcome(run, 'healed', null);
    const stored = await playbooks.run(run.runId);
    if (stored !== null)
      await playbooks.saveRun(
        { ...stored, state: 'verified', endedAtMs: clock.nowMs() },
        'the failing check passed, it is ready, stayed so for its soak time, and its smoke checks passed',
      );
    await this.ports.autonomy.judge(run.playbook);
    emit({ type: 'playbook_verified', component: run.component.name, playbook: run.playbook, incident: run.captured.pattern.incidentId });
    await tellEarlierRelease(this.ports, run.runId, run.component.name);
  }

  /** Nothing could tell whether it helped: that is no proof, and no reason to take it back. */
  async leaveOpen(run: AppliedRun, reason: string): Promise<void> {
    const { playbooks, clock, emit } = this.ports;
    const stored = await playbooks.run(run.runId);
    if (stored !== null) await playbooks.saveRun({ ...stored, state: 'inconclusive', endedAtMs: clock.nowMs() }, reason);
    await this.record.noteOutcome(run, 'open', `${run.playbook} ran, and whether it helped could not be told: ${reason}`);
    const incident = run.captured.pattern.incidentId;
    emit({ type: 'playbook_inconclusive', component: run.component.name, playbook: run.playbook, incident, reason });
  }

  /** The same failure came back, or something else says it did not help: everything it changed is put back. */
  async reject(run: AppliedRun, reason: string, signal: AbortSignal): Promise<void> {
    const stored = await this.ports.playbooks.run(run.runId);
    if (stored === null) return;
    await this.takeBack(stored, run, reason, signal, 'undone');
  }

  /** Looking only means looking: at run time what was changed stays, unless playbooks may run then. */
  mayTakeBack(phase: Phase): boolean {
    return phase === 'boot' || this.ports.executeAtRuntime;
  }

  async takeBack(stored: PlaybookRun, run: AppliedRun, reason: string, signal: AbortSignal, endsAs: 'undone' | 'relapsed'): Promise<void> {
    const tell = (undoing: PlaybookRun, outcome: UndoOutcome): Promise<void> => this.tellTakenBack(undoing, run, reason, outcome);
    const { left } = await this.runs.undo(stored, run.component, signal, endsAs, reason, tell);
    const { emit } = this.ports;
    emit({ type: 'playbook_failed', component: run.component.name, playbook: run.playbook, reason, undone: left.length === 0 });
  }

  /** The same where a crash came between: the run is taken back already, and that has to be said. */
  async tellCutOff(undoing: PlaybookRun, component: ComponentSpec, outcome: UndoOutcome): Promise<void> {
    const told = await this.ofRun(undoing, component);
    if (told !== null) await this.tellTakenBack(undoing, told, 'Grace was cut off while it took it back', outcome);
  }

  /** May be said twice: a crash comes between it and the end of the run. */
  private async tellTakenBack(undoing: PlaybookRun, run: AppliedRun, reason: string, { left, kept }: UndoOutcome): Promise<void> {
    if (undoing.endsAs === 'relapsed') await countAgain(this.ports.limits, undoing);
    await this.record.advance(run.captured, 'fix_failed');
    const rest = [
      ...(left.length === 0 ? [] : [`left as it is: ${left.join('; ')}`]),
      ...(kept.length === 0 ? [] : [`kept: ${kept.join('; ')}`]),
    ];
    const end = left.length === 0 ? [' and was undone', ...rest].join('; ') : `; ${rest.join('; ')}`;
    const seen = await this.seenBy(undoing.id);
    // Where nothing was changed there is nothing to be told of its undo.
    const told = `${run.playbook} did not help (${reason})${seen.onlyLooked ? '' : end}`;
    await this.record.noteOutcome(run, 'not_healed', [told, ...seen.said].join('; '));
  }

  /** What its steps have said that only look: it holds whatever became of the others. */
  private async seenBy(runId: string): Promise<{ readonly said: readonly string[]; readonly onlyLooked: boolean }> {
    const { primitives } = await this.ports.knowledge();
    const entries = await this.ports.journal.entries(runId);
    const looks = entries.filter((e) => e.state !== 'failed' && primitives.get(e.primitive)?.changes === 'nothing');
    return { said: looks.map((e) => e.summary), onlyLooked: looks.length > 0 && looks.length === entries.length };
  }

  /** A run of an earlier Grace; null when its component or its failure is not known any more. */
  private async ofRun(run: PlaybookRun, component: ComponentSpec | null): Promise<AppliedRun | null> {
    const { incidents } = this.ports;
    const failure = run.failureId === null ? null : await incidents.failure(run.failureId);
    const pattern = failure === null ? null : await incidents.pattern(failure.signature);
    if (component === null || failure === null || pattern === null) return null;
    const { id: runId, playbook, confidence, restart } = run;
    return { runId, playbook, captured: { failure, pattern, isNew: false }, component, confidence, restart };
  }
}
