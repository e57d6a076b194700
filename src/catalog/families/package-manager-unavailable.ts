import { factsOf, type FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, LIKELY, linesOf } from './answer.ts';

/** Corepack fetches the package manager at the first use, and cannot: a start should not depend on that. */
export const packageManagerUnavailable: FailureFamily = {
  name: 'package_manager_unavailable',
  title: 'the package manager cannot be fetched',
  diagnose(c) {
    const facts = factsOf(c, 'package_manager_unavailable');
    const manager = facts.find((f) => f.subject !== '')?.subject ?? 'the package manager';
    if (facts.length === 0) return Promise.resolve([]);
    return Promise.resolve([
      diagnosis('package_manager_unavailable', {
        cause: `Corepack is to fetch ${manager} before ${c.component.name} can start, and cannot get a version that it trusts`,
        confidence: LIKELY,
        evidence: linesOf(facts),
        advice: [
          `install ${manager} with the service, or upgrade Corepack: old ones do not know the keys of today`,
          'start the service with node itself: then nothing has to be fetched',
        ],
      }),
    ]);
  },
  guard: null,
};
