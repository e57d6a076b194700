import type { StoredEntry } from './last-good-keeper.ts';

/** How often good boots were compared, and how often each path was another then. */
export interface Restlessness {
  readonly compared: number;
  readonly changes: Readonly<Record<string, number>>;
}

export const UNKNOWN_RESTLESSNESS: Restlessness = { compared: 0, changes: {} };

/** A path that differed this often, and in this share of the times, differs by itself. */
const TIMES_MIN = 2;
const RATIO_MIN = 0.5;
const PATHS_MAX = 500;

/** Counts the files that are another at a good boot than at the one before. Nothing may have failed in between. */
export function countRestless(before: Restlessness, was: readonly StoredEntry[], is: readonly StoredEntry[]): Restlessness {
  const old = new Map(was.map((e) => [e.path, e]));
  const changes = { ...before.changes };
  for (const now of is) {
    const then = old.get(now.path);
    if (now.kind !== 'file' || then?.kind !== 'file' || then.mtimeMs === now.mtimeMs) continue;
    if (then.digest === now.digest && then.sizeBytes === now.sizeBytes) continue;
    changes[now.path] = (changes[now.path] ?? 0) + 1;
  }
  return { compared: before.compared + 1, changes: Object.fromEntries(Object.entries(changes).slice(-PATHS_MAX)) };
}

/** Paths that say nothing when they are another: counters, states, whatever a service writes for itself. */
export function restlessPaths({ compared, changes }: Restlessness): ReadonlySet<string> {
  const isRestless = (times: number): boolean => times >= TIMES_MIN && times >= compared * RATIO_MIN;
  return new Set(Object.entries(changes).flatMap(([path, times]) => (isRestless(times) ? [path] : [])));
}
