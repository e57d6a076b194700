import { join } from 'node:path';
import { factsOf, type FailureFamily } from '../../domains/learning/index.ts';
import { diagnosis, LIKELY } from './answer.ts';
import { saysNewly } from './changed-code.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { driftAt, isOwn } from './places.ts';
import { restoring } from './restore.ts';

/** The project says which package manager it is for, and was started with another one. */
export const packageManagerMismatch: FailureFamily = {
  name: 'package_manager_mismatch',
  title: 'the project is for another package manager',
  async diagnose(c) {
    const [fact] = factsOf(c, 'package_manager_mismatch');
    if (fact === undefined) return [];
    const manifest = join(c.component.cwd, 'package.json');
    const drift = driftAt(c, manifest, 'changed');
    const isNew =
      drift?.canRestore === true &&
      isOwn(c.component, manifest) &&
      ((await saysNewly(c, manifest, '"packageManager"')) || (await saysNewly(c, manifest, '"devEngines"')));
    const wanted = fact.subject || 'another package manager';
    return [
      diagnosis('package_manager_mismatch', {
        cause: `the project is for ${wanted}, and ${c.component.command[0] ?? 'another one'} started it${isNew ? '; package.json says so since the last good boot' : ''}`,
        confidence: LIKELY,
        evidence: [fact.line, drift?.message ?? ''],
        remedy: isNew ? restoring(c, manifest) : null,
        advice: [`start it with ${wanted}, or take "packageManager" out of package.json`, 'corepack enable makes the right one available'],
      }),
    ];
  },
  guard: (g) => guardOfSteps('package_manager_mismatch', g),
};
