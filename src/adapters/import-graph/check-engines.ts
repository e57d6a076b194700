import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { satisfies, validRange } from 'semver';
import type { EngineProblem } from '../../domains/preflight/index.ts';
import type { BuiltGraph } from './build-graph.ts';
import { isPackaged } from './module-folders.ts';
import type { NodeTraits } from './node-traits.ts';
import type { ServiceEntry } from './service-entry.ts';

const FILE_BYTES_MAX = 64 * 1024;
const PROBLEMS_MAX = 100;

/** Versions of Node that the service, its version files and its packages ask for, and do not get. */
export function checkEngines(
  { folders, entries }: BuiltGraph,
  { cwd }: ServiceEntry,
  node: NodeTraits,
): { readonly problems: readonly EngineProblem[]; readonly files: readonly string[] } {
  const problems: EngineProblem[] = [];
  const files: string[] = [];
  const root = projectFolder(cwd, folders);
  for (const found of folders.read.values()) {
    if (found === null) continue;
    const isService = found.dir === root;
    const wanted = (found.json['engines'] as { node?: unknown } | undefined)?.node;
    if ((!isService && !isPackaged(`${found.dir}/`)) || typeof wanted !== 'string' || fits(node.version, wanted)) continue;
    const isStrict = isService && strictness(root, files);
    problems.push({
      file: join(found.dir, 'package.json'),
      package: isService ? null : (found.name ?? found.dir),
      wanted,
      has: node.version,
      isStrict,
    });
  }
  if (root !== null && entries.some((file) => file.startsWith(`${root}/`)))
    for (const name of ['.nvmrc', '.node-version']) {
      const file = join(root, name);
      files.push(file);
      const wanted = firstWord(file);
      // `lts/*` and the like name no version that could be compared.
      if (wanted === null || !/^v?\d+(?:\.\d+){0,2}$/.test(wanted) || fits(node.version, wanted.replace(/^v/, ''))) continue;
      problems.push({ file, package: null, wanted, has: node.version, isStrict: false });
    }
  return { problems: problems.slice(0, PROBLEMS_MAX), files };
}

function projectFolder(cwd: string, folders: BuiltGraph['folders']): string | null {
  for (let dir = cwd; ; dir = dirname(dir)) {
    if (folders.packageAt(dir) !== null) return dir;
    if (dirname(dir) === dir) return null;
  }
}

function fits(version: string, range: string): boolean {
  return validRange(range) === null || satisfies(version, range, { includePrerelease: true });
}

function strictness(root: string | null, files: string[]): boolean {
  if (root === null) return false;
  const file = join(root, '.npmrc');
  files.push(file);
  return /^\s{0,8}engine-strict\s{0,8}=\s{0,8}true\s{0,8}$/m.test(smallText(file) ?? '');
}

function firstWord(file: string): string | null {
  const line = smallText(file)
    ?.split('\n')
    .map((one) => one.trim())
    .find((one) => one !== '' && !one.startsWith('#'));
  return line ?? null;
}

function smallText(file: string): string | null {
  try {
    const stat = statSync(file, { throwIfNoEntry: false });
    return stat?.isFile() === true && stat.size <= FILE_BYTES_MAX ? readFileSync(file, 'utf8') : null;
  } catch {
    return null;
  }
}
