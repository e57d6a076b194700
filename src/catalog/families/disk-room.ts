import { dirname } from 'node:path';
import type { DiskRoom, Files } from '../../kernel/index.ts';
import type { HostView } from '../../domains/playbooks/index.ts';
import type { ComponentSpec } from '../../domains/supervisor/index.ts';
import { isBelow } from './places.ts';

/** Below this nothing can be written in earnest, however small the disk. */
const FREE_BYTES_MIN = 256 * 1024;
/** A hundredth of a large disk is still a lot of room. */
const FREE_BYTES_ENOUGH = 64 * 1024 * 1024;

export function isFull(room: DiskRoom): boolean {
  if (room.totalBytes <= 0) return false;
  return (
    room.freeBytes < FREE_BYTES_MIN ||
    (room.freeBytes < room.totalBytes / 100 && room.freeBytes < FREE_BYTES_ENOUGH) ||
    room.freeInodes === 0
  );
}

/** What to free: enough to work with, never more than half of a small disk. */
export function roomWanted(room: DiskRoom): number {
  return Math.floor(Math.min(room.totalBytes / 2, Math.max(1024 * 1024, Math.min(room.totalBytes / 10, FREE_BYTES_ENOUGH))));
}

/** With this it is no longer full: worth another try. */
export function roomToGoOn(room: DiskRoom): number {
  return Math.floor(Math.max(FREE_BYTES_MIN * 2, Math.min(room.totalBytes / 50, FREE_BYTES_ENOUGH)));
}

export async function mountsOf(host: HostView, component: ComponentSpec): Promise<readonly string[]> {
  const mounts = new Set<string>();
  for (const dir of new Set([component.cwd, ...component.roots])) for (const mount of await host.mountsBelow(dir)) mounts.add(mount);
  return [...mounts];
}

export interface FullDisk {
  /** The mount point, or the path that showed it. */
  readonly path: string;
  readonly room: DiskRoom;
}

/** The first full disk among those the component writes to and the paths that messages name. */
export async function findFullDisk(
  files: Files,
  host: HostView,
  component: ComponentSpec,
  named: readonly string[],
): Promise<FullDisk | null> {
  const mounts = await mountsOf(host, component);
  for (const path of [...named, ...mounts, component.cwd, dirname(component.logFile)]) {
    const room = await files.diskRoom(path);
    if (room !== null && isFull(room)) return { path: mountAbove(mounts, path) ?? path, room };
  }
  return null;
}

/** The mount a path is on: the longest that is above it. */
export function mountAbove(mounts: readonly string[], path: string): string | null {
  return mounts.filter((mount) => isBelow(mount, path)).toSorted((a, b) => b.length - a.length)[0] ?? null;
}
