import { factsOf, type FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, LIKELY, linesOf } from './answer.ts';
import { envFilesOf } from './env-text.ts';

/** The database has no connection left. Somebody's have to end first; starting more of ours makes it worse. */
export const tooManyConnections: FailureFamily = {
  name: 'too_many_connections',
  title: 'the database has no connection left',
  diagnose(c) {
    const facts = factsOf(c, 'too_many_connections');
    if (facts.length === 0) return Promise.resolve([]);
    return Promise.resolve([
      diagnosis('too_many_connections', {
        cause: `${facts[0]?.subject || 'the database'} has no connection left: too many clients are connected`,
        confidence: LIKELY,
        evidence: linesOf(facts),
        waitFor: { kind: 'file_change', path: envFilesOf(c.component)[0] ?? c.component.cwd },
        advice: [
          'see which clients hold connections (pg_stat_activity, SHOW PROCESSLIST)',
          `lower the pool size of ${c.component.name}, or raise the limit of the server`,
        ],
      }),
    ]);
  },
  guard: null,
};
