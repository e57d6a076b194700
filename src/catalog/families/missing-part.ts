import type { CaseFile } from '../../domains/learning/index.ts';
import type { LastGoodEntry } from '../../domains/playbooks/index.ts';
import { dirname } from 'node:path';
import { absolutePath, isBelow, isVolatileDirectory } from './places.ts';

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

/** More files than this in one go are a deployment that went wrong, not a missing file. */
const FILES_MAX = 20;
/** Written anew at every start. */
const PASSING = /\.(?:log|pid|sock|lock|tmp)$/i;

/**
 * The path itself, or everything that was in the directory that is gone: a service that gets back only the file it asked
 * for would start without the others. Empty when that cannot be brought back as a whole.
 */
export async function entriesToRestore(
  c: Pick<CaseFile, 'files' | 'lastGood' | 'component'>,
  path: string,
  part: MissingPart,
): Promise<readonly LastGoodEntry[]> {
  if (part.isDangling)
    return part.entry?.kind === 'symlink' && part.entry.digest !== (await c.files.readLink(part.path)) ? [part.entry] : [];
  if (canBringBack(part.entry)) return [part.entry];
  if (part.isLeaf || !canBringBack(await c.lastGood.entry(c.component.name, path))) return [];
  const below = (await c.lastGood.entries(c.component.name)).filter(
    (e) => e.kind !== 'directory' && isBelow(part.path, e.path) && !isVolatileDirectory(dirname(e.path)) && !PASSING.test(e.path),
  );
  return below.length > FILES_MAX || !below.every(canBringBack) ? [] : below;
}

/** A configuration beyond this is data. */
const CONFIG_BYTES_MAX = 256 * 1024;

/**
 * Paths in the configuration files that the start command names, on lines about a setting: Redis says that it cannot open
 * "the log file", and only `logfile` in redis.conf says which.
 */
export async function pathsConfigured(c: Pick<CaseFile, 'files' | 'component'>, key: string): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const word of c.component.command.slice(1)) {
    const path = absolutePath(c.component, word.startsWith('-') ? word.slice(word.indexOf('=') + 1) : word);
    const stat = path === null || /\.(?:[cm]?[jt]s|py|rb)$/.test(path) ? null : await c.files.stat(path);
    if (path === null || stat?.kind !== 'file' || stat.sizeBytes > CONFIG_BYTES_MAX) continue;
    lines.push(
      ...((await c.files.readText(path, CONFIG_BYTES_MAX)) ?? '')
        .split('\n')
        .filter((line) => !/^\s*[#;]/.test(line) && line.toLowerCase().includes(key.toLowerCase())),
    );
  }
  return pathsIn(c.component, lines);
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
