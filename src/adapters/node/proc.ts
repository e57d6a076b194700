import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { ProcessIdentity } from '../../domains/supervisor/index.ts';

/** Marks every process Grace starts; inherited by all its descendants, whatever session they move to. */
export const MARK = 'GRACE_MARK';

/** Fields of /proc/PID/stat that Grace uses. @see proc(5) */
export interface ProcStat {
  readonly pid: number;
  readonly comm: string;
  /** R, S, D, T (stopped), Z (zombie) … */
  readonly state: string;
  readonly parentPid: number;
  readonly groupId: number;
  readonly startTicks: number;
  readonly cpuTicks: number;
  readonly rssBytes: number;
}

const PAGE_BYTES = 4096;
const TICKS_PER_SECOND = 100;

function readProc(pid: number | string, name: string): string | null {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch {
    return null; // gone, or not ours to see
  }
}

export function readStat(pid: number): ProcStat | null {
  const text = readProc(pid, 'stat');
  if (text === null) return null;
  const close = text.lastIndexOf(')');
  const rest = text.slice(close + 2).split(' ');
  return {
    pid,
    comm: text.slice(text.indexOf('(') + 1, close),
    state: rest[0] ?? '?',
    parentPid: Number(rest[1]),
    groupId: Number(rest[2]),
    cpuTicks: Number(rest[11]) + Number(rest[12]),
    startTicks: Number(rest[19]),
    rssBytes: Number(rest[21]) * PAGE_BYTES,
  };
}

/** What the scheduler gave a process: milliseconds it ran, and waited although it could have run. */
export function readSchedule(pid: number): { readonly ranMs: number; readonly waitedMs: number } | null {
  const text = readProc(pid, 'schedstat');
  if (text === null) return null;
  const [ran, waited] = text.split(' ').map(Number);
  return { ranMs: (ran ?? 0) / 1e6, waitedMs: (waited ?? 0) / 1e6 };
}

export function readArgv(pid: number): readonly string[] {
  const text = readProc(pid, 'cmdline') ?? '';
  return text === '' ? [] : text.replace(/\0$/, '').split('\0');
}

export function readCwd(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return null;
  }
}

/** Effective user and group; null when it is gone. */
export function readUser(pid: number): { readonly uid: number; readonly gid: number } | null {
  const status = readProc(pid, 'status') ?? '';
  const uid = /^Uid:\s+\d+\s+(\d+)/m.exec(status)?.[1];
  const gid = /^Gid:\s+\d+\s+(\d+)/m.exec(status)?.[1];
  return uid === undefined || gid === undefined ? null : { uid: Number(uid), gid: Number(gid) };
}

/** A variable of a process's initial environment; null when it has none, or is not ours to read. */
export function readEnvironmentVariable(pid: number, name: string): string | null {
  const text = readProc(pid, 'environ');
  if (text === null) return null;
  const prefix = `${name}=`;
  return (
    text
      .split('\0')
      .find((line) => line.startsWith(prefix))
      ?.slice(prefix.length) ?? null
  );
}

export function allPids(): readonly number[] {
  const pids: number[] = [];
  for (const name of readdirSync('/proc')) {
    const first = name.charCodeAt(0);
    if (first >= 49 && first <= 57) pids.push(Number(name));
  }
  return pids;
}

/** Every living process whose environment carries this mark. */
export function pidsWithMark(mark: string): readonly number[] {
  return allPids().filter((pid) => pid !== process.pid && readEnvironmentVariable(pid, MARK) === mark && readStat(pid)?.state !== 'Z');
}

/** Every mark with this beginning that a living process carries. */
export function marksStartingWith(prefix: string): ReadonlySet<string> {
  const marks = new Set<string>();
  for (const pid of allPids()) {
    const mark = pid === process.pid ? null : readEnvironmentVariable(pid, MARK);
    if (mark?.startsWith(prefix) === true && readStat(pid)?.state !== 'Z') marks.add(mark);
  }
  return marks;
}

let cachedBootId: string | undefined;
/** Changes when the machine boots: pids and start ticks mean nothing across that. */
export function machineBootId(): string {
  cachedBootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  return cachedBootId;
}

export function identityOf(pid: number): ProcessIdentity | null {
  const stat = readStat(pid);
  return stat === null || stat.state === 'Z' ? null : { pid, startTicks: stat.startTicks, machineBootId: machineBootId() };
}

/** True when that very process still lives, zombies excepted. */
export function isAlive(identity: ProcessIdentity): boolean {
  if (identity.machineBootId !== machineBootId()) return false;
  const stat = readStat(identity.pid);
  return stat !== null && stat.state !== 'Z' && stat.startTicks === identity.startTicks;
}

/** When a process started, in wall-clock milliseconds. */
export function startedAtMs(startTicks: number): number {
  const uptimeSeconds = Number((readFileSync('/proc/uptime', 'latin1').split(' ')[0] ?? '0').trim());
  return Date.now() - (uptimeSeconds - startTicks / TICKS_PER_SECOND) * 1000;
}
