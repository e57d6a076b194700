import { factsOf, type CaseFile, type FailureFamily } from '../../domains/learning/index.ts';
import type { Fact, FactKind } from '../../domains/incidents/index.ts';
import { DELICATE, diagnosis, isRuntime, LIKELY, PERHAPS, PLAUSIBLE } from './answer.ts';
import { changedCode, hasSuspects, namedChange } from './changed-code.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { shownPath } from './places.ts';
import { restoring } from './restore.ts';

interface CodeFamily {
  readonly name: string;
  readonly title: string;
  readonly kind: FactKind;
  readonly causeOf: (fact: Fact, c: CaseFile) => string;
  readonly adviceOf: (fact: Fact, c: CaseFile) => readonly string[];
}

/**
 * A family of mistakes in the service's own code. Code is for people: only where a single file changed since the last good
 * boot, and the output names it, is going back on it proposed, and a person agrees first.
 */
export function mistakeInCode(family: CodeFamily): FailureFamily {
  return {
    name: family.name,
    title: family.title,
    diagnose(c) {
      const [fact] = factsOf(c, family.kind);
      if (fact === undefined) return Promise.resolve([]);
      const change = namedChange(c);
      const cause = family.causeOf(fact, c);
      const place = c.failure.frames.find((f) => !f.inDependency);
      return Promise.resolve([
        diagnosis(family.name, {
          cause: change === null ? cause : `${cause}; ${shownPath(c.component, change.path)} changed since the last good boot`,
          // While it runs such words are often only logged.
          confidence: change !== null && !isRuntime(c) ? LIKELY : isRuntime(c) || hasSuspects(c) ? PERHAPS : PLAUSIBLE,
          evidence: [
            fact.line,
            place === undefined ? '' : `at ${shownPath(c.component, place.path)}${place.line === null ? '' : `:${place.line}`}`,
            ...changedCode(c).map(({ drift }) => drift.message),
            ...c.drift.filter((d) => d.kind === 'git').map((d) => d.message),
          ],
          remedy: change === null ? null : restoring(c, change.path, DELICATE),
          advice: family.adviceOf(fact, c),
        }),
      ]);
    },
    guard: (g) => guardOfSteps(family.name, g),
  };
}
