import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, open, rename, rm, statfs, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SnapshotNoRoom, type ItemTraits, type Placement } from '../../domains/snapshots/index.ts';
import { codeOf } from '../../kernel/index.ts';
import { anchored } from './anchored-path.ts';

/** Without root a file can only be one's own; a copy that is ours is narrower, not wider. */
async function own(handle: FileHandle, { mode, uid, gid }: ItemTraits): Promise<void> {
  await handle.chown(uid, gid).catch((error: unknown) => {
    if (codeOf(error) !== 'EPERM') throw error;
  });
  await handle.chmod(mode);
}

/** Copied beside, given its owner, mode and time, synced and renamed: a reader sees the old or the new file, never a half. */
export const placement: Placement = {
  anchored,
  async own(directory, traits) {
    const handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    try {
      await own(handle, traits);
    } finally {
      await handle.close();
    }
  },
  async place(from, to, traits) {
    const folder = dirname(to);
    const half = join(folder, `.${randomBytes(6).toString('hex')}.grace-tmp`);
    try {
      // Made private first: a secret is never readable for the moment before its mode is set.
      await copyFile(from, half, constants.COPYFILE_EXCL);
      const handle = await open(half, constants.O_RDWR | constants.O_NOFOLLOW);
      try {
        await own(handle, traits);
        await handle.utimes(traits.mtimeMs / 1000, traits.mtimeMs / 1000);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(half, to);
      const directory = await open(folder, 'r');
      await directory.sync().catch(() => undefined); // some file systems cannot sync a directory
      await directory.close();
    } catch (error) {
      await rm(half, { force: true });
      if (codeOf(error) !== 'ENOSPC') throw error;
      const { bavail, bsize } = await statfs(folder);
      throw new SnapshotNoRoom(folder, 0, bavail * bsize);
    }
  },
};
