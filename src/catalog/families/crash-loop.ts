import type { FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, GUESS } from './answer.ts';

/** It used up its restarts. What its output says is for the other families; without that, it is left alone. */
export const crashLoop: FailureFamily = {
  name: 'crash_loop',
  title: 'it ends again and again',
  diagnose(c) {
    if (c.failure.symptom !== 'crash_loop') return Promise.resolve([]);
    const { headline, message } = c.failure;
    return Promise.resolve([
      diagnosis('crash_loop', {
        cause: `${c.component.name} ends again and again${headline === '' ? ' and does not say why' : `: ${headline}`}`,
        confidence: GUESS,
        evidence: [message, headline, ...c.drift.slice(0, 3).map((d) => d.message)],
        advice: ['read its first error', ...(c.drift.length > 0 ? [`look at what changed: ${c.drift[0]?.message ?? ''}`] : [])],
      }),
    ]);
  },
  guard: null,
};
