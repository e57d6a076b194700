import type { Check, CheckContext, Finding } from '../../domains/preflight/index.ts';
import type { DiskRoom } from '../../kernel/index.ts';
import { found } from './found.ts';
import { DISK_BYTES_FULL, DISK_BYTES_LOW, DISK_RATIO_LOW, INODES_LOW } from './machine-thresholds.ts';
import { dirsOf, type ServiceDir } from './service-dirs.ts';

/** File systems on which writing costs no disk, or that are meant to be read only. */
const NOT_COUNTED = new Set(['proc', 'sysfs', 'devtmpfs', 'squashfs', 'iso9660', 'erofs']);

const MOUNTS_MAX = 50;

/** Room and inodes on each mount that the service writes to. Full where its data or log lies is an error: no write succeeds there. */
export const diskSpace: Check = {
  name: 'disk_space',
  title: 'room on the disks',
  timeLimitMs: 3000,
  when: 'beside_start',
  isNeeded: async ({ components }) => components.length > 0,
  async run(context) {
    const byMount = new Map<string, { readonly dir: ServiceDir; readonly room: DiskRoom; uses: Set<ServiceDir['use']> }>();
    for (const spec of context.components)
      for (const dir of await dirsOf(spec, context)) {
        const system = await context.machine.fileSystemOf((await context.files.realpath(dir.path)) ?? dir.path);
        if (system?.isReadOnly === true || (system !== null && NOT_COUNTED.has(system.type))) continue;
        const room = await context.files.diskRoom(dir.path);
        if (room === null) continue;
        const point = system?.point ?? dir.path;
        const known = byMount.get(point);
        if (known === undefined) byMount.set(point, { dir, room, uses: new Set([dir.use]) });
        else known.uses.add(dir.use);
      }
    // A volume in the folder of the service is there to be written to.
    for (const { name, cwd } of context.components)
      for (const { point, type, isReadOnly } of (await context.machine.mountsBelow(cwd)).slice(0, MOUNTS_MAX)) {
        const room = isReadOnly || NOT_COUNTED.has(type) || byMount.has(point) ? null : await context.files.diskRoom(point);
        if (room !== null) byMount.set(point, { dir: { path: point, component: name, use: 'project' }, room, uses: new Set(['project']) });
      }
    return [...byMount].flatMap(([point, { dir, room, uses }]) => judge(point, dir.component, room, uses, context));
  },
};

function judge(
  point: string,
  component: string,
  room: DiskRoom,
  uses: ReadonlySet<ServiceDir['use']>,
  context: CheckContext,
): readonly Finding[] {
  const holdsData = uses.has('log') || uses.has('data') || uses.has('database');
  const what = [...uses].map((use) => NAMES[use]).join(', ');
  const say = (severity: Finding['severity'], code: string, message: string, hint: string): readonly Finding[] => [
    found(context, { severity, code, component, message, hint }),
  ];
  if (room.freeInodes === 0)
    return say(
      holdsData ? 'error' : 'warn',
      'inodes_used_up',
      `${point} (${what}) has no inode left: no file can be made there, whatever room there is`,
      `find what has made so many files: du --inodes -x ${point} | sort -n | tail`,
    );
  if (room.freeBytes < DISK_BYTES_FULL)
    return say(
      holdsData ? 'error' : 'warn',
      'disk_full',
      `${point} (${what}) is full: ${sized(room.freeBytes)} of ${sized(room.totalBytes)} are free`,
      `free some room: du -x -d 2 -h ${point} | sort -h | tail`,
    );
  if (room.freeBytes < Math.min(DISK_BYTES_LOW, room.totalBytes * DISK_RATIO_LOW))
    return say(
      'warn',
      'disk_nearly_full',
      `${point} (${what}) has only ${sized(room.freeBytes)} of ${sized(room.totalBytes)} free`,
      `free some room: du -x -d 2 -h ${point} | sort -h | tail`,
    );
  if (room.freeInodes > 0 && room.freeInodes < INODES_LOW)
    return say(
      'warn',
      'inodes_nearly_used_up',
      `${point} (${what}) has only ${room.freeInodes} inodes left`,
      `find what has made so many files: du --inodes -x ${point} | sort -n | tail`,
    );
  return [];
}

const NAMES: Readonly<Record<ServiceDir['use'], string>> = {
  project: 'project',
  data: 'data',
  database: 'database',
  log: 'log',
  temporary: 'temporary files',
};

/** `12 KiB`, `3.4 GiB`. */
export function sized(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${value >= 10 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit] ?? ''}`;
}
