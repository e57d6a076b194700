import { existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import type { NativeProblem } from '../../domains/preflight/index.ts';
import type { BuiltGraph } from './build-graph.ts';
import type { PackageFile } from './module-folders.ts';
import type { NodeTraits } from './node-traits.ts';
import { readLock, type LockedPackage } from './package-lock.ts';

/**
 * Packages that hold the binaries of another for one kind of machine (`@img/sharp-linux-x64`), which the lock file has for this machine
 * and nobody has installed: `node_modules` was copied from another machine, or installed without optional packages. Which of them are
 * meant for this machine is not guessed from names, so that nothing is said without a lock file.
 */
export function missingForPlatform(
  { modules, folders }: BuiltGraph,
  cwd: string,
  node: NodeTraits,
): { readonly problems: readonly NativeProblem[]; readonly files: readonly string[] } {
  const owners = new Map<string, PackageFile>();
  for (const file of modules.keys()) {
    const owner = folders.packageOf(file);
    if (owner !== null && optionalOf(owner).length > 0) owners.set(owner.dir, owner);
  }
  const lock = owners.size === 0 ? null : readLock(cwd);
  if (lock === null) return { problems: [], files: [] };
  const problems: NativeProblem[] = [];
  const files = [lock.file];
  for (const owner of owners.values()) {
    const meant = optionalOf(owner).flatMap((name) => {
      const place = lockedPlace(owner.dir, name, lock.dir, lock.packages);
      const locked = place === null ? undefined : lock.packages[place];
      return place !== null && locked !== undefined && isForMachine(locked, node) ? [{ name, dir: join(lock.dir, place) }] : [];
    });
    files.push(...meant.map(({ dir }) => join(dir, 'package.json')));
    const gone = meant.filter(({ dir }) => !existsSync(dir));
    if (gone.length === 0) continue;
    problems.push({
      kind: 'native_package_missing',
      isSure: false,
      package: owner.name ?? '',
      file: owner.dir,
      has: 'no binary',
      wanted: gone.map(({ name }) => name).join(', '),
    });
  }
  return { problems, files };
}

function optionalOf({ json }: PackageFile): readonly string[] {
  const optional = json['optionalDependencies'];
  return typeof optional === 'object' && optional !== null ? Object.keys(optional) : [];
}

/** Where the lock puts a package for one that asks for it: the nearest on the way up, as Node looks for it. */
function lockedPlace(from: string, name: string, root: string, packages: Readonly<Record<string, LockedPackage>>): string | null {
  for (let dir = from; ; dir = dirname(dir)) {
    const place = join(relative(root, dir), 'node_modules', name);
    if (place.startsWith('..')) return null;
    if (Object.hasOwn(packages, place)) return place;
    if (dir === root || dirname(dir) === dir) return null;
  }
}

/** It is made for this machine, and not for every one. */
function isForMachine({ os, cpu, libc }: LockedPackage, node: NodeTraits): boolean {
  if (os === undefined || cpu === undefined) return false;
  return os.includes('linux') && cpu.includes(node.arch) && (libc === undefined || (node.libc !== null && libc.includes(node.libc)));
}
