import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

const LOCK_BYTES_MAX = 64 * 1024 * 1024;

/** What npm wrote of one package. @see package-lock.json, `packages` */
export interface LockedPackage {
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
}

/** @returns null when there is none at or above a folder, or npm cannot have written it */
export function readLock(
  from: string,
): { readonly file: string; readonly dir: string; readonly packages: Readonly<Record<string, LockedPackage>> } | null {
  for (let dir = from; ; dir = dirname(dir)) {
    const file = join(dir, 'package-lock.json');
    const stat = statSync(file, { throwIfNoEntry: false });
    if (stat?.isFile() === true)
      try {
        if (stat.size > LOCK_BYTES_MAX) return null;
        const { packages } = JSON.parse(readFileSync(file, 'utf8')) as { readonly packages?: Readonly<Record<string, LockedPackage>> };
        return packages === undefined ? null : { file, dir, packages };
      } catch {
        return null;
      }
    if (dirname(dir) === dir) return null;
  }
}
