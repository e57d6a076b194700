import { dirname, join, relative, resolve } from 'node:path';
import { factsOf, type CaseFile, type Diagnosis, type FailureFamily } from '../../domains/learning/index.ts';
import type { Fact } from '../../domains/incidents/index.ts';
import { reachesOut } from '../../domains/playbooks/index.ts';
import { CAREFUL, diagnosis, LIKELY, PERHAPS, remedy, step, SURE, text } from './answer.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { entriesToRestore, missingPartOf } from './missing-part.ts';
import { absolutePath, isInPackages, isOwn, nameSlug, shownPath } from './places.ts';
import { manifestsAbove, type ProjectManifest } from './project-manifest.ts';

/** Surer than putting back the one file that was asked for: a build makes all of them. */
const BETTER_THAN_COPIES = 0.97;

/** Directories that nothing but a build fills. */
const BUILT = /(?:^|\/)(?:dist|build|out|lib|esm|cjs|\.next|\.nuxt|\.output|\.svelte-kit|\.vite)(?:\/|$)/;
/** Names that source directories have as well: only what is written down tells. */
const PERHAPS_BUILT = /^(?:lib|out|esm|cjs)$/;
/** What a module may be called on disk; the name alone comes last. */
const ENDINGS = ['', '.js', '.mjs', '.cjs', '.json', '/index.js', '/index.mjs'];
const SOURCE = /\.(?:[cm]?tsx?|vue|svelte|astro)$/;

/** What a build makes and services read; a directory called `out` may as well be one that a service writes to. */
const PRODUCT = /\.(?:[cm]?js|html|css|json|wasm)$|\/BUILD_ID$/;

/** In the order in which they are taken. */
const BUILD_SCRIPTS = ['build', 'build:prod', 'build:server', 'compile', 'tsc'];

/** What the start command runs is made by a build, and the build has not run here. */
export const buildMissing: FailureFamily = {
  name: 'build_missing',
  title: 'its build has not run',
  async diagnose(c) {
    const found = new Map<string, Diagnosis>();
    for (const fact of factsOf(c, 'build_missing', 'module_missing', 'path_missing')) {
      for (const path of await candidates(c, fact)) {
        const answer = found.has(path) ? null : await diagnoseBuild(c, fact, path);
        if (answer === null) continue;
        found.set(path, answer);
        break;
      }
    }
    return [...found.values()].slice(0, 2);
  },
  guard: (g) => guardOfSteps('build_missing', g),
};

/** Paths that the complaint can mean, that are not there, and that only a build makes. */
async function candidates(c: CaseFile, fact: Fact): Promise<readonly string[]> {
  if (fact.subject === '' || isInPackages(fact.subject) || SOURCE.test(fact.subject)) return [];
  if (fact.kind !== 'build_missing' && fact.runtime !== 'node' && fact.runtime !== 'grace') return [];
  if (fact.kind === 'path_missing' && !PRODUCT.test(fact.subject)) return [];
  const from = text(fact, 'from');
  const isRelative = /^\.{1,2}\//.test(fact.subject);
  if (fact.kind === 'module_missing' && !isRelative && !fact.subject.startsWith('/')) return [];
  const path = isRelative && from.startsWith('/') ? resolve(dirname(from), fact.subject) : absolutePath(c.component, fact.subject);
  if (path === null || !isOwn(c.component, path)) return [];
  if (fact.kind !== 'build_missing' && !BUILT.test(`/${relative(c.component.cwd, path)}`)) return [];
  for (const ending of fact.kind === 'module_missing' ? ENDINGS : [''])
    if ((await c.files.stat(`${path}${ending}`))?.kind === 'file') return [];
  return [path];
}

async function diagnoseBuild(c: CaseFile, fact: Fact, path: string): Promise<Diagnosis | null> {
  const shown = shownPath(c.component, path);
  const manifests = await manifestsAbove(c, path);
  const project = manifests.find((m) => BUILD_SCRIPTS.some((name) => m.scripts[name] !== undefined));
  const script = BUILD_SCRIPTS.find((name) => project?.scripts[name] !== undefined);
  const evidence = [fact.line];
  if (project === undefined || script === undefined)
    return fact.kind === 'build_missing'
      ? diagnosis('build_missing', {
          cause: `${shown} is made by a build, which has not run here, and package.json has no script for it`,
          confidence: LIKELY,
          evidence,
          advice: ['build it where it is developed, and deploy what the build makes'],
          waitFor: { kind: 'file_change', path },
        })
      : null;
  const body = project.scripts[script] ?? '';
  const run = `npm run ${script}`;
  if (reachesOut(body))
    return diagnosis('build_missing', {
      cause: `${shown} is made by "${run}", which has not run here`,
      confidence: LIKELY,
      evidence: [...evidence, `"${script}" in package.json does more than build`],
      advice: [`run ${run} in ${shownPath(c.component, project.directory)}: it does more than build, so Grace does not`],
      waitFor: { kind: 'file_change', path },
    });
  const [directory = ''] = relative(project.directory, path).split('/');
  if (PERHAPS_BUILT.test(directory) && !(await isMadeInto(c, project, directory))) return null;
  const makes = await whatIsMissing(c, path);
  const name = `run the build script "${script}" of ${shownPath(c.component, join(project.directory, 'package.json'))}`;
  return diagnosis('build_missing', {
    cause: `${shown} is made by "${run}", which has not run here`,
    confidence: await confidenceOf(c, fact, path),
    evidence: [...evidence, `package.json has the script ${script}`, ...c.drift.filter((d) => d.kind === 'git').map((d) => d.message)],
    remedy: remedy(`run_${nameSlug(script)}`, name, CAREFUL, [
      step(name, 'run_project_script', { directory: project.directory, script, makes }),
    ]),
    advice: [`run ${run}, or deploy what it makes`],
  });
}

/** Whether the project says that a build fills this directory: where the compiler writes to, or what git does not keep. */
async function isMadeInto(c: CaseFile, project: ProjectManifest, directory: string): Promise<boolean> {
  const compiler = (await c.files.readText(join(project.directory, 'tsconfig.json'), BYTES_MAX)) ?? '';
  const ignored = (await c.files.readText(join(project.directory, '.gitignore'), BYTES_MAX)) ?? '';
  return (
    new RegExp(`"outDir"\\s*:\\s*"(?:\\./)?${directory}/?"`).test(compiler) ||
    ignored.split('\n').some((line) => line.trim().replace(/^\/|\/$/g, '') === directory)
  );
}

const BYTES_MAX = 256 * 1024;

/** The path itself; for a module without an ending the directory in which the build puts it. */
async function whatIsMissing(c: CaseFile, path: string): Promise<string> {
  return /\.[a-z]{1,5}$/.test(path) || (await c.files.stat(dirname(path))) === null ? path : dirname(path);
}

/** Copies of the last good boot are as good, and quicker, while they are whole and of this very release. */
async function confidenceOf(c: CaseFile, fact: Fact, path: string): Promise<number> {
  if (fact.kind === 'build_missing') return SURE;
  const part = await missingPartOf(c, path);
  const copies = part === null ? [] : await entriesToRestore(c, path, part);
  if (copies.length > 0 && c.drift.every((d) => d.kind !== 'git')) return LIKELY;
  return fact.kind === 'path_missing' && part?.isLeaf === true ? PERHAPS : BETTER_THAN_COPIES;
}
