import type { CaseFile, Drift, Remedy } from '../../domains/learning/index.ts';
import { CAREFUL, DELICATE, remedy, step, type Care } from './answer.ts';
import { isCode, shownPath, slugOf } from './places.ts';

/** Puts one file back; what is there now is kept beside by the primitive. */
export function restoring(c: Pick<CaseFile, 'component'>, path: string, care: Care = CAREFUL): Remedy {
  const shown = shownPath(c.component, path);
  const name = `put ${shown} back as it was at the last good boot`;
  return remedy(`restore_${slugOf(c.component, path)}`, name, care, [step(name, 'restore_file', { path })]);
}

/** Code that still parses was most likely changed on purpose: going back is for a person to agree to. */
export function careFor(path: string, drift: Pick<Drift, 'isBroken' | 'kind'> | null): Care {
  return isCode(path) && drift !== null && drift.kind === 'changed' && !drift.isBroken ? DELICATE : CAREFUL;
}

export function wasTried(c: Pick<CaseFile, 'attempts'>, wanted: Remedy): boolean {
  return c.attempts.includes(wanted.playbook);
}
