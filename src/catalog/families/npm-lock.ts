import { join } from 'node:path';
import type { Files } from '../../kernel/index.ts';

/** Lock files of large workspaces have some MiB. */
const BYTES_MAX = 32 * 1024 * 1024;

interface LockedPackage {
  readonly version?: string;
  /** True for a package of the workspace. */
  readonly link?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/**
 * The packages of npm's lock file by their place, `node_modules/x`; the project itself is at the empty one.
 * @returns nothing when there is no such file; a broken one is another failure
 */
export async function lockedPackages(files: Files, directory: string): Promise<Readonly<Record<string, LockedPackage>>> {
  try {
    const lock = (await files.readText(join(directory, 'package-lock.json'), BYTES_MAX)) ?? '{}';
    return (JSON.parse(lock) as { packages?: Record<string, LockedPackage> } | null)?.packages ?? {};
  } catch {
    return {}; // its own family speaks of a broken file
  }
}
