import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Beyond this a list of packages says no more about what changed, and costs room in every boot's fingerprint. */
const PACKAGES_MAX = 4000;
/** Each is a file to be read. */
const MODULES_READ_MAX = 1000;
const INDEX_BYTES_MAX = 16 * 1024 * 1024;

/** What looks at one package manager's directory: name → version; null when it is not used here. */
type Look = (cwd: string, env: Readonly<Record<string, string>>) => ReadonlyMap<string, string> | null;

/**
 * What is installed, as the package managers themselves wrote it down: `npm express` → `4.19.2`. Only indexes and names of
 * directories are read, never the packages.
 */
export function installedPackages(cwd: string, env: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  let count = 0;
  for (const [manager, look] of LOOKS) {
    const packages = look(cwd, env);
    for (const [name, version] of packages ?? []) if (++count <= PACKAGES_MAX) found[`${manager} ${name}`] = version;
  }
  return found;
}

/** npm's own index of what it installed. */
const npm: Look = (cwd) => {
  const path = join(cwd, 'node_modules', '.package-lock.json');
  const index = json(path) as { packages?: Record<string, { version?: string; link?: boolean }> } | null;
  if (index?.packages === undefined) return null;
  const found = new Map<string, string>();
  for (const [place, { version, link }] of Object.entries(index.packages))
    if (version !== undefined || link === true) found.set(place.replace(/^node_modules\//, ''), version ?? 'linked');
  const stat = statSync(path, { throwIfNoEntry: false });
  // The same versions installed anew: what was damaged or built for another runtime may be well now.
  if (stat !== undefined) found.set('(installed at)', new Date(Math.floor(stat.mtimeMs / 1000) * 1000).toISOString());
  return found;
};

/** pnpm: the names of the directories in its store, `express@4.19.2(peer@1)`. */
const pnpm: Look = (cwd) => {
  const names = list(join(cwd, 'node_modules', '.pnpm'));
  if (names === null) return null;
  const found = new Map<string, string>();
  for (const entry of names) {
    const [, name, version] = /^(@?[^@]+)@([^_(]+)/.exec(entry) ?? [];
    if (name !== undefined && version !== undefined) add(found, name.replace('+', '/'), version);
  }
  return found;
};

/** What is in `node_modules`, one package.json after the other. */
function modulesIn(cwd: string): ReadonlyMap<string, string> {
  const modules = join(cwd, 'node_modules');
  const found = new Map<string, string>();
  for (const name of list(modules) ?? []) {
    if (name.startsWith('.')) continue;
    const packages = name.startsWith('@') ? (list(join(modules, name)) ?? []).map((n) => `${name}/${n}`) : [name];
    for (const one of packages) {
      const version = (json(join(modules, one, 'package.json')) as { version?: string } | null)?.version;
      if (version !== undefined) found.set(one, version);
    }
    if (found.size >= MODULES_READ_MAX) break;
  }
  return found;
}

/** yarn leaves a mark. */
const yarn: Look = (cwd) => {
  const modules = join(cwd, 'node_modules');
  const isYarns = ['.yarn-integrity', '.yarn-state.yml'].some(
    (name) => statSync(join(modules, name), { throwIfNoEntry: false }) !== undefined,
  );
  return isYarns ? modulesIn(cwd) : null;
};

/** Modules that nobody has left a mark or an index in: an old npm, or copied from elsewhere. */
const others: Look = (cwd) => {
  const names = list(join(cwd, 'node_modules'));
  const isKnown =
    names === null || ['.package-lock.json', '.pnpm', '.yarn-integrity', '.yarn-state.yml'].some((name) => names.includes(name));
  return isKnown ? null : modulesIn(cwd);
};

/** Python: `requests-2.32.0.dist-info` in the `site-packages` of the environment that is used here, or of the system. */
const pip: Look = (cwd, env) => {
  const roots = [env['VIRTUAL_ENV'], ...['.venv', 'venv', 'env', '.virtualenv'].map((name) => join(cwd, name))];
  for (const root of roots) {
    const found = root === undefined || root === '' ? new Map<string, string>() : pythonPackages(join(root, 'lib'));
    if (found.size > 0) return found;
  }
  const isPython = (list(cwd) ?? []).some((name) => /\.py$|^requirements.*\.txt$|^pyproject\.toml$|^Pipfile$/.test(name));
  if (!isPython) return null;
  const found = new Map<string, string>();
  for (const lib of ['/usr/lib', '/usr/local/lib', join(env['HOME'] ?? '/nonexistent', '.local', 'lib')])
    for (const [name, version] of pythonPackages(lib)) add(found, name, version);
  return found;
};

function pythonPackages(lib: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const python of (list(lib) ?? []).filter((name) => /^python3?(?:\.\d+)?$/.test(name)))
    for (const packages of ['site-packages', 'dist-packages'])
      for (const entry of list(join(lib, python, packages)) ?? []) {
        const [, name, version] = /^(.+?)-([^-]+)(?:-py[\d.]+)?\.(?:dist|egg)-info$/.exec(entry) ?? [];
        if (name !== undefined && version !== undefined) add(found, name.toLowerCase().replaceAll('_', '-'), version);
      }
  return found;
}

/** Ruby: `rack-3.0.8` among the gems of the bundle, or of GEM_HOME. */
const gem: Look = (cwd, env) => {
  const bundle = join(env['BUNDLE_PATH'] ?? join(cwd, 'vendor', 'bundle'), 'ruby');
  const dirs = [...(list(bundle) ?? []).map((v) => join(bundle, v, 'gems')), ...(env['GEM_HOME'] ? [join(env['GEM_HOME'], 'gems')] : [])];
  const found = new Map<string, string>();
  for (const dir of dirs)
    for (const entry of list(dir) ?? []) {
      const [, name, version] = /^(.+?)-(\d[\w.]*(?:-[\w-]+)?)$/.exec(entry) ?? [];
      if (name !== undefined && version !== undefined) add(found, name, version);
    }
  return found.size === 0 ? null : found;
};

/** PHP: composer's index. */
const composer: Look = (cwd) => {
  const index = json(join(cwd, 'vendor', 'composer', 'installed.json')) as { packages?: { name?: string; version?: string }[] } | null;
  if (!Array.isArray(index?.packages)) return null;
  return new Map(index.packages.flatMap((p) => (p.name === undefined || p.version === undefined ? [] : [[p.name, p.version] as const])));
};

const LOOKS: readonly (readonly [string, Look])[] = [
  ['npm', npm],
  ['pnpm', pnpm],
  ['yarn', yarn],
  ['npm', others],
  ['pip', pip],
  ['gem', gem],
  ['composer', composer],
];

/** Several versions of one package stand side by side. */
function add(found: Map<string, string>, name: string, version: string): void {
  const before = found.get(name);
  found.set(
    name,
    before === undefined || before === version ? version : [...new Set([...before.split(' '), version])].toSorted().join(' '),
  );
}

function list(dir: string): readonly string[] | null {
  try {
    return readdirSync(dir);
  } catch {
    return null; // not there, or not ours to see
  }
}

function json(path: string): unknown {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat === undefined || stat.size > INDEX_BYTES_MAX ? null : JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null; // half written or damaged: as good as none
  }
}
