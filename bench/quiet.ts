import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_MS = 3000;
/** One quiet look may be the pause between two tests of somebody else. */
const QUIET_LOOKS = 3;
/** Above this somebody else uses the machine, and the figures say more about them. */
export const QUIET_PERCENT = 10;

/** How much of all CPUs is in use, over three seconds in which this program does nothing. */
export async function busyPercent(): Promise<number> {
  const before = cpuTicks();
  await sleep(LOOK_MS);
  const after = cpuTicks();
  return (1 - (after.idle - before.idle) / (after.all - before.all)) * 100;
}

/** Waits until nobody else has used the machine for a while, or the time is over. @returns how busy it is then */
export async function untilQuiet(deadlineMs: number): Promise<number> {
  for (let quietLooks = 0; ;) {
    const busy = await busyPercent();
    quietLooks = busy < QUIET_PERCENT ? quietLooks + 1 : 0;
    if (quietLooks === QUIET_LOOKS || performance.now() > deadlineMs) return busy;
  }
}

/** @see proc(5): user nice system idle iowait irq softirq steal */
function cpuTicks(): { readonly all: number; readonly idle: number } {
  const fields = (readFileSync('/proc/stat', 'latin1').split('\n')[0] ?? '').trim().split(/\s+/).slice(1, 9).map(Number);
  return { all: fields.reduce((sum, n) => sum + n, 0), idle: (fields[3] ?? 0) + (fields[4] ?? 0) };
}
