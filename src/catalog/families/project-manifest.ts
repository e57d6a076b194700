import { dirname, join } from 'node:path';
import type { CaseFile } from '../../domains/learning/index.ts';
import { isOwn } from './places.ts';

/** What a package.json says, as far as a family asks. */
export interface ProjectManifest {
  readonly directory: string;
  readonly name: string;
  readonly scripts: Readonly<Record<string, string>>;
  /** Patterns such as `packages/*`; empty when it is no workspace. */
  readonly workspaces: readonly string[];
  readonly dependencies: Readonly<Record<string, string>>;
}

const BYTES_MAX = 256 * 1024;
/** Nobody nests projects deeper; a family has milliseconds. */
const LEVELS_MAX = 12;

/** @returns null when there is none, or it cannot be read */
export async function manifestIn(c: Pick<CaseFile, 'files'>, directory: string): Promise<ProjectManifest | null> {
  const text = await c.files.readText(join(directory, 'package.json'), BYTES_MAX);
  if (text === null) return null;
  try {
    const { name, scripts, workspaces, dependencies } = JSON.parse(text) as Record<string, unknown>;
    const patterns = Array.isArray(workspaces) ? workspaces : (workspaces as { packages?: unknown } | null | undefined)?.packages;
    return {
      directory,
      name: typeof name === 'string' ? name : '',
      scripts: textsOf(scripts),
      workspaces: Array.isArray(patterns) ? patterns.filter((p) => typeof p === 'string') : [],
      dependencies: textsOf(dependencies),
    };
  } catch {
    return null; // a broken manifest is another failure
  }
}

function textsOf(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

/** The manifests above a path, nearest first, within what belongs to the component. */
export async function manifestsAbove(c: Pick<CaseFile, 'files' | 'component'>, path: string): Promise<readonly ProjectManifest[]> {
  const found: ProjectManifest[] = [];
  let at = dirname(path);
  for (let level = 0; level < LEVELS_MAX && isOwn(c.component, at); level++, at = dirname(at)) {
    const manifest = await manifestIn(c, at);
    if (manifest !== null) found.push(manifest);
    if (dirname(at) === at) break;
  }
  return found;
}
