import { constants, existsSync } from 'node:fs';
import { mkdir, open, realpath, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { codeOf } from '../../kernel/index.ts';

/** Opens a directory to go on from and for nothing else: it need not be readable. Node has no name for it. @see open(2), O_PATH */
const O_PATH = 0o10000000;
const HAS_PROC = process.platform === 'linux' && existsSync('/proc/self/fd');
const DIRECTORY = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * Works on a path that nobody can lead elsewhere meanwhile: its folder is opened name by name, no link is followed, `isAllowed` judges
 * what was opened, and the work goes through that handle. What somebody puts in the place of the folder afterwards is not touched.
 * Where there is no /proc, the real path is judged, and used as it is.
 * @param isAllowed  gets the real path; throws when it must not be worked on
 * @param work       gets a path that is good while it runs; its last name may still be a link
 * @param make       whether folders that are missing are made
 * @throws what `isAllowed` throws; ELOOP when a folder is a link by now, ENOENT when it is missing
 * @see CWE-367, CWE-59
 */
export async function anchored<T>(
  path: string,
  isAllowed: (real: string) => Promise<unknown>,
  work: (at: string) => Promise<T>,
  make: boolean,
): Promise<T> {
  const missing: string[] = [];
  let folder = dirname(path);
  let real = await realOrNull(folder);
  while (real === null) {
    missing.unshift(basename(folder));
    folder = dirname(folder);
    real = await realOrNull(folder);
  }
  if (missing.length > 0 && !make) throw Object.assign(new Error(`${dirname(path)} is gone`), { code: 'ENOENT' });
  const place = join(real, ...missing, basename(path));
  if (!HAS_PROC) {
    await isAllowed(place);
    await mkdir(dirname(place), { recursive: true });
    return work(place);
  }
  let handle = await open('/', DIRECTORY);
  const into = async (name: string): Promise<FileHandle> => {
    const next = await open(`/proc/self/fd/${handle.fd}/${name}`, DIRECTORY).catch((error: unknown) => {
      if (codeOf(error) !== 'ELOOP' && codeOf(error) !== 'ENOTDIR') throw error;
      throw Object.assign(new Error(`"${name}" on the way to ${path} is a link or a file by now, not a folder`), { code: 'ELOOP' });
    });
    await handle.close();
    return next;
  };
  try {
    for (const name of real.split(sep).filter((part) => part !== '')) handle = await into(name);
    await isAllowed(place);
    for (const name of missing) {
      await mkdir(`/proc/self/fd/${handle.fd}/${name}`).catch((error: unknown) => {
        if (codeOf(error) !== 'EEXIST') throw error;
      });
      handle = await into(name);
    }
    return await work(`/proc/self/fd/${handle.fd}/${basename(path)}`);
  } catch (error) {
    // A number says nothing to whoever reads the message.
    if (error instanceof Error) error.message = error.message.replaceAll(`/proc/self/fd/${handle.fd}/`, `${dirname(place)}/`);
    throw error;
  } finally {
    await handle.close();
  }
}

async function realOrNull(path: string): Promise<string | null> {
  try {
    return await realpath(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    return null;
  }
}
