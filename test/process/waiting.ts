import { setTimeout as sleep } from 'node:timers/promises';

/** Generous: the machine may be busy with other things, and no test is about how long something takes. */
const PATIENCE_MS = 60_000;
const LOOK_MS = 20;

/**
 * Waits until a look at the world finds something.
 * @param look   undefined, null and false mean: not yet
 * @throws naming what did not happen, with what `state` says about it then
 */
export async function until<T>(
  what: string,
  look: () => T | Promise<T>,
  state: () => string = () => '',
): Promise<Exclude<T, undefined | null | false>> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== null && found !== false) return found as Exclude<T, undefined | null | false>;
    if (performance.now() > deadlineMs) throw new Error(`never happened: ${what}\n${state()}`);
    await sleep(LOOK_MS);
  }
}
