import { factsOf, type FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, LIKELY, linesOf, text } from './answer.ts';

/** The user has used up the files that Linux lets him watch. Another process may be the one that watches them. */
export const watchersExhausted: FailureFamily = {
  name: 'watchers_exhausted',
  title: 'no more files can be watched',
  diagnose(c) {
    const facts = factsOf(c, 'watchers_exhausted');
    const [fact] = facts;
    if (fact === undefined) return Promise.resolve([]);
    const limit = text(fact, 'limit') || 'fs.inotify.max_user_watches';
    const value = limit.endsWith('instances') ? 1024 : 524_288;
    return Promise.resolve([
      diagnosis('watchers_exhausted', {
        cause: `${c.component.name} wants to watch more files than this machine allows (${limit})`,
        confidence: LIKELY,
        evidence: linesOf(facts),
        advice: [
          'a service in production need not watch its files: start it without its watch mode',
          `or raise the limit: sysctl ${limit}=${value}`,
        ],
      }),
    ]);
  },
  guard: null,
};
