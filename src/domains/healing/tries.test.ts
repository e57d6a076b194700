import { expect, test } from 'vitest';
import type { PlaybookRun, RunState } from '../playbooks/index.ts';
import { healingWorld } from './testing.ts';
import { Tries } from './tries.ts';

const run = (n: number, state: RunState, startedAtMs: number): PlaybookRun => ({
  id: `run_${n}`, playbook: `mend_${n}`, hash: '', component: 'api', bootId: 'boot_20260101_000000', signature: 's', failureId: null,
  scope: 'process', confidence: 1, restart: true, decision: '', startedAtMs, endedAtMs: null, state,
}); // prettier-ignore

test('a Grace that was killed after two of three tries leaves exactly one to the next', async () => {
  const world = await healingWorld();
  const nowMs = world.clock.nowMs();
  await Tries.begin(world, 'api', 'process');
  await world.playbooks.saveRun(run(1, 'undone', nowMs));
  await world.playbooks.saveRun(run(2, 'interrupted', nowMs));
  await world.playbooks.saveRun(run(9, 'refused', nowMs));
  const next = await Tries.begin(world, 'api', 'process');
  expect(next.names, 'what was cut off says nothing about its playbook').toEqual(['mend_1']);
  expect(await next.mayTry(3)).toBe(true);
  await world.playbooks.saveRun(run(3, 'running', nowMs));
  expect(await next.mayTry(3)).toBe(false);
  expect(await (await Tries.begin(world, 'api', 'process')).mayTry(3), 'killed once more').toBe(false);
});
