import { sha256Hex } from '../../kernel/index.ts';
import type { CaseFile, Remedy } from '../../domains/learning/index.ts';
import { CAREFUL, remedy, step } from './answer.ts';
import { dirname, isCode, isInCommand, isInPackages, isOwn, shownPath, slugOf } from './places.ts';

const BYTES_MAX = 512 * 1024;

/**
 * What to do about a settings file that somebody put into a folder of included settings since the last good boot: the
 * service was well without it. Null when it was there, when nobody knows what was there, or when it is asked for by name.
 */
export async function settingAside(c: CaseFile, path: string): Promise<Remedy | null> {
  const { component, lastGood } = c;
  if (!isOwn(component, path) || isInPackages(path) || isCode(path) || isInCommand(component, path) || component.envFiles.includes(path))
    return null;
  if ((await c.files.stat(path))?.kind !== 'file' || (await lastGood.entry(component.name, path)) !== null) return null;
  if ((await lastGood.entry(component.name, dirname(path)))?.kind !== 'directory') return null;
  const content = await c.files.read(path, BYTES_MAX + 1);
  if (content === null || content.length > BYTES_MAX) return null;
  const shown = shownPath(component, path);
  const name = `take ${shown} out of the way, it came after the last good boot`;
  return remedy(`set_aside_${slugOf(component, path)}`, name, CAREFUL, [step(name, 'set_aside', { path, digest: sha256Hex(content) })]);
}
