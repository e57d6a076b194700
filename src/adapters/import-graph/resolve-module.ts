import { statSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createPathsMatcher, getTsconfig, parseTsconfig } from 'get-tsconfig';
import { codeOf } from '../../kernel/index.ts';
import { isFile, type ModuleFolders } from './module-folders.ts';
import type { Request } from './module-facts.ts';
import type { NodeTraits } from './node-traits.ts';
import type { ServiceEntry } from './service-entry.ts';

export type Resolution =
  | { readonly state: 'builtin' }
  | { readonly state: 'file'; readonly file: string }
  | { readonly state: 'missing'; readonly kind: 'missing_package' | 'missing_file' | 'hidden_path'; readonly nearest: string | null }
  /** A URL, a file nobody can judge from here. */
  | { readonly state: 'unknown' };

/** Its own second argument needs the option this thread is started with. */
type ResolveImport = (specifier: string, parent: string) => string;

/**
 * Where an import leads: Node's own resolver is asked, with the conditions of the service. This thread was started with them,
 * so that nothing of Node's algorithm is written here a second time. What translators add (TypeScript's endings and `paths`) is tried before.
 */
export class ModuleResolver {
  private readonly known = new Map<string, Resolution>();
  private readonly requires = new Map<string, NodeJS.Require>();
  private readonly builtins: ReadonlySet<string>;
  private readonly matchPaths: ((specifier: string) => readonly string[]) | null;
  private readonly resolveImport: ResolveImport;
  private readonly entry: ServiceEntry;
  private readonly folders: ModuleFolders;
  /** Configuration of TypeScript that was read. */
  readonly configs: readonly string[];

  constructor(entry: ServiceEntry, folders: ModuleFolders, node: NodeTraits, resolveImport: ResolveImport) {
    this.entry = entry;
    this.folders = folders;
    this.resolveImport = resolveImport;
    this.builtins = new Set(node.builtins);
    const config = entry.loader === 'node' ? null : readConfig(entry);
    this.matchPaths = config === null ? null : createPathsMatcher(config);
    this.configs = config === null ? [] : [config.path];
  }

  resolve(specifier: string, how: Request['how'], importer: string): Resolution {
    const isImport = how === 'import' || how === 'dynamic';
    const key = `${isImport ? 'i' : 'r'}\0${dirname(importer)}\0${specifier}`;
    let known = this.known.get(key);
    if (known === undefined) {
      known = this.look(specifier, isImport, importer);
      this.known.set(key, known);
    }
    return known;
  }

  private look(specifier: string, isImport: boolean, importer: string): Resolution {
    if (specifier === '' || specifier.includes('\0') || specifier.length > 1000) return { state: 'unknown' };
    if (this.isBuiltin(specifier)) return { state: 'builtin' };
    if (specifier.startsWith('node:')) return { state: 'missing', kind: 'missing_package', nearest: null };
    if (/^[a-z][a-z0-9+.-]+:/i.test(specifier) && !specifier.startsWith('file:')) return { state: 'unknown' };
    const isOwn = !importer.includes('/node_modules/');
    if (this.entry.loader !== 'node' && isOwn) {
      const translated = this.translated(specifier, importer);
      if (translated !== null) return { state: 'file', file: translated };
    }
    try {
      return isImport ? this.imported(specifier, importer) : this.required(specifier, importer);
    } catch (error) {
      return this.refused(codeOf(error), specifier, importer, isImport);
    }
  }

  private isBuiltin(specifier: string): boolean {
    return this.builtins.has(specifier) || (specifier.startsWith('node:') && this.builtins.has(specifier.slice(5)));
  }

  private imported(specifier: string, importer: string): Resolution {
    const url = this.resolveImport(specifier, pathToFileURL(importer).href);
    if (url.startsWith('node:')) return { state: 'builtin' };
    if (!url.startsWith('file:')) return { state: 'unknown' };
    const file = fileURLToPath(url);
    if (isFile(file)) return { state: 'file', file };
    return this.missing(specifier, importer, file);
  }

  private required(specifier: string, importer: string): Resolution {
    const dir = dirname(importer);
    let require = this.requires.get(dir);
    if (require === undefined) {
      require = createRequire(importer);
      this.requires.set(dir, require);
    }
    const file = require.resolve(specifier.startsWith('file:') ? fileURLToPath(specifier) : specifier);
    return file.startsWith('/') ? { state: 'file', file } : { state: 'builtin' };
  }

  private refused(code: string | null | undefined, specifier: string, importer: string, isImport: boolean): Resolution {
    if (code === 'ERR_PACKAGE_PATH_NOT_EXPORTED' || code === 'ERR_PACKAGE_IMPORT_NOT_DEFINED')
      return { state: 'missing', kind: 'hidden_path', nearest: null };
    if (code !== 'MODULE_NOT_FOUND' && code !== 'ERR_MODULE_NOT_FOUND' && code !== 'ERR_UNSUPPORTED_DIR_IMPORT')
      return { state: 'unknown' };
    if (/^\.{0,2}\//.test(specifier) || specifier === '.' || specifier === '..')
      return this.missing(specifier, importer, resolve(dirname(importer), specifier));
    if (specifier.startsWith('#')) return { state: 'missing', kind: 'missing_file', nearest: null };
    // No package can be called so: an alias of a translator.
    if (/^[@~]\//.test(specifier)) {
      const [path] = this.matchPaths?.(specifier) ?? [];
      return { state: 'missing', kind: 'missing_file', nearest: path === undefined ? null : nearestFile(path, this.folders) };
    }
    const at = this.packageDir(specifier, importer);
    if (at === null) return this.missingPackage(importer);
    // A link to nowhere, or a folder that npm left behind empty.
    if (this.folders.packageAt(at) === null && this.folders.namesIn(at).length === 0) return this.missingPackage(importer);
    const rest = specifier.split('/').slice(specifier.startsWith('@') ? 2 : 1);
    return rest.length === 0 || isImport
      ? { state: 'missing', kind: 'missing_file', nearest: null }
      : this.missing(specifier, importer, join(at, ...rest));
  }

  private missingPackage(importer: string): Resolution {
    for (let dir = dirname(importer); ; dir = dirname(dir)) {
      if (basename(dir) !== 'node_modules') this.folders.namesIn(join(dir, 'node_modules'));
      if (dirname(dir) === dir) break;
    }
    return { state: 'missing', kind: 'missing_package', nearest: null };
  }

  private packageDir(specifier: string, importer: string): string | null {
    const name = packageName(specifier);
    for (let dir = dirname(importer); ; dir = dirname(dir)) {
      const at = join(dir, 'node_modules', name);
      if (statSync(at, { throwIfNoEntry: false })?.isDirectory() === true) return at;
      if (dirname(dir) === dir) return null;
    }
  }

  private missing(specifier: string, importer: string, file: string): Resolution {
    const isBare = !/^(?:\.{0,2}\/|\.\.?$|#|file:|[@~]\/)/.test(specifier);
    if (isBare && this.packageDir(specifier, importer) === null) return this.missingPackage(importer);
    return { state: 'missing', kind: 'missing_file', nearest: nearestFile(file, this.folders) };
  }

  /** As tsx and ts-node find a module of the project. */
  private translated(specifier: string, importer: string): string | null {
    if (/^\.{0,2}\//.test(specifier) || specifier === '.' || specifier === '..')
      return withEnding(resolve(dirname(importer), specifier), importer);
    for (const path of this.matchPaths?.(specifier) ?? []) {
      const file = withEnding(path, importer);
      if (file !== null) return file;
    }
    return null;
  }
}

function readConfig({ cwd, tsconfig }: ServiceEntry): NonNullable<ReturnType<typeof getTsconfig>> | null {
  try {
    if (tsconfig === null) return getTsconfig(cwd);
    const path = isFile(tsconfig) ? tsconfig : join(tsconfig, 'tsconfig.json');
    return { path, config: parseTsconfig(path) };
  } catch {
    return null; // one that cannot be read: the loader will say so
  }
}

/** `@scope/name/path` → `@scope/name`. */
export function packageName(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}

const ENDINGS = ['.ts', '.tsx', '.mts', '.cts', '.js', '.mjs', '.cjs', '.jsx', '.json'];

function withEnding(path: string, importer: string): string | null {
  const extension = extname(path);
  const bare = path.slice(0, path.length - extension.length);
  const swapped = { '.js': ['.ts', '.tsx'], '.jsx': ['.tsx'], '.mjs': ['.mts'], '.cjs': ['.cts'] }[extension] ?? [];
  const places = [
    ...(/\.[cm]?tsx?$/.test(importer) ? swapped.map((end) => bare + end) : []),
    path,
    ...swapped.map((end) => bare + end),
    ...ENDINGS.map((end) => path + end),
    ...ENDINGS.map((end) => join(path, `index${end}`)),
  ];
  for (const place of places) if (isFile(place)) return realpathSync(place);
  return null;
}

/** A file of nearly that name beside where one was looked for: other letters, another ending, a slip of the hand. */
export function nearestFile(path: string, folders: ModuleFolders): string | null {
  const dir = dirname(path);
  const wanted = basename(path);
  const names = folders.namesIn(dir);
  if (names.length === 0) {
    // The folder itself may be spelled otherwise.
    const above = folders
      .namesIn(dirname(dir))
      .find((name) => name !== basename(dir) && name.toLowerCase() === basename(dir).toLowerCase());
    return above === undefined ? null : join(dirname(dir), above, wanted);
  }
  const stem = (name: string): string => name.replace(/(?<=.)\.[A-Za-z]{1,5}$/, '');
  const found =
    names.find((name) => name !== wanted && name.toLowerCase() === wanted.toLowerCase()) ??
    names.find((name) => stem(name).toLowerCase() === stem(wanted).toLowerCase() && name !== wanted) ??
    nearestName(wanted, names) ??
    nearestName(stem(wanted), names.map(stem), names);
  return found == null ? null : join(dir, found);
}

const NAMES_COMPARED_MAX = 500;

/** The one name that differs least, and by no more than a third. */
export function nearestName(wanted: string, names: readonly string[], shown: readonly string[] = names): string | null {
  let best: string | null = null;
  let least = Math.min(3, Math.floor(wanted.length / 3));
  for (const [i, name] of names.slice(0, NAMES_COMPARED_MAX).entries()) {
    if (name === wanted || Math.abs(name.length - wanted.length) >= least + 1 || name.length > 60) continue;
    const away = distance(wanted.toLowerCase(), name.toLowerCase());
    if (away < least || (away === least && best === null)) {
      best = shown[i] ?? null;
      least = away;
    }
  }
  return best;
}

/** Levenshtein. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length] ?? 0;
}
