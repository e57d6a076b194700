import { describe, expect, test } from 'vitest';
import { bootId } from '../../kernel/index.ts';
import { healingWorld, nextGrace, set, type HealingWorld, type WorldOptions } from './testing.ts';

const MINUTE_MS = 60_000;
const boot = (n: number): WorldOptions => ({ settings: { bootId: bootId(`boot_20260101_00000${n}`) } });

/** What is known in all of these: how to fix a taken port and a full disk. */
function knowing(world: HealingWorld): HealingWorld {
  world.knows('port_in_use', {}, {});
  world.knows('disk_full', {}, {});
  return world;
}

/** Fails, is healed, and the fix holds. */
async function healed(world: HealingWorld, fact = 'port_in_use 3000', name = 'api', phase: 'boot' | 'runtime' = 'runtime'): Promise<void> {
  world.settings[fact.split(' ')[0] ?? ''] = 'broken';
  const result = await world.heal(await world.fails(fact, name), phase);
  if (result.state !== 'applied') throw new TypeError(`${fact} of ${name}: ${result.state}`);
  await world.healer.applied.confirm(result.run);
}

const again = async (world: HealingWorld, fact = 'port_in_use 3000', name = 'api', phase: 'boot' | 'runtime' = 'runtime') => {
  world.settings[fact.split(' ')[0] ?? ''] = 'broken';
  return (await world.heal(await world.fails(fact, name), phase)).state;
};

/** What the limits have said no with, as it is on record; newest first. */
const denials = async (world: HealingWorld): Promise<readonly string[]> =>
  (await world.decisions.list({ limit: 50 })).flatMap((d) => d.policies.filter((p) => p.startsWith('limit.')));

describe('the cooldown at run time', () => {
  const two: WorldOptions = { executeAtRuntime: true, components: [{ name: 'api' }, { name: 'web' }] };

  test('the same failure of the same component within it is not healed, and that is told and on record', async () => {
    const world = knowing(await healingWorld(two));
    await healed(world);
    await world.clock.pass(4 * MINUTE_MS);
    expect(await again(world)).toBe('observed');
    expect(world.settings['port_in_use']).toBe('broken');
    expect(await world.playbooks.runsSince(0)).toHaveLength(1);
    expect(await world.incidents.explanations({ limit: 1 })).toMatchObject([
      { action: expect.stringContaining('it ran for this very failure 4 min 00 s ago') },
    ]);
    expect(await world.decisions.list({ limit: 1 })).toMatchObject([
      {
        verdict: 'deny',
        policies: ['limit.cooldown'],
        action: 'run_playbook',
        subject: 'fix_port_in_use',
        component: 'api',
        actor: 'grace',
      },
    ]);
    expect(world.of('playbook_chosen').at(-1)).toMatchObject({ verdict: 'deny', policies: ['limit.cooldown'] });
  });

  test('another component, another failure, and the time after it are not affected', async () => {
    const world = knowing(await healingWorld(two));
    await healed(world);
    await world.clock.pass(3 * MINUTE_MS);
    await healed(world, 'port_in_use 3000', 'web');
    await healed(world, 'disk_full /var');
    await world.clock.pass(2 * MINUTE_MS);
    expect(await again(world)).toBe('applied');
    expect(await denials(world)).toEqual([]);
  });

  test('is not forgotten with the Grace that began it', async () => {
    const first = knowing(await healingWorld(two));
    await healed(first);
    await first.clock.pass(4 * MINUTE_MS);
    const second = knowing(await nextGrace(first));
    expect(await again(second)).toBe('observed');
    await second.clock.pass(2 * MINUTE_MS);
    expect(await again(second)).toBe('applied');
  });

  test('is none at boot', async () => {
    const world = knowing(await healingWorld(two));
    await healed(world);
    await world.clock.pass(4 * MINUTE_MS);
    expect(await again(world, undefined, undefined, 'boot')).toBe('applied');
  });

  test('keeps nobody from starting the component again', async () => {
    // Beside real work the time of a test runs on: the window is long, so that it is not over by accident.
    const limits = { cooldownMs: 30 * 24 * 60 * MINUTE_MS, stabilityMs: 1000 };
    const world = knowing(await healingWorld({ executeAtRuntime: true, limits }));
    world.settings['port_in_use'] = 'fixed';
    world.host.born = (process) => {
      if (world.settings['port_in_use'] === 'fixed') return;
      world.say('fact port_in_use 3000');
      world.clock.at(world.clock.monotonicMs() + 100, () => process.exit({ exitCode: 1 }));
    };
    world.prober.answer = () => (world.settings['port_in_use'] === 'fixed' ? 5 : 'connection refused');
    await world.bringUp();
    world.supervision.watchAll();
    const breaks = (): void => {
      world.settings['port_in_use'] = 'broken';
      world.host.last.exit({ exitCode: 1 });
    };
    breaks();
    await world.clock.when(() => world.of('playbook_verified').length === 1);
    await world.clock.pass(3 * MINUTE_MS);
    const before = world.host.processes.length;
    breaks();
    await world.clock.when(() => world.of('component_restarting').length >= 2);
    await world.clock.when(() => world.host.processes.length > before + 2);
    expect(await world.playbooks.runsSince(0)).toHaveLength(1);
    expect(await denials(world)).toContain('limit.cooldown');
  });
});

describe('the runs of an hour', () => {
  test('are counted over all components and both phases, and the hour slides', async () => {
    const components = [{ name: 'a' }, { name: 'b' }, { name: 'c' }];
    const world = knowing(await healingWorld({ executeAtRuntime: true, components, limits: { perHour: 2 } }));
    await healed(world, 'port_in_use 1', 'a', 'boot');
    await world.clock.pass(30 * MINUTE_MS);
    await healed(world, 'port_in_use 2', 'b');
    expect(await again(world, 'port_in_use 3', 'c')).toBe('observed');
    expect(await again(world, 'port_in_use 3', 'c', 'boot')).toBe('hold');
    expect(await denials(world)).toEqual(['limit.per_hour', 'limit.per_hour']);
    await world.clock.pass(30 * MINUTE_MS);
    expect(await again(world, 'port_in_use 3', 'c')).toBe('applied');
  });
});

describe('the breaker', () => {
  /** One boot in which the playbook runs and does not help. */
  async function inVain(world: HealingWorld): Promise<void> {
    world.settings['port_in_use'] = 'broken';
    const result = await world.heal(await world.fails('port_in_use 3000'));
    if (result.state !== 'applied') throw new TypeError(result.state);
    await world.healer.applied.reject(result.run, 'the same failure came back', world.stop.signal);
  }

  test('opens after so many failures in a row over boots, stays open, and a person closes it', async () => {
    let world = knowing(await healingWorld(boot(1)));
    await inVain(world);
    for (const n of [2, 3]) {
      expect(world.of('breaker_opened')).toEqual([]);
      world = knowing(await nextGrace(world, boot(n)));
      await inVain(world);
    }
    expect(world.of('breaker_opened')).toMatchObject([{ component: 'api', playbook: 'fix_port_in_use' }]);
    // Another boot, and weeks later: neither a crash nor time closes it.
    world = knowing(await nextGrace(world, boot(4)));
    await world.clock.pass(60 * 24 * 60 * MINUTE_MS);
    expect(await again(world, undefined, undefined, 'boot')).toBe('hold');
    expect(await denials(world)).toEqual(['limit.breaker']);
    expect(await world.incidents.explanations({ limit: 1 })).toMatchObject([
      { action: expect.stringContaining('grace breakers close brk_') },
    ]);
    const [open] = await world.limits.breakers();
    if (open === undefined) throw new TypeError('there is no breaker');
    await world.limits.saveBreaker({ ...open, closedAtMs: world.clock.nowMs(), closedBy: 'ann', closeReason: 'the port was mine' });
    world = knowing(await nextGrace(world, boot(5)));
    expect(await world.limits.breakers()).toMatchObject([{ closedBy: 'ann', closeReason: 'the port was mine' }]);
    await world.clock.pass(1);
    expect(await again(world, undefined, undefined, 'boot')).toBe('applied');
  });

  test('one success in between begins the count anew', async () => {
    const world = knowing(await healingWorld());
    for (const helps of [false, false, true, false, false]) await (helps ? healed(world, undefined, undefined, 'boot') : inVain(world));
    expect(await world.limits.breakers()).toEqual([]);
    await inVain(world);
    expect(await world.limits.breakers()).toHaveLength(1);
  });

  test('is of one component', async () => {
    const world = knowing(await healingWorld({ components: [{ name: 'api' }, { name: 'web' }] }));
    for (const _time of [1, 2, 3]) await inVain(world);
    expect(await again(world, undefined, undefined, 'boot')).toBe('hold');
    expect(await again(world, undefined, 'web', 'boot')).not.toBe('hold');
  });
});

test('a step that finds nothing to act on does nothing, changes nothing, and is told', async () => {
  const world = await healingWorld();
  const power = world.primitives.get('set');
  if (power === undefined) throw new TypeError('there is no primitive');
  world.primitives.set('set', { ...power, plan: async () => ({ state: 'ready', summary: 'all of none', targets: [], undo: null }) });
  world.knows('port_in_use', {}, {});
  expect(await world.heal(await world.fails('port_in_use 3000'))).toMatchObject({
    state: 'failed',
    reason: expect.stringContaining('an empty set is none, never all'),
  });
  expect(world.settings).toEqual({});
  expect(world.of('notice')).toMatchObject([{ level: 'error', text: expect.stringContaining('found nothing to act on') }]);
  expect(await world.playbooks.runsSince(0)).toMatchObject([{ state: 'refused' }]);
});

describe('much that fails at once', () => {
  const NAMES = ['a', 'b', 'c', 'd', 'e'];

  /** Five components that end at once while something is broken, and can be fixed by their playbook. */
  async function five(): Promise<HealingWorld> {
    const world = await healingWorld({ executeAtRuntime: true, components: NAMES.map((name) => ({ name })) });
    const isBroken = (name: string): boolean => world.settings[name] === 'broken';
    for (const name of NAMES)
      world.families.push({
        name: `broken_${name}`,
        title: '',
        guard: null,
        diagnose: async (c) =>
          c.component.name !== name
            ? []
            : [
                {
                  family: `broken_${name}`, cause: `${name} is broken`, evidence: [], confidence: 0.9, advice: [], waitFor: null,
                  remedy: { playbook: `fix_${name}`, description: '', risk: 'low', tier: 'tier_1', steps: [set(name)], restart: true },
                },
              ], // prettier-ignore
      });
    world.host.born = (process) => {
      if (isBroken(process.request.component)) world.clock.at(world.clock.monotonicMs() + 100, () => process.exit({ exitCode: 1 }));
    };
    world.prober.answer = (_target, { pid }) =>
      isBroken(world.host.processes.find((p) => p.identity.pid === pid)?.request.component ?? '') ? 'connection refused' : 5;
    for (const name of NAMES) await world.bringUp(name);
    return world;
  }

  const runs = async (world: HealingWorld): Promise<readonly string[]> => (await world.playbooks.runsSince(0)).map((r) => r.playbook);
  const kill = (world: HealingWorld, ...names: readonly string[]): void => {
    for (const name of names) {
      world.settings[name] = 'broken';
      world.host.processes.findLast((p) => p.request.component === name)?.exit({ signal: 'SIGKILL' });
    }
  };

  test('is a storm at run time: no playbook, told once, still started again; over when it is quiet', async () => {
    const world = await five();
    // Beside real work the time of a test runs on: the storm is over when the test says so (storm-watch.test.ts looks when that is).
    const { promise: quiet, resolve: beQuiet } = Promise.withResolvers<void>();
    const { saveBreaker } = world.limits;
    world.limits.saveBreaker = async (breaker) => {
      if (breaker.closedAtMs !== null) await quiet;
      return saveBreaker(breaker);
    };
    world.supervision.watchAll();
    kill(world, 'a', 'b', 'c');
    const starts = (name: string): number => world.host.processes.filter((p) => p.request.component === name).length;
    await world.clock.when(() => ['a', 'b', 'c'].every((name) => starts(name) > 2));
    expect(world.of('storm')).toMatchObject([{ components: ['a', 'b', 'c'] }]);
    expect(await denials(world)).toContain('limit.storm');
    expect(await runs(world)).toEqual([]);
    beQuiet();
    Object.assign(world.settings, { a: 'mended', b: 'mended', c: 'mended' });
    await world.clock.when(() => world.of('storm_over').length === 1);
    expect(await world.limits.breakers()).toMatchObject([{ kind: 'storm', closedBy: 'grace' }]);
    expect(world.of('storm')).toHaveLength(1);
    kill(world, 'd');
    await world.clock.when(() => world.of('playbook_verified').some((e) => e.playbook === 'fix_d'));
    expect(await runs(world)).toContain('fix_d');
  });

  test('two of five are no storm', async () => {
    const world = await five();
    world.supervision.watchAll();
    kill(world, 'a', 'b');
    await world.clock.when(() => world.of('playbook_verified').length === 2);
    expect(world.of('storm')).toEqual([]);
    expect((await runs(world)).toSorted()).toEqual(['fix_a', 'fix_b']);
  });

  test('is none at boot: there everything begins at once', async () => {
    const world = await five();
    await world.supervision.stopAll([world.specs]);
    for (const name of NAMES) world.settings[name] = 'broken';
    await world.clock.until(Promise.all(NAMES.map((name) => world.supervision.bringUp(name, 'boot', '6. Autonomy Load'))));
    expect(world.of('storm')).toEqual([]);
    expect(await runs(world)).toHaveLength(5);
  });
});
