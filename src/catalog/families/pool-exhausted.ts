import { factsOf, type FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, isRuntime, linesOf, PERHAPS, PLAUSIBLE } from './answer.ts';
import { hasSuspects } from './changed-code.ts';
import { addressOf } from './dependency-address.ts';

/** No connection came out of the pool in time: all are in use and none comes back, or none could be made. */
export const poolExhausted: FailureFamily = {
  name: 'pool_exhausted',
  title: 'its pool of connections is used up',
  async diagnose(c) {
    const facts = factsOf(c, 'pool_exhausted');
    if (facts.length === 0) return [];
    const dependencies = c.components.flatMap((o) => {
      const address = o.kind === 'dependency' ? addressOf(o) : null;
      return address === null ? [] : [{ name: o.name, ...address }];
    });
    const first = dependencies[0];
    const pool = facts[0]?.subject || 'the pool';
    return [
      diagnosis('pool_exhausted', {
        cause: `${pool} got no connection to the database in time: ${isRuntime(c) ? 'all of its connections are in use' : 'all are in use, or none could be made'}`,
        confidence:
          hasSuspects(c) || factsOf(c, 'connection_refused', 'host_unresolved', 'too_many_connections').length > 0 ? PERHAPS : PLAUSIBLE,
        evidence: linesOf(facts),
        advice: [
          ...(isRuntime(c) ? ['look for a transaction or a client that is never given back'] : []),
          `see whether ${dependencies.map((d) => d.name).join(', ') || 'the database'} accepts connections and answers on them`,
          'a larger pool helps only where the database has connections left',
        ],
        waitFor: first === undefined ? null : { kind: 'reachable', host: first.host, port: first.port },
      }),
    ];
  },
  guard: null,
};
