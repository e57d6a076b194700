import { basename } from 'node:path';
import type { CaseFile, Drift } from '../../domains/learning/index.ts';
import { absolutePath, driftAt, isInPackages, isOwn, shownPath } from './places.ts';

/** Where in the service's own code it failed, and how that file differs from the last good boot. */
export interface OwnFrame {
  readonly path: string;
  readonly line: number | null;
  /** Null when the file is as it was. */
  readonly drift: Drift | null;
}

/** The first frame, from the inside out, that lies in the service's own code; null when none does. */
export function ownFrameOf(c: Pick<CaseFile, 'failure' | 'component' | 'drift'>): OwnFrame | null {
  for (const frame of c.failure.frames) {
    const path = frame.inDependency ? null : absolutePath(c.component, frame.path);
    if (path === null || isInPackages(path) || !isOwn(c.component, path) || !basename(path).includes('.')) continue;
    const drift = driftAt(c, path, 'changed');
    return { path, line: frame.line, drift: drift?.canRestore === true ? drift : null };
  }
  return null;
}

/** A file of the stack that changed since the last good boot, nearest to the failure first. */
export function changedInStack(c: Pick<CaseFile, 'failure' | 'component' | 'drift'>): string | null {
  for (const frame of c.failure.frames) {
    const path = frame.inDependency ? null : absolutePath(c.component, frame.path);
    if (path !== null && isOwn(c.component, path) && !isInPackages(path) && driftAt(c, path, 'changed')?.canRestore === true) return path;
  }
  return null;
}

/** ` in src/orders.ts, line 12`: the innermost place in the service's own code; empty when no stack was printed. */
export function placeOf(c: Pick<CaseFile, 'failure' | 'component'>): string {
  const frame = c.failure.frames.find((f) => !f.inDependency);
  if (frame === undefined) return '';
  const path = frame.path.startsWith('/') ? shownPath(c.component, frame.path) : frame.path;
  return ` in ${path}${frame.line === null ? '' : `, line ${frame.line}`}`;
}
