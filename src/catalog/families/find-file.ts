import { basename, join } from 'node:path';
import type { Files } from '../../kernel/index.ts';

/** Looking stops here: a family has milliseconds, not minutes. */
const ENTRIES_MAX = 4_000;
const DEPTH_MAX = 8;
const NEVER_ENTER: ReadonlySet<string> = new Set(['node_modules', '.git', 'site-packages', '.venv', 'venv', '__pycache__', '.grace']);

/** Files and directories below some roots that match, nearest first; links are not followed. */
export async function findBelow(
  files: Files,
  roots: readonly string[],
  matches: (path: string, kind: 'file' | 'directory' | 'symlink' | 'socket' | 'other') => boolean,
  limit = 50,
): Promise<readonly string[]> {
  const found: string[] = [];
  const seen = new Set<string>();
  let looked = 0;
  let level = roots.map((dir) => ({ dir, depth: 0 }));
  while (level.length > 0) {
    const next: typeof level = [];
    for (const { dir, depth } of level) {
      if (seen.has(dir)) continue;
      seen.add(dir);
      for (const name of await files.list(dir)) {
        if (looked++ >= ENTRIES_MAX || found.length >= limit) return found;
        const path = join(dir, name);
        const stat = await files.stat(path);
        if (stat === null) continue;
        if (matches(path, stat.kind)) found.push(path);
        if (stat.kind === 'directory' && depth < DEPTH_MAX && !NEVER_ENTER.has(basename(path))) next.push({ dir: path, depth: depth + 1 });
      }
    }
    level = next;
  }
  return found;
}
