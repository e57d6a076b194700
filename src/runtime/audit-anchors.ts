import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { appendGitNote } from '../adapters/node/git.ts';
import { nodeFiles } from '../adapters/node/files.ts';
import { nodeSpawner } from '../adapters/node/spawner.ts';
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
      await nodeFiles.makeDir(dirname(anchorFile));
      await using file = await open(anchorFile, 'a', 0o644);
      await file.appendFile(`${head}\n`);
      await file.sync();
    } catch (error) {
      problems.push(`audit.anchorFile ${anchorFile}: ${error instanceof Error ? error.message : String(error)}`);
    }
  if (anchorGit) {
    const problem = await appendGitNote(projectDir, 'grace', head, nodeSpawner, GIT_MS_MAX);
    if (problem !== null) problems.push(`audit.anchorGit: ${problem}`);
  }
  return problems;
}
