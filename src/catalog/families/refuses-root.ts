import { factsOf, type FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, LIKELY, linesOf } from './answer.ts';

/** It refuses to run as root, and is right: the switch that would make it run is never used. */
export const refusesRoot: FailureFamily = {
  name: 'refuses_root',
  title: 'it refuses to run as root',
  diagnose(c) {
    const facts = factsOf(c, 'runs_as_root', 'permission_denied').filter((f) => f.kind === 'runs_as_root' || f.code === 'runs_as_root');
    if (facts.length === 0) return Promise.resolve([]);
    return Promise.resolve([
      diagnosis('refuses_root', {
        cause: `${c.component.name} is started as root, and ${facts[0]?.subject === 'root' ? 'it' : (facts[0]?.subject ?? 'it')} refuses that`,
        confidence: LIKELY,
        evidence: linesOf(facts),
        advice: [
          'start Grace, or this component, as a user of its own who owns its files',
          'leave the switch that allows root alone: whoever gets into the service then has the machine',
        ],
      }),
    ]);
  },
  guard: null,
};
