import { factsOf, type FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, PERHAPS, PLAUSIBLE, text } from './answer.ts';
import { hasSuspects } from './changed-code.ts';
import { shownPath } from './places.ts';
import { verifyingSubscriptions } from './unawaited-places.ts';

/** A value that is no error was thrown or rejected with: it has neither a message nor a place. */
export const thrownValue: FailureFamily = {
  name: 'thrown_value',
  title: 'something that is no error was thrown',
  diagnose(c) {
    const fact = factsOf(c, 'exception').find((f) => f.subject === 'thrown value' || f.code === 'ERR_UNHANDLED_REJECTION');
    if (fact === undefined) return Promise.resolve([]);
    const isRejected = fact.code === 'ERR_UNHANDLED_REJECTION';
    const value = isRejected ? (/with the reason ["'](.{1,120}?)["']\.?$/.exec(text(fact, 'message'))?.[1] ?? '') : text(fact, 'message');
    const frame = c.failure.frames.find((f) => !f.inDependency);
    // It may well be known from the rest of the output what it is about.
    const isAlone = c.failure.facts.length === 1 && !hasSuspects(c);
    const what = value === '' || value.startsWith('#<') ? 'a value that is no error' : `${JSON.stringify(value)}, which is no error`;
    return Promise.resolve([
      diagnosis('thrown_value', {
        cause: isRejected ? `a promise was rejected with ${what}, and nobody handled it` : `the code threw ${what}`,
        confidence: isAlone ? PLAUSIBLE : PERHAPS,
        evidence: [fact.line, frame === undefined ? '' : `at ${shownPath(c.component, frame.path)}`],
        // A rejection has no place: where promises are dropped is where to look.
        remedy: isRejected && isAlone && c.failure.symptom === 'exit' ? verifyingSubscriptions(c, '', null) : null,
        advice: [
          'throw an Error: it has a message and says where it comes from',
          ...(isRejected ? ['start it with --trace-uncaught to see where it was thrown'] : []),
        ],
      }),
    ]);
  },
  guard: null,
};
