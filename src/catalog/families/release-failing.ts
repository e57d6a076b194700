import { dirname } from 'node:path';
import type { CaseFile, FailureFamily, Remedy } from '../../domains/learning/index.ts';
import type { ComponentSpec } from '../../domains/supervisor/index.ts';
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
    const files = kept ? releaseFilesThatDiffer(c) : [];
    const { commit, commitNow, touched, lastGoodBoot, failedBoots } = release;
    const isOther = commit !== null && commitNow !== null;
    if (files.length === 0 && !isOther) return [];
    const names = files.map((path) => shownPath(c.component, path));
    const different = [
      ...(isOther ? [`the commit (${commitNow.slice(0, COMMIT_CHARS)}, was ${commit.slice(0, COMMIT_CHARS)})`] : []),
      ...names.slice(0, SHOWN_MAX),
      ...(names.length > SHOWN_MAX ? [`${names.length - SHOWN_MAX} more files`] : []),
    ];
    return [
      diagnosis('release_failing', {
        cause: `${failedBoots} boots in a row have failed since ${lastGoodBoot}, the last good one; what is different: ${different.join(', ')}`,
        confidence: 0.2,
        evidence: c.drift.flatMap((d) => (files.includes(driftPath(c.component, d) ?? '') ? [d.message] : [])).slice(0, SHOWN_MAX),
        remedy: rollbackRemedy(c.component, lastGoodBoot, isOther ? commit : null, [...files, ...(isOther ? touched : [])]),
        advice: ['mend the new release, or agree to go back to the last good one'],
      }),
    ];
  },
  guard: null,
};

/**
 * Going back to the release of a boot.
 * @param commit   what was checked out then; null where that is so now, or is not known
 * @param changed  files that will be others, absolute: where one of them declares packages, these are installed
 */
export function rollbackRemedy(component: ComponentSpec, boot: string, commit: string | null, changed: readonly string[]): Remedy {
  const directories = new Set(changed.filter(declaresPackages).map((path) => dirname(path)));
  const installs = [...directories].toSorted().filter((dir) => component.roots.some((root) => `${dir}/`.startsWith(`${root}/`)));
  return {
    ...remedy('roll_back_release', `go back to the release of ${boot}`, DELICATE, [
      step(`go back to the release of ${boot}`, 'roll_back_release', { boot, commit }),
      ...installs.map((directory) =>
        step(`packages of ${shownPath(component, directory)} as that release declares them`, 'install_packages', {
          directory,
          ifNeeded: true,
        }),
      ),
    ]),
    isLastResort: true,
  };
}

/** Files of the release that are not as the last good boot had them. */
export function releaseFilesThatDiffer({ component, drift }: Pick<CaseFile, 'component' | 'drift'>): readonly string[] {
  const found = drift.flatMap((one) => {
    const path = one.canRestore && (one.kind === 'changed' || one.kind === 'missing') ? driftPath(component, one) : null;
    return path !== null && isReleaseFile(component, path) ? [path] : [];
  });
  return [...new Set(found)].toSorted();
}
