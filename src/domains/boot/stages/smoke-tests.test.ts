import { describe, expect, test } from 'vitest';
import { healingWorld, type HealingWorld } from '../../healing/testing.ts';
import type { SmokeSpec } from '../../health/index.ts';
import type { BootContext } from '../boot-context.ts';
import type { CheckReport, Severity } from '../../preflight/index.ts';
import { smokeTests } from './smoke-tests.ts';

const check = (critical: boolean): SmokeSpec => ({
  name: 'checkout',
  target: { kind: 'command', argv: ['check'] },
  timeoutMs: 1000,
  critical,
  everyMs: null,
  component: null,
});

async function stage(
  world: HealingWorld,
  smoke: SmokeSpec | null,
  preflight: BootContext['core']['preflight'] = async () => [],
  mode: BootContext['mode'] = 'resilient',
) {
  const core = { storeRoundTrip: async () => undefined, metricsCatalog: () => ({ metrics: 1 }), preflight };
  const { signal } = new AbortController();
  const { clock, supervision } = world;
  const context = {
    clock,
    startedMonotonicMs: 0,
    supervision,
    smoke: smoke === null ? [] : [smoke],
    core,
    mode,
    signal,
  } as unknown as BootContext;
  return clock.until(smokeTests.run(context));
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

describe('what is looked at once the service is up', () => {
  const told = (severity: Severity): readonly CheckReport[] => [
    {
      name: 'registration',
      title: 'registration',
      when: 'when_ready',
      durationMs: 1,
      isRemembered: false,
      couldLook: true,
      findings: [{ severity, code: 'route_missing', component: 'api', message: 'GET /a is missing', evidence: [], hint: '', fix: null }],
      summary: 'routes 0 of 1 (0 %)',
    },
  ];

  test('is in the report and in the line of the stage, and stops nothing', async () => {
    expect(await stage(await healingWorld(), null, async (when) => (when === 'when_ready' ? told('warn') : []))).toMatchObject({
      result: 'warned',
      failure: null,
      detail: '2 passed; routes 0 of 1 (0 %)',
      checks: [{ name: 'registration' }],
    });
    expect(await stage(await healingWorld(), null, async () => told('info'))).toMatchObject({ result: 'success' });
  });

  test('fails the boot where it is an error, which the config has to ask for', async () => {
    expect(await stage(await healingWorld(), null, async () => told('error'))).toMatchObject({
      result: 'failed',
      failure: 'api: GET /a is missing',
    });
  });

  test('is left out by a fast boot, and is a warning where it cannot be looked at', async () => {
    expect(await stage(await healingWorld(), null, async () => told('error'), 'fast')).toMatchObject({ result: 'success' });
    const broken = async (): Promise<never> => {
      throw new Error('no such file');
    };
    expect(await stage(await healingWorld(), null, broken)).toMatchObject({
      result: 'warned',
      findings: [{ severity: 'warn', code: 'check_broke' }],
    });
  });
});
