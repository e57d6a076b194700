import { factsOf, type FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, text } from './answer.ts';
import { placeOf } from './own-frame.ts';

/** Above "no known cause", and below everything that knows a reason or a change. */
const LAST_WORD = 0.2;

/** An error that nobody caught, and nothing outside of the program explains: a bug, with its place. */
export const programError: FailureFamily = {
  name: 'program_error',
  title: 'an error of the program itself',
  diagnose(c) {
    const facts = factsOf(c, 'exception').filter((f) => f.runtime !== 'kernel');
    const fact = facts.find((f) => text(f, 'message') !== '') ?? facts[0];
    if (fact === undefined) return Promise.resolve([]);
    const message = text(fact, 'message');
    const place = placeOf(c);
    return Promise.resolve([
      diagnosis('program_error', {
        cause: `${c.component.name} ended with an error that nothing catches${place}: ${fact.subject}${message === '' ? '' : `: ${message}`}`,
        confidence: LAST_WORD,
        evidence: [fact.line, ...c.drift.slice(0, 5).map((d) => d.message)],
        advice: [
          ...(c.drift.length > 0 ? ['look at what changed since the last good boot'] : []),
          place === '' ? 'read its stack' : `look at the code${place}`,
          'go back to the last version that worked',
        ],
      }),
    ]);
  },
  guard: null,
};
