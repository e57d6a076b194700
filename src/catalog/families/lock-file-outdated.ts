import { factsOf, type CaseFile, type FailureFamily } from '../../domains/learning/index.ts';
import { DELICATE, diagnosis, LIKELY, linesOf, PLAUSIBLE, SURE, text } from './answer.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { basename, driftPath, isOwn, shownPath } from './places.ts';
import { restoring } from './restore.ts';

/** What says which packages are wanted, where that is no more than a list, and how its lock file is brought up to date where the code is written. */
const OF_LOCK: Readonly<Record<string, { readonly manifest: string; readonly renew: string }>> = {
  'package-lock.json': { manifest: 'package.json', renew: 'npm install' },
  'pnpm-lock.yaml': { manifest: 'package.json', renew: 'pnpm install' },
  'yarn.lock': { manifest: 'package.json', renew: 'yarn install' },
  'go.sum': { manifest: '', renew: 'go mod tidy' },
  'Cargo.lock': { manifest: '', renew: 'cargo update -w' },
  'Gemfile.lock': { manifest: 'Gemfile', renew: 'bundle install' },
  'composer.lock': { manifest: 'composer.json', renew: 'composer update of what changed' },
};

/** Manifest and lock file disagree. Versions are not chosen anew by a machine at night. */
export const lockFileOutdated: FailureFamily = {
  name: 'lock_file_outdated',
  title: 'the lock file does not fit the manifest',
  diagnose(c) {
    const facts = factsOf(c, 'lock_file_outdated');
    const fact = facts[0];
    if (fact === undefined) return Promise.resolve([]);
    const { manifest, renew } = OF_LOCK[basename(fact.subject)] ?? { manifest: '', renew: 'go mod tidy, cargo update -w' };
    const lock = changedPath(c, basename(fact.subject), ['changed', 'missing']);
    const path = lock ?? (manifest === '' ? null : changedPath(c, manifest, ['changed']));
    const [name, platform] = [text(fact, 'package'), text(fact, 'platform')];
    const what =
      fact.code === 'no_lock'
        ? `there is no ${fact.subject}`
        : platform === ''
          ? `${fact.subject} does not fit the manifest`
          : `${fact.subject} has no packages for ${platform}`;
    return Promise.resolve([
      diagnosis('lock_file_outdated', {
        cause: `${what}${name === '' ? '' : `: it lacks ${name}`}${path === null ? '' : `; ${shownPath(c.component, path)} changed since the last good boot`}`,
        // That it is gone is told by the disk as well.
        confidence: path === null ? PLAUSIBLE : fact.code === 'no_lock' ? SURE : LIKELY,
        evidence: [...linesOf(facts), ...c.drift.filter((d) => path !== null && driftPath(c.component, d) === path).map((d) => d.message)],
        // Somebody wanted the change of the manifest: going back on that is for a person to agree to.
        remedy: path === null ? null : lock === null ? restoring(c, path, DELICATE) : restoring(c, path),
        advice: [
          platform === ''
            ? `bring ${fact.subject} up to date where it is developed (${renew}), and commit it`
            : `add this platform where it is developed (bundle lock --add-platform ${platform}), and commit ${fact.subject}`,
        ],
      }),
    ]);
  },
  guard: (g) => guardOfSteps('lock_file_outdated', g),
};

function changedPath(c: CaseFile, name: string, kinds: readonly string[]): string | null {
  for (const drift of c.drift) {
    const path = driftPath(c.component, drift);
    if (path !== null && kinds.includes(drift.kind) && drift.canRestore && basename(path) === name && isOwn(c.component, path)) return path;
  }
  return null;
}
