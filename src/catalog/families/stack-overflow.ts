import { factsOf, type FailureFamily } from '../../domains/learning/index.ts';
import { DELICATE, diagnosis, LIKELY, linesOf } from './answer.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { changedInStack, ownFrameOf } from './own-frame.ts';
import { driftAt, shownPath } from './places.ts';
import { restoring } from './restore.ts';

/** A function calls itself until the stack is full: a mistake in the code, or data that is nested without end. */
export const stackOverflow: FailureFamily = {
  name: 'stack_overflow',
  title: 'the code calls itself without end',
  diagnose(c) {
    const facts = factsOf(c, 'stack_overflow');
    const [fact] = facts;
    if (fact === undefined) return Promise.resolve([]);
    const changed = changedInStack(c);
    const frame = ownFrameOf(c);
    const place = frame === null ? '' : ` in ${shownPath(c.component, frame.path)}${frame.line === null ? '' : `:${frame.line}`}`;
    return Promise.resolve([
      diagnosis('stack_overflow', {
        cause: `${fact.subject || 'a function'} calls itself without end${place}${changed === null ? '' : `; ${shownPath(c.component, changed)} changed since the last good boot`}`,
        confidence: LIKELY,
        evidence: [...linesOf(facts), changed === null ? '' : (driftAt(c, changed, 'changed')?.message ?? '')],
        remedy: changed === null ? null : restoring(c, changed, DELICATE),
        advice: [`look for what ends the recursion${place}`, 'or for data that contains itself; a larger stack only delays it'],
      }),
    ]);
  },
  guard: (g) => guardOfSteps('stack_overflow', g),
};
