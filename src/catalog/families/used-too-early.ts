import { factsOf, type FailureFamily } from '../../domains/learning/index.ts';
import { DELICATE, diagnosis, LIKELY, linesOf } from './answer.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { changedInStack, ownFrameOf } from './own-frame.ts';
import { driftAt, shownPath } from './places.ts';
import { restoring } from './restore.ts';

/** Code uses a framework before the framework is set up: the order of imports is the mistake. */
export const usedTooEarly: FailureFamily = {
  name: 'used_too_early',
  title: 'the framework is used before it is set up',
  diagnose(c) {
    const facts = factsOf(c, 'used_too_early');
    const [fact] = facts;
    if (fact === undefined) return Promise.resolve([]);
    const changed = changedInStack(c);
    const frame = ownFrameOf(c);
    const place = frame === null ? 'the code' : `${shownPath(c.component, frame.path)}${frame.line === null ? '' : `:${frame.line}`}`;
    return Promise.resolve([
      diagnosis('used_too_early', {
        cause: `${place} uses ${fact.subject === 'context' ? 'the application' : `the ${fact.subject}`} before it is set up${changed === null ? '' : `; ${shownPath(c.component, changed)} changed since the last good boot`}`,
        confidence: LIKELY,
        evidence: [...linesOf(facts), changed === null ? '' : (driftAt(c, changed, 'changed')?.message ?? '')],
        remedy: changed === null ? null : restoring(c, changed, DELICATE),
        advice:
          fact.code === 'AppRegistryNotReady'
            ? ['call django.setup() before models are imported', 'import models inside of functions, not in __init__.py or in settings']
            : ['do it inside of an application context, or in a function that the framework calls'],
      }),
    ]);
  },
  guard: (g) => guardOfSteps('used_too_early', g),
};
