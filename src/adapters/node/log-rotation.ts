import { copyFile, stat, truncate } from 'node:fs/promises';

/** Of one log; with the one before beside it, a component never takes more than twice this. */
const LOG_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Keeps a log from growing without end. The component holds it open for appending, so it is copied and emptied, not
 * renamed: what is written between the two is lost, which a few lines in 64 MiB may be.
 * @returns whether it was too long
 */
export async function rotateLog(path: string): Promise<boolean> {
  const size = (await stat(path).catch(() => null))?.size ?? 0;
  if (size <= LOG_BYTES_MAX) return false;
  await copyFile(path, `${path}.1`);
  await truncate(path, 0);
  return true;
}
