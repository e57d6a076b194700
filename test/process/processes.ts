import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A living process as /proc shows it; zombies are left out. */
export interface Seen {
  readonly pid: number;
  readonly parentPid: number;
  /** R, S, T (stopped) … */
  readonly state: string;
  readonly argv: readonly string[];
  readonly cwd: string;
}

/** Processes that work in a directory or below it: everything a test's project has started, and nothing else. */
export function processesIn(dir: string): readonly Seen[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    const seen = look(Number(name));
    return seen !== null && (seen.cwd === dir || seen.cwd.startsWith(`${dir}/`)) ? [seen] : [];
  });
}

/** Those among them that run this script. */
export function runsOf(dir: string, script: string): readonly Seen[] {
  return processesIn(dir).filter((p) => p.argv.some((word) => word === script || word.endsWith(`/${script}`)));
}

export function look(pid: number): Seen | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state = '?', parent = '0'] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state === 'Z' || state === 'X') return null;
    const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0$/, '').split('\0');
    return { pid, parentPid: Number(parent), state, argv, cwd: readlinkSync(`/proc/${pid}/cwd`) };
  } catch {
    return null; // gone meanwhile, or not ours to see
  }
}

/** Peak of its resident memory so far. */
export function peakMemoryMb(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024;
}

/** False when it has ended before. */
export function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}
