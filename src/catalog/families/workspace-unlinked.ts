import { basename, dirname, join } from 'node:path';
import type { Files } from '../../kernel/index.ts';
import { factsOf, type CaseFile, type FailureFamily } from '../../domains/learning/index.ts';
import { CAREFUL, diagnosis, linesOf, remedy, step } from './answer.ts';
import { findBelow } from './find-file.ts';
import { lockedPackages } from './npm-lock.ts';
import { packageOf } from './package-missing.ts';
import { absolutePath, shownPath } from './places.ts';
import { manifestIn, manifestsAbove } from './project-manifest.ts';

const PACKAGES_MAX = 200;
/** Surer than that some package is not installed: this says which, and where it is. */
const KNOWN_PLACE = 0.97;

/** A package that is missing is one of the project's own workspace: it is linked by an install, and by nothing else. */
export const workspaceUnlinked: FailureFamily = {
  name: 'workspace_unlinked',
  title: 'a package of the workspace is not linked',
  async diagnose(c) {
    const facts = factsOf(c, 'module_missing').filter((f) => f.runtime === 'node' && packageOf(f.subject) !== null);
    for (const fact of facts) {
      const name = packageOf(fact.subject) ?? '';
      const place = await placeInWorkspace(c, name);
      if (place === null) continue;
      const { root, directory } = place;
      if ((await c.files.realpath(join(root, 'node_modules', name))) !== null) continue;
      return [
        diagnosis('workspace_unlinked', {
          cause: `${name} is a package of this workspace, in ${shownPath(c.component, directory)}, and node_modules has no link to it`,
          confidence: KNOWN_PLACE,
          evidence: [...linesOf([fact]), `${shownPath(c.component, join(directory, 'package.json'))} is ${name}`],
          remedy: remedy('link_workspace_packages', 'install the packages of the lock file, which links those of the workspace', CAREFUL, [
            step('install the packages of the lock file and link those of the workspace', 'install_packages', { directory: root }),
          ]),
          advice: [`install the packages in ${shownPath(c.component, root)}`],
        }),
      ];
    }
    return [];
  },
  async guard(g) {
    for (const { primitive, params } of g.steps) {
      if (primitive !== 'install_packages' || typeof params['directory'] !== 'string') continue;
      const root = absolutePath(g.component, params['directory']);
      const unlinked = root === null ? [] : await linksMissing(g.files, root);
      if (unlinked.length === 0) continue;
      return {
        severity: 'error',
        code: 'workspace_unlinked',
        component: g.component.name,
        message: `${unlinked.slice(0, 3).join(', ')} of the workspace ${unlinked.length === 1 ? 'is' : 'are'} not linked again`,
        evidence: [`seen before: ${g.playbook} has fixed it`],
        hint: 'install the packages of the lock file',
        fix: { playbook: g.playbook, params: g.params },
      };
    }
    return null;
  },
};

/** Packages that the lock file of npm has as links, and that node_modules has not. */
async function linksMissing(files: Files, root: string): Promise<readonly string[]> {
  const missing: string[] = [];
  for (const [path, entry] of Object.entries(await lockedPackages(files, root)))
    if (entry.link === true && (await files.realpath(join(root, path))) === null) missing.push(path.replace(/^node_modules\//, ''));
  return missing;
}

/** The root of the workspace above the component, and where in it a package of this name is. */
async function placeInWorkspace(c: CaseFile, name: string): Promise<{ readonly root: string; readonly directory: string } | null> {
  for (const manifest of await manifestsAbove(c, join(c.component.cwd, 'package.json'))) {
    const isWorkspace = manifest.workspaces.length > 0 || (await c.files.stat(join(manifest.directory, 'pnpm-workspace.yaml'))) !== null;
    if (!isWorkspace) continue;
    const inside = await findBelow(
      c.files,
      [manifest.directory],
      (path, kind) => kind === 'file' && basename(path) === 'package.json',
      PACKAGES_MAX,
    );
    for (const path of inside)
      if ((await manifestIn(c, dirname(path)))?.name === name) return { root: manifest.directory, directory: dirname(path) };
  }
  return null;
}
