import type { Fact, FactKind } from '../../domains/incidents/index.ts';
import { factsOf, type CaseFile, type FailureFamily, type WaitFor } from '../../domains/learning/index.ts';
import { diagnosis, isRuntime, linesOf, PERHAPS, PLAUSIBLE } from './answer.ts';

interface FamilyForPeople {
  readonly name: string;
  readonly title: string;
  readonly kinds: readonly FactKind[];
  /** PLAUSIBLE unless given: below what a change on our side is put back with, and above every guess. */
  readonly confidence?: number;
  readonly causeOf: (fact: Fact, c: CaseFile) => string;
  /** What a person can do, most useful first. */
  readonly adviceOf: (fact: Fact, c: CaseFile) => readonly string[];
  readonly waitFor?: (fact: Fact, c: CaseFile) => WaitFor | null;
}

/**
 * A family that knows the words and the help, and whose help is not ours to give: rights, versions, foreign data, the
 * machine itself. Holds, so that nothing is tried in the dark; what changed on our side is put back by other families.
 */
export function familyForPeople(family: FamilyForPeople): FailureFamily {
  return {
    name: family.name,
    title: family.title,
    diagnose(c) {
      const facts = factsOf(c, ...family.kinds);
      const fact = facts.find((f) => f.subject !== '') ?? facts[0];
      if (fact === undefined) return Promise.resolve([]);
      return Promise.resolve([
        diagnosis(family.name, {
          cause: family.causeOf(fact, c),
          // Said in the log of a service that ran for hours: it explains, and keeps no restart from being tried.
          confidence: isRuntime(c) ? Math.min(family.confidence ?? PLAUSIBLE, PERHAPS) : (family.confidence ?? PLAUSIBLE),
          evidence: linesOf(facts),
          advice: family.adviceOf(fact, c),
          waitFor: family.waitFor?.(fact, c) ?? null,
        }),
      ]);
    },
    guard: null,
  };
}
