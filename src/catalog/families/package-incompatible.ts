import { join } from 'node:path';
import type { Files } from '../../kernel/index.ts';
import { factsOf, type CaseFile, type FailureFamily } from '../../domains/learning/index.ts';
import { CAREFUL, diagnosis, LIKELY, linesOf, PERHAPS, PLAUSIBLE, remedy, step, SURE, text } from './answer.ts';
import { hasSuspects } from './changed-code.ts';
import { isExplainedElsewhere } from './config-corrupt.ts';
import { lockedPackages } from './npm-lock.ts';
import { packageOf } from './package-missing.ts';
import { absolutePath, isInPackages } from './places.ts';

/** The code asks a package for something that this version of it does not have: often another version is installed than the lock file says. */
export const packageIncompatible: FailureFamily = {
  name: 'package_incompatible',
  title: 'a package has another version than the code is written for',
  async diagnose(c) {
    const facts = [...factsOf(c, 'export_missing', 'module_system_mismatch'), ...factsOf(c, 'exception')].filter(
      (f) => f.runtime === 'node',
    );
    if (facts.length === 0) return [];
    const exported = factsOf(c, 'export_missing').filter((f) => f.runtime === 'node' && isPackage(text(f, 'module')));
    const concerned = new Set(
      [
        ...exported.map((f) => packageOf(text(f, 'module'))),
        ...facts.filter((f) => isInPackages(f.subject)).map((f) => packageOf(f.subject)),
        ...c.failure.frames.map((f) => (f.package === 'node' ? null : f.package)),
      ].filter((name) => name !== null),
    );
    const wrong = await otherVersions(c.files, c.component.cwd, concerned);
    if (wrong.length > 0) {
      const named = wrong.filter((w) => concerned.has(w.name));
      const [first = wrong[0]] = named;
      return [
        diagnosis('package_incompatible', {
          cause: `${first?.name} ${first?.installed} is installed, and the lock file says ${first?.locked}`,
          confidence: named.length > 0 ? SURE : isExplainedElsewhere(c) ? 0.45 : PLAUSIBLE,
          evidence: [...linesOf(facts), ...wrong.slice(0, 5).map((w) => `${w.name}: ${w.installed}, and ${w.locked} in the lock file`)],
          remedy: remedy('install_locked_versions', 'install the versions of the lock file', CAREFUL, [
            step('install the versions of the lock file', 'install_packages', { directory: c.component.cwd }),
          ]),
          advice: ['install the packages of the lock file again'],
        }),
      ];
    }
    return exported.slice(0, 1).map((fact) => byPerson(c, fact.subject, packageOf(text(fact, 'module')) ?? '', fact.line));
  },
  async guard(g) {
    for (const { primitive, params } of g.steps) {
      const directory =
        primitive === 'install_packages' && typeof params['directory'] === 'string' ? absolutePath(g.component, params['directory']) : null;
      const [wrong] = directory === null ? [] : await otherVersions(g.files, directory, new Set());
      if (wrong === undefined) continue;
      return {
        severity: 'error',
        code: 'package_incompatible',
        component: g.component.name,
        message: `${wrong.name} ${wrong.installed} is installed, and the lock file says ${wrong.locked}`,
        evidence: [`seen before: ${g.playbook} has fixed it`],
        hint: 'install the packages of the lock file',
        fix: { playbook: g.playbook, params: g.params },
      };
    }
    return null;
  },
};

function byPerson(c: CaseFile, name: string, module: string, line: string): ReturnType<typeof diagnosis> {
  const manifests = c.drift.filter((d) => /(?:^|\/)package(?:-lock)?\.json$/.test(d.subject)).map((d) => d.message);
  return diagnosis('package_incompatible', {
    cause: `this version of the package ${module} does not offer ${name === '.' ? 'an entry for this kind of import' : name}, which the code asks for`,
    confidence: hasSuspects(c) ? PERHAPS : LIKELY,
    evidence: [line, ...manifests],
    advice: [
      `use the version of ${module} that the code was written for, or what this one offers instead`,
      ...manifests.map((m) => `look at what changed: ${m}`),
    ],
  });
}

/** `nanoid`, `@scope/name`; not `./lib/x.js`. */
function isPackage(module: string): boolean {
  return module !== '' && !/^\.{0,2}\//.test(module) && packageOf(module) !== null;
}

interface OtherVersion {
  readonly name: string;
  readonly installed: string;
  readonly locked: string;
}

const MANIFEST_BYTES_MAX = 256 * 1024;
/** Direct dependencies are few; more than this is no project of one service. */
const LOOKED_AT_MAX = 300;

/** Direct dependencies, and the packages that are named, whose installed version is not that of npm's lock file. */
async function otherVersions(files: Files, directory: string, named: ReadonlySet<string>): Promise<readonly OtherVersion[]> {
  const wrong: OtherVersion[] = [];
  const packages = await lockedPackages(files, directory);
  const names = new Set([...named, ...Object.keys(packages['']?.dependencies ?? {})]);
  for (const name of [...names].slice(0, LOOKED_AT_MAX)) {
    const entry = packages[`node_modules/${name}`];
    if (entry?.version === undefined || entry.link === true) continue;
    const installed = await versionIn(files, join(directory, 'node_modules', name, 'package.json'));
    if (installed !== null && installed !== entry.version) wrong.push({ name, installed, locked: entry.version });
  }
  return wrong;
}

async function versionIn(files: Files, manifest: string): Promise<string | null> {
  try {
    const { version } = JSON.parse((await files.readText(manifest, MANIFEST_BYTES_MAX)) ?? '{}') as { version?: unknown };
    return typeof version === 'string' ? version : null;
  } catch {
    return null; // what is broken is another failure
  }
}
