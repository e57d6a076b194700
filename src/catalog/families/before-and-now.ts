import type { CaseFile } from '../../domains/learning/index.ts';

/** A settings file or a file of code beyond this is data. */
const BYTES_MAX = 512 * 1024;

/** What a file says. */
export interface BeforeAndNow {
  /** At the last good boot. */
  readonly before: string;
  readonly now: string;
}

/** @returns null when no copy was kept of the file, when it is gone, or when it is too large to be compared */
export async function beforeAndNow(c: Pick<CaseFile, 'component' | 'files' | 'lastGood'>, path: string): Promise<BeforeAndNow | null> {
  const entry = await c.lastGood.entry(c.component.name, path);
  const copy = entry === null ? null : await c.lastGood.content(entry);
  const now = await c.files.readText(path, BYTES_MAX);
  return copy === null || now === null ? null : { before: new TextDecoder().decode(copy), now };
}
