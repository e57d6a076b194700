import type { CaseFile, Drift } from '../../domains/learning/index.ts';
import { saidBy } from './answer.ts';
import { driftPath, isInPackages, isNamedIn, isOwn, mayBeData } from './places.ts';
import { beforeAndNow } from './before-and-now.ts';

export interface ChangedCode {
  readonly path: string;
  readonly drift: Drift;
}

/** Files of the service's own that are others than at the last good boot and whose old content is at hand; no data. */
export function changedCode(c: CaseFile): readonly ChangedCode[] {
  return c.drift.flatMap((drift) => {
    const path = driftPath(c.component, drift);
    const isCandidate = path !== null && drift.kind === 'changed' && drift.canRestore;
    return isCandidate && isOwn(c.component, path) && !isInPackages(path) && !mayBeData(path) ? [{ path, drift }] : [];
  });
}

/**
 * The one changed file that the output names. Null when several files changed: they belong together, and one of them put
 * back alone would be a mixture of two releases.
 */
export function namedChange(c: CaseFile): ChangedCode | null {
  const [first, ...others] = changedCode(c);
  if (first === undefined || others.length > 0) return null;
  const isNamed = c.failure.frames.some((f) => f.path === first.path) || isNamedIn(saidBy(c), c.component, first.path);
  return isNamed ? first : null;
}

/**
 * Whether something that can be put back is not as it was at the last good boot. Words that say only that the code failed
 * then keep no such remedy from being tried: what changed may be why.
 */
export function hasSuspects(c: Pick<CaseFile, 'drift'>): boolean {
  return c.drift.some(
    (d) => d.kind === 'env_key_changed' || d.kind === 'env_key_missing' || ((d.kind === 'changed' || d.kind === 'missing') && d.canRestore),
  );
}

/** Whether a file has a word now that it had not at the last good boot. */
export async function saysNewly(c: CaseFile, path: string, word: string): Promise<boolean> {
  const versions = await beforeAndNow(c, path);
  return versions !== null && versions.now.includes(word) && !versions.before.includes(word);
}
