import type { Files } from '../kernel/index.ts';

const PROCESSES_MAX = 5000;
const DESCRIPTORS_MAX = 10_000;

/**
 * Which of these files some process holds open, as far as /proc shows; where there is none, or where processes of
 * others are hidden, a file can be open without being named here.
 * @param paths  real paths, without links
 * @returns path to pid
 */
export async function openFiles(files: Files, paths: ReadonlySet<string>): Promise<ReadonlyMap<string, number>> {
  const open = new Map<string, number>();
  if (paths.size === 0) return open;
  const pids = (await files.list('/proc')).filter((name) => /^\d+$/.test(name)).slice(0, PROCESSES_MAX);
  for (const pid of pids) {
    for (const descriptor of (await listOrNone(files, `/proc/${pid}/fd`)).slice(0, DESCRIPTORS_MAX)) {
      const target = await linkOrNone(files, `/proc/${pid}/fd/${descriptor}`);
      if (target !== null && paths.has(target)) open.set(target, Number(pid));
    }
  }
  return open;
}

async function listOrNone(files: Files, dir: string): Promise<readonly string[]> {
  try {
    return await files.list(dir);
  } catch {
    return []; // of another user, or ended since
  }
}

async function linkOrNone(files: Files, path: string): Promise<string | null> {
  try {
    return await files.readLink(path);
  } catch {
    return null; // closed since
  }
}
