import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, mkdir, open, rename, rm, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SnapshotNoRoom, type Placement } from '../../domains/snapshots/index.ts';
import { codeOf } from '../../kernel/index.ts';

/** Copied beside, given its owner, mode and time, synced and renamed: a reader sees the old or the new file, never a half. */
export const placement: Placement = {
  async place(from, to, { mode, uid, gid, mtimeMs }) {
    const folder = dirname(to);
    await mkdir(folder, { recursive: true });
    const half = join(folder, `.${randomBytes(6).toString('hex')}.grace-tmp`);
    try {
      // Made private first: a secret is never readable for the moment before its mode is set.
      await copyFile(from, half, constants.COPYFILE_EXCL);
      const handle = await open(half, 'r+');
      try {
        // Without root a file can only be one's own; a copy that is ours is narrower, not wider.
        await handle.chown(uid, gid).catch((error: unknown) => {
          if (codeOf(error) !== 'EPERM') throw error;
        });
        await handle.chmod(mode);
        await handle.utimes(mtimeMs / 1000, mtimeMs / 1000);
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
