import { readdirSync, statSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { isTypeScript, packageFolder, readJson } from './service-entry.ts';
import type { SourceKind } from './module-facts.ts';
import type { Loader } from './service-entry.ts';
import type { NodeTraits } from './node-traits.ts';

/** What package.json says that matters here. */
export interface PackageFile {
  readonly dir: string;
  readonly name: string | null;
  readonly type: 'module' | 'commonjs' | null;
  readonly json: Readonly<Record<string, unknown>>;
}

/** Folders and their package.json as they are during one look; each is read once. */
export class ModuleFolders {
  /** Folders whose names an answer depends on. */
  readonly listed = new Set<string>();
  /** Every package.json that was read. */
  readonly read = new Map<string, PackageFile | null>();
  private readonly nearest = new Map<string, PackageFile | null>();
  private readonly names = new Map<string, readonly string[]>();

  packageAt(dir: string): PackageFile | null {
    const known = this.read.get(dir);
    if (known !== undefined) return known;
    const json = readJson(join(dir, 'package.json')) as Record<string, unknown> | null;
    const { type, name } = json ?? {};
    const found: PackageFile | null =
      json === null
        ? null
        : { dir, json, name: typeof name === 'string' ? name : null, type: type === 'module' || type === 'commonjs' ? type : null };
    this.read.set(dir, found);
    return found;
  }

  /** The package.json that rules over a file. */
  packageOf(file: string): PackageFile | null {
    const dir = dirname(file);
    const known = this.nearest.get(dir);
    if (known !== undefined) return known;
    const folder = packageFolder(dir, (at) => this.packageAt(at) !== null);
    const found = folder === null ? null : this.packageAt(folder);
    this.nearest.set(dir, found);
    return found;
  }

  namesIn(dir: string): readonly string[] {
    this.listed.add(dir);
    let names = this.names.get(dir);
    if (names === undefined) {
      try {
        names = readdirSync(dir);
      } catch {
        names = []; // not there, or not ours to see
      }
      this.names.set(dir, names);
    }
    return names;
  }

  /** How Node takes a file, or the loader in front of it; null for what holds no imports. */
  kindOf(file: string, loader: Loader, node: NodeTraits): SourceKind | null {
    const extension = extname(file);
    const isTs = isTypeScript(file);
    if (['.json', '.node', '.wasm', '.css', '.html', '.svg', '.txt', '.md'].includes(extension)) return null;
    if (isTs && loader === 'node' && !node.stripsTypes) return null;
    const isElided = isTs && loader !== 'node';
    if (extension === '.mjs' || extension === '.mts') return { format: 'esm', isTypeScript: isTs, isElided };
    if (extension === '.cjs' || (extension === '.cts' && loader === 'node')) return { format: 'cjs', isTypeScript: isTs, isElided };
    // What stands in place of imports in TypeScript may be written either way.
    if (isTs && loader !== 'node') return { format: null, isTypeScript: true, isElided };
    const type = this.packageOf(file)?.type ?? null;
    if (type === 'module') return { format: 'esm', isTypeScript: isTs, isElided };
    if (type === 'commonjs') return { format: 'cjs', isTypeScript: isTs, isElided };
    return { format: node.detectsSyntax ? null : 'cjs', isTypeScript: isTs, isElided };
  }
}

export function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

export function isPackaged(file: string): boolean {
  return file.includes('/node_modules/');
}
