import { expect, test } from 'vitest';
import { healingWorld, type HealingWorld } from '../../healing/testing.ts';
import type { SmokeSpec } from '../../health/index.ts';
import type { BootContext } from '../boot-context.ts';
import { smokeTests } from './smoke-tests.ts';

const check = (critical: boolean): SmokeSpec => ({
  name: 'checkout',
  target: { kind: 'command', argv: ['check'] },
  timeoutMs: 1000,
  critical,
  everyMs: null,
  component: null,
});

async function stage(world: HealingWorld, smoke: SmokeSpec) {
  const core = { storeRoundTrip: async () => undefined, metricsCatalog: () => ({ metrics: 1 }) };
  const { clock, supervision } = world;
  return clock.until(smokeTests.run({ clock, startedMonotonicMs: 0, supervision, smoke: [smoke], core } as unknown as BootContext));
}

/** A world in which one fix was applied and is not proven, and no check can be carried out. */
async function unproven(smoke: SmokeSpec): Promise<HealingWorld> {
  const world = await healingWorld({ smoke: [smoke] });
  world.knows('port_in_use', {}, {});
  const result = await world.heal(await world.fails('port_in_use 3000'));
  if (result.state !== 'applied') throw new TypeError(result.state);
  world.supervision.unconfirmed.push(result.run);
  world.prober.probe = async () => ({ outcome: 'unknown', latencyMs: 1, detail: 'there is no command "check"' });
  return world;
}

test('a smoke check that could not be carried out is a warning, no pass and no failure, and proves no fix', async () => {
  const world = await unproven(check(true));
  expect(await stage(world, check(true))).toMatchObject({
    result: 'warned',
    failure: null,
    metrics: { 'startup.tests_passed': 2, 'startup.tests_failed': 0 },
    findings: [{ severity: 'warn', message: expect.stringContaining('could not be carried out: there is no command') }],
  });
  expect(await world.playbooks.runsIn('inconclusive')).toHaveLength(1);
  expect(world.settings, 'not undone').toEqual({ port_in_use: 'fixed' });
  expect(world.types()).toContain('playbook_inconclusive');
});

test('one that is not critical keeps no fix from being proven', async () => {
  const world = await unproven(check(false));
  expect(await stage(world, check(false))).toMatchObject({ result: 'warned' });
  expect(await world.playbooks.runsIn('verified')).toHaveLength(1);
});
