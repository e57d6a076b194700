import { factsOf, type FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, LIKELY } from './answer.ts';

/** A promise or coroutine was not waited for: a mistake in the code, with a place. */
export const unawaited: FailureFamily = {
  name: 'unawaited',
  title: 'something asynchronous is not awaited',
  diagnose(c) {
    const frame = c.failure.frames.find((f) => !f.inDependency);
    return Promise.resolve(
      factsOf(c, 'unawaited')
        .slice(0, 1)
        .map((fact) =>
          diagnosis('unawaited', {
            cause: `${fact.subject || 'a call'} is not awaited${frame === undefined ? '' : `, at ${frame.path}${frame.line === null ? '' : `:${frame.line}`}`}`,
            // Often only a warning beside the real failure.
            confidence: c.failure.symptom === 'exit' && c.failure.facts.length === 1 ? LIKELY : 0.4,
            evidence: [fact.line],
            advice: [`await ${fact.subject || 'it'}, or handle its failure`],
          }),
        ),
    );
  },
  guard: null,
};
