import { factsOf, type FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, LIKELY, PLAUSIBLE, SURE, text } from './answer.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { canBringBack } from './missing-part.ts';
import { absolutePath, driftAt, isOwn, shownPath } from './places.ts';
import { restoring } from './restore.ts';

/** What was built is torn, or lacks what makes it a program: a copy that was cut off, a build that did not finish. */
export const artifactBroken: FailureFamily = {
  name: 'artifact_broken',
  title: 'what was built is damaged',
  async diagnose(c) {
    const fact = factsOf(c, 'artifact_broken')[0];
    if (fact === undefined) return [];
    const path = absolutePath(c.component, fact.subject);
    const shown = path === null ? 'what was built' : shownPath(c.component, path);
    const drift = path === null ? null : driftAt(c, path, 'changed', 'missing');
    const isKept = path !== null && isOwn(c.component, path) && canBringBack(await c.lastGood.entry(c.component.name, path));
    const reason = text(fact, 'reason');
    return [
      diagnosis('artifact_broken', {
        cause: `${shown} ${reason === '' ? 'is damaged' : reason}${drift === null ? '' : '; it changed since the last good boot'}`,
        confidence: drift === null ? PLAUSIBLE : isKept ? SURE : LIKELY,
        evidence: [fact.line, drift?.message ?? ''],
        remedy: path !== null && isKept && drift !== null ? restoring(c, path) : null,
        advice: [`build ${shown} again, or copy it again: compare its size with the original`],
      }),
    ];
  },
  guard: (g) => guardOfSteps('artifact_broken', g),
};
