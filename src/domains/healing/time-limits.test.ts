import { expect, test } from 'vitest';
import type { Captured } from '../learning/index.ts';
import { healingWorld, set, type HealingWorld } from './testing.ts';

/** A world in which the fix is about to be used, and what is special about the primitive of its second step. */
async function world(slow: (act: () => void, signal: AbortSignal) => Promise<void>): Promise<{ world: HealingWorld; captured: Captured }> {
  const made = await healingWorld();
  const power = made.primitives.get('set');
  if (power === undefined) throw new TypeError('there is no primitive');
  made.primitives.set('slow', {
    ...power,
    name: 'slow',
    async apply(params, context, undo) {
      await slow(() => void power.apply(params, context, undo), context.signal);
      return { summary: 'it ended', changed: [] };
    },
  });
  made.knows('port_in_use', {}, { steps: [set('port_in_use'), { ...set('second'), primitive: 'slow' }] });
  Object.assign(made.settings, { port_in_use: 'was', second: 'was' });
  return { world: made, captured: await made.fails('port_in_use 3000') };
}

const ends = (made: HealingWorld, ms: number): void => made.timers.findLast((t) => t.ms === ms)?.end();
const told = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));

test('a step over its time limit ends, the run is undone, and it counts as failed', async () => {
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const { world: made, captured } = await world(async (act, signal) => {
    act();
    begin();
    await told(signal);
  });
  const healing = made.heal(captured);
  await begun;
  expect(made.settings).toEqual({ port_in_use: 'fixed', second: 'fixed' });
  ends(made, made.runLimits.stepMs);
  expect(await healing).toMatchObject({ state: 'failed', reason: expect.stringContaining('"set second" did not end within 6 min') });
  expect(made.settings, 'undone').toEqual({ port_in_use: 'was', second: 'was' });
  expect(await made.playbooks.runsSince(0)).toMatchObject([{ state: 'undone' }]);
  expect(await made.playbooks.get('fix_port_in_use')).toMatchObject({ failedCount: 1 });
});

test('a playbook that never ends is cut off, and what it did is undone', async () => {
  const { world: made, captured } = await world(async (act) => act());
  await made.heal(captured);
  Object.assign(made.settings, { port_in_use: 'was', second: 'was' });
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  made.power('slow', true, () => begin());
  // Its steps are planned before it runs, to keep what they change; then it ends as soon as it knows that nothing was done.
  made.edit('fix_port_in_use', (source) =>
    source.replace(/(await ctx\.step\('set second'[^]*?\));/, "const done = $1;\n    while (done.summary !== '');"),
  );
  const healing = made.heal(await made.fails('port_in_use 3000'));
  await begun;
  ends(made, made.runLimits.runMs);
  const result = await healing;
  expect(result).toMatchObject({ state: 'failed', reason: expect.stringContaining('did not end within 8 min') });
  expect(made.settings).toEqual({ port_in_use: 'was', second: 'was' });
  expect((await made.playbooks.runsSince(0)).at(-1)).toMatchObject({ state: 'undone' });
});

test('a primitive that ignores its signal is not waited for for ever, nothing is undone beside it, and nothing else acts until it ends', async () => {
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const { promise: mayEnd, resolve: end } = Promise.withResolvers<void>();
  const { world: made, captured } = await world(async (act) => {
    begin();
    await mayEnd;
    act();
  });
  const healing = made.heal(captured);
  await begun;
  ends(made, made.runLimits.stepMs);
  ends(made, made.runLimits.endMs);
  expect(await healing).toMatchObject({ state: 'failed', reason: expect.stringContaining('it may act still') });
  expect(made.settings, 'nothing is undone').toEqual({ port_in_use: 'fixed', second: 'was' });
  expect(made.of('undo_failed')).toMatchObject([{ playbook: 'fix_port_in_use', left: [expect.stringContaining('it may act still')] }]);
  const [run] = await made.playbooks.runsSince(0);
  expect(run).toMatchObject({ state: 'failed' });
  expect(await made.playbooks.get('fix_port_in_use')).toMatchObject({ failedCount: 1 });
  expect(await made.limits.lease('api', 'another'), 'it still acts').toBeNull();
  await made.healer.cutOff.undoUnfinished(() => made.spec(), made.stop.signal);
  expect(made.settings).toEqual({ port_in_use: 'fixed', second: 'was' });
  end();
  await expect.poll(async () => (await made.limits.lease('api', 'another')) !== null).toBe(true);
  expect(made.settings).toEqual({ port_in_use: 'fixed', second: 'fixed' });
});
