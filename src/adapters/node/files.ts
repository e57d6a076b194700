import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf, type DiskRoom, type Files, type FileStat } from '../../kernel/index.ts';

const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG']);

/** Runs `ask`; null when nothing is there. */
async function orNull<T>(ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask();
  } catch (error) {
    if (ABSENT.has(codeOf(error) ?? '')) return null;
    throw error;
  }
}

/** Secret managers mount env files as pipes, and write when somebody reads. */
const PIPE_MS = 1000;
const PIPE_BYTES_MAX = 1024 * 1024;
const PIPE_PAUSE_MS = 20;

/** What somebody writes into a pipe while it is read; null where nobody does, since waiting for good would hold a thread for good. */
async function readPipe(handle: fs.FileHandle): Promise<Uint8Array | null> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for (const endMs = performance.now() + PIPE_MS; performance.now() < endMs && bytes < PIPE_BYTES_MAX;) {
    const buffer = Buffer.allocUnsafe(64 * 1024);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, null).catch((error: unknown) => {
      if (codeOf(error) === 'EAGAIN') return { bytesRead: -1 };
      throw error;
    });
    if (bytesRead > 0) parts.push(buffer.subarray(0, bytesRead));
    else if (bytesRead === 0 && bytes > 0) return Buffer.concat(parts);
    else await sleep(PIPE_PAUSE_MS);
    bytes += Math.max(0, bytesRead);
  }
  return null;
}

/** The whole of a file. A terminal is none, and a pipe is one only when somebody writes it now. */
async function readWhole(path: string): Promise<Uint8Array | null> {
  return orNull(async () => {
    const handle = await fs.open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = await handle.stat();
      if (stat.isFIFO()) return await readPipe(handle);
      return stat.isCharacterDevice() ? null : await handle.readFile();
    } finally {
      await handle.close();
    }
  });
}

async function readRange(path: string, offset: number, lengthBytes: number): Promise<Uint8Array | null> {
  return orNull(async () => {
    const handle = await fs.open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = await handle.stat();
      // A pipe or a terminal has no positions and keeps nothing.
      if (stat.isFIFO() || stat.isCharacterDevice()) return new Uint8Array();
      const buffer = Buffer.allocUnsafe(lengthBytes);
      let filled = 0;
      while (filled < lengthBytes) {
        const { bytesRead } = await handle.read(buffer, filled, lengthBytes - filled, offset + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return buffer.subarray(0, filled);
    } finally {
      await handle.close();
    }
  });
}

/** The real file system. */
export const nodeFiles: Files = {
  async stat(path) {
    try {
      const s = await fs.lstat(path);
      const kind: FileStat['kind'] = s.isFile()
        ? 'file'
        : s.isDirectory()
          ? 'directory'
          : s.isSymbolicLink()
            ? 'symlink'
            : s.isSocket()
              ? 'socket'
              : 'other';
      return { kind, sizeBytes: s.size, mtimeMs: s.mtimeMs, mode: s.mode & 0o7777, uid: s.uid, gid: s.gid };
    } catch (error) {
      if (ABSENT.has(codeOf(error) ?? '') || codeOf(error) === 'EACCES') return null;
      throw error;
    }
  },
  realpath: (path) => orNull(() => fs.realpath(path)),
  async list(dir) {
    return (await orNull(() => fs.readdir(dir)))?.toSorted() ?? [];
  },
  async read(path, limitBytes) {
    return limitBytes === undefined ? readWhole(path) : readRange(path, 0, limitBytes);
  },
  async readText(path, limitBytes) {
    const bytes = await (limitBytes === undefined ? readWhole(path) : readRange(path, 0, limitBytes));
    return bytes === null ? null : new TextDecoder().decode(bytes);
  },
  readRange,
  readLink: (path) => orNull(() => fs.readlink(path)),
  async writeAtomic(path, data, options = {}) {
    const temporary = join(dirname(path), `.${randomBytes(6).toString('hex')}.grace-tmp`);
    // Created private: a secret is never readable for the moment before its mode is set.
    const handle = await fs.open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(data);
      await handle.chmod(options.mode ?? 0o644);
      if (options.uid !== undefined) await handle.chown(options.uid, options.gid ?? options.uid);
      await handle.sync();
      await handle.close();
      await fs.rename(temporary, path);
      await syncDirectory(dirname(path));
    } catch (error) {
      await handle.close().catch(() => undefined); // already closed
      await fs.rm(temporary, { force: true });
      throw error;
    }
  },
  symlink: (target, path) => fs.symlink(target, path),
  async makeDir(path, options = {}) {
    await fs.mkdir(path, { recursive: true, ...(options.mode === undefined ? {} : { mode: options.mode }) });
  },
  rename: (from, to) => fs.rename(from, to),
  async copy(from, to) {
    await fs.copyFile(from, to);
    const s = await fs.stat(from);
    await fs.chmod(to, s.mode & 0o7777);
    await fs.chown(to, s.uid, s.gid).catch(() => undefined); // not root: the copy is ours, which is private enough
  },
  remove: (path) => fs.rm(path, { force: true }),
  removeTree: (path) => fs.rm(path, { recursive: true, force: true }),
  chmod: (path, mode) => fs.chmod(path, mode),
  chown: (path, uid, gid) => fs.lchown(path, uid, gid),
  async diskRoom(path): Promise<DiskRoom | null> {
    for (let at = path; ; at = dirname(at)) {
      try {
        const s = await fs.statfs(at);
        return { freeBytes: s.bavail * s.bsize, totalBytes: s.blocks * s.bsize, freeInodes: s.files === 0 ? -1 : s.ffree };
      } catch (error) {
        if (!ABSENT.has(codeOf(error) ?? '') || at === dirname(at)) return null;
      }
    }
  },
};

/** A rename is durable only when its directory is synced. */
async function syncDirectory(dir: string): Promise<void> {
  const handle = await fs.open(dir, 'r');
  try {
    await handle.sync();
  } catch {
    // some file systems cannot sync a directory; there is nothing better to do
  } finally {
    await handle.close();
  }
}
