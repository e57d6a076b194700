import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_MS = 3000;
/** Above this somebody else uses the machine, and the figures say more about them. */
export const QUIET_PERCENT = 10;

/** How much of all CPUs is in use, over three seconds in which this program does nothing. */
export async function busyPercent(): Promise<number> {
  const before = cpuTicks();
  await sleep(LOOK_MS);
  const after = cpuTicks();
  return (1 - (after.idle - before.idle) / (after.all - before.all)) * 100;
}

/** Waits until nobody else uses the machine, or the patience ends. @returns how busy it is then */
export async function untilQuiet(patienceMs: number): Promise<number> {
  const deadlineMs = performance.now() + patienceMs;
  for (;;) {
    const busy = await busyPercent();
    if (busy < QUIET_PERCENT || performance.now() > deadlineMs) return busy;
  }
}

/** @see proc(5): user nice system idle iowait irq softirq steal */
function cpuTicks(): { readonly all: number; readonly idle: number } {
  const fields = (readFileSync('/proc/stat', 'latin1').split('\n')[0] ?? '').trim().split(/\s+/).slice(1, 9).map(Number);
  return { all: fields.reduce((sum, n) => sum + n, 0), idle: (fields[3] ?? 0) + (fields[4] ?? 0) };
}
