import { readFileSync } from 'node:fs';

/** One line of /proc/self/mountinfo. @see proc_pid_mountinfo(5) */
export interface Mount {
  readonly point: string;
  readonly device: string;
  readonly type: string;
  readonly isReadOnly: boolean;
}

/** Mounts that hold one of these directories, or lie below one. */
export function mountsAround(dirs: readonly string[]): readonly Mount[] {
  let text: string;
  try {
    text = readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return [];
  }
  return pickMounts(parseMounts(text), dirs);
}

export function parseMounts(text: string): readonly Mount[] {
  return text.split('\n').flatMap((line) => {
    const [left, right] = line.split(' - ', 2);
    const [, , , , point, options] = left?.split(' ') ?? [];
    const [type, device, superOptions] = right?.split(' ') ?? [];
    if (point === undefined || options === undefined || type === undefined || device === undefined) return [];
    // Read-only is it when either says so: the mount, or the file system that remounted itself after an error.
    const isReadOnly = [options, superOptions ?? ''].some((o) => o.split(',').includes('ro'));
    return [{ point: unescaped(point), device: unescaped(device), type, isReadOnly }];
  });
}

export function pickMounts(mounts: readonly Mount[], dirs: readonly string[]): readonly Mount[] {
  const found = new Map<string, Mount>();
  for (const dir of dirs) {
    let holder: Mount | null = null;
    for (const mount of mounts) {
      const prefix = mount.point === '/' ? '/' : `${mount.point}/`;
      // A later mount on the same point hides the earlier one.
      if (`${dir}/`.startsWith(prefix) && mount.point.length >= (holder?.point.length ?? 0)) holder = mount;
      if (mount.point.startsWith(`${dir}/`)) found.set(mount.point, mount);
    }
    if (holder !== null) found.set(holder.point, holder);
  }
  return [...found.values()];
}

/** Spaces and the like are written as octal numbers. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
