import type { CaseFile, Diagnosis, FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, isRuntime, remedyInPlace, step, ONE_WAY } from './answer.ts';

interface RestartingFamily {
  readonly name: string;
  readonly title: string;
  readonly confidence: number;
  /** What is wrong, for people; null when it is something else. */
  readonly causeOf: (c: CaseFile) => string | null;
  readonly advice: string;
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
      return Promise.resolve([
        diagnosis(family.name, {
          cause,
          confidence: family.confidence,
          evidence: [c.failure.message, c.failure.headline],
          remedy: remedyInPlace(`restart_${family.name}`, `start ${c.component.name} again: ${reason}`, ONE_WAY, [
            step(`start ${c.component.name} again`, 'restart_component', { reason }),
          ]),
          advice: [family.advice],
        }),
      ]);
    },
    guard: null,
  };
}
