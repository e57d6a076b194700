import { readFileSync } from 'node:fs';

/** Rows of /proc/PID/limits that decide whether a service works, and what they are called here. @see proc_pid_limits(5) */
const ROWS: readonly (readonly [row: string, name: string])[] = [
  ['Max open files', 'open files'],
  ['Max processes', 'processes'],
  ['Max core file size', 'core size'],
  ['Max stack size', 'stack size'],
  ['Max address space', 'address space memory'],
  ['Max locked memory', 'locked memory'],
];

/** Soft limits of a process: `open files` → `1024`; what its control group gives it: `memory (cgroup)`. */
export function processLimits(pid: number | 'self'): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  const text = read(`/proc/${pid}/limits`);
  for (const line of text.split('\n')) {
    const row = ROWS.find(([name]) => line.startsWith(name));
    const soft = row === undefined ? undefined : /^\s+(\S+)/.exec(line.slice(row[0].length))?.[1];
    if (row !== undefined && soft !== undefined) found[row[1]] = soft;
  }
  Object.assign(found, groupLimits(read(`/proc/${pid}/cgroup`)));
  return found;
}

/** The tightest limit on the way up, of version 2; version 1 has a directory for each controller. */
function groupLimits(cgroup: string): Readonly<Record<string, string>> {
  const group = /^0::(.*)$/m.exec(cgroup)?.[1];
  const found: Record<string, string> = {};
  for (const [file, name] of [
    ['memory.max', 'memory (cgroup)'],
    ['pids.max', 'processes (cgroup)'],
    ['cpu.max', 'cpu (cgroup)'],
  ] as const) {
    let least: string | null = null;
    if (group !== undefined)
      for (let at = group; ; at = at.slice(0, at.lastIndexOf('/'))) {
        const value = read(`/sys/fs/cgroup${at === '/' ? '' : at}/${file}`).trim();
        if (value !== '' && !value.startsWith('max') && (least === null || Number.parseInt(value) < Number.parseInt(least))) least = value;
        if (at === '' || at === '/') break;
      }
    const old = file === 'memory.max' ? read('/sys/fs/cgroup/memory/memory.limit_in_bytes').trim() : '';
    // Version 1 writes "no limit" as a number near 2^63.
    const isOldLimit = old !== '' && old.length < 18;
    if (least !== null || isOldLimit) found[name] = least ?? old;
  }
  return found;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return ''; // gone, not ours to see, or another version of control groups
  }
}
