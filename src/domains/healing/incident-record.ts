import { nextPatternState, type Explanation, type Pattern, type PatternEvent } from '../incidents/index.ts';
import { commandsAfterHealing, commandsFor, describeSuspect, explanationOf, type Captured, type Verdict } from '../learning/index.ts';
import type { RegisteredPlaybook } from '../playbooks/index.ts';
import type { ComponentSpec } from '../supervisor/index.ts';
import type { HealerPorts, WhatChanged } from './healer-ports.ts';

/** A failure, and what was made of it. */
export interface Diagnosed {
  readonly captured: Captured;
  readonly component: ComponentSpec;
  readonly verdict: Verdict;
  readonly changed: WhatChanged;
}

/** Suspects in an explanation. */
const CHANGES_MAX = 8;
/** Explanations of one signature among which that of a failure is looked for. */
const EXPLANATIONS_MAX = 20;

/** What is written down of an incident, and told of it: what it is, what was done about it, and how that ended. */
export class IncidentRecord {
  private readonly ports: Pick<HealerPorts, 'incidents' | 'emit' | 'projectDir'>;

  constructor(ports: IncidentRecord['ports']) {
    this.ports = ports;
  }

  /** What is wrong, before anything is done about it. */
  async noteDiagnosis(diagnosed: Diagnosed): Promise<void> {
    const { captured, component, verdict } = diagnosed;
    const shown = verdict.chosen ?? verdict.best;
    this.ports.emit({
      type: 'diagnosed',
      component: component.name,
      incident: captured.pattern.incidentId,
      known: !captured.isNew,
      family: shown.family,
      cause: shown.cause,
      evidence: shown.evidence,
      advice: adviceOf(diagnosed),
      confidence: shown.confidence,
    });
    await this.ports.incidents.savePattern({ ...captured.pattern, familyName: shown.family, rootCause: shown.cause });
  }

  /** The playbook that is to mend it, whether or not it may run. */
  async notePlaybook(captured: Captured, playbook: string): Promise<void> {
    await this.ports.incidents.savePattern({ ...(await this.pattern(captured)), playbook });
  }

  async advance(captured: Captured, event: PatternEvent): Promise<void> {
    const pattern = await this.pattern(captured);
    await this.ports.incidents.savePattern({ ...pattern, ...nextPatternState(pattern, event) });
  }

  /** Explains the failure anew, and tells people where it waits for them. */
  async explain(
    diagnosed: Diagnosed,
    action: string,
    playbook: RegisteredPlaybook | null,
    outcome: Explanation['outcome'],
    approval: string | null = null,
  ): Promise<void> {
    const { captured, verdict, changed, component } = diagnosed;
    const { failure } = captured;
    const shown = verdict.chosen ?? verdict.best;
    const commands = commandsFor(shown, {
      failure,
      component,
      incident: captured.pattern.incidentId,
      outcome,
      playbook: playbook?.name ?? null,
      approval,
      hasLog: failure.symptom !== 'check',
      hasDrift: changed.suspects.length > 0,
      projectDir: this.ports.projectDir,
    });
    const advice = adviceOf(diagnosed);
    const needsPerson = outcome !== 'open' && outcome !== 'healed' && (outcome !== 'not_healed' || playbook === null);
    if (needsPerson)
      this.ports.emit({
        type: 'person_needed',
        component: failure.component,
        incident: captured.pattern.incidentId,
        advice,
        commands,
      });
    const suspects = changed.suspects.slice(0, CHANGES_MAX);
    await this.ports.incidents.saveExplanation(
      explanationOf({ failure, verdict, changes: suspects.map(describeSuspect), suspects, action, playbook, outcome, advice, commands }),
    );
  }

  /** What a playbook that ran for the failure has come to, in the explanation that it has; without one there is nothing to add to. */
  async noteOutcome(
    { captured: { failure }, playbook }: { readonly captured: Captured; readonly playbook: string },
    outcome: Explanation['outcome'],
    action: string | null,
  ): Promise<void> {
    const { incidents } = this.ports;
    const told = await incidents.explanations({ signature: failure.signature, limit: EXPLANATIONS_MAX });
    const found = told.find((e) => e.failureId === failure.id);
    const commands = outcome === 'healed' ? { commands: commandsAfterHealing(playbook) } : {};
    if (found) await incidents.saveExplanation({ ...found, outcome, ...commands, ...(action === null ? {} : { action }) });
  }

  private async pattern({ failure, pattern }: Captured): Promise<Pattern> {
    return (await this.ports.incidents.pattern(failure.signature)) ?? pattern;
  }
}

/** What helped a person before comes first. */
function adviceOf({ verdict, changed }: Diagnosed): readonly string[] {
  const { advice } = verdict.chosen ?? verdict.best;
  return changed.lessons.length === 0 ? advice : [`the last time a person mended it: ${changed.lessons.join('; ')}`, ...advice];
}
