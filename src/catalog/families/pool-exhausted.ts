import { factsOf, type FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, isRuntime, linesOf, PLAUSIBLE, remedyInPlace, step, ONE_WAY } from './answer.ts';
import { nameSlug } from './places.ts';

/** Its own pool has no connection left, while the database still has: most often some are never given back. */
export const poolExhausted: FailureFamily = {
  name: 'pool_exhausted',
  title: 'its connection pool is used up',
  diagnose(c) {
    const facts = factsOf(c, 'pool_exhausted');
    if (facts.length === 0) return Promise.resolve([]);
    const pool = facts.find((f) => f.subject !== '')?.subject ?? '';
    return Promise.resolve([
      diagnosis('pool_exhausted', {
        cause: `the connection pool ${pool === '' ? '' : `${pool} `}of ${c.component.name} is used up: connections are not given back, or queries take too long`,
        confidence: PLAUSIBLE,
        evidence: linesOf(facts),
        remedy: isRuntime(c)
          ? remedyInPlace(
              `restart_${nameSlug(c.component.name)}_pool_exhausted`,
              `start ${c.component.name} again with an empty pool`,
              ONE_WAY,
              [step(`start ${c.component.name} again`, 'restart_component', { reason: 'its connection pool is used up' })],
            )
          : null,
        advice: [
          'see in the database what its connections do: idle in transaction means that somebody forgot them',
          'give every connection back in a finally, or raise the size of the pool below the limit of the database',
        ],
      }),
    ]);
  },
  guard: null,
};
