import type { CaseFile, Remedy } from '../../domains/learning/index.ts';
import { DELICATE, HARMLESS, remedy, step } from './answer.ts';
import { absolutePath, driftAt, isInPackages, isOwn, shownPath } from './places.ts';
import { wasTried } from './restore.ts';

const LOOK = 'find what is started and not waited for';

/**
 * Looks for all places where something is started that nobody waits for: people are told of them. Where the file that was named is
 * another than at the last good boot it is put back, once a person agrees; code is never rewritten.
 * @param called  the function that was named; empty where none was
 * @param place   the file that was named
 * @returns null once it was tried: to look again tells nothing new
 */
export function verifyingSubscriptions(c: CaseFile, called: string, place: string | null): Remedy | null {
  const path = place === null ? null : absolutePath(c.component, place);
  const look = step(LOOK, 'find_unawaited_calls', /^[\w.]{1,200}$/.test(called) ? { called } : {});
  const isChanged = path !== null && isOwn(c.component, path) && !isInPackages(path) && driftAt(c, path, 'changed')?.canRestore === true;
  const shown = path === null ? '' : shownPath(c.component, path);
  const wanted = isChanged
    ? remedy('verify_async_subscriptions', `put ${shown} back, which starts something that nobody waits for`, DELICATE, [
        look,
        step(`put ${shown} back as it was at the last good boot`, 'restore_file', { path }),
      ])
    : remedy('verify_async_subscriptions', 'list the places where something is started and not waited for', HARMLESS, [look]);
  return wasTried(c, wanted) ? null : wanted;
}
