import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { approve, type Phase } from '../governance/index.ts';
import type { Primitive } from '../playbooks/index.ts';
import { syncPlaybooks } from './sync-playbooks.ts';
import { askForApproval } from './ask-approval.ts';
import { healingWorld, set, type HealingWorld } from './testing.ts';

async function approved(world: HealingWorld, id: string, ...people: readonly string[]): Promise<void> {
  for (const person of people) {
    const request = await world.approvals.get(id);
    if (request === null) throw new TypeError('there is no such request');
    await world.approvals.save(approve(request, person, world.clock.nowMs()));
  }
}

const stateOf = async (world: HealingWorld): Promise<string | undefined> => (await world.incidents.patterns())[0]?.state;

describe('a failure with a remedy', () => {
  test('gets a playbook of its own, which is written, registered, run and journalled', async () => {
    const world = await healingWorld();
    world.knows('port_in_use', {}, {});
    const captured = await world.fails('port_in_use 3000');
    const result = await world.heal(captured);
    expect(result).toMatchObject({ state: 'applied', run: { playbook: 'fix_port_in_use', restart: true } });
    expect(world.settings).toEqual({ port_in_use: 'fixed' });
    expect(world.source('fix_port_in_use')).toContain(captured.failure.signature);
    expect(await world.playbooks.get('fix_port_in_use')).toMatchObject({
      origin: 'generated',
      version: 1,
      component: 'api',
      family: 'port_in_use',
    });
    if (result.state !== 'applied') return;
    expect(await world.playbooks.run(result.run.runId)).toMatchObject({
      state: 'applied',
      bootId: 'boot_20260101_000000',
      signature: captured.failure.signature,
    });
    expect(await world.journal.entries(result.run.runId)).toMatchObject([{ step: 'set port_in_use', state: 'done', undo: { was: null } }]);
    expect(await world.incidents.pattern(captured.failure.signature)).toMatchObject({
      state: 'candidate',
      playbook: 'fix_port_in_use',
      familyName: 'port_in_use',
    });
  });

  test('uses the same playbook the next time', async () => {
    const world = await healingWorld();
    world.knows('port_in_use', {}, {});
    await world.heal(await world.fails('port_in_use 3000'));
    const before = world.source('fix_port_in_use');
    delete world.settings['port_in_use'];
    await world.heal(await world.fails('port_in_use 3000'));
    expect(world.of('playbook_chosen').map((e) => e.generated)).toEqual([true, false]);
    expect(world.source('fix_port_in_use')).toBe(before);
    expect(await world.incidents.patterns()).toMatchObject([{ occurrences: 2 }]);
  });

  test('does not take the playbook of another case with the same name', async () => {
    const world = await healingWorld();
    world.knows('port_in_use', {}, { playbook: 'mend' });
    world.knows('disk_full', {}, { playbook: 'mend' });
    await world.heal(await world.fails('port_in_use 3000'));
    expect(await world.heal(await world.fails('disk_full /var'))).toMatchObject({ state: 'applied', run: { playbook: 'mend_api' } });
    expect(world.settings).toEqual({ port_in_use: 'fixed', disk_full: 'fixed' });
  });

  test('writes the file again that somebody deleted', async () => {
    const world = await healingWorld();
    world.knows('port_in_use', {}, {});
    await world.heal(await world.fails('port_in_use 3000'));
    rmSync(join(world.dir, 'playbooks', 'fix_port_in_use.ts'));
    delete world.settings['port_in_use'];
    expect(await world.heal(await world.fails('port_in_use 3000'))).toMatchObject({ state: 'applied' });
    expect(world.source('fix_port_in_use')).toContain('set port_in_use');
  });

  test('says what it found and did, so that it can say it again', async () => {
    const world = await healingWorld();
    world.knows('port_in_use', { cause: 'an old copy holds port 3000', evidence: ['EADDRINUSE'], advice: ['stop it'] }, {});
    world.knows('anything', { family: 'other', confidence: 0.2, cause: 'bad luck' });
    const captured = await world.fails('port_in_use 3000');
    await world.heal(captured);
    expect(await world.incidents.explanations({ signature: captured.failure.signature, limit: 5 })).toMatchObject([
      {
        cause: 'an old copy holds port 3000',
        action: 'set port_in_use',
        outcome: 'open',
        playbook: 'fix_port_in_use',
        evidence: ['EADDRINUSE'],
        alternatives: ['other (0.20): bad luck'],
      },
    ]);
  });
});

describe('what decides whether it runs:', () => {
  test.each([
    ['tier_1', 'allow'],
    ['tier_2', 'allow_with_notice'],
  ] as const)('%s runs at boot: %s', async (tier, verdict) => {
    const world = await healingWorld();
    world.knows('port_in_use', {}, { tier });
    expect(await world.heal(await world.fails('port_in_use 3000'))).toMatchObject({ state: 'applied' });
    expect(world.of('playbook_chosen')).toMatchObject([{ tier, verdict }]);
  });

  test('at run time it is only told what would be done', async () => {
    const world = await healingWorld();
    world.knows('port_in_use', {}, {});
    const captured = await world.fails('port_in_use 3000');
    expect(await world.heal(captured, 'runtime')).toMatchObject({ state: 'observed' });
    expect(world.settings).toEqual({});
    expect(await world.playbooks.runsOf('boot_20260101_000000')).toEqual([]);
    expect(await world.incidents.explanations({ limit: 1 })).toMatchObject([
      { outcome: 'observed', action: expect.stringContaining('would run fix_port_in_use') },
    ]);
  });

  test('at run time it runs where that was allowed', async () => {
    const world = await healingWorld({ executeAtRuntime: true });
    world.knows('port_in_use', {}, {});
    expect(await world.heal(await world.fails('port_in_use 3000'), 'runtime')).toMatchObject({ state: 'applied' });
  });

  test('a playbook of tier_1 with a step that cannot be undone is tier_2: it runs, and people hear of it', async () => {
    const world = await healingWorld();
    const power = world.primitives.get('set');
    if (power === undefined) throw new TypeError('there is no primitive');
    world.primitives.set('set', { ...power, undo: null });
    world.knows('port_in_use', {}, { tier: 'tier_1' });
    expect(await world.heal(await world.fails('port_in_use 3000'))).toMatchObject({ state: 'applied' });
    expect(world.events.find((e) => e.type === 'playbook_chosen')).toMatchObject({ tier: 'tier_2', verdict: 'allow_with_notice' });
  });

  test('tier_3 waits for one person, and then runs', async () => {
    const world = await healingWorld();
    world.knows('port_in_use', {}, { tier: 'tier_3' });
    const result = await world.heal(await world.fails('port_in_use 3000'));
    expect(result).toMatchObject({ state: 'needs_approval' });
    expect(world.settings).toEqual({});
    if (result.state !== 'needs_approval') return;
    expect(await world.approvals.get(result.approval)).toMatchObject({
      summary: ['set port_in_use (set)'],
      requiredApprovals: 1,
      component: 'api',
    });
    await approved(world, result.approval, 'ann');
    expect(await world.heal(await world.fails('port_in_use 3000'))).toMatchObject({ state: 'applied' });
    expect(world.settings).toEqual({ port_in_use: 'fixed' });
  });

  test('tier_4 waits for two', async () => {
    const world = await healingWorld();
    world.knows('port_in_use', {}, { tier: 'tier_4' });
    const result = await world.heal(await world.fails('port_in_use 3000'));
    if (result.state !== 'needs_approval') throw new TypeError(result.state);
    await approved(world, result.approval, 'ann');
    expect(await world.heal(await world.fails('port_in_use 3000'))).toMatchObject({ state: 'needs_approval', approval: result.approval });
    await approved(world, result.approval, 'bob');
    expect(await world.heal(await world.fails('port_in_use 3000'))).toMatchObject({ state: 'applied' });
  });

  test('an approval is for the bytes that were approved: an edit in between needs another', async () => {
    const world = await healingWorld();
    world.knows('port_in_use', {}, { tier: 'tier_3' });
    const result = await world.heal(await world.fails('port_in_use 3000'));
    if (result.state !== 'needs_approval') throw new TypeError(result.state);
    await approved(world, result.approval, 'ann');
    world.edit('fix_port_in_use', (source) => source.replace("'fixed'", "'evil'"));
    const again = await world.heal(await world.fails('port_in_use 3000'));
    expect(again).toMatchObject({ state: 'needs_approval' });
    expect(again.state === 'needs_approval' && again.approval).not.toBe(result.approval);
    expect(world.settings).toEqual({});
  });

  test('an edit cannot ride on the lower tier it was registered with', async () => {
    const world = await healingWorld();
    world.knows('port_in_use', {}, { tier: 'tier_1' });
    await world.heal(await world.fails('port_in_use 3000'));
    delete world.settings['port_in_use'];
    world.edit('fix_port_in_use', (source) => source.replace("tier: 'tier_1'", "tier: 'tier_4'"));
    expect(await world.heal(await world.fails('port_in_use 3000'))).toMatchObject({ state: 'needs_approval' });
    expect(world.settings['port_in_use']).toBeUndefined();
  });

  test('what somebody rejected is not asked for again', async () => {
    const world = await healingWorld();
    world.knows('port_in_use', {}, { tier: 'tier_3' });
    const first = await world.heal(await world.fails('port_in_use 3000'));
    if (first.state !== 'needs_approval') throw new TypeError(first.state);
    const asked = await world.approvals.get(first.approval);
    if (asked === null) throw new TypeError('the request is gone');
    await world.approvals.save({ ...asked, rejectedBy: 'ann' });
    expect(await world.heal(await world.fails('port_in_use 3000'))).toMatchObject({ state: 'hold' });
    expect(await world.approvals.list()).toHaveLength(1);
    expect(world.settings).toEqual({});
  });

  test('a request that was not answered in time is asked anew', async () => {
    const world = await healingWorld();
    world.knows('port_in_use', {}, { tier: 'tier_3' });
    const first = await world.heal(await world.fails('port_in_use 3000'));
    await world.clock.pass(8 * 86_400_000);
    const second = await world.heal(await world.fails('port_in_use 3000'));
    expect([first.state, second.state]).toEqual(['needs_approval', 'needs_approval']);
    expect(await world.approvals.list()).toHaveLength(2);
  });
});

describe('a run that a person asks for', () => {
  const foretold = async (world: HealingWorld, by: string | null, phase: Phase = 'boot') => {
    const registered = await world.playbooks.get('fix_port_in_use');
    if (registered === null) throw new TypeError('there is no playbook');
    const found = await world.healer.foretell(registered, world.spec(), world.stop.signal, phase, by);
    if (found instanceof Error) throw found;
    return { ...found, registered };
  };
  const runs = (world: HealingWorld, by: string) =>
    world.healer.prevent('fix_port_in_use', world.spec(), 'boot_2', world.stop.signal, 'boot', by);
  /** As `grace playbooks run` asks. */
  const asks = async (world: HealingWorld, by: string): Promise<string> => {
    const { registered, binding, foreseen, decision } = await foretold(world, by);
    const required = decision.verdict === 'needs_approval' ? decision.approvals : 0;
    let n = 0;
    const ids = { next: (prefix: string) => `${prefix}_${by}_${++n}` };
    const asked = { playbook: registered, component: 'api', incidentId: '', binding, foreseen, required, requestedBy: by };
    return askForApproval({ approvals: world.approvals, clock: world.clock, ids }, asked);
  };
  /** Grace has asked for it, and waits. */
  const waiting = async (): Promise<{ world: HealingWorld; graces: string }> => {
    const world = await healingWorld();
    world.knows('port_in_use', {}, { tier: 'tier_3' });
    const result = await world.heal(await world.fails('port_in_use 3000'));
    if (result.state !== 'needs_approval') throw new TypeError(result.state);
    return { world, graces: result.approval };
  };

  test('is not let run by their own yes to what Grace asked for, and Grace may still do that', async () => {
    const { world, graces } = await waiting();
    await approved(world, graces, 'ann');
    expect(await runs(world, 'Ann')).toMatchObject({ state: 'waiting' });
    expect(await runs(world, 'ann')).toMatchObject({ state: 'waiting' });
    const own = await asks(world, 'ann');
    expect(own).not.toBe(graces);
    await expect(approved(world, own, 'ANN')).rejects.toThrow('cannot approve it');
    expect(world.settings).toEqual({});
    expect(await world.heal(await world.fails('port_in_use 3000')), 'what was agreed to').toMatchObject({ state: 'applied' });
  });

  test('runs once another person has agreed, whoever of the two starts it', async () => {
    const { world } = await waiting();
    await approved(world, await asks(world, 'ann'), 'bob');
    expect((await foretold(world, 'bob')).decision).toMatchObject({ verdict: 'allow_with_notice' });
    expect(await runs(world, 'ann')).toMatchObject({ state: 'applied' });
    expect(await world.playbooks.runsSince(0)).toMatchObject([{ scope: 'person' }]);
  });

  test('is let run once by what was agreed to, and asked for again after that', async () => {
    const { world } = await waiting();
    const first = await asks(world, 'ann');
    await approved(world, first, 'bob');
    expect(await runs(world, 'ann')).toMatchObject({ state: 'applied' });
    expect((await world.approvals.get(first))?.usedAtMs).not.toBeNull();
    expect((await foretold(world, 'ann')).decision).toMatchObject({ verdict: 'needs_approval' });
    expect(await runs(world, 'ann')).toMatchObject({ state: 'waiting' });
  });

  test('is decided on as that person’s, not as Grace’s, and at run time as well', async () => {
    const policy = '@id("no_people") @reason("people keep out") forbid (principal, action, resource) when { principal.kind == "person" };';
    const world = await healingWorld({ policies: [policy] });
    world.knows('port_in_use', {}, {});
    await world.heal(await world.fails('port_in_use 3000'));
    expect((await foretold(world, 'ann')).decision).toMatchObject({ verdict: 'deny', reason: expect.stringMatching(/people keep out/) });
    expect((await foretold(world, null)).decision).toMatchObject({ verdict: 'allow' });
    const free = await healingWorld();
    free.knows('port_in_use', {}, {});
    await free.heal(await free.fails('port_in_use 3000'));
    expect((await foretold(free, 'ann', 'runtime')).decision).toMatchObject({ verdict: 'allow' });
    expect((await foretold(free, null, 'runtime')).decision).toMatchObject({ verdict: 'observe' });
  });

  test('that somebody said no to takes nothing from what Grace was allowed to do', async () => {
    const { world, graces } = await waiting();
    const request = await world.approvals.get(await asks(world, 'ann'));
    if (request !== null) await world.approvals.save({ ...request, rejectedBy: 'bob' });
    expect(await runs(world, 'ann')).toMatchObject({ state: 'waiting' });
    await approved(world, graces, 'cid');
    expect(await world.heal(await world.fails('port_in_use 3000'))).toMatchObject({ state: 'applied' });
  });
});

describe('an approval', () => {
  /** What the step would act on, as its primitive says each time it is asked. */
  const acting = async (): Promise<{ world: HealingWorld; plan: { targets: readonly string[]; summary: string } }> => {
    const world = await healingWorld();
    const plan: { targets: readonly string[]; summary: string } = { targets: ['pid 812'], summary: 'end pid 812' };
    const power = world.primitives.get('set');
    if (power === undefined) throw new TypeError('there is no primitive');
    world.primitives.set('set', { ...power, plan: async () => ({ state: 'ready', ...plan, undo: { key: 'port_in_use', was: null } }) });
    world.knows('port_in_use', {}, { tier: 'tier_3' });
    return { world, plan };
  };
  const asks = async (world: HealingWorld): Promise<string> => {
    const result = await world.heal(await world.fails('port_in_use 3000'));
    if (result.state !== 'needs_approval') throw new TypeError(result.state);
    return result.approval;
  };

  test('shows the plan it is for, and nothing was touched to make it', async () => {
    const { world } = await acting();
    const request = await world.approvals.get(await asks(world));
    expect(request).toMatchObject({
      requestedBy: null,
      summary: ['end pid 812 (set)'],
      foreseen: [{ step: 'set port_in_use', primitive: 'set', state: 'ready', targets: ['pid 812'] }],
    });
    expect(world.settings).toEqual({});
  });

  test.each([
    ['another target', { targets: ['pid 999'] }, 'acts on pid 999, not on pid 812'],
    ['one target more', { targets: ['pid 812', 'pid 813'] }, 'acts on pid 812, pid 813, not on pid 812'],
    ['no target', { targets: [] }, 'acts on nothing, not on pid 812'],
    ['another finding', { summary: 'end pid 812, which holds a lock' }, 'end pid 812, which holds a lock, no longer: end pid 812'],
  ])('does not cover %s: it is told, and asked again', async (_, change, told) => {
    const { world, plan } = await acting();
    const first = await asks(world);
    await approved(world, first, 'ann');
    Object.assign(plan, change);
    const second = await asks(world);
    expect(second).not.toBe(first);
    expect(world.settings).toEqual({});
    expect(world.of('notice').map((e) => e.text)).toEqual([
      `approval ${first} is not for this any more, and nothing was done: set port_in_use: ${told}; asked again as ${second}`,
    ]);
  });

  test('covers the same plan for as long as it stays the same; when it runs is no part of it', async () => {
    const { world, plan } = await acting();
    plan.summary = 'put a.json back, keep the present one as a.json.broken-20260101000000';
    await approved(world, await asks(world), 'ann');
    plan.summary = 'put a.json back, keep the present one as a.json.broken-20260102030405-2';
    expect(await world.heal(await world.fails('port_in_use 3000'))).toMatchObject({ state: 'applied' });
    expect(world.of('notice')).toEqual([]);
  });

  test('of a file that a person edited is bound to what its code asks for, although no list of steps says it', async () => {
    const world = await healingWorld();
    world.knows('port_in_use', {}, { tier: 'tier_3' });
    await asks(world);
    world.edit('fix_port_in_use', (source) => source.replace("'fixed'", "'other'"));
    const asked = await world.approvals.get(await asks(world));
    expect(asked).toMatchObject({ foreseen: [{ step: 'set port_in_use', primitive: 'set', state: 'ready', targets: ['port_in_use'] }] });
    expect(world.settings, 'it was planned and not done').toEqual({});
  });
});

test("a policy of the user's own is asked like those that ship", async () => {
  const world = await healingWorld({
    policies: [`@id("not_api") @reason("the api is for people") forbid (principal, action, resource) when { context.component == "api" };`],
  });
  world.knows('port_in_use', {}, {});
  expect(await world.heal(await world.fails('port_in_use 3000'))).toMatchObject({ state: 'hold' });
  expect(world.of('playbook_chosen')).toMatchObject([{ verdict: 'deny', reason: 'the api is for people', policies: ['not_api'] }]);
  expect(world.settings).toEqual({});
});

describe('a playbook that does not work', () => {
  test('is undone as far as it came, counted as failed, and says so', async () => {
    const world = await healingWorld();
    world.power('breaks', true, () => {
      throw new Error('connection reset');
    });
    world.settings['first'] = 'old';
    world.knows(
      'port_in_use',
      {},
      { steps: [set('first', 'new'), { name: 'break', primitive: 'breaks', params: { key: 'second', to: 1 } }] },
    );
    const captured = await world.fails('port_in_use 3000');
    expect(await world.heal(captured)).toMatchObject({ state: 'failed', playbook: 'fix_port_in_use', reason: 'connection reset' });
    expect(world.settings['first']).toBe('old');
    expect(await world.playbooks.get('fix_port_in_use')).toMatchObject({ failedCount: 1 });
    expect(await world.playbooks.runsIn('undone')).toHaveLength(1);
    expect(world.of('playbook_failed')).toMatchObject([{ reason: 'connection reset', undone: true }]);
    expect(await world.incidents.explanations({ limit: 1 })).toMatchObject([{ outcome: 'not_healed' }]);
  });

  test('that refuses has not failed: it may help another time', async () => {
    const world = await healingWorld();
    world.knows('port_in_use', {}, { steps: [{ name: 'x', primitive: 'no_such_power', params: {} }] });
    expect(await world.heal(await world.fails('port_in_use 3000'))).toMatchObject({ state: 'failed' });
    expect(await world.playbooks.get('fix_port_in_use')).toMatchObject({ failedCount: 0 });
  });

  test('that finds nothing to do has not helped', async () => {
    const world = await healingWorld();
    world.settings['port_in_use'] = 'fixed';
    world.knows('port_in_use', {}, {});
    expect(await world.heal(await world.fails('port_in_use 3000'))).toMatchObject({ state: 'failed', reason: 'it found nothing to do' });
  });

  test('whose file no longer compiles is reported and left out', async () => {
    const world = await healingWorld();
    world.knows('port_in_use', {}, {});
    await world.heal(await world.fails('port_in_use 3000'));
    world.edit('fix_port_in_use', () => 'this is no TypeScript');
    expect(await world.heal(await world.fails('port_in_use 3000'))).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('does not compile'),
    });
    expect(world.of('notice')).toMatchObject([{ level: 'error' }]);
  });
});

describe('where nobody but a person can help', () => {
  test('it holds, and says what to wait for and what to do', async () => {
    const world = await healingWorld();
    world.knows('port_in_use', { waitFor: { kind: 'port_free', port: 3000 }, advice: ['stop billing'] });
    const captured = await world.fails('port_in_use 3000');
    expect(await world.heal(captured)).toMatchObject({ state: 'hold', waitFor: { kind: 'port_free', port: 3000 } });
    expect(await world.incidents.explanations({ limit: 1 })).toMatchObject([{ outcome: 'waiting', advice: ['stop billing'] }]);
  });
});

describe('a playbook of a person', () => {
  const SOURCE = (change: string) => `import { definePlaybook } from 'grace-runtime';
export default definePlaybook({
  name: 'ours', description: 'ours', risk: 'low', tier: 'tier_1', service: 'x', params: {},
  match: ${change},
  async run(ctx) { await ctx.step('ours', 'set', { key: 'ours', to: true }); },
});
`;
  async function withOurs(match: string): Promise<HealingWorld> {
    const world = await healingWorld();
    world.knows('port_in_use', {}, {});
    await world.library.write('ours', SOURCE(match));
    await syncPlaybooks(world.library, world.playbooks, world.clock);
    return world;
  }

  test('wins over what would be generated, and nothing is generated', async () => {
    const world = await withOurs("{ family: 'port_in_use' }");
    expect(await world.heal(await world.fails('port_in_use 3000'))).toMatchObject({ state: 'applied', run: { playbook: 'ours' } });
    expect(world.settings).toEqual({ ours: true });
    expect(existsSync(join(world.dir, 'playbooks', 'fix_port_in_use.ts'))).toBe(false);
  });

  test('is not tried twice for one failure', async () => {
    const world = await withOurs("{ family: 'port_in_use' }");
    expect(await world.heal(await world.fails('port_in_use 3000'), 'boot', ['ours'])).toMatchObject({
      state: 'applied',
      run: { playbook: 'fix_port_in_use' },
    });
  });

  test.each([
    ['another family', "{ family: 'disk_full' }"],
    ['another component', "{ family: 'port_in_use', component: 'web' }"],
    ['another failure', "{ family: 'port_in_use', signature: '0000000000000000' }"],
  ])('for %s stays out of it', async (_what, match) => {
    const world = await withOurs(match);
    expect(await world.heal(await world.fails('port_in_use 3000'))).toMatchObject({ run: { playbook: 'fix_port_in_use' } });
  });

  test('helps where the catalog would only hold', async () => {
    const world = await healingWorld();
    world.knows('port_in_use', { waitFor: { kind: 'port_free', port: 3000 } });
    await world.library.write('ours', SOURCE("{ family: 'port_in_use' }"));
    await syncPlaybooks(world.library, world.playbooks, world.clock);
    expect(await world.heal(await world.fails('port_in_use 3000'))).toMatchObject({ state: 'applied', run: { playbook: 'ours' } });
  });

  test('that is switched off stays off', async () => {
    const world = await withOurs("{ family: 'port_in_use' }");
    const ours = await world.playbooks.get('ours');
    if (ours) await world.playbooks.save({ ...ours, isEnabled: false });
    expect(await world.heal(await world.fails('port_in_use 3000'))).toMatchObject({ run: { playbook: 'fix_port_in_use' } });
  });
});

describe('the folder of playbooks', () => {
  test('an edited file is a new version, and has lost the trust it had earned', async () => {
    const world = await healingWorld();
    world.knows('port_in_use', {}, {});
    const result = await world.heal(await world.fails('port_in_use 3000'));
    if (result.state !== 'applied') throw new TypeError(result.state);
    await world.healer.applied.confirm(result.run);
    expect(await world.playbooks.get('fix_port_in_use')).toMatchObject({ verifiedCount: 1, version: 1 });
    const before = await world.playbooks.get('fix_port_in_use');
    world.edit('fix_port_in_use', (source) => source.replace("'fixed'", "'better'"));
    expect((await syncPlaybooks(world.library, world.playbooks, world.clock)).edited).toEqual(['fix_port_in_use']);
    const after = await world.playbooks.get('fix_port_in_use');
    expect(after).toMatchObject({ verifiedCount: 0, version: 2, origin: 'edited', params: { to: 'better' } });
    expect(after?.hash).not.toBe(before?.hash);
  });

  test('what did not change is not read again', async () => {
    const world = await healingWorld();
    world.knows('port_in_use', {}, {});
    await world.heal(await world.fails('port_in_use 3000'));
    expect(await syncPlaybooks(world.library, world.playbooks, world.clock)).toEqual({ known: 1, edited: [], broken: [] });
  });

  test('a broken file is a finding, and the others count all the same', async () => {
    const world = await healingWorld();
    await world.library.write('broken', 'export default 5');
    await world.library.write(
      'good',
      "export default { name: 'good', description: '', risk: 'low', tier: 'tier_1', run: async () => {} };",
    );
    writeFileSync(join(world.dir, 'playbooks', 'Not-A-Playbook.ts'), 'throw new Error("never loaded")');
    expect(await syncPlaybooks(world.library, world.playbooks, world.clock)).toMatchObject({
      known: 1,
      edited: ['good'],
      broken: [{ code: 'playbook_invalid', severity: 'warn', evidence: ['broken.ts'] }],
    });
  });
});

describe('after it ran', () => {
  async function applied() {
    const world = await healingWorld();
    world.knows('port_in_use', {}, {});
    const captured = await world.fails('port_in_use 3000');
    const result = await world.heal(captured);
    if (result.state !== 'applied') throw new TypeError(result.state);
    return { world, captured, run: result.run };
  }

  test('a fix that held is verified, and so is its pattern', async () => {
    const { world, run } = await applied();
    await world.healer.applied.confirm(run);
    expect(await stateOf(world)).toBe('verified');
    expect(await world.playbooks.run(run.runId)).toMatchObject({ state: 'verified' });
    expect(await world.playbooks.get(run.playbook)).toMatchObject({ verifiedCount: 1, failedCount: 0 });
    expect(await world.incidents.explanations({ limit: 1 })).toMatchObject([{ outcome: 'healed' }]);
    expect(world.of('playbook_verified')).toHaveLength(1);
  });

  test('a proof that is cut off before its pattern knows of it leaves the run to be proven again', async () => {
    const { world, run } = await applied();
    const { savePattern } = world.incidents;
    world.incidents.savePattern = async () => {
      throw new Error('Grace died');
    };
    await expect(world.healer.applied.confirm(run)).rejects.toThrow('Grace died');
    world.incidents.savePattern = savePattern;
    const [again] = await world.healer.applied.unproven(() => world.spec());
    if (again === undefined) throw new TypeError('nobody would prove it');
    await world.healer.applied.confirm(again);
    expect(await stateOf(world)).toBe('verified');
  });

  test('a fix that did not help is undone, counted, and its pattern is as new', async () => {
    const { world, run } = await applied();
    await world.healer.applied.reject(run, 'the same failure came back', world.stop.signal);
    expect(world.settings).toEqual({ port_in_use: null });
    expect(await stateOf(world)).toBe('new');
    expect(await world.playbooks.run(run.runId)).toMatchObject({ state: 'undone' });
    expect(await world.playbooks.get(run.playbook)).toMatchObject({ failedCount: 1 });
    expect(await world.incidents.explanations({ limit: 1 })).toMatchObject([
      { outcome: 'not_healed', action: expect.stringContaining('the same failure came back') },
    ]);
  });

  test('what cannot be undone is said, not hidden', async () => {
    const { world, run } = await applied();
    world.power('set', false);
    await world.healer.applied.reject(run, 'no', world.stop.signal);
    expect(await world.playbooks.run(run.runId)).toMatchObject({ state: 'failed' });
    expect(world.of('playbook_failed')).toMatchObject([{ undone: false }]);
    expect(await world.incidents.explanations({ limit: 1 })).toMatchObject([{ action: expect.stringContaining('left as it is') }]);
  });

  test('a restart that did not help is no undo that failed: nobody is called, and nothing waits for a person', async () => {
    const { world, run } = await applied();
    world.power('set', false);
    world.primitives.set('set', { ...(world.primitives.get('set') as Primitive), needsNoUndo: true });
    await world.healer.applied.reject(run, 'no', world.stop.signal);
    expect(await world.playbooks.run(run.runId)).toMatchObject({ state: 'undone' });
    expect(world.types()).not.toContain('undo_failed');
    expect(world.of('playbook_failed')).toMatchObject([{ undone: true }]);
  });

  test('a recurrence after the proof makes it a candidate again', async () => {
    const { world, run } = await applied();
    await world.healer.applied.confirm(run);
    await world.fails('port_in_use 3000');
    expect(await world.incidents.patterns()).toMatchObject([{ state: 'candidate', occurrences: 2 }]);
  });
});

describe('a guard that sees a failure coming', () => {
  test('has its playbook run before it comes', async () => {
    const world = await healingWorld();
    world.knows('port_in_use', {}, {});
    await world.heal(await world.fails('port_in_use 3000'));
    delete world.settings['port_in_use'];
    expect(await world.healer.prevent('fix_port_in_use', world.spec(), 'boot_2', world.stop.signal)).toMatchObject({
      state: 'applied',
      detail: 'set port_in_use',
    });
    expect(world.settings).toEqual({ port_in_use: 'fixed' });
    expect(await world.healer.prevent('fix_port_in_use', world.spec(), 'boot_2', world.stop.signal)).toMatchObject({
      state: 'nothing_to_do',
    });
  });

  test('still needs the approval its tier asks for', async () => {
    const world = await healingWorld();
    world.knows('port_in_use', {}, { tier: 'tier_3' });
    await world.heal(await world.fails('port_in_use 3000'));
    expect(await world.healer.prevent('fix_port_in_use', world.spec(), 'boot_2', world.stop.signal)).toMatchObject({
      state: 'waiting',
      runId: null,
    });
    expect(world.settings).toEqual({});
  });

  test.each(['no such playbook', 'fix_port_in_use'])('of %s that is not there or switched off does nothing', async (name) => {
    const world = await healingWorld();
    world.knows('port_in_use', {}, {});
    await world.heal(await world.fails('port_in_use 3000'));
    const registered = await world.playbooks.get('fix_port_in_use');
    if (registered) await world.playbooks.save({ ...registered, isEnabled: false });
    delete world.settings['port_in_use'];
    expect(await world.healer.prevent(name, world.spec(), 'boot_2', world.stop.signal)).toMatchObject({ state: 'failed' });
    expect(world.settings).toEqual({});
  });
});

describe('what a crash of Grace cut off', () => {
  test('is undone at the next start, once', async () => {
    const world = await healingWorld();
    world.knows('port_in_use', {}, {});
    const result = await world.heal(await world.fails('port_in_use 3000'));
    if (result.state !== 'applied') throw new TypeError(result.state);
    const run = await world.playbooks.run(result.run.runId);
    if (run) await world.playbooks.saveRun({ ...run, state: 'running' });
    const [entry] = await world.journal.entries(result.run.runId);
    if (entry) await world.journal.write({ ...entry, state: 'planned' });
    const undo = () => world.healer.cutOff.undoUnfinished((name) => (name === 'api' ? world.spec() : null), world.stop.signal);
    expect(await undo()).toEqual(['fix_port_in_use']);
    expect(world.settings).toEqual({ port_in_use: null });
    expect(await world.playbooks.run(result.run.runId)).toMatchObject({ state: 'interrupted' });
    world.settings['port_in_use'] = 'newer';
    expect(await undo()).toEqual([]);
    expect(world.settings).toEqual({ port_in_use: 'newer' });
  });

  test('is left to a process that lives and runs it still, and undone when that has died', async () => {
    const world = await healingWorld();
    world.knows('port_in_use', {}, {});
    const result = await world.heal(await world.fails('port_in_use 3000'));
    if (result.state !== 'applied') throw new TypeError(result.state);
    const run = await world.playbooks.run(result.run.runId);
    if (run) await world.playbooks.saveRun({ ...run, state: 'running' });
    const lease = await world.limits.lease('api', result.run.runId);
    const undo = () => world.healer.cutOff.undoUnfinished(() => world.spec(), world.stop.signal);
    expect(await undo()).toEqual([]);
    expect(world.settings).toEqual({ port_in_use: 'fixed' });
    expect(await world.playbooks.run(result.run.runId)).toMatchObject({ state: 'running' });
    expect(world.of('notice')).toMatchObject([{ text: expect.stringContaining('by another process that lives') }]);
    await lease?.release();
    expect(await undo()).toEqual(['fix_port_in_use']);
    expect(world.settings).toEqual({ port_in_use: null });
    expect(await world.limits.lease('api', 'next'), 'the undo holds it no more').not.toBeNull();
  });
});

describe('a Grace that dies at any write of a run of several steps', () => {
  const DIED = 'Grace died';

  /** Lets nothing be stored any more from the (n + 1)th write on: before it, or right after it. */
  function dyingAt(
    world: HealingWorld,
    n: number,
    when: 'before' | 'after',
  ): { readonly revive: () => void; readonly died: () => boolean } {
    const { saveRun } = world.playbooks;
    const { write } = world.journal;
    let left = n;
    let isDead = false;
    const dying =
      <A extends readonly unknown[]>(store: (...args: A) => Promise<void>) =>
      async (...args: A): Promise<void> => {
        if (isDead) throw new Error(DIED);
        isDead = left-- === 0;
        if (!isDead || when === 'after') await store(...args);
        if (isDead) throw new Error(DIED);
      };
    world.playbooks.saveRun = dying(saveRun);
    world.journal.write = dying(write);
    return {
      died: () => isDead,
      revive() {
        world.playbooks.saveRun = saveRun;
        world.journal.write = write;
      },
    };
  }

  /** What a run has come to is counted once, told, and has opened its breaker, whenever Grace died. */
  async function expectJudged(world: HealingWorld, n: number): Promise<void> {
    const [run] = await world.playbooks.runsSince(0);
    const hasFailed = run?.state === 'undone' || run?.state === 'relapsed';
    expect(await world.playbooks.get('fix_port_in_use'), `write ${n}`).toMatchObject({
      verifiedCount: run?.state === 'verified' ? 1 : 0,
      failedCount: hasFailed ? 1 : 0,
    });
    expect((await world.limits.breakers()).map((b) => b.playbook)).toEqual(hasFailed ? ['fix_port_in_use'] : []);
    if (!hasFailed) return;
    expect(await world.incidents.explanations({ limit: 5 })).not.toContainEqual(expect.objectContaining({ outcome: 'open' }));
    expect(await world.incidents.explanations({ limit: 5 })).not.toContainEqual(expect.objectContaining({ outcome: 'healed' }));
  }

  const fix = { steps: [set('port_in_use'), set('second'), set('third')] };
  const before = { port_in_use: 'was', second: 'was', third: 'was' };
  const after = { port_in_use: 'fixed', second: 'fixed', third: 'fixed' };

  test.each(['before', 'after'] as const)(
    'ends up all before or all after, and leaves nothing open: %s each write',
    { timeout: 120_000 },
    async (when) => {
      const ends: string[] = [];
      for (let n = 0; ; n++) {
        const world = await healingWorld();
        Object.assign(world.limitSettings, { breakerAfter: 1 });
        world.knows('port_in_use', {}, fix);
        Object.assign(world.settings, before);
        const captured = await world.fails('port_in_use 3000');
        const death = dyingAt(world, n, when);
        const result = await world.heal(captured).catch(() => null);
        if (result?.state === 'applied') await world.healer.applied.reject(result.run, 'no', world.stop.signal).catch(() => undefined);
        death.revive();
        if (!death.died()) break;
        await world.healer.cutOff.undoUnfinished(() => world.spec(), world.stop.signal);
        const [run] = await world.playbooks.runsSince(0);
        ends.push(`${n} ${run?.state ?? 'none'}`);
        expect(world.settings, `write ${n}`).toEqual(run?.state === 'applied' ? after : before);
        expect(await world.playbooks.runsIn('running', 'undoing')).toEqual([]);
        const entries = run === undefined ? [] : await world.journal.entries(run.id);
        expect(entries.filter((e) => e.state === 'planned')).toEqual([]);
        await expectJudged(world, n);
      }
      // Run, three steps with two writes each, applied; undoing, three steps undone, undone.
      expect(ends).toHaveLength(13);
      expect(new Set(ends.map((end) => end.split(' ')[1]))).toEqual(
        new Set([...(when === 'before' ? ['none'] : []), 'interrupted', 'applied', 'undone']),
      );
    },
  );

  test.each(['before', 'after'] as const)('takes a fix that has relapsed back once: %s each write', { timeout: 120_000 }, async (when) => {
    const ends: string[] = [];
    for (let n = 0; ; n++) {
      const world = await healingWorld();
      Object.assign(world.limitSettings, { breakerAfter: 1 });
      world.knows('port_in_use', {}, fix);
      Object.assign(world.settings, before);
      const healed = await world.heal(await world.fails('port_in_use 3000'));
      if (healed.state !== 'applied') throw new TypeError(healed.state);
      await world.healer.applied.confirm(healed.run);
      const run = await world.playbooks.run(healed.run.runId);
      await world.clock.until(world.clock.sleep(1000));
      await world.limits.countTriesFrom('api', 'process', world.clock.nowMs());
      const captured = await world.fails('port_in_use 3000');
      const death = dyingAt(world, n, when);
      await world.healer.relapses.takeBack(captured, world.spec(), 'boot', world.stop.signal).catch(() => undefined);
      death.revive();
      if (!death.died()) break;
      await world.healer.cutOff.undoUnfinished(() => world.spec(), world.stop.signal);
      const is = await world.playbooks.run(healed.run.runId);
      ends.push(is?.state ?? 'none');
      expect(world.settings, `write ${n}`).toEqual(is?.state === 'verified' ? after : before);
      if (is?.state === 'verified') continue;
      expect(await world.playbooks.get('fix_port_in_use')).toMatchObject({ verifiedCount: 0, failedCount: 1 });
      expect((await world.limits.breakers()).map((b) => b.playbook)).toEqual(['fix_port_in_use']);
      expect(await world.limits.triesSince('api', 'process'), 'it is one of the tries').toBe(run?.startedAtMs);
    }
    // Undoing, three steps undone, relapsed.
    expect(ends).toHaveLength(5);
    expect(new Set(ends)).toEqual(new Set([...(when === 'before' ? ['verified'] : []), 'relapsed']));
  });
});
