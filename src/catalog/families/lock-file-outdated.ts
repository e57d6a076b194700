import { join } from 'node:path';
import { factsOf, type CaseFile, type FailureFamily } from '../../domains/learning/index.ts';
import { DELICATE, diagnosis, LIKELY, linesOf, remedy, step, text } from './answer.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { driftAt, isOwn, shownPath } from './places.ts';

const MANIFEST: Readonly<Record<string, string>> = { 'Gemfile.lock': 'Gemfile', 'composer.lock': 'composer.json' };

/**
 * The list of wanted packages and the lock file do not fit together. One of them was changed without the other: going back is
 * for a person to agree to, since somebody wanted that change.
 */
export const lockFileOutdated: FailureFamily = {
  name: 'lock_file_outdated',
  title: 'the lock file does not fit the list of packages',
  diagnose(c) {
    const facts = factsOf(c, 'lock_file_outdated');
    const [fact] = facts;
    if (fact === undefined) return Promise.resolve([]);
    const platform = text(fact, 'platform');
    const changed = [MANIFEST[fact.subject] ?? '', fact.subject]
      .map((name) => join(c.component.cwd, name))
      .filter((path) => driftAt(c, path, 'changed')?.canRestore === true && isOwn(c.component, path));
    const names = changed.map((path) => shownPath(c.component, path)).join(' and ');
    return Promise.resolve([
      diagnosis('lock_file_outdated', {
        cause:
          (platform === ''
            ? `${fact.subject} does not fit ${MANIFEST[fact.subject] ?? 'the list of packages'}`
            : `${fact.subject} has no packages for ${platform}`) +
          (changed.length === 0 ? '' : `; ${names} changed since the last good boot`),
        confidence: LIKELY,
        evidence: [...linesOf(facts), ...changed.map((path) => driftAt(c, path, 'changed')?.message ?? '')],
        remedy:
          changed.length === 0
            ? null
            : remedy(
                'restore_package_lists',
                `put ${names} back as at the last good boot`,
                DELICATE,
                changed.map((path) =>
                  step(`put ${shownPath(c.component, path)} back as it was at the last good boot`, 'restore_file', { path }),
                ),
              ),
        advice: [renew(c, fact.subject, platform)],
      }),
    ]);
  },
  guard: (g) => guardOfSteps('lock_file_outdated', g),
};

function renew(c: CaseFile, lock: string, platform: string): string {
  if (lock === 'composer.lock')
    return 'run composer update for the packages that changed, where the code is written, and deploy both files';
  return platform === ''
    ? `run bundle install where the code of ${c.component.name} is written, and deploy both files`
    : `run bundle lock --add-platform ${platform}`;
}
