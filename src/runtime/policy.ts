import { globSync, readFileSync, statSync } from 'node:fs';
import { relative } from 'node:path';
import { cedarPolicy, checkPolicies, type CheckedPolicies, type PolicyFile } from '../adapters/policy/index.ts';
import type { DecisionPoint } from '../domains/governance/index.ts';
import { messageOf } from '../kernel/index.ts';
import { ConfigInvalid, type GraceConfig, type Mistake } from './config/index.ts';

/** More is a glob that caught something else. */
const FILES_MAX = 100;
/** What is read of a file before it is refused; the limits of the parser are far below. */
const FILE_BYTES_MAX = 1024 * 1024;

/** A decision point, and the user's files that it was made of. */
export interface Policies {
  readonly policy: DecisionPoint;
  readonly policyFiles: readonly PolicyFile[];
}

/**
 * The decision point of this service, by its files as they are now; whether those are in force says the store.
 * @throws ConfigInvalid with every mistake, its file, line and column
 */
export async function openPolicies(config: GraceConfig): Promise<Policies> {
  const policyFiles = await ownPolicies(config);
  return { policy: cedarPolicy(policyFiles), policyFiles };
}

/**
 * Policies of the user are read and checked at once, so that a mistake in them stops the start and nothing else; without any,
 * nothing is loaded before something has to be decided.
 * @throws ConfigInvalid with every mistake, its file, line and column
 */
export async function ownPolicies(config: GraceConfig): Promise<readonly PolicyFile[]> {
  if (config.policies.length === 0) return [];
  const { files, mistakes } = readPolicies(config.policies, config.projectDir);
  const checked = await checkPolicies(files);
  const all = [...mistakes, ...mistakesOf(checked)];
  if (all.length > 0) throw new ConfigInvalid(config.configFile, all);
  return files;
}

/** For those who look and never heal. */
export const NOTHING_RUNS: DecisionPoint = {
  decide: async () => ({ verdict: 'deny', reason: 'this only looks', policies: [] }),
};

/** @param globs absolute; each has to find something, or a file that was moved would quietly stop to count */
export function readPolicies(
  globs: readonly string[],
  projectDir: string,
): { readonly files: readonly PolicyFile[]; readonly mistakes: readonly Mistake[] } {
  const files = new Map<string, PolicyFile>();
  const mistakes: Mistake[] = [];
  globs.forEach((glob, index) => {
    const about = (problem: string, suggestion: string | null = null): void =>
      void mistakes.push({ path: `policies[${index}]`, problem, suggestion, location: null });
    const found = globSync(glob).toSorted();
    if (found.length === 0) return about(`finds no file: ${relative(projectDir, glob)}`, 'correct it, or remove it');
    for (const path of found) {
      if (files.has(path)) continue;
      if (files.size >= FILES_MAX) return about(`finds more than ${FILES_MAX} files`);
      const name = relative(projectDir, path);
      try {
        const stat = statSync(path);
        if (!stat.isFile()) continue;
        if (stat.size > FILE_BYTES_MAX) about(`${name} is larger than ${FILE_BYTES_MAX / 1024} KiB`);
        else files.set(path, { name, text: readFileSync(path, 'utf8') });
      } catch (error) {
        about(`${name} cannot be read: ${messageOf(error)}`);
      }
    }
  });
  return { files: [...files.values()], mistakes };
}

export function mistakesOf({ mistakes }: CheckedPolicies): readonly Mistake[] {
  return mistakes.map(({ file, line, column, problem, suggestion }) => ({
    path: 'policies',
    problem,
    suggestion,
    location: `${file}:${line}:${column}`,
  }));
}
