import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';

/**
 * Opens a file to read it. A pipe in its place (some keep secrets in an `.env` that is one) would make whoever opens it wait for a
 * writer, in one of the four threads that all of Grace's file work shares, and past its end.
 * @returns null when nothing is there, when we may not look, or when it is no regular file
 */
export async function openRegularFile(path: string): Promise<FileHandle | null> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(() => null);
  if (file === null) return null;
  const stat = await file.stat().catch(() => null);
  if (stat?.isFile() === true) return file;
  await file.close();
  return null;
}
