import { factsOf, type FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, isRuntime, linesOf, PLAUSIBLE, remedy, remedyInPlace, step, WORDS_ONLY, ONE_WAY } from './answer.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { absolutePath, nameSlug } from './places.ts';

/**
 * Another process writes to the database right now. Time helps, or the end of a stale copy of the component; the
 * journal and WAL files beside the database hold committed data and are never touched.
 */
export const databaseLocked: FailureFamily = {
  name: 'database_locked',
  title: 'the database is locked',
  async diagnose(c) {
    const facts = factsOf(c, 'database_locked');
    if (facts.length === 0) return [];
    const what = facts.find((f) => f.subject !== '')?.subject ?? 'the database';
    const holder = c.component.port === null ? null : await c.host.portHolder(c.component.port, c.component.name);
    const advice = [`see which process has ${what} open; never remove its -wal or -shm file`];
    if (holder?.relation === 'own_stale' && c.component.port !== null)
      return [
        diagnosis('database_locked', {
          cause: `${what} is locked by pid ${holder.pid}, an old copy of ${c.component.name} that nobody looks after any more`,
          confidence: 0.9,
          evidence: linesOf(facts),
          remedy: remedy('unlock_database', `end the stale copy of ${c.component.name} that has the database open`, ONE_WAY, [
            step(`end the stale copy of ${c.component.name}`, 'free_port', { port: c.component.port }),
          ]),
          advice,
        }),
      ];
    return [
      diagnosis('database_locked', {
        cause: `${what} is locked by another process`,
        confidence: isRuntime(c) ? WORDS_ONLY : PLAUSIBLE,
        evidence: linesOf(facts),
        remedy: remedyInPlace(`retry_${nameSlug(c.component.name)}_when_unlocked`, 'start again: a lock of a writer passes', ONE_WAY, [
          step(`start ${c.component.name} again`, 'restart_component', { reason: 'its database was locked' }),
        ]),
        advice,
        waitFor: { kind: 'file_change', path: absolutePath(c.component, what) ?? c.component.cwd },
      }),
    ];
  },
  guard: (g) => guardOfSteps('database_locked', g),
};
