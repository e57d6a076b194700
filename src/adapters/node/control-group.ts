import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Allowance } from '../../domains/preflight/index.ts';

/** Files of one limit, in the two versions of control groups. @see the kernel's cgroup-v2 and cgroup-v1/memory */
const FILES = {
  memory: {
    v2: { max: 'memory.max', current: 'memory.current', freeable: 'inactive_file' },
    v1: { max: 'memory.limit_in_bytes', current: 'memory.usage_in_bytes', freeable: 'total_inactive_file' },
  },
  pids: {
    v2: { max: 'pids.max', current: 'pids.current', freeable: null },
    v1: { max: 'pids.max', current: 'pids.current', freeable: null },
  },
} as const;

/** Version 1 writes "no limit" as a number near 2^63; no machine has a quarter of that. */
const NO_LIMIT = 2 ** 60;

/**
 * The tightest limit on the way from the group of a process up to the root: each of them counts.
 * @param root   where the tree of the system begins; another one in tests
 */
export function groupAllowance(controller: 'memory' | 'pids', root = '/'): Allowance {
  let max: number | null = null;
  let left: number | null = null;
  for (const { dir, files } of groupsOf(controller, root)) {
    const limit = numberIn(join(dir, files.max));
    if (limit === null || limit >= NO_LIMIT) continue;
    max = Math.min(max ?? limit, limit);
    const used = numberIn(join(dir, files.current));
    if (used === null) continue;
    // Pages of files that nobody used lately are given up before anything is killed.
    const freeable = files.freeable === null ? 0 : statIn(join(dir, 'memory.stat'), files.freeable);
    const here = Math.max(0, limit - used + freeable);
    left = Math.min(left ?? here, here);
  }
  return { max, left };
}

/** Directories of the groups, the own one first. A container may see its own group as the root. */
function* groupsOf(controller: 'memory' | 'pids', root: string) {
  const mount = join(root, 'sys/fs/cgroup');
  for (const line of read(join(root, 'proc/self/cgroup')).split('\n')) {
    const [, names, group] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (names === undefined || group === undefined) continue;
    const isOld = names.split(',').includes(controller);
    if (!isOld && names !== '') continue;
    const tops = isOld ? [join(mount, controller), join(mount, names)] : [mount, join(mount, 'unified')];
    for (const top of tops)
      for (let at = group; ; at = at.slice(0, at.lastIndexOf('/'))) {
        yield { dir: join(top, at), files: FILES[controller][isOld ? 'v1' : 'v2'] };
        if (at === '' || at === '/') break;
      }
  }
}

function numberIn(path: string): number | null {
  const text = read(path).trim();
  return /^\d+$/.test(text) ? Number(text) : null;
}

function statIn(path: string, name: string): number {
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(read(path))?.[1] ?? 0);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return ''; // another version, or a controller that is off
  }
}
