import { dirname } from 'node:path';
import type { CaseFile, FailureFamily } from '../../domains/learning/index.ts';
import { areKeptFrom, declaresPackages, isReleaseFile } from '../release-files.ts';
import { DELICATE, diagnosis, isRuntime, remedy, step } from './answer.ts';
import { driftPath, shownPath } from './places.ts';

const SHOWN_MAX = 4;
const COMMIT_CHARS = 12;

/**
 * Boots fail in a row, and the release is another than the last one that worked. A last resort: what it would undo is
 * somebody's work, so a person decides, and everything that mends the failure itself is tried before.
 */
export const releaseFailing: FailureFamily = {
  name: 'release_failing',
  title: 'every boot since the last good release failed',
  async diagnose(c) {
    const { release } = c;
    if (release === null || isRuntime(c) || c.component.kind !== 'process') return [];
    const kept = areKeptFrom(await c.lastGood.entries(c.component.name), release.lastGoodBoot);
    const files = kept ? differing(c) : [];
    const { commit, commitNow, touched, lastGoodBoot, failedBoots } = release;
    const isOther = commit !== null && commitNow !== null;
    if (files.length === 0 && !isOther) return [];
    const names = files.map((path) => shownPath(c.component, path));
    const different = [
      ...(isOther ? [`the commit (${commitNow.slice(0, COMMIT_CHARS)}, was ${commit.slice(0, COMMIT_CHARS)})`] : []),
      ...names.slice(0, SHOWN_MAX),
      ...(names.length > SHOWN_MAX ? [`${names.length - SHOWN_MAX} more files`] : []),
    ];
    const params = { boot: lastGoodBoot, commit: isOther ? commit : null };
    const directories = new Set([...files, ...(isOther ? touched : [])].filter(declaresPackages).map((path) => dirname(path)));
    const installs = [...directories].toSorted().filter((dir) => c.component.roots.some((root) => `${dir}/`.startsWith(`${root}/`)));
    return [
      diagnosis('release_failing', {
        cause: `${failedBoots} boots in a row have failed since ${lastGoodBoot}, the last good one; what is different: ${different.join(', ')}`,
        confidence: 0.2,
        evidence: c.drift.flatMap((d) => (files.includes(driftPath(c.component, d) ?? '') ? [d.message] : [])).slice(0, SHOWN_MAX),
        remedy: {
          ...remedy('roll_back_release', `go back to the release of ${lastGoodBoot}`, DELICATE, [
            step(`go back to the release of ${lastGoodBoot}`, 'roll_back_release', params),
            ...installs.map((directory) =>
              step(`packages of ${shownPath(c.component, directory)} as that release declares them`, 'install_packages', {
                directory,
                ifNeeded: true,
              }),
            ),
          ]),
          isLastResort: true,
        },
        advice: ['mend the new release, or agree to go back to the last good one'],
      }),
    ];
  },
  guard: null,
};

/** Files of the release that are not as the last good boot had them. */
function differing(c: CaseFile): readonly string[] {
  const found = c.drift.flatMap((drift) => {
    const path = drift.canRestore && (drift.kind === 'changed' || drift.kind === 'missing') ? driftPath(c.component, drift) : null;
    return path !== null && isReleaseFile(c.component, path) ? [path] : [];
  });
  return [...new Set(found)].toSorted();
}
