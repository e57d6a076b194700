import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';

/** Written beside and renamed: Grace sees the old or the new list. The directory is Grace's, and is not made where it is gone. */
export async function writeRoutes(directory: string, text: string): Promise<void> {
  const name = `${process.pid}-${threadId}`;
  const beside = join(directory, `.${name}.tmp`);
  try {
    await writeFile(beside, text, { mode: 0o600, flag: 'wx' });
    await rename(beside, join(directory, `${name}.json`));
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}
