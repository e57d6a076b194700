import { open } from 'node:fs/promises';
import { appendGitNote } from '../adapters/node/git.ts';
import { nodeSpawner } from '../adapters/node/spawner.ts';
import { codeOf, messageOf } from '../kernel/index.ts';
import type { AuditConfig } from './config/index.ts';

/** A note is a line or two: git does it at once, or something is wrong with the repository. */
const GIT_MS_MAX = 10_000;

/**
 * Keeps a signed head where the config says: whoever rewrites the log later, with whatever rights on the store and the key, has
 * to rewrite those places too.
 * @returns what did not work, in words
 */
export async function anchorHead(head: string, { anchorFile, anchorGit }: AuditConfig, projectDir: string): Promise<readonly string[]> {
  const problems: string[] = [];
  if (anchorFile !== null)
    try {
      await using file = await open(anchorFile, 'a', 0o644);
      await file.appendFile(`${head}\n`);
      await file.sync();
    } catch (error) {
      // Made here it would hide that what it lies on is not mounted, and the head would be in no other place at all.
      const problem = codeOf(error) === 'ENOENT' ? 'its directory is not there: mount what it lies on, or make it' : messageOf(error);
      problems.push(`audit.anchorFile ${anchorFile}: ${problem}`);
    }
  if (anchorGit) {
    const problem = await appendGitNote(projectDir, 'grace', head, nodeSpawner, GIT_MS_MAX);
    if (problem !== null) problems.push(`audit.anchorGit: ${problem}`);
  }
  return problems;
}
