import type { CaseFile } from '../../domains/learning/index.ts';
import { shownPath } from './places.ts';

/** ` in src/orders.ts, line 12`: the innermost place in the service's own code; empty when no stack was printed. */
export function placeOf(c: Pick<CaseFile, 'failure' | 'component'>): string {
  const frame = c.failure.frames.find((f) => !f.inDependency);
  if (frame === undefined) return '';
  const path = frame.path.startsWith('/') ? shownPath(c.component, frame.path) : frame.path;
  return ` in ${path}${frame.line === null ? '' : `, line ${frame.line}`}`;
}
