import { join } from 'node:path';
import type { Files } from '../../kernel/index.ts';

const LIST_BYTES_MAX = 4 * 1024 * 1024;
/** Where a project keeps a virtual environment of its own. */
const ENVIRONMENTS = ['.venv', 'venv', 'env'] as const;

/** Packages of composer.lock without a directory below `vendor`, and Composer's own autoloader. */
export async function missingOfComposer(cwd: string, files: Files): Promise<readonly string[]> {
  const text = await files.readText(join(cwd, 'composer.lock'), LIST_BYTES_MAX);
  let packages: readonly { readonly name?: unknown; readonly type?: unknown }[];
  try {
    packages = (JSON.parse(text ?? '{}') as { packages?: typeof packages }).packages ?? [];
  } catch {
    return []; // a broken lock file is another failure
  }
  const missing: string[] = [];
  for (const { name, type } of packages)
    if (typeof name === 'string' && type !== 'metapackage' && (await files.stat(join(cwd, 'vendor', name))) === null) missing.push(name);
  if (missing.length === 0 && (await files.stat(join(cwd, 'vendor', 'autoload.php'))) === null) missing.push('vendor/autoload.php');
  return missing.toSorted();
}

/** Requirements that the project's own virtual environment does not have; empty when there is no such environment. */
export async function missingOfPip(cwd: string, files: Files): Promise<readonly string[]> {
  const installed = await distributionsOf(cwd, files);
  if (installed === null) return [];
  const text = (await files.readText(join(cwd, 'requirements.txt'), LIST_BYTES_MAX)) ?? '';
  const missing = new Set<string>();
  for (const line of text.split('\n')) {
    // What has a marker may not be meant for this machine; what begins with a dash or is an address has no name here.
    const name = /^([A-Za-z0-9][\w.-]{0,100})(?:\[[^\]]{0,100}\])?\s{0,8}(?:(?:[=<>~!]=?|===)[^;]{0,100})?(?:#.*)?$/.exec(line.trim())?.[1];
    if (name !== undefined && !installed.has(normal(name))) missing.add(name);
  }
  return [...missing].toSorted();
}

/** Names of what is installed, from the metadata that every installer leaves. */
async function distributionsOf(cwd: string, files: Files): Promise<ReadonlySet<string> | null> {
  for (const environment of ENVIRONMENTS) {
    const dir = join(cwd, environment);
    const text = await files.readText(join(dir, 'pyvenv.cfg'));
    if (text === null) continue;
    // An upgrade in place leaves the packages of the older version beside those of the newer one.
    const wants = /^version(?:_info)?\s{0,4}=\s{0,4}(\d{1,2}\.\d{1,3})/m.exec(text)?.[1];
    for (const python of await files.list(join(dir, 'lib'))) {
      const site = join(dir, 'lib', python, 'site-packages');
      if (wants === undefined ? !python.startsWith('python') : python !== `python${wants}`) continue;
      if ((await files.stat(site)) === null) continue;
      const names = (await files.list(site)).map(
        (entry) => /^(.{1,100}?)-\d[^-]{0,60}(?:-py[\d.]{1,6})?\.(?:dist|egg)-info$/.exec(entry)?.[1],
      );
      return new Set(names.filter((name) => name !== undefined).map(normal));
    }
  }
  return null;
}

/** PEP 503: runs of `-`, `_` and `.` are one `-`, and case does not count. */
function normal(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, '-');
}
