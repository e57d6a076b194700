import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { sha256Hex, type Files } from '../../kernel/index.ts';
import type { PackageState } from '../../domains/playbooks/index.ts';
import { missingOfComposer, missingOfPip } from './language-packages.ts';

interface LockEntry {
  readonly optional?: boolean;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly peer?: boolean;
  readonly link?: boolean;
  readonly extraneous?: boolean;
}

/** What `node_modules` looked like when the service last worked: each file's size. */
export interface PackageManifest {
  readonly lockDigest: string;
  readonly files: readonly (readonly [path: string, sizeBytes: number])[];
}

const FILES_MAX = 120_000;
/** Files between two breaths: other work of the event loop goes on. */
const BREATH = 400;

const LOCK_FILES: readonly (readonly [string, PackageState['manager']])[] = [
  ['package-lock.json', 'npm'],
  ['npm-shrinkwrap.json', 'npm'],
  ['pnpm-lock.yaml', 'pnpm'],
  ['yarn.lock', 'yarn'],
  ['Gemfile.lock', 'bundler'],
  ['composer.lock', 'composer'],
  ['requirements.txt', 'pip'],
];

/**
 * Compares installed packages with the lock file, and with the manifest of the last good boot when there is one. A project
 * in two languages has two lock files: the one that misses something is what matters.
 */
export async function packageState(cwd: string, files: Files, manifest: PackageManifest | null): Promise<PackageState> {
  let first: PackageState | null = null;
  for (const [name, manager] of LOCK_FILES) {
    const state = await stateOf(cwd, files, manifest, name, manager);
    if (state === null) continue;
    if (state.missing.length + state.damaged.length > 0) return state;
    first ??= state;
  }
  if (first !== null) return first;
  const hasPackage = (await files.stat(join(cwd, 'package.json'))) !== null;
  return { manager: hasPackage ? 'npm' : 'none', directory: cwd, lockFile: null, missing: [], damaged: [] };
}

/** By one lock file; null when it is not there. */
async function stateOf(
  cwd: string,
  files: Files,
  manifest: PackageManifest | null,
  name: string,
  manager: PackageState['manager'],
): Promise<PackageState | null> {
  const lockFile = join(cwd, name);
  if ((await files.stat(lockFile)) === null) return null;
  if (manager !== 'npm') {
    const other = manager === 'composer' ? await missingOfComposer(cwd, files) : manager === 'pip' ? await missingOfPip(cwd, files) : [];
    return { manager, directory: cwd, lockFile, missing: other, damaged: [] };
  }
  const text = (await files.readText(lockFile)) ?? '';
  const missing = new Set(missingOf(cwd, text));
  const damaged = new Set<string>();
  if (manifest !== null && manifest.lockDigest === sha256Hex(text)) {
    let seen = 0;
    for (const [path, sizeBytes] of manifest.files) {
      if (++seen % BREATH === 0) await breath();
      const stat = statSync(join(cwd, path), { throwIfNoEntry: false });
      if (stat?.size === sizeBytes) continue;
      const owner = packageOf(path);
      if (statSync(join(cwd, owner, 'package.json'), { throwIfNoEntry: false }) === undefined)
        missing.add(owner.replace(/^node_modules\//, ''));
      else damaged.add(owner.replace(/^node_modules\//, ''));
    }
  }
  return {
    manager,
    directory: cwd,
    lockFile,
    missing: [...missing].toSorted(),
    damaged: [...damaged].filter((d) => !missing.has(d)).toSorted(),
  };
}

/** In the lock file, needed on every platform in production, and not there (or without its manifest). */
function missingOf(cwd: string, lockText: string): readonly string[] {
  let packages: Record<string, LockEntry>;
  try {
    packages = (JSON.parse(lockText) as { packages?: Record<string, LockEntry> }).packages ?? {};
  } catch {
    return []; // a broken lock file is another failure
  }
  const missing: string[] = [];
  for (const [path, entry] of Object.entries(packages)) {
    if (
      !path.startsWith('node_modules/') ||
      entry.optional ||
      entry.dev ||
      entry.devOptional ||
      entry.peer ||
      entry.link ||
      entry.extraneous
    )
      continue;
    const stat = statSync(join(cwd, path, 'package.json'), { throwIfNoEntry: false });
    if (stat === undefined || stat.size === 0) missing.push(path.slice('node_modules/'.length));
  }
  return missing;
}

/** `node_modules/a/node_modules/@b/c/lib/x.js` → `node_modules/a/node_modules/@b/c`. */
function packageOf(path: string): string {
  const parts = path.split('/');
  const at = parts.lastIndexOf('node_modules');
  return parts.slice(0, at + (parts[at + 1]?.startsWith('@') ? 3 : 2)).join('/');
}

/** Walks `node_modules`; null when there is no npm lock file or nothing installed. */
export async function takePackageManifest(cwd: string, files: Files): Promise<PackageManifest | null> {
  let lockText: string;
  try {
    lockText = readFileSync(join(cwd, 'package-lock.json'), 'utf8');
  } catch {
    return null;
  }
  const found: (readonly [string, number])[] = [];
  const queue = ['node_modules'];
  for (let dir = queue.pop(); dir !== undefined && found.length < FILES_MAX; dir = queue.pop()) {
    if (dir.endsWith('/.cache')) continue;
    for (const name of await files.list(join(cwd, dir))) {
      const path = `${dir}/${name}`;
      const stat = statSync(join(cwd, path), { throwIfNoEntry: false });
      if (stat?.isDirectory()) queue.push(path);
      else if (stat?.isFile() && name !== '.package-lock.json') found.push([path, stat.size]);
    }
  }
  return found.length === 0 ? null : { lockDigest: sha256Hex(lockText), files: found };
}

function breath(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
