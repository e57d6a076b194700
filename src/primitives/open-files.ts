import type { Files } from '../kernel/index.ts';

const PROCESSES_MAX = 5000;
const DESCRIPTORS_MAX = 10_000;

/** `flags` of fdinfo is octal; the last two bits are how it was opened, 0 for reading only. @see proc_pid_fdinfo(5) */
const FLAGS = /^flags:\s*([0-7]{1,20})$/m;
const FDINFO_CHARS = 1024;

/**
 * Which of these files some process holds open, as far as /proc shows; where there is none, or where processes of
 * others are hidden, a file can be open without being named here.
 * @param paths  real paths, without links
 * @param who    `writers`: a process that only reads does not count
 * @returns path to pid
 */
export async function openFiles(
  files: Files,
  paths: ReadonlySet<string>,
  who: 'all' | 'writers' = 'all',
): Promise<ReadonlyMap<string, number>> {
  const open = new Map<string, number>();
  if (paths.size === 0) return open;
  const pids = (await files.list('/proc')).filter((name) => /^\d+$/.test(name)).slice(0, PROCESSES_MAX);
  for (const pid of pids) {
    for (const descriptor of (await listOrNone(files, `/proc/${pid}/fd`)).slice(0, DESCRIPTORS_MAX)) {
      const target = await linkOrNone(files, `/proc/${pid}/fd/${descriptor}`);
      if (target !== null && paths.has(target) && (who === 'all' || (await mayWrite(files, pid, descriptor))))
        open.set(target, Number(pid));
    }
  }
  return open;
}

/** What cannot be told counts as writing. */
async function mayWrite(files: Files, pid: string, descriptor: string): Promise<boolean> {
  const info = await files.readText(`/proc/${pid}/fdinfo/${descriptor}`, FDINFO_CHARS).catch(() => null);
  const flags = FLAGS.exec(info ?? '')?.[1];
  return flags === undefined || (Number.parseInt(flags, 8) & 3) !== 0;
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
