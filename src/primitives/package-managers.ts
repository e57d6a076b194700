import { basename, dirname, join } from 'node:path';
import type { PackageState, PrimitiveContext } from '../domains/playbooks/index.ts';
import { confineTarget } from './confinement.ts';

export const MANAGERS = ['npm', 'pnpm', 'yarn', 'pip', 'bundler', 'composer'] as const;
export type Manager = (typeof MANAGERS)[number];

/** What declares versions: an install reads these files and must leave them as they are. */
export const DECLARATIONS = [
  'package.json',
  'package-lock.json',
  'npm-shrinkwrap.json',
  '.npmrc',
  'pnpm-lock.yaml',
  'pnpm-workspace.yaml',
  'yarn.lock',
  '.yarnrc.yml',
  'requirements.txt',
  'Gemfile',
  'Gemfile.lock',
  'composer.json',
  'composer.lock',
] as const;

const DECLARATION_OF: Readonly<Record<string, string>> = { pip: 'requirements.txt', bundler: 'Gemfile', composer: 'composer.json' };

/** Their installs add what is missing in place: nothing waits aside, and nothing is taken back. */
export function installsInPlace(manager: Manager): boolean {
  return manager === 'pip' || manager === 'bundler' || manager === 'composer';
}

/** Where and how an install runs. */
export interface InstallSite {
  readonly manager: Manager;
  /** The directory of the lock file: of a workspace it is above the package that misses something. */
  readonly directory: string;
  readonly hasLock: boolean;
  /** Damaged and missing packages, as far as they are known. */
  readonly broken: readonly string[];
  /** Some of them are there, and not as they were: an installer that only adds what is missing would leave them. */
  readonly isDamaged: boolean;
}

/** @returns why nothing can be installed, in words */
export async function installSite(context: PrimitiveContext, directory: string, manager: Manager | null): Promise<InstallSite | string> {
  const state: PackageState = await context.host.packages(directory);
  const chosen = manager ?? state.manager;
  if (chosen === 'none') return `${directory} declares no packages`;
  const isForLock = state.manager === chosen && state.lockFile !== null;
  const site = isForLock && state.lockFile !== null ? dirname(state.lockFile) : directory;
  await confineTarget(context, site);
  const declaration = DECLARATION_OF[chosen] ?? 'package.json';
  if ((await context.files.stat(join(site, declaration))) === null) return `there is no ${join(site, declaration)}`;
  return {
    manager: chosen,
    directory: site,
    hasLock: isForLock,
    broken: [...new Set([...state.missing, ...state.damaged])],
    isDamaged: state.damaged.length > 0,
  };
}

/** One try; the next is made only when the output of this one says that it is of no use. */
interface InstallCommand {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Output that means: this way cannot work here, take the next. */
  readonly goOnWhen: RegExp | null;
}

/** A loader or a heap limit meant for the service would reach the package manager and every build script too. */
const ENV = { NODE_OPTIONS: '', CI: 'true' };

/** @param hadDev whether development packages were installed; null when that is not known, and then they are: too many harm nobody */
export async function installCommands(
  context: PrimitiveContext,
  site: InstallSite,
  hadDev: boolean | null,
): Promise<readonly InstallCommand[] | string> {
  switch (site.manager) {
    case 'npm': {
      const flags = ['--prefer-offline', '--no-audit', '--no-fund', hadDev === false ? '--omit=dev' : '--include=dev'];
      if (!site.hasLock) return [{ argv: ['npm', 'install', '--no-package-lock', ...flags], env: ENV, goOnWhen: null }];
      return [
        { argv: ['npm', 'ci', ...flags], env: ENV, goOnWhen: /EUSAGE|in sync|can only install/ },
        { argv: ['npm', 'install', '--no-save', ...flags], env: ENV, goOnWhen: null },
      ];
    }
    case 'pnpm':
      return [
        {
          argv: ['pnpm', 'install', '--prefer-offline', ...(site.hasLock ? ['--frozen-lockfile'] : ['--no-lockfile'])],
          env: ENV,
          goOnWhen: null,
        },
      ];
    case 'yarn': {
      const isBerry = (await context.files.stat(join(site.directory, '.yarnrc.yml'))) !== null;
      const lock = !site.hasLock ? (isBerry ? [] : ['--no-lockfile']) : [isBerry ? '--immutable' : '--frozen-lockfile'];
      return [{ argv: ['yarn', 'install', ...lock], env: ENV, goOnWhen: null }];
    }
    case 'pip': {
      const python = await venvPython(context, site.directory);
      if (python === null) return `${site.directory} has no virtual environment of its own: nothing is installed into the system's Python`;
      const force = site.isDamaged ? ['--force-reinstall'] : [];
      return [
        {
          argv: [python, '-m', 'pip', 'install', '--disable-pip-version-check', ...force, '-r', 'requirements.txt'],
          env: {},
          goOnWhen: null,
        },
      ];
    }
    case 'bundler':
      if (!site.hasLock) return `${site.directory} has no Gemfile.lock: nobody knows which versions were good`;
      return [{ argv: ['bundle', 'install'], env: { BUNDLE_FROZEN: 'true' }, goOnWhen: null }];
    case 'composer': {
      if (!site.hasLock) return `${site.directory} has no composer.lock: nobody knows which versions were good`;
      const installed = await context.files.readText(join(site.directory, 'vendor', 'composer', 'installed.json'));
      const dev = installed !== null && /"dev"\s{0,4}:\s{0,4}false/.test(installed) ? ['--no-dev'] : [];
      return [{ argv: ['composer', 'install', '--no-interaction', '--no-progress', ...dev], env: {}, goOnWhen: null }];
    }
  }
}

/** The Python of the virtual environment that the component runs in; null when there is none below the roots. */
async function venvPython(context: PrimitiveContext, directory: string): Promise<string | null> {
  const active = (await context.env())['VIRTUAL_ENV'];
  for (const dir of [active, join(directory, '.venv'), join(directory, 'venv'), join(directory, 'env')]) {
    if (!dir || (await context.files.stat(join(dir, 'pyvenv.cfg'))) === null) continue;
    // Its python is a link to the system's; the directory it installs into is what has to be inside.
    await confineTarget(context, dir);
    for (const name of ['python3', 'python'])
      if ((await context.files.stat(join(dir, 'bin', name))) !== null) return join(dir, 'bin', name);
  }
  return null;
}

/** Whether the hidden lock file of npm lists development packages; null when it cannot be told. */
export async function hadDevPackages(context: PrimitiveContext, directory: string): Promise<boolean | null> {
  const hidden = await context.files.readText(join(directory, 'node_modules', '.package-lock.json'));
  return hidden === null ? null : /"dev(?:Optional)?"\s*:\s*true/.test(hidden);
}

/** Every `node_modules` that an install renews: the project's and those of its npm workspaces. */
export async function moduleDirectories(context: PrimitiveContext, site: InstallSite): Promise<readonly string[]> {
  if (installsInPlace(site.manager)) return [];
  const dirs = [join(site.directory, 'node_modules')];
  const text = await context.files.readText(join(site.directory, 'package-lock.json'));
  try {
    const lock = JSON.parse(text ?? '{}') as { packages?: Record<string, unknown> };
    for (const place of Object.keys(lock.packages ?? {})) {
      if (place === '' || place.split('/').includes('node_modules') || place.startsWith('..')) continue;
      dirs.push(join(site.directory, place, 'node_modules'));
    }
  } catch {
    // a broken lock file: the install will say so
  }
  return dirs;
}

/** Names a package may have; anything else is no directory below node_modules. */
export function isPackageName(name: string): boolean {
  return /^(?:@[a-z0-9~-][\w.~-]*\/)?[A-Za-z0-9~-][\w.~-]*$/.test(name) && !['node_modules', 'favicon.ico'].includes(basename(name));
}
