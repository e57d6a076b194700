import { basename, join } from 'node:path';
import { codeOf, type Files } from '../kernel/index.ts';
import type { PrimitiveContext } from '../domains/playbooks/index.ts';

// Grace moves things aside instead of deleting them. Here are the names it gives them, and the moves.

/** `20261122130038`: UTC, so that names sort in the order of time. */
function stampOf(nowMs: number): string {
  return new Date(nowMs).toISOString().replaceAll(/\D/g, '').slice(0, 14);
}

/** Whether Grace itself put it there: such a file is never taken for a backup. */
export function isPutAside(name: string): boolean {
  return /\.broken-\d{14}|\.grace-(?:tmp|aside|remove)/.test(name);
}

/** `<path>.broken-<stamp>`, beside the file; numbered when two fall into one second. */
export function brokenName(context: PrimitiveContext, path: string): Promise<string> {
  return freeName(context.files, `${path}.broken-${stampOf(context.clock.nowMs())}`);
}

/** A name in Grace's own private directory; nothing is made there before something acts. */
export async function backupName(context: PrimitiveContext, path: string, what = 'aside'): Promise<string> {
  return freeName(context.files, join(context.backupDir, `${basename(path)}.${what}-${stampOf(context.clock.nowMs())}`));
}

async function freeName(files: Files, wanted: string): Promise<string> {
  for (let n = 1; ; n++) {
    const name = n === 1 ? wanted : `${wanted}-${n}`;
    if ((await files.stat(name)) === null) return name;
  }
}

/** Moves; over the border of a file system by a copy that appears under its name only when it is whole. */
export async function move(files: Files, from: string, to: string): Promise<void> {
  try {
    await files.rename(from, to);
  } catch (error) {
    if (codeOf(error) !== 'EXDEV') throw error;
    const half = `${to}.grace-tmp`;
    await files.removeTree(half);
    await copyTree(files, from, half);
    await files.rename(half, to);
    await files.removeTree(from);
  }
}

/** Copies a file, a link or a directory with owner and mode; sockets and devices are left out. */
export async function copyTree(files: Files, from: string, to: string): Promise<void> {
  const stat = await files.stat(from);
  switch (stat?.kind) {
    case 'file':
      return files.copy(from, to);
    case 'symlink':
      return files.symlink((await files.readLink(from)) ?? '', to);
    case 'directory':
      await files.makeDir(to, { mode: 0o700 });
      for (const name of await files.list(from)) await copyTree(files, join(from, name), join(to, name));
      await chownIfAllowed(files, to, stat.uid, stat.gid);
      return files.chmod(to, stat.mode);
    case 'socket':
    case 'other':
    case undefined:
      return;
  }
}

/** Without root a file can only be given to oneself; the copy is then ours, which is narrower, not wider. */
export async function chownIfAllowed(files: Files, path: string, uid: number, gid: number): Promise<void> {
  try {
    await files.chown(path, uid, gid);
  } catch (error) {
    if (codeOf(error) !== 'EPERM') throw error;
  }
}

/** Writes with owner and mode, as far as Grace may give files away. */
export async function writeAs(
  files: Files,
  path: string,
  data: string | Uint8Array,
  as: { readonly mode: number; readonly uid: number; readonly gid: number },
): Promise<void> {
  try {
    await files.writeAtomic(path, data, { mode: as.mode, uid: as.uid, gid: as.gid });
  } catch (error) {
    if (codeOf(error) !== 'EPERM') throw error;
    await files.writeAtomic(path, data, { mode: as.mode });
  }
}

const COMPARE_BYTES = 1024 * 1024;

/** Whether two files hold the same bytes; false when one is missing. Reads piece by piece: databases are large. */
export async function sameContent(files: Files, a: string, b: string): Promise<boolean> {
  const [statA, statB] = [await files.stat(a), await files.stat(b)];
  if (statA?.kind !== 'file' || statB?.kind !== 'file' || statA.sizeBytes !== statB.sizeBytes) return false;
  for (let offset = 0; offset < statA.sizeBytes; offset += COMPARE_BYTES) {
    const [left, right] = [await files.readRange(a, offset, COMPARE_BYTES), await files.readRange(b, offset, COMPARE_BYTES)];
    if (left === null || right === null || !equalBytes(left, right)) return false;
  }
  return true;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/**
 * Removes a directory only when nothing is in it. It is renamed first and looked into again, so that a file which
 * arrives in between is brought back and not lost.
 * @returns whether it is gone
 */
export async function removeEmptyDirectory(files: Files, path: string): Promise<boolean> {
  const aside = `${path}.grace-remove`;
  // A crash has come between the two: it begins anew.
  if ((await files.stat(path)) === null && (await files.stat(aside))?.kind === 'directory') await files.rename(aside, path);
  if ((await files.stat(path))?.kind !== 'directory' || (await files.list(path)).length > 0) return false;
  await files.rename(path, aside);
  if ((await files.list(aside)).length > 0) {
    await files.rename(aside, path);
    return false;
  }
  await files.removeTree(aside);
  return true;
}
