import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { approve, type Approval } from '../governance/index.ts';
import type { SmokeSpec } from '../health/index.ts';
import { component } from '../supervisor/testing.ts';
import { healingWorld, set, type HealingWorld, type WorldOptions } from './testing.ts';

/** A component that says what is wrong and ends, until every one of these is put right. */
function needs(world: HealingWorld, ...kinds: readonly string[]): void {
  world.host.born = (process) => {
    const wrong = kinds.find((kind) => world.settings[kind] !== 'fixed');
    if (wrong === undefined) return;
    world.say(`fact ${wrong} x`);
    world.clock.at(world.clock.monotonicMs() + 100, () => process.exit({ exitCode: 1 }));
  };
  world.prober.answer = () => (kinds.every((kind) => world.settings[kind] === 'fixed') ? 5 : 'connection refused');
}

const smoke = (change: Partial<SmokeSpec> = {}): SmokeSpec => ({
  name: 'checkout',
  target: { kind: 'command', argv: ['check'] },
  timeoutMs: 1000,
  critical: true,
  everyMs: null,
  component: null,
  ...change,
});

const playbookRuns = async (world: HealingWorld): Promise<Record<string, string>> =>
  Object.fromEntries((await world.playbooks.runsOf('boot_20260101_000000')).map((r) => [r.playbook, r.state]));

describe('bringing a component up', () => {
  test('a healthy one is started once and nothing is healed', async () => {
    const world = await healingWorld();
    expect(await world.bringUp()).toMatchObject({ state: 'ready', wasAdopted: false });
    expect(world.types()).toEqual(['component_starting', 'component_ready']);
    expect(await world.processes.list()).toMatchObject([{ component: 'api', specHash: 'same' }]);
  });

  test('heals what fails and tries again, and the fix that held is proven', async () => {
    const world = await healingWorld();
    needs(world, 'port_in_use');
    world.knows('port_in_use', {}, {});
    expect(await world.bringUp()).toMatchObject({ state: 'ready' });
    expect(world.supervision.fixes).toEqual(['api: fix_port_in_use']);
    expect(await playbookRuns(world)).toEqual({ fix_port_in_use: 'verified' });
    expect(await world.incidents.patterns()).toMatchObject([{ state: 'verified', occurrences: 1 }]);
    expect(world.host.processes).toHaveLength(2);
  });

  test('tries what has changed when a start takes many times as long as usual, and is patient where that is not known', async () => {
    for (const usualMs of [500, 1e15, null]) {
      const world = await healingWorld({ components: [{ startupTimeoutMs: 120_000 }] });
      world.usualStartMs = usualMs;
      world.drift = [{ kind: 'changed', subject: '/srv/site.conf', message: '', isBroken: false, canRestore: true, suspicion: 1 }];
      world.knows('anything', { confidence: 0.3 }, {});
      world.prober.answer = () => (world.settings['anything'] === 'fixed' ? 5 : 'connection refused');
      const start = world.clock.monotonicMs();
      await world.bringUp();
      const tookMs = world.clock.monotonicMs() - start;
      expect(tookMs < 60_000).toBe(usualMs === 500);
    }
  });

  test('asks what a component that is up says about itself, and acts only on what can be put back', async () => {
    const world = await healingWorld();
    await world.bringUp();
    world.drift = [{ kind: 'changed', subject: '/srv/settings.js', message: '', isBroken: false, canRestore: true, suspicion: 1 }];
    const stage = '7. Smoke Tests';
    expect(await world.supervision.complaintOf('api', stage)).toBeNull();
    world.say('fact data_corrupt credentials');
    expect(await world.supervision.complaintOf('api', stage)).toBeNull();
    const steps = [{ name: 'put it back', primitive: 'restore_file', params: {} }];
    world.knows('data_corrupt', { evidence: ['fact data_corrupt credentials'] }, { steps });
    expect(await world.supervision.complaintOf('api', stage)).toMatchObject({
      symptom: 'smoke',
      message: expect.stringContaining('it is up, and says'),
    });
    world.drift = [];
    expect(await world.supervision.complaintOf('api', stage)).toBeNull();
  });

  test('a fix is proven only after its soak time', async () => {
    const world = await healingWorld({ components: [{ soakMs: 5000 }] });
    needs(world, 'port_in_use');
    world.knows('port_in_use', {}, {});
    await world.bringUp();
    expect(world.clock.monotonicMs()).toBeGreaterThanOrEqual(5000);
  });

  test('a fix after which it is ready and dies within its soak time has not helped', async () => {
    const world = await healingWorld();
    world.knows('port_in_use', {}, {});
    world.host.born = (process) => {
      world.say('fact port_in_use x');
      world.clock.at(world.clock.monotonicMs() + (world.settings['port_in_use'] === 'fixed' ? 300 : 1), () =>
        process.exit({ exitCode: 1 }),
      );
    };
    expect(await world.bringUp()).toMatchObject({ state: 'failed' });
    expect(world.settings['port_in_use']).toBeNull();
    expect(await playbookRuns(world)).toEqual({ fix_port_in_use: 'undone' });
  });

  test('the same failure again undoes the fix, and the next likely remedy is tried', async () => {
    const world = await healingWorld();
    needs(world, 'disk_full');
    world.settings['wrong'] = 'before';
    world.knows('disk_full', { family: 'guessed', confidence: 0.9 }, { playbook: 'wrong_guess', steps: [set('wrong', 'after')] });
    world.knows('disk_full', { confidence: 0.7 }, {});
    expect(await world.bringUp()).toMatchObject({ state: 'ready' });
    expect(world.settings).toEqual({ wrong: 'before', disk_full: 'fixed' });
    expect(await playbookRuns(world)).toEqual({ wrong_guess: 'undone', fix_disk_full: 'verified' });
    expect(world.supervision.fixes).toEqual(['api: fix_disk_full']);
  });

  test('a different failure keeps the fix: it helped, and something else is wrong too', async () => {
    const world = await healingWorld();
    needs(world, 'env_missing', 'port_in_use', 'path_missing');
    for (const kind of ['env_missing', 'port_in_use', 'path_missing'] as const) world.knows(kind, {}, {});
    expect(await world.bringUp()).toMatchObject({ state: 'ready' });
    expect(await playbookRuns(world)).toEqual({ fix_env_missing: 'verified', fix_port_in_use: 'verified', fix_path_missing: 'verified' });
  });

  test('a guess after which it fails in another way is not left in place', async () => {
    const world = await healingWorld();
    needs(world, 'disk_full', 'env_missing');
    world.knows('disk_full', { confidence: 0.4 }, {});
    world.knows('env_missing', {}, {});
    await world.bringUp();
    expect((await world.playbooks.runsIn('undone')).map((r) => r.playbook)).toContain('fix_disk_full');
  });

  test('gives up after as many attempts as it may make, and undoes the guesses', async () => {
    const world = await healingWorld({ settings: { maxHealingAttempts: 2 } });
    needs(world, 'disk_full');
    for (const i of [1, 2, 3, 4])
      world.knows('disk_full', { family: `f${i}`, confidence: 0.9 - i / 10 }, { playbook: `try_${i}`, steps: [set(`s${i}`)] });
    expect(await world.bringUp()).toMatchObject({ state: 'failed' });
    expect(await playbookRuns(world)).toEqual({ try_1: 'undone', try_2: 'undone' });
    expect(world.settings).toEqual({ s1: null, s2: null });
    expect(world.host.last.isAlive).toBe(false);
    expect(await world.processes.list()).toEqual([]);
  });

  test('ends in all cases, whatever every fix and every failure says', async () => {
    const world = await healingWorld({ settings: { maxHealingAttempts: 100 } });
    let run = 0;
    world.host.born = (process) => {
      world.say(`fact exception e${++run}`);
      process.exit({ exitCode: 1 });
    };
    world.knows('exception', {}, { steps: [{ name: 'again', primitive: 'count', params: { key: 'n' } }] });
    world.power('count', true);
    expect(await world.bringUp()).toMatchObject({ state: 'failed' });
    expect(run).toBeLessThan(20);
  });

  test('a playbook that refuses costs no attempt', async () => {
    const world = await healingWorld({ settings: { maxHealingAttempts: 1 } });
    needs(world, 'disk_full');
    world.knows(
      'disk_full',
      { family: 'refusing', confidence: 0.95 },
      { playbook: 'refused', steps: [{ name: 'x', primitive: 'nothing_like_it', params: {} }] },
    );
    world.knows('disk_full', {}, {});
    expect(await world.bringUp()).toMatchObject({ state: 'ready' });
  });

  test('an optional component whose command is missing is left out', async () => {
    const world = await healingWorld();
    world.settings['skip'] = true;
    expect(await world.bringUp()).toMatchObject({ state: 'skipped' });
    expect(world.host.processes).toEqual([]);
  });

  test('a failure says what it said, and only what this run said', async () => {
    const world = await healingWorld();
    world.say('fact disk_full of an earlier run');
    needs(world, 'port_in_use');
    await world.bringUp();
    expect((await world.incidents.failuresOf(world.supervision.desk.captured[0]?.failure.bootId ?? ('' as never)))[0]?.facts).toMatchObject(
      [{ kind: 'port_in_use' }],
    );
  });

  test('a sure diagnosis ends the waiting for a component that will not get ready', async () => {
    const world = await healingWorld({ components: [{ startupTimeoutMs: 300_000 }] });
    world.knows('path_missing', { confidence: 0.9 }, {});
    world.host.born = () => {
      if (world.settings['path_missing'] !== 'fixed') world.say('fact path_missing x');
    };
    world.prober.answer = () => (world.settings['path_missing'] === 'fixed' ? 5 : 'connection refused');
    expect(await world.bringUp()).toMatchObject({ state: 'ready' });
    expect(world.clock.monotonicMs()).toBeLessThan(30_000);
  });

  test('a guess does not', async () => {
    const world = await healingWorld({ components: [{ startupTimeoutMs: 100_000 }] });
    world.knows('path_missing', { confidence: 0.7 }, {});
    world.host.born = () => world.say('fact path_missing x');
    world.prober.answer = () => 'connection refused';
    await world.bringUp();
    expect(world.of('component_failed')[0]?.message).toContain('not ready within 1 min 40 s');
  });
});

describe('where only a person or time can help', () => {
  const waiting = { waitFor: { kind: 'reachable', host: 'db', port: 5432 } } as const;

  test('a boot that may not hold fails with the cause', async () => {
    const world = await healingWorld({ settings: { hold: 'never' } });
    needs(world, 'connection_refused');
    world.knows('connection_refused', waiting);
    expect(await world.bringUp()).toMatchObject({ state: 'failed', cause: 'because of connection_refused' });
  });

  test('it holds as long as the cause lasts, and goes on as soon as it is gone', async () => {
    const world = await healingWorld({ settings: { hold: 'auto' } });
    needs(world, 'connection_refused');
    world.knows('connection_refused', waiting);
    world.clock.at(300_000, () => {
      world.reachable = true;
      world.settings['connection_refused'] = 'fixed';
    });
    expect(await world.bringUp()).toMatchObject({ state: 'ready' });
    expect(world.of('held').length).toBeGreaterThan(1);
    expect(world.of('held')[0]).toMatchObject({ waitingFor: 'db:5432 to answer' });
    expect(world.clock.monotonicMs()).toBeLessThan(310_000);
  });

  test('a component is not running while it is held', async () => {
    const world = await healingWorld({ settings: { hold: 'auto' }, components: [{ startupTimeoutMs: 1000 }] });
    world.host.born = () => world.say('fact connection_refused x');
    world.prober.answer = () => (world.reachable ? 5 : 'HTTP 500');
    world.knows('connection_refused', waiting);
    const seen: number[] = [];
    world.clock.at(10_000, () => seen.push(world.host.members('api').length));
    world.clock.at(12_000, () => (world.reachable = true));
    await world.bringUp();
    expect(seen).toEqual([0]);
  });

  test('an unknown failure with nothing to wait for is not held, unless that is asked for', async () => {
    const auto = await healingWorld({ settings: { hold: 'auto' } });
    needs(auto, 'exception');
    expect(await auto.bringUp()).toMatchObject({ state: 'failed' });
    const always = await healingWorld({ settings: { hold: 'always' } });
    needs(always, 'exception');
    always.clock.at(40_000, () => (always.settings['exception'] = 'fixed'));
    expect(await always.bringUp()).toMatchObject({ state: 'ready' });
  });

  test('a change of a file that differs from the last good boot ends a hold at once', async () => {
    const world = await healingWorld({ settings: { hold: 'always' } });
    needs(world, 'exception');
    const file = join(world.dir, 'routes.json');
    writeFileSync(file, 'broken');
    world.drift = [{ kind: 'changed', subject: file, message: 'routes.json changed', isBroken: false, canRestore: false, suspicion: 1 }];
    world.clock.at(4000, () => {
      world.settings['exception'] = 'fixed';
      writeFileSync(file, 'mended by hand');
    });
    expect(await world.bringUp()).toMatchObject({ state: 'ready' });
    expect(world.clock.monotonicMs()).toBeLessThan(10_000);
  });

  test('it waits for an approval, and acts as soon as it is given', async () => {
    const world = await healingWorld({ settings: { hold: 'auto' } });
    needs(world, 'disk_full');
    world.knows('disk_full', {}, { tier: 'tier_3' });
    world.clock.at(60_000, () => {
      void (async () => {
        for (const request of await world.approvals.list()) await world.approvals.save(approve(request, 'ann', world.clock.nowMs()));
      })();
    });
    expect(await world.bringUp()).toMatchObject({ state: 'ready' });
    expect(world.of('approval_needed')).toHaveLength(1);
    expect(world.clock.monotonicMs()).toBeGreaterThan(60_000);
    expect(world.clock.monotonicMs()).toBeLessThan(65_000);
  });

  test('it warns once before a request ends unanswered', async () => {
    const world = await healingWorld({ settings: { hold: 'auto' } });
    needs(world, 'disk_full');
    world.knows('disk_full', {}, { tier: 'tier_3' });
    const change = (with_: (request: Approval) => Approval) => () =>
      void (async () => {
        for (const request of await world.approvals.list()) await world.approvals.save(with_(request));
      })();
    world.clock.at(
      60_000,
      // Six days and some hours have passed.
      change((request) => ({ ...request, expiresAtMs: world.clock.nowMs() + 86_400_000 + 30_000 })),
    );
    world.clock.at(85_000, () => expect(world.of('approval_expiring')).toEqual([]));
    world.clock.at(
      120_000,
      change((request) => approve(request, 'ann', world.clock.nowMs())),
    );
    expect(await world.bringUp()).toMatchObject({ state: 'ready' });
    expect(world.of('approval_expiring')).toMatchObject([
      { component: 'api', playbook: 'fix_disk_full', approval: expect.stringMatching(/^ap_/) },
    ]);
  });

  test('it notices that somebody mends it by hand instead of answering', async () => {
    const world = await healingWorld({ settings: { hold: 'auto' } });
    needs(world, 'disk_full');
    const file = join(world.dir, 'app.ini');
    world.knows(
      'disk_full',
      {},
      { tier: 'tier_3', steps: [{ ...set('disk_full'), params: { key: 'disk_full', to: 'fixed', path: 'app.ini' } }] },
    );
    world.clock.at(60_000, () => {
      world.settings['disk_full'] = 'fixed';
      writeFileSync(file, 'by hand');
    });
    expect(await world.bringUp()).toMatchObject({ state: 'ready' });
    expect(world.of('playbook_verified')).toEqual([]);
    expect(await world.playbooks.runsIn('running', 'applied', 'verified')).toEqual([]);
  });

  test('it notices that the cause has gone away while an approval is waited for', async () => {
    const world = await healingWorld({ settings: { hold: 'auto' } });
    needs(world, 'connection_refused');
    world.knows('connection_refused', { waitFor: { kind: 'reachable', host: 'db', port: 5432 } }, { tier: 'tier_3' });
    world.clock.at(60_000, () => {
      world.settings['connection_refused'] = 'fixed';
      world.reachable = true;
    });
    expect(await world.bringUp()).toMatchObject({ state: 'ready' });
    expect(world.of('component_waiting').map((e) => e.text)).toEqual(['trying again: db:5432 answers']);
  });

  test('a hold ends when Grace is told to stop', async () => {
    const world = await healingWorld({ settings: { hold: 'auto' } });
    needs(world, 'connection_refused');
    world.knows('connection_refused', waiting);
    world.clock.at(60_000, () => world.stop.abort(new Error('told to stop')));
    await expect(world.bringUp()).rejects.toThrow('told to stop');
  });
});

describe('a fix and the smoke checks', () => {
  test('is not proven before they have passed', async () => {
    const world = await healingWorld({ smoke: [smoke()] });
    needs(world, 'port_in_use');
    world.knows('port_in_use', {}, {});
    await world.bringUp();
    expect(await playbookRuns(world)).toEqual({ fix_port_in_use: 'applied' });
    expect(world.supervision.unconfirmed).toHaveLength(1);
    await world.supervision.confirmAll();
    expect(await playbookRuns(world)).toEqual({ fix_port_in_use: 'verified' });
    expect(world.supervision.unconfirmed).toEqual([]);
  });

  test('a check that fails once and then passes has passed', async () => {
    const world = await healingWorld({ smoke: [smoke()] });
    let asked = 0;
    world.prober.answer = () => (++asked === 1 ? 'exit 1' : 5);
    expect(await world.clock.until(world.supervision.smoke.failed([smoke()], 3))).toBeNull();
    expect(asked).toBe(2);
  });

  test('a check that goes on failing is named with what it said', async () => {
    const world = await healingWorld();
    world.prober.answer = () => 'exit 1: cart is empty';
    expect(await world.clock.until(world.supervision.smoke.failed([smoke()], 3))).toMatchObject({
      smoke: { name: 'checkout' },
      result: { detail: 'exit 1: cart is empty' },
    });
    expect(world.prober.asked).toHaveLength(3);
  });

  test('a check blames the component it names, or the first critical process', async () => {
    const world = await healingWorld({
      components: [{ name: 'db', kind: 'dependency' }, { name: 'job', critical: false }, { name: 'web' }],
    });
    expect([world.supervision.smoke.blamed(smoke()), world.supervision.smoke.blamed(smoke({ component: 'job' }))]).toEqual(['web', 'job']);
  });
});

describe('a check of a stage', () => {
  const wrong = {
    message: 'its directory is gone',
    facts: [{ kind: 'path_missing', runtime: 'grace', code: '', subject: '/x', details: {}, line: '', lineIndex: 0 }],
    mustPass: true,
  } as const;
  const pass = (world: HealingWorld, look: () => typeof wrong | null) =>
    world.clock.until(world.supervision.passCheck(world.spec(), '1. Preflight Gate', async () => look()));

  test('that finds nothing has nothing to heal', async () => {
    const world = await healingWorld();
    expect(await pass(world, () => null)).toEqual({ state: 'passed', fixes: [] });
    expect(world.events).toEqual([]);
  });

  test('is healed, looked at again, and its fix proven later', async () => {
    const world = await healingWorld();
    world.knows('path_missing', {}, {});
    expect(await pass(world, () => (world.settings['path_missing'] === 'fixed' ? null : wrong))).toEqual({
      state: 'passed',
      fixes: ['fix_path_missing'],
    });
    expect(world.supervision.unconfirmed.map((r) => r.playbook)).toEqual(['fix_path_missing']);
  });

  test('that no attempt makes pass fails with its cause, and nothing is left behind', async () => {
    const world = await healingWorld();
    for (const i of [1, 2, 3, 4, 5])
      world.knows('path_missing', { family: `f${i}`, confidence: 0.9 - i / 20 }, { playbook: `try_${i}`, steps: [set(`s${i}`)] });
    expect(await pass(world, () => wrong)).toMatchObject({ state: 'failed' });
    expect(Object.keys(await playbookRuns(world))).toHaveLength(3);
    expect(Object.values(world.settings)).toEqual([null, null, null]);
  });

  test('in a dry run only says what would be done, and stores nothing', async () => {
    const world = await healingWorld({ settings: { isDryRun: true } });
    world.knows('path_missing', {}, {});
    expect(await pass(world, () => wrong)).toMatchObject({
      state: 'failed',
      seen: wrong.message,
      cause: 'because of path_missing; grace up would fixes path_missing (tier_1)',
      fixes: [],
    });
    expect([world.settings, await world.incidents.patterns(), world.events]).toEqual([{}, [], []]);
  });
});

describe('a check at run time', () => {
  const wrong = {
    message: 'its directory is gone',
    facts: [{ kind: 'path_missing', runtime: 'grace', code: '', subject: '/x', details: {}, line: '', lineIndex: 0 }],
    mustPass: true,
  } as const;
  const atRunTime = { executeAtRuntime: true, smoke: [smoke()], components: [{ soakMs: 5000 }] };
  const validate = (world: HealingWorld, look: () => typeof wrong | null) =>
    world.clock.until(world.supervision.passCheck(world.spec(), 'continuous validation', async () => look(), 'runtime'));
  async function mended(answer: () => number | string, options: WorldOptions = atRunTime) {
    const world = await healingWorld(options);
    world.knows('path_missing', {}, {});
    world.prober.answer = answer;
    const result = await validate(world, () => (world.settings['path_missing'] === 'fixed' ? null : wrong));
    return { world, result };
  }

  test('proves its fix after the soak time by the smoke checks of the service, and leaves nothing to a later boot', async () => {
    const { world, result } = await mended(() => 5);
    expect(result).toEqual({ state: 'passed', fixes: ['fix_path_missing'] });
    expect(world.clock.monotonicMs()).toBeGreaterThanOrEqual(5000);
    expect(await playbookRuns(world)).toEqual({ fix_path_missing: 'verified' });
    expect(world.supervision.unconfirmed).toEqual([]);
  });

  test('takes its fix back when the service does not work with it', async () => {
    const { world, result } = await mended(() => 'exit 1: cart is empty');
    expect(result).toMatchObject({ state: 'failed', fixes: [], seen: expect.stringContaining('smoke check "checkout" fails') });
    expect(await playbookRuns(world)).toEqual({ fix_path_missing: 'undone' });
    expect(world.settings).toEqual({ path_missing: null });
  });

  test('takes back a fix that does not hold for the soak time', async () => {
    const world = await healingWorld(atRunTime);
    world.knows('path_missing', {}, {});
    const from = world.clock.monotonicMs();
    const isFixed = (): boolean => world.settings['path_missing'] === 'fixed' && world.clock.monotonicMs() < from + 5000;
    expect(await validate(world, () => (isFixed() ? null : wrong))).toMatchObject({ state: 'failed', wasTried: true });
    expect(await playbookRuns(world)).toEqual({ fix_path_missing: 'undone' });
  });

  test('counts a fix whose failure is back as a try that failed, and does not do it again', async () => {
    const { world } = await mended(() => 5);
    await world.clock.pass(60_000);
    expect(await validate(world, () => wrong)).toMatchObject({ state: 'failed' });
    expect(await playbookRuns(world)).toEqual({ fix_path_missing: 'relapsed' });
    expect(await world.playbooks.runsSince(0)).toHaveLength(1);
  });

  test('tries nothing while another playbook acts on the component, and tries it when that has ended', async () => {
    const world = await healingWorld(atRunTime);
    world.knows('path_missing', {}, {});
    world.prober.answer = () => 5;
    const look = (): typeof wrong | null => (world.settings['path_missing'] === 'fixed' ? null : wrong);
    const lease = await world.limits.lease('api', 'run_of_somebody');
    expect(await validate(world, look)).toMatchObject({ state: 'failed', isBusy: true });
    expect(world.of('playbook_failed')).toEqual([]);
    await lease?.release();
    expect(await validate(world, look)).toEqual({ state: 'passed', fixes: ['fix_path_missing'] });
  });
});

describe('a rollback that a person asked for', () => {
  /** Applied, and in the boot that was to prove it a critical smoke check could not be carried out. */
  async function untold(options: WorldOptions = {}): Promise<HealingWorld> {
    const world = await healingWorld(options);
    world.power('roll_back_release', true);
    world.knows('port_in_use', {}, { steps: [{ name: 'go back', primitive: 'roll_back_release', params: { key: 'release', to: 'old' } }] });
    const result = await world.heal(await world.fails('port_in_use 3000'));
    if (result.state !== 'applied') throw new TypeError(result.state);
    const run = await world.playbooks.run(result.run.runId);
    if (run !== null) await world.playbooks.saveRun({ ...run, scope: 'person', failureId: null });
    world.supervision.carryAsked(await world.healer.asked.rollbacks());
    return world;
  }
  const fails = { message: 'its directory is gone', facts: [], mustPass: true };

  test('stays at run time when its boot could not tell, and the next boot proves it', async () => {
    const world = await untold({ executeAtRuntime: true });
    await world.supervision.confirmAll('smoke check "checkout" could not be carried out');
    expect(await playbookRuns(world)).toEqual({ fix_port_in_use: 'inconclusive' });
    await world.clock.until(world.supervision.passCheck(world.spec(), 'continuous validation', async () => fails, 'runtime'));
    expect(world.settings, 'left').toEqual({ release: 'old' });
    expect(await world.healer.asked.rollbacks()).toHaveLength(1);
    world.supervision.carryAsked(await world.healer.asked.rollbacks());
    await world.supervision.confirmAll();
    expect(await playbookRuns(world)).toEqual({ fix_port_in_use: 'verified' });
  });

  test.each([
    ['stays while Grace may only observe', false, 'old'],
    ['is taken back where playbooks may run at run time', true, null],
  ])('that is not proven yet %s', async (_what, executeAtRuntime, release) => {
    const world = await untold({ executeAtRuntime });
    await world.clock.until(world.supervision.passCheck(world.spec(), 'continuous validation', async () => fails, 'runtime'));
    expect(world.settings).toEqual({ release });
  });
});

describe('a dependency', () => {
  const db = { name: 'db', kind: 'dependency', command: ['start-db'], port: 5432, readiness: null } as const;

  test('that answers is ready at once, and nobody starts it', async () => {
    const world = await healingWorld({ components: [db] });
    world.reachable = true;
    world.command = () => {
      throw new Error('must not be run');
    };
    expect(await world.bringUp('db')).toMatchObject({ state: 'ready' });
  });

  test('that is down is started by its own command', async () => {
    const world = await healingWorld({ components: [db] });
    world.command = () => {
      world.reachable = true;
      return { exitCode: 0 };
    };
    expect(await world.bringUp('db')).toMatchObject({ state: 'ready' });
  });

  test('whose command fails is healed like anything else', async () => {
    const world = await healingWorld({ components: [db] });
    world.command = () => {
      world.reachable = world.settings['lock_held'] === 'fixed';
      return world.reachable ? { exitCode: 0 } : { exitCode: 1, stderr: 'fact lock_held postmaster.pid' };
    };
    world.knows('lock_held', {}, {});
    expect(await world.bringUp('db')).toMatchObject({ state: 'ready' });
    expect(await playbookRuns(world)).toEqual({ fix_lock_held: 'verified' });
  });

  test('that nobody may start is waited for so long, and then fails', async () => {
    const world = await healingWorld({ components: [{ ...db, command: [] }], settings: { hold: 'auto' } });
    expect(await world.bringUp('db')).toMatchObject({ state: 'failed', cause: 'dependency db does not answer' });
    expect(world.clock.monotonicMs()).toBeGreaterThan(10_000);
    expect(world.of('held')).toMatchObject([{ component: 'db', waitingFor: 'db to answer' }]);
  });

  test('that is down is brought up before anybody looks for a cause in the component that fails without it', async () => {
    const world = await healingWorld({ components: [db, { name: 'api', dependsOn: ['db'] }] });
    world.command = () => {
      world.reachable = true;
      return { exitCode: 0 };
    };
    world.host.born = (process) => process.exit({ exitCode: 1 });
    await world.bringUp();
    const order = world.events.map((e) => `${e.type} ${'component' in e ? e.component : ''}`);
    expect(order).toContain('component_ready db');
    expect(order.indexOf('component_ready db')).toBeLessThan(order.indexOf('diagnosed api'));
  });
});

describe('what an earlier Grace left', () => {
  async function left(change: { specHash?: string; component?: string }) {
    const world = await healingWorld();
    const name = change.component ?? 'api';
    await world.host.launch({ component: name, argv: [], cwd: '/', env: {}, logFile: '', openFiles: null });
    await world.processes.save({
      component: name,
      identity: world.host.last.identity,
      specHash: change.specHash ?? 'same',
      launchedAtMs: 0,
      logOffset: 0,
      uid: null,
    });
    return world;
  }

  test('is adopted when it was started with the same', async () => {
    const world = await left({});
    expect(await world.supervision.reconcile()).toEqual({ adopted: ['api'], ended: [] });
    expect(await world.bringUp()).toMatchObject({ state: 'ready', wasAdopted: true });
    expect(world.host.processes).toHaveLength(1);
  });

  test('is ended when it was started with something else', async () => {
    const world = await left({ specHash: 'older' });
    expect(await world.supervision.reconcile()).toEqual({ adopted: [], ended: ['api'] });
    expect(await world.processes.list()).toEqual([]);
  });

  test('is ended when nobody has configured it any more', async () => {
    const world = await left({ component: 'removed' });
    expect(await world.supervision.reconcile()).toEqual({ adopted: [], ended: ['removed'] });
  });

  test('is forgotten when it is gone', async () => {
    const world = await left({});
    world.host.last.exit();
    expect(await world.supervision.reconcile()).toEqual({ adopted: [], ended: [] });
    expect(await world.processes.list()).toEqual([]);
  });
});

describe('while it runs', () => {
  const isUp = (world: HealingWorld, count: number) =>
    world.clock.when(() => world.of('component_ready').length === count && world.host.last.isAlive);

  test('a crash is answered by a restart at once, and remembered', async () => {
    const world = await healingWorld();
    await world.bringUp();
    world.supervision.watchAll();
    await world.clock.pass(10_000);
    world.host.last.exit({ signal: 'SIGSEGV' });
    await isUp(world, 2);
    await vi.waitFor(async () =>
      expect(await world.incidents.explanations({ limit: 1 })).toMatchObject([
        { familyName: 'crash', action: 'restarted it', outcome: 'healed' },
      ]),
    );
  });

  test('a component that was started again is watched again', async () => {
    const world = await healingWorld();
    await world.bringUp();
    world.supervision.watchAll();
    for (const starts of [2, 3, 4]) {
      await world.clock.pass(70_000);
      world.host.last.exit({ exitCode: 1 });
      await isUp(world, starts);
    }
    expect(world.host.processes).toHaveLength(4);
  });

  test('a component that dies again while its restart is still being written down is not forgotten', async () => {
    const world = await healingWorld();
    await world.bringUp();
    world.supervision.watchAll();
    for (const starts of [2, 3, 4]) {
      world.host.last.exit({ exitCode: 1 });
      await isUp(world, starts);
    }
    expect(world.host.processes).toHaveLength(4);
  });

  test.each([
    ['never', 1],
    ['on_failure', 0],
  ] as const)('policy %s and exit code %d: it is left as it is', async (policy, exitCode) => {
    const world = await healingWorld({ components: [{ restart: { ...component().restart, policy } }] });
    await world.bringUp();
    world.supervision.watchAll();
    world.host.last.exit({ exitCode });
    await world.clock.when(() => world.of('component_stopped').length === 1);
    await world.clock.pass(60_000);
    expect(world.host.processes).toHaveLength(1);
    expect(await world.processes.list()).toEqual([]);
  });

  test.each([
    ['on_failure', 1],
    ['always', 0],
  ] as const)('policy %s and exit code %d: it is started again', async (policy, exitCode) => {
    const world = await healingWorld({ components: [{ restart: { ...component().restart, policy } }] });
    await world.bringUp();
    world.supervision.watchAll();
    world.host.last.exit({ exitCode });
    await isUp(world, 2);
  });

  test('a component that hangs is diagnosed, and its remedy only told', async () => {
    const world = await healingWorld({
      components: [
        { liveness: { target: { kind: 'tcp', host: '127.0.0.1', port: 3000 }, intervalMs: 1000, timeoutMs: 500, failureThreshold: 3 } },
      ],
    });
    world.knows('anything', { cause: 'it hangs' }, {});
    world.prober.answer = () => (world.host.processes.length === 1 && world.clock.monotonicMs() > 20_000 ? 'no answer within 500 ms' : 5);
    await world.bringUp();
    world.supervision.watchAll();
    await isUp(world, 2);
    expect(world.of('component_failed')).toMatchObject([{ symptom: 'liveness' }]);
    expect(world.of('component_restarting')).toMatchObject([{ reason: 'it hangs' }]);
    expect(world.settings).toEqual({});
  });

  test('everything is stopped in the reverse order of dependence, and forgotten', async () => {
    const world = await healingWorld({ components: [{ name: 'api' }, { name: 'web', dependsOn: ['api'] }] });
    for (const name of ['api', 'web']) await world.bringUp(name);
    world.host.ended.length = 0;
    await world.supervision.stopAll([[world.spec('api')], [world.spec('web')]]);
    expect(world.host.ended.map((e) => e.split(' ')[0])).toEqual(['web', 'api']);
    expect(await world.processes.list()).toEqual([]);
  });
});
