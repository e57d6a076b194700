import { join } from 'node:path';
import { factsOf, type FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, LIKELY, linesOf, SURE } from './answer.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { driftAt, isOwn } from './places.ts';
import { restoring } from './restore.ts';

/** package.json and the lock file say different things, and the package manager was told not to decide between them. */
export const lockOutOfSync: FailureFamily = {
  name: 'lock_out_of_sync',
  title: 'the lock file does not belong to package.json',
  diagnose(c) {
    const [fact] = factsOf(c, 'lock_out_of_sync');
    if (fact === undefined) return Promise.resolve([]);
    const cause =
      fact.code === 'no_lock'
        ? `there is no ${fact.subject} that says which versions to install`
        : `${fact.subject} does not belong to package.json`;
    const lock = join(c.component.cwd, fact.subject);
    const lockDrift = driftAt(c, lock, 'changed', 'missing');
    const manifestDrift = driftAt(c, join(c.component.cwd, 'package.json'), 'changed');
    // Only the lock is another one: the package.json that it belonged to is still there.
    const canRestore = lockDrift?.canRestore === true && manifestDrift === null && isOwn(c.component, lock);
    return Promise.resolve([
      diagnosis('lock_out_of_sync', {
        cause: canRestore
          ? `${cause}; ${fact.subject} ${lockDrift.kind === 'missing' ? 'was there' : 'was another one'} at the last good boot`
          : manifestDrift === null
            ? cause
            : `${cause}, which changed since the last good boot`,
        confidence: canRestore ? SURE : LIKELY,
        evidence: [...linesOf([fact]), lockDrift?.message ?? '', manifestDrift?.message ?? ''],
        remedy: canRestore ? restoring(c, lock) : null,
        advice: [
          'bring both in step where the code is developed, and commit the lock file',
          'or go back to the package.json it belongs to',
        ],
        waitFor: { kind: 'file_change', path: lock },
      }),
    ]);
  },
  guard: (g) => guardOfSteps('lock_out_of_sync', g),
};
