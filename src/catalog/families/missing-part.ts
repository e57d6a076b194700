import type { CaseFile } from '../../domains/learning/index.ts';
import type { LastGoodEntry } from '../../domains/playbooks/index.ts';
import { dirname } from 'node:path';
import { absolutePath } from './places.ts';

/** What of a path is really not there: the path itself, or the first directory on the way that is gone. */
export interface MissingPart {
  readonly path: string;
  /** A symbolic link is there, its target is not. */
  readonly isDangling: boolean;
  /** The path itself, rather than a directory on the way to it. */
  readonly isLeaf: boolean;
  /** What was there at the last verified boot. */
  readonly entry: LastGoodEntry | null;
}

/** @returns null when everything on the way is there */
export async function missingPartOf(c: Pick<CaseFile, 'files' | 'lastGood' | 'component'>, path: string): Promise<MissingPart | null> {
  let part: string | null = null;
  for (let at = path; ; at = dirname(at)) {
    const stat = await c.files.stat(at);
    const isDangling = stat?.kind === 'symlink' && (await c.files.realpath(at)) === null;
    if (isDangling) return { path: at, isDangling, isLeaf: at === path, entry: await c.lastGood.entry(c.component.name, at) };
    if (stat !== null) break;
    part = at;
    if (dirname(at) === at) break;
  }
  return part === null
    ? null
    : { path: part, isDangling: false, isLeaf: part === path, entry: await c.lastGood.entry(c.component.name, part) };
}

/** Whether restoring brings back what was there: a link always, a file when its content was kept. */
export function canBringBack(entry: LastGoodEntry | null): entry is LastGoodEntry {
  return entry !== null && (entry.kind === 'symlink' || (entry.kind === 'file' && entry.hasContent));
}

/** Absolute paths in a text, and relative ones after the words that usually come before them. */
export function pathsIn(component: CaseFile['component'], lines: readonly string[]): readonly string[] {
  const found = new Set<string>();
  for (const line of lines) {
    for (const match of line.matchAll(/(?:^|[\s'"`=(:])((?:\.{0,2}\/)?[\w@.~+-]+(?:\/[\w@.~+-]+)+\/?|\/[\w@.~+-]+)/g)) {
      const written = match[1];
      if (written === undefined || written.includes('//')) continue;
      const path = absolutePath(component, written.replace(/[.,:]+$/, ''));
      if (path !== null) found.add(path);
    }
  }
  return [...found];
}
