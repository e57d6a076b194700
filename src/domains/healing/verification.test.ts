import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bootId } from '../../kernel/index.ts';
import type { ProbeResult, SmokeSpec } from '../health/index.ts';
import type { Primitive } from '../playbooks/index.ts';
import type { Snapshots } from '../snapshots/index.ts';
import { healingWorld, nextGrace, set, type HealingWorld, type WorldOptions } from './testing.ts';

const SMOKE: SmokeSpec = {
  name: 'checkout', target: { kind: 'command', argv: ['check'] }, timeoutMs: 1000, critical: true, everyMs: null, component: null,
}; // prettier-ignore
const second: WorldOptions = { settings: { bootId: bootId('boot_20260101_000002') } };

/** A fix that was applied and could not be verified. */
async function inconclusive(): Promise<HealingWorld> {
  const world = await healingWorld();
  world.knows('port_in_use', {}, {});
  const result = await world.heal(await world.fails('port_in_use 3000'));
  if (result.state !== 'applied') throw new TypeError(result.state);
  await world.healer.applied.leaveOpen(result.run, 'there is no command "check"');
  return world;
}

const states = async (world: HealingWorld): Promise<readonly string[]> =>
  (await world.playbooks.runsSince(0)).map((r) => `${r.playbook} ${r.state}`);

describe('what is no answer is no proof:', () => {
  const ANSWERS: readonly (readonly [string, () => unknown])[] = [
    ['null', () => null],
    ['undefined', () => undefined],
    ['nothing', () => ({})],
    ['an outcome of null', () => ({ outcome: null, latencyMs: 1, detail: '' })],
    ['a pass that took NaN', () => ({ outcome: 'pass', latencyMs: Number.NaN, detail: '' })],
    ['true', () => ({ outcome: true, latencyMs: 1, detail: '' })],
    ['unknown', () => ({ outcome: 'unknown', latencyMs: 1, detail: 'no such host' })],
    ['an error', () => Promise.reject(new Error('the prober broke'))],
  ];

  test.each(ANSWERS)('a smoke check that says %s leaves the fix open, and it is not undone', async (_what, answer) => {
    const world = await healingWorld({ smoke: [SMOKE] });
    world.knows('port_in_use', {}, {});
    const result = await world.heal(await world.fails('port_in_use 3000'));
    if (result.state !== 'applied') throw new TypeError(result.state);
    world.prober.probe = async () => (await answer()) as ProbeResult;
    const judged = await world.clock.until(world.supervision.smoke.judge([SMOKE], 2));
    expect(judged).toMatchObject({ verdict: 'inconclusive' });
  });

  test.each(ANSWERS)('a component whose readiness says %s while a fix is proven is not healed', async (_what, answer) => {
    const world = await healingWorld();
    world.host.born = (process) => {
      if (world.settings['port_in_use'] === 'fixed') return;
      world.say('fact port_in_use 3000');
      world.clock.at(world.clock.monotonicMs() + 100, () => process.exit({ exitCode: 1 }));
    };
    world.knows('port_in_use', {}, {});
    let looks = 0;
    world.prober.probe = async () => {
      await world.clock.sleep(5);
      if (world.settings['port_in_use'] !== 'fixed') return { outcome: 'fail', latencyMs: 1, detail: 'connection refused' };
      // It becomes ready once; what is asked afterwards has no answer.
      return ++looks === 1 ? { outcome: 'pass', latencyMs: 1, detail: '' } : ((await answer()) as ProbeResult);
    };
    expect(await world.bringUp()).toMatchObject({ state: 'ready' });
    expect(await states(world)).toEqual(['fix_port_in_use inconclusive']);
    expect(world.settings, 'not undone').toEqual({ port_in_use: 'fixed' });
    expect(world.of('playbook_verified')).toEqual([]);
    expect(world.of('playbook_inconclusive')).toHaveLength(1);
    expect(await world.incidents.explanations({ limit: 1 })).toMatchObject([
      { outcome: 'open', action: expect.stringContaining('whether it helped could not be told') },
    ]);
  });
});

describe('a fix that was inconclusive', () => {
  async function carriedOver(prepare: (world: HealingWorld) => void): Promise<HealingWorld> {
    const world = await nextGrace(await inconclusive(), second);
    world.knows('port_in_use', {}, {});
    prepare(world);
    world.supervision.carryOver(await world.healer.applied.unproven(() => world.spec()));
    await world.bringUp();
    return world;
  }

  test('is proven by the next boot', async () => {
    const world = await carriedOver(() => undefined);
    expect(await states(world)).toEqual(['fix_port_in_use verified']);
    expect(await world.playbooks.get('fix_port_in_use')).toMatchObject({ verifiedCount: 1, failedCount: 0 });
  });

  test('is taken back by the next boot when the same failure is still there', async () => {
    const world = await carriedOver((next) => {
      next.host.born = (process) => {
        next.say('fact port_in_use 3000');
        next.clock.at(next.clock.monotonicMs() + 100, () => process.exit({ exitCode: 1 }));
      };
      next.prober.answer = () => 'connection refused';
    });
    expect((await states(world))[0]).toBe('fix_port_in_use undone');
    expect(world.of('playbook_failed')[0]).toMatchObject({ reason: 'the same failure came back', undone: true });
  });
});

describe('a failure that is back after its fix was verified', () => {
  /** Verified, then so much later the same failure. */
  async function relapse(afterMs: number, phase: 'boot' | 'runtime', options: WorldOptions = {}) {
    const world = await healingWorld(options);
    world.knows('port_in_use', {}, {});
    const result = await world.heal(await world.fails('port_in_use 3000'));
    if (result.state !== 'applied') throw new TypeError(result.state);
    await world.healer.applied.confirm(result.run);
    await world.clock.pass(afterMs);
    const back = await world.healer.relapses.takeBack(await world.fails('port_in_use 3000'), world.spec(), phase, world.stop.signal);
    return { world, back };
  }

  test('within the stability window is taken back, and counts as a try that failed', async () => {
    const { world, back } = await relapse(119_000, 'boot');
    expect(back).toHaveLength(1);
    expect(await states(world)).toEqual(['fix_port_in_use relapsed']);
    expect(world.settings).toEqual({ port_in_use: null });
    expect(await world.playbooks.get('fix_port_in_use')).toMatchObject({ verifiedCount: 0, failedCount: 1 });
    expect(world.of('playbook_failed')).toMatchObject([{ reason: expect.stringContaining('the same failure is back 1 min 59 s after') }]);
  });

  test('later is another failure', async () => {
    const { world, back } = await relapse(120_000, 'boot');
    expect(back).toEqual([]);
    expect(await states(world)).toEqual(['fix_port_in_use verified']);
    expect(world.settings).toEqual({ port_in_use: 'fixed' });
  });

  test('is told and left as it is where Grace only observes', async () => {
    const { world } = await relapse(60_000, 'runtime');
    expect(await states(world)).toEqual(['fix_port_in_use relapsed']);
    expect(world.settings, 'left').toEqual({ port_in_use: 'fixed' });
    expect(await world.playbooks.get('fix_port_in_use')).toMatchObject({ verifiedCount: 0, failedCount: 1 });
    expect(world.of('playbook_failed'), 'told').toMatchObject([{ undone: false }]);
  });

  test('leaves exactly one try less, and the next playbook is tried', async () => {
    const world = await healingWorld({ settings: { maxHealingAttempts: 2 } });
    world.families.push({
      name: 'two', title: '', guard: null,
      diagnose: async (c) =>
        ['first', 'other'].filter((key) => !c.attempts.includes(`fix_${key}`)).map((key, i) => ({
          family: 'two', cause: key, evidence: [], confidence: 0.9 - i / 10, advice: [], waitFor: null,
          remedy: { playbook: `fix_${key}`, description: '', risk: 'low', tier: 'tier_1', steps: [set(key)], restart: true },
        })),
    }); // prettier-ignore
    const result = await world.heal(await world.fails('port_in_use 3000'));
    if (result.state !== 'applied') throw new TypeError(result.state);
    await world.healer.applied.confirm(result.run);
    await world.clock.pass(1000);
    world.host.born = (process) => {
      if (world.settings['other'] === 'fixed') return;
      world.say('fact port_in_use 3000');
      world.clock.at(world.clock.monotonicMs() + 100, () => process.exit({ exitCode: 1 }));
    };
    world.prober.answer = () => (world.settings['other'] === 'fixed' ? 5 : 'connection refused');
    expect(await world.bringUp()).toMatchObject({ state: 'ready' });
    expect(await states(world)).toEqual(['fix_first relapsed', 'fix_other verified']);
    expect(world.settings).toMatchObject({ first: null, other: 'fixed' });

    // With one try in all, the one that relapsed was it.
    const strict = await nextGrace(world, { settings: { maxHealingAttempts: 1, bootId: bootId('boot_20260101_000003') } });
    strict.families.push(...world.families);
    strict.settings['other'] = 'fixed';
    strict.host.born = (process) => {
      strict.say('fact port_in_use 3000');
      strict.clock.at(strict.clock.monotonicMs() + 100, () => process.exit({ exitCode: 1 }));
    };
    strict.prober.answer = () => 'connection refused';
    expect(await strict.bringUp()).toMatchObject({ state: 'failed' });
    expect(await states(strict)).toEqual(['fix_first relapsed', 'fix_other relapsed']);
  });
});

describe('an undo', () => {
  /** A playbook that writes a real file, and a primitive whose undo does what the test says; with a snapshot of before. */
  async function wrote(
    undo: (path: string) => Promise<void>,
  ): Promise<{ world: HealingWorld; path: string; takeBack: () => Promise<void> }> {
    const world = await healingWorld();
    const path = join(world.dir, 'app.conf');
    writeFileSync(path, 'before');
    const read = (): string => readFileSync(path, 'utf8');
    const primitive: Primitive = {
      name: 'write',
      description: '',
      risk: 'low',
      parse: (params) => params,
      plan: async () => ({ state: 'ready', summary: '', targets: [path], undo: { path } }),
      observe: async () => ({ [path]: read() }),
      apply: async () => {
        writeFileSync(path, 'by the playbook');
        return { summary: 'wrote it', changed: [path] };
      },
      undo: async () => undo(path),
    };
    world.primitives.set('write', primitive);
    const kept = new Map<string, string>();
    const snapshot = { id: 'snap_1', runId: '', items: [{ kind: 'file', path }], leftOut: [] };
    world.snapshots = {
      list: async () => [snapshot],
      take: async (_component: unknown, { runId }: { runId: string }) => {
        kept.set(path, read());
        return Object.assign(snapshot, { runId });
      },
      restore: async (_id: string, _signal: AbortSignal, { only }: { only: readonly string[] }) => {
        for (const file of only) writeFileSync(file, kept.get(file) ?? '');
        return { restored: only, verified: true, left: [], before: null };
      },
    } as unknown as Snapshots;
    world.knows('port_in_use', {}, { steps: [{ name: 'write it', primitive: 'write', params: { path } }] });
    const result = await world.heal(await world.fails('port_in_use 3000'));
    if (result.state !== 'applied') throw new TypeError(result.state);
    return { world, path, takeBack: () => world.healer.applied.reject(result.run, 'the same failure came back', world.stop.signal) };
  }

  test('that says it worked and did not is found, and the snapshot puts the file back', async () => {
    const { world, path, takeBack } = await wrote(async () => undefined);
    await takeBack();
    expect(readFileSync(path, 'utf8')).toBe('before');
    expect(world.of('undo_failed')).toEqual([]);
    expect(await states(world)).toEqual(['fix_port_in_use undone']);
  });

  test('that says it worked and did not is paged where no snapshot can help', async () => {
    const { world, path, takeBack } = await wrote(async () => undefined);
    world.snapshots = { list: async () => [] } as unknown as Snapshots;
    await takeBack();
    expect(readFileSync(path, 'utf8')).toBe('by the playbook');
    expect(world.of('undo_failed')).toMatchObject([{ left: [expect.stringContaining(`${path} is not as it was`)] }]);
    expect(await states(world)).toEqual(['fix_port_in_use failed']);
    expect(await world.incidents.explanations({ limit: 1 })).toMatchObject([
      { outcome: 'not_healed', action: expect.stringContaining('left as it is: write it: it was undone, and') },
    ]);
  });

  test.each([
    ['refuses', () => Promise.reject(new Error('it was changed after'))],
    ['lies', async () => undefined],
  ])('that %s leaves a file that a person has changed since, snapshot or not, and says so', async (_how, undo) => {
    const { world, path, takeBack } = await wrote(undo);
    writeFileSync(path, 'by a person');
    await takeBack();
    expect(readFileSync(path, 'utf8')).toBe('by a person');
    expect(world.of('undo_failed')).toMatchObject([{ left: [expect.any(String), expect.stringContaining('grace snapshots show snap_1')] }]);
    expect(await states(world)).toEqual(['fix_port_in_use failed']);
  });
});
