import type { CaseFile, Diagnosis, FailureFamily } from '../../domains/learning/index.ts';
import type { RemedyStep } from '../../domains/playbooks/index.ts';
import { diagnosis, isRuntime, remedyInPlace, step, ONE_WAY, type Care } from './answer.ts';

interface RestartingFamily {
  readonly name: string;
  readonly title: string;
  readonly confidence: number;
  /** What is wrong, for people; null when it is something else. */
  readonly causeOf: (c: CaseFile) => string | null;
  readonly advice: string;
  /** What is looked at before the restart takes it away, and how its playbook is called then. */
  readonly investigation?: { readonly playbook: string; readonly care: Care; readonly steps: readonly RemedyStep[] };
}

/** A family of things that a fresh process cures, once nothing better explains them. Only while it runs: at boot it is fresh. */
export function restartingFamily(family: RestartingFamily): FailureFamily {
  return {
    name: family.name,
    title: family.title,
    diagnose(c): Promise<readonly Diagnosis[]> {
      const cause = isRuntime(c) && c.component.kind === 'process' ? family.causeOf(c) : null;
      if (cause === null) return Promise.resolve([]);
      const reason = family.title;
      const { playbook, care, steps } = family.investigation ?? { playbook: `restart_${family.name}`, care: ONE_WAY, steps: [] };
      const description = `start ${c.component.name} again: ${reason}`;
      return Promise.resolve([
        diagnosis(family.name, {
          cause,
          confidence: family.confidence,
          evidence: [c.failure.message, c.failure.headline],
          remedy: remedyInPlace(playbook, description, care, [
            ...steps,
            step(`start ${c.component.name} again`, 'restart_component', { reason }),
          ]),
          advice: [family.advice],
        }),
      ]);
    },
    guard: null,
  };
}
