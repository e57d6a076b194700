import { factsOf, type FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, linesOf, PERHAPS, PLAUSIBLE } from './answer.ts';
import { hasSuspects, namedChange } from './changed-code.ts';
import { shownPath } from './places.ts';

/** A plugin or a hook did not say in time that it is ready: it waits for something, or forgot to say so. */
export const startTimeout: FailureFamily = {
  name: 'start_timeout',
  title: 'a part of it did not become ready in time',
  diagnose(c) {
    const facts = factsOf(c, 'start_timeout');
    const subject = facts.find((f) => f.subject !== '')?.subject ?? '';
    if (facts.length === 0) return Promise.resolve([]);
    const change = namedChange(c);
    const waits = c.components.filter((o) => o.kind === 'dependency').map((o) => o.name);
    return Promise.resolve([
      diagnosis('start_timeout', {
        cause: `${subject === '' ? 'a plugin' : `the plugin ${subject}`} of ${c.component.name} did not become ready in time`,
        // What it waits for is the better answer, where somebody knows.
        confidence: hasSuspects(c) || factsOf(c, 'connection_refused', 'host_unresolved', 'not_ready_yet').length > 0 ? PERHAPS : PLAUSIBLE,
        evidence: [...linesOf(facts), change?.drift.message ?? ''],
        advice: [
          ...(waits.length > 0 ? [`see whether ${waits.join(', ')} answers: it may be waiting for that`] : []),
          `see what ${subject || 'it'} waits for at its start, and whether it says when it is done`,
          ...(change === null ? [] : [`look at the last change of ${shownPath(c.component, change.path)}`]),
        ],
      }),
    ]);
  },
  guard: null,
};
