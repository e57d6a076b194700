import type { PrimitiveContext } from '../domains/playbooks/index.ts';

const LOOK_EVERY_MS = 200;

/** Looks until it holds or the time is up. @returns whether it held */
export async function waitUntil(context: PrimitiveContext, timeoutMs: number, holds: () => Promise<boolean>): Promise<boolean> {
  const { clock, signal } = context;
  const deadline = clock.monotonicMs() + timeoutMs;
  for (;;) {
    signal.throwIfAborted();
    if (await holds()) return true;
    const leftMs = deadline - clock.monotonicMs();
    if (leftMs <= 0) return false;
    await clock.sleep(Math.min(LOOK_EVERY_MS, leftMs), signal);
  }
}

/** The longest wait one step may ask for. */
export const WAIT_MS_MAX = 30 * 60_000;
