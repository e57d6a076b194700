import { dirname, join } from 'node:path';
import { factsOf, type CaseFile, type FailureFamily } from '../../domains/learning/index.ts';
import type { Fact } from '../../domains/incidents/index.ts';
import { CAREFUL, diagnosis, LIKELY, linesOf, remedy, step, SURE, text } from './answer.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { canBringBack } from './missing-part.ts';
import { driftPath, isOwn, nameSlug, shownPath } from './places.ts';

/** Where the tools put what they have built, and how it is built again. */
const BUILT: Readonly<Record<string, { readonly directories: readonly string[]; readonly command: string }>> = {
  django: { directories: ['static', 'staticfiles', 'static_root'], command: 'python manage.py collectstatic' },
  rails: { directories: ['public/assets', 'public/packs'], command: 'bin/rails assets:precompile' },
  node: { directories: ['public/build', 'public'], command: 'npm run build' },
};
/** More than this is built again faster than it is put back. */
const FILES_MAX = 20;

/** Style sheets, scripts and images were not built, or what was built is gone. */
export const assetsNotBuilt: FailureFamily = {
  name: 'assets_not_built',
  title: 'the assets are not built',
  async diagnose(c) {
    const facts = factsOf(c, 'assets_missing');
    const [fact] = facts;
    if (fact === undefined) return [];
    const { command } = BUILT[text(fact, 'tool')] ?? { command: 'the build of the project' };
    const gone = await goneAssets(c, fact);
    const [first] = gone;
    const where = first === undefined ? '' : shownPath(c.component, dirname(first));
    return [
      diagnosis('assets_not_built', {
        cause:
          first === undefined
            ? `${fact.subject} was not built`
            : `${fact.subject} is not there any more: ${where} lost files since the last good boot`,
        confidence: first === undefined ? LIKELY : SURE,
        evidence: [...linesOf(facts), ...c.drift.filter((d) => gone.includes(driftPath(c.component, d) ?? '')).map((d) => d.message)],
        remedy:
          first === undefined
            ? null
            : remedy(
                `restore_${nameSlug(where)}`,
                `put what was built in ${where} back as at the last good boot`,
                CAREFUL,
                gone.map((path) =>
                  step(`put ${shownPath(c.component, path)} back as it was at the last good boot`, 'restore_file', { path }),
                ),
              ),
        advice: [`run ${command} and start it again`],
      }),
    ];
  },
  guard: (g) => guardOfSteps('assets_not_built', g),
};

/** What is gone from where the tool builds; nothing when a part of it could not be brought back. */
async function goneAssets(c: CaseFile, fact: Fact): Promise<readonly string[]> {
  const directories = (BUILT[text(fact, 'tool')]?.directories ?? []).map((name) => join(c.component.cwd, name));
  const gone: string[] = [];
  for (const drift of c.drift) {
    const path = drift.kind === 'missing' ? driftPath(c.component, drift) : null;
    if (path === null || !isOwn(c.component, path) || !directories.some((dir) => path.startsWith(`${dir}/`))) continue;
    const entry = await c.lastGood.entry(c.component.name, path);
    if (entry?.kind === 'directory') continue;
    if (!canBringBack(entry)) return [];
    gone.push(path);
  }
  return gone.length > FILES_MAX ? [] : gone;
}
