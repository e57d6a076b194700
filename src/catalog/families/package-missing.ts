import { basename, dirname, join } from 'node:path';
import { factsOf, type CaseFile, type Diagnosis, type FailureFamily } from '../../domains/learning/index.ts';
import type { Fact } from '../../domains/incidents/index.ts';
import { CAREFUL, diagnosis, LIKELY, linesOf, PLAUSIBLE, remedy, step, SURE, text, WORDS_ONLY } from './answer.ts';
import { guardOfSteps } from './guard-of-steps.ts';
import { driftAt, driftPath, isInPackages, isOwn, shownPath } from './places.ts';
import { careFor, restoring } from './restore.ts';
import { beforeAndNow } from './before-and-now.ts';

/** Packages of the lock file are not installed. */
export const packageMissing: FailureFamily = {
  name: 'package_missing',
  title: 'packages are not installed',
  async diagnose(c) {
    const facts = factsOf(c, 'module_missing', 'native_module_broken').filter(
      (f) =>
        packageOf(f.subject) !== null &&
        (f.kind === 'module_missing' || /optional dependency|MODULE_NOT_FOUND/.test(f.code + text(f, 'reason'))),
    );
    const command = factsOf(c, 'command_missing', 'path_missing').filter((f) => f.subject.includes('node_modules/'));
    if (facts.length + command.length === 0 && !SILENT.has(c.failure.symptom)) return [];
    const local: Fact[] = [];
    for (const fact of facts) if (await isLocalModule(c, fact)) local.push(fact);
    const named = facts.filter((f) => !local.includes(f));
    const state = await c.host.packages(c.component.cwd);
    // One directory may hold services in several languages: what another one lacks is no reason here.
    if (named.length + command.length === 0 && !isOfItsLanguage(c, state.manager)) return [];
    const lists = brokenLists(c, state.directory);
    if (lists.length > 0 && named.length + command.length > 0)
      return [withItsLists(c, state.directory, lists, linesOf([...named, ...command]))];
    if (state.manager === 'none') return named.length === 0 ? [] : [await notManaged(c, named)];
    const names = [...new Set(named.map(packageNamed))];
    const evidence = [
      ...linesOf([...named, ...command]),
      ...(state.missing.length > 0
        ? [
            `${state.missing.length} packages of ${basename(state.lockFile ?? 'the lock file')} are not installed: ${state.missing.slice(0, 5).join(', ')}`,
          ]
        : []),
    ];
    if (state.missing.length > 0) {
      // Distribution names need not be import names (PyYAML, yaml): any missing package explains a module that is not found.
      const isMatch = names.some((name) => state.missing.includes(name)) || command.length > 0;
      const isSaid = named.length > 0;
      return [
        diagnosis('package_missing', {
          cause:
            isMatch && isSaid
              ? `the package ${names.filter((n) => state.missing.includes(n)).join(', ')} is not installed`
              : `${state.missing.length === 1 ? `the package ${state.missing[0] ?? ''} is` : `${state.missing.length} packages are`} not installed`,
          confidence: isMatch
            ? SURE
            : isSaid
              ? LIKELY
              : local.length > 0 || factsOf(c, 'port_in_use', 'connection_refused', 'auth_failed').length > 0
                ? 0.5
                : PLAUSIBLE,
          evidence,
          remedy: install(state.directory, state.manager),
          advice: [`install the packages in ${state.directory}`],
        }),
      ];
    }
    if (named.every((f) => f.kind !== 'module_missing')) return [];
    // Bundler has compared the lock file with what is installed before it says so.
    if (state.manager === 'bundler' && state.lockFile !== null && named.some((f) => f.code === 'Bundler::GemNotFound'))
      return [
        diagnosis('package_missing', {
          cause: `the gem ${names.join(', ')} of Gemfile.lock is not installed`,
          confidence: LIKELY,
          evidence,
          remedy: install(state.directory, state.manager),
          advice: [`run bundle install in ${state.directory}`],
        }),
      ];
    if (state.lockFile !== null && (await someInstalled(c, state.directory, names)))
      return [
        diagnosis('package_missing', {
          cause: `a file of the installed package ${names.join(', ')} is missing`,
          confidence: PLAUSIBLE,
          evidence,
          remedy: install(state.directory, state.manager),
          advice: [`install the packages in ${state.directory} again`],
        }),
      ];
    return [await notManaged(c, named)];
  },
  guard: (g) => guardOfSteps('package_missing', g),
};

const SILENT: ReadonlySet<string> = new Set(['exit', 'spawn', 'smoke', 'not_ready', 'crash_loop']);

/** Whether the failure was told in the language that the packages are for; npm's are looked at whatever was said. */
function isOfItsLanguage(c: CaseFile, manager: string): boolean {
  const language = { pip: 'python', composer: 'php', bundler: 'ruby' }[manager];
  return language === undefined || c.failure.facts.some((f) => f.runtime === language);
}

function install(directory: string, manager: string): ReturnType<typeof remedy> {
  return remedy('install_packages', `install the packages of the lock file with ${manager}`, CAREFUL, [
    step('install the packages of the lock file', 'install_packages', { directory }),
  ]);
}

const LISTS =
  /^(?:(?:package(?:-lock)?|composer)\.json|composer\.lock|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|requirements\.txt|Pipfile(?:\.lock)?|Gemfile(?:\.lock)?)$/;

/** What says which packages there have to be, and cannot be read any more or is gone. */
function brokenLists(c: CaseFile, directory: string): readonly string[] {
  return c.drift
    .filter((d) => d.canRestore && (d.kind === 'missing' || (d.kind === 'changed' && d.isBroken)))
    .map((d) => driftPath(c.component, d))
    .filter((path) => path !== null)
    .filter((path) => dirname(path) === directory && LISTS.test(basename(path)) && isOwn(c.component, path));
}

/** Neither alone would help: without the list nothing can be installed, and with the list alone nothing is. */
function withItsLists(c: CaseFile, directory: string, lists: readonly string[], evidence: readonly string[]): ReturnType<typeof diagnosis> {
  const names = lists.map((path) => shownPath(c.component, path)).join(', ');
  return diagnosis('package_missing', {
    cause: `packages are not installed, and ${names}, which would tell which, ${lists.length === 1 ? 'is' : 'are'} damaged`,
    confidence: LIKELY,
    evidence: [...evidence, ...lists.map((path) => driftAt(c, path, 'changed', 'missing')?.message ?? '')],
    remedy: remedy('restore_lists_and_install_packages', `put ${names} back and install the packages it names`, CAREFUL, [
      ...lists.map((path) => step(`put ${shownPath(c.component, path)} back as it was at the last good boot`, 'restore_file', { path })),
      step('install the packages of the lock file', 'install_packages', { directory }),
    ]),
    advice: [`put ${names} back and install the packages in ${directory}`],
  });
}

async function notManaged(c: CaseFile, facts: readonly Fact[]): Promise<Diagnosis> {
  const packages = [...new Set(facts.map(packageNamed))];
  const names = packages.join(', ');
  const asking = await askingSince(c, packages);
  if (asking !== null) {
    const shown = shownPath(c.component, asking);
    return diagnosis('package_missing', {
      cause: `${shown} asks for ${names} since it was changed, and no lock file of ${c.component.name} does`,
      confidence: LIKELY,
      evidence: [...linesOf(facts), driftAt(c, asking, 'changed')?.message ?? ''],
      remedy: restoring(c, asking, careFor(asking, driftAt(c, asking, 'changed'))),
      advice: [`add ${names} to the dependencies of ${c.component.name} and install it, or take it out of ${shown}`],
    });
  }
  return diagnosis('package_missing', {
    cause: `${names} cannot be found, and no lock file of ${c.component.name} asks for it`,
    confidence: WORDS_ONLY,
    evidence: linesOf(facts),
    advice: [`add ${names} to the dependencies of ${c.component.name} and install it`],
  });
}

/** The file that changed since the last good boot, and has the name of the package only since then. */
async function askingSince(c: CaseFile, packages: readonly string[]): Promise<string | null> {
  for (const drift of c.drift) {
    const path = drift.kind === 'changed' && drift.canRestore ? driftPath(c.component, drift) : null;
    if (path === null || !isOwn(c.component, path) || isInPackages(path) || LISTS.test(basename(path))) continue;
    const versions = await beforeAndNow(c, path);
    if (versions === null) continue;
    const { before, now } = versions;
    if (packages.some((name) => name.length >= 3 && now.includes(name) && !before.includes(name))) return path;
  }
  return null;
}

/** Python imports `foo.bar` from the package `foo`; a name such as `socket.io` is whole. */
function packageNamed(fact: Fact): string {
  const name = packageOf(fact.subject) ?? fact.subject;
  return fact.runtime === 'python' ? (name.split('.')[0] ?? name) : name;
}

/** A module of a package: `foo`, `@a/b/c`, `/srv/node_modules/foo/x.js` → `foo`; null for local files and built-ins. */
export function packageOf(subject: string): string | null {
  if (/(?:^|\/)vendor\/autoload\.php$/.test(subject)) return 'vendor/autoload.php';
  const inside = /node_modules\/((?:@[^/]+\/)?[^/]+)(?:\/|$)(?!.*node_modules\/)/.exec(subject)?.[1];
  if (inside !== undefined) return inside;
  if (subject === '' || /^(?:\.{0,2}\/|[A-Za-z]:\\|file:|node:|#)/.test(subject)) return null;
  return /^@[^/]+\/[^/]+/.exec(subject)?.[0] ?? subject.split('/')[0] ?? null;
}

/** Python and Ruby write local modules like packages: `app.settings`. */
export async function isLocalModule(c: CaseFile, fact: Fact): Promise<boolean> {
  if (fact.runtime !== 'python' && fact.runtime !== 'ruby') return false;
  const path = fact.subject.replaceAll('.', '/');
  const head = path.split('/')[0] ?? path;
  if (c.drift.some((d) => d.kind === 'missing' && !isInPackages(d.subject) && endsWithModule(d.subject, path))) return true;
  for (const candidate of [head, `${head}.py`, `${head}.rb`, `lib/${head}`, `src/${head}`])
    if ((await c.files.stat(join(c.component.cwd, candidate))) !== null) return true;
  return false;
}

export function endsWithModule(path: string, module: string): boolean {
  const bare = path.replace(/(?:\/(?:index|__init__))?\.(?:[cm]?[jt]sx?|json|node|py|rb)$/, '');
  const wanted = module.replace(/\.(?:[cm]?[jt]sx?|json|node|py|rb)$/, '').replace(/^(?:\.{1,2}\/)+/, '');
  return wanted !== '' && (bare === wanted || bare.endsWith(`/${wanted}`));
}

async function someInstalled(c: CaseFile, directory: string, names: readonly string[]): Promise<boolean> {
  for (const name of names) if ((await c.files.stat(join(directory, 'node_modules', name))) !== null) return true;
  return false;
}
