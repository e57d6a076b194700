import type { Explanation } from '../incidents/index.ts';
import { commandsFor, diagnose, explanationOf, type Captured, type Verdict } from '../learning/index.ts';
import type { RegisteredPlaybook } from '../playbooks/index.ts';
import type { ComponentSpec } from '../supervisor/index.ts';
import type { HealerPorts } from './healer-ports.ts';

export interface Proposal {
  readonly verdict: Verdict;
  readonly explanation: Explanation;
  /** The playbook that would run, registered or still to be written; null where nobody but a person can help. */
  readonly playbook: string | null;
  /** The same when it is registered. */
  readonly registered: RegisteredPlaybook | null;
}

/** What Grace makes of a failure that somebody reports. It is explained and remembered; nothing is done about it. */
export async function propose(
  captured: Captured,
  component: ComponentSpec,
  ports: Pick<HealerPorts, 'incidents' | 'playbooks' | 'knowledge' | 'caseFile' | 'logger' | 'projectDir'>,
): Promise<Proposal> {
  const c = await ports.caseFile(captured, component, []);
  const verdict = await diagnose(c, (await ports.knowledge()).families, ports.logger);
  const shown = verdict.chosen ?? verdict.best;
  const registered = fitting(captured, shown.family, verdict.chosen?.remedy?.playbook ?? null, await ports.playbooks.list());
  const explanation = explanationOf({
    failure: captured.failure,
    verdict,
    changes: c.drift.slice(0, 8).map((d) => d.message),
    action: 'nothing: it was recorded, and nobody asked for more',
    playbook: registered,
    outcome: 'open',
    advice: shown.advice,
    commands: commandsFor(shown, {
      failure: captured.failure,
      component,
      incident: captured.pattern.incidentId,
      outcome: 'open',
      playbook: registered?.name ?? null,
      approval: null,
      hasLog: false,
      hasDrift: c.drift.length > 0,
      projectDir: ports.projectDir,
    }),
  });
  await ports.incidents.saveExplanation(explanation);
  await ports.incidents.savePattern({ ...captured.pattern, familyName: shown.family, rootCause: shown.cause });
  return { verdict, explanation, registered, playbook: registered?.name ?? verdict.chosen?.remedy?.playbook ?? null };
}

/** As healing chooses: what a person made for this failure, then what mended it before, then what the remedy is called. */
function fitting(
  { failure, pattern, alike = [] }: Captured,
  family: string,
  remedy: string | null,
  playbooks: readonly RegisteredPlaybook[],
): RegisteredPlaybook | null {
  const signatures = new Set<string>([failure.signature, ...alike]);
  const usable = playbooks.filter((p) => p.isEnabled && (p.component === null || p.component === failure.component));
  const isFor = (p: RegisteredPlaybook): boolean => (p.signature === null ? p.family === family : signatures.has(p.signature));
  return (
    usable.find((p) => (p.origin === 'written' || p.origin === 'edited') && isFor(p)) ??
    usable.find((p) => p.name === pattern.playbook) ??
    // One that ships with Grace gives its name to the file with the parameters of a case, and is none itself.
    usable.find((p) => p.name === remedy && p.origin !== 'shipped') ??
    null
  );
}
