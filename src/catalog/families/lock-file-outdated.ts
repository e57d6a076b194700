import { factsOf, type FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, LIKELY, linesOf, PLAUSIBLE, SURE, text } from './answer.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { basename, driftPath, isOwn, shownPath } from './places.ts';
import { restoring } from './restore.ts';

/** Manifest and lock file disagree. Versions are not chosen anew by a machine at night. */
export const lockFileOutdated: FailureFamily = {
  name: 'lock_file_outdated',
  title: 'the lock file does not fit the manifest',
  diagnose(c) {
    const facts = factsOf(c, 'lock_file_outdated');
    const fact = facts[0];
    if (fact === undefined) return Promise.resolve([]);
    const drift = c.drift.find(
      (d) =>
        (d.kind === 'changed' || d.kind === 'missing') &&
        d.canRestore &&
        basename(d.subject) === basename(fact.subject) &&
        isOwn(c.component, driftPath(c.component, d) ?? '/'),
    );
    const path = drift === undefined ? null : driftPath(c.component, drift);
    const name = text(fact, 'package');
    return Promise.resolve([
      diagnosis('lock_file_outdated', {
        cause: `${fact.code === 'no_lock' ? `there is no ${fact.subject}` : `${fact.subject} does not fit the manifest`}${name === '' ? '' : `: it lacks ${name}`}${path === null ? '' : `; ${shownPath(c.component, path)} changed since the last good boot`}`,
        // That it is gone is told by the disk as well.
        confidence: path === null ? PLAUSIBLE : fact.code === 'no_lock' ? SURE : LIKELY,
        evidence: [...linesOf(facts), drift?.message ?? ''],
        remedy: path === null ? null : restoring(c, path),
        advice: [`bring ${fact.subject} up to date where it is developed (go mod tidy, cargo update -w, npm install), and commit it`],
      }),
    ]);
  },
  guard: (g) => guardOfSteps('lock_file_outdated', g),
};
