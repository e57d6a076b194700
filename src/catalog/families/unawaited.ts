import { factsOf, type FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, LIKELY, text } from './answer.ts';
import { verifyingSubscriptions } from './unawaited-places.ts';

/** A promise or coroutine was not waited for: a mistake in the code, with a place. */
export const unawaited: FailureFamily = {
  name: 'unawaited',
  title: 'something asynchronous is not awaited',
  diagnose(c) {
    const frame = c.failure.frames.find((f) => !f.inDependency);
    return Promise.resolve(
      factsOf(c, 'unawaited')
        .slice(0, 1)
        .map((fact) => {
          // Often only a warning beside the real failure.
          const isAlone = c.failure.symptom === 'exit' && c.failure.facts.length === 1;
          const place = text(fact, 'path') || (frame?.path ?? '');
          const line = text(fact, 'path') === '' ? (frame?.line ?? '') : text(fact, 'line');
          return diagnosis('unawaited', {
            cause: `${fact.subject || 'a call'} is not awaited${place === '' ? '' : `, at ${place}${line === '' ? '' : `:${line}`}`}`,
            confidence: isAlone ? LIKELY : 0.4,
            evidence: [fact.line],
            remedy: isAlone ? verifyingSubscriptions(c, fact.subject, place === '' ? null : place) : null,
            advice: [`await ${fact.subject || 'it'}, or handle its failure`],
          });
        }),
    );
  },
  guard: null,
};
