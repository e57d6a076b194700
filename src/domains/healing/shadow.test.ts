import { describe, expect, test } from 'vitest';
import { healingWorld, type HealingWorld } from './testing.ts';

const NOBODY: ReadonlyMap<string, readonly string[]> = new Map();

async function observed(times = 1): Promise<HealingWorld> {
  const world = await healingWorld();
  world.knows('port_in_use', {}, {});
  world.settings['port_in_use'] = 'broken';
  for (let i = 0; i < times; i++)
    expect(await world.heal(await world.fails('port_in_use 3000'), 'runtime')).toMatchObject({ state: 'observed' });
  return world;
}

const records = (world: HealingWorld) => world.shadows.list(0);

describe('what would have been done at run time', () => {
  test('is kept with its plan, once for an episode', async () => {
    const world = await observed(3);
    expect(await records(world)).toMatchObject([
      { playbook: 'fix_port_in_use', score: 'open', seen: 3, verdict: 'observe', last: [{ state: 'ready', targets: ['port_in_use'] }] },
    ]);
    expect(world.settings).toEqual({ port_in_use: 'broken' });
  });

  test('is a hit when a person did the same', async () => {
    const world = await observed();
    world.settings['port_in_use'] = 'fixed';
    const [record] = await records(world);
    await world.shadow.score(world.spec(), new Map([[record?.signature ?? '', ['set port_in_use']]]));
    expect(await records(world)).toMatchObject([{ score: 'hit', endedBy: 'person' }]);
    expect(world.of('shadow_scored')).toMatchObject([{ score: 'hit' }]);
  });

  test('is a miss when it got well with nothing changed', async () => {
    const world = await observed();
    await world.shadow.score(world.spec(), NOBODY);
    expect(await records(world)).toMatchObject([{ score: 'miss', endedBy: 'itself' }]);
  });

  test('is a harm when it would overwrite what was put right', async () => {
    const world = await observed();
    world.settings['port_in_use'] = 'another way';
    await world.shadow.score(world.spec(), NOBODY);
    expect(await records(world)).toMatchObject([
      { score: 'harm', evidence: [expect.anything(), expect.stringContaining('changed otherwise')] },
    ]);
  });

  test('is unknown when the playbook itself ran after all', async () => {
    const world = await healingWorld();
    world.knows('port_in_use', {}, { tier: 'tier_3' });
    const asked = await world.heal(await world.fails('port_in_use 3000'));
    expect(asked).toMatchObject({ state: 'needs_approval' });
    const [record] = await records(world);
    const run = { id: 'run_x', playbook: 'fix_port_in_use', hash: record?.hash ?? '', component: 'api', bootId: 'b', signature: null, failureId: null, scope: 'process' as const, confidence: 1, restart: true, state: 'verified' as const, decision: '', startedAtMs: world.clock.nowMs(), endedAtMs: null }; // prettier-ignore
    await world.playbooks.saveRun(run);
    await world.shadow.score(world.spec(), NOBODY);
    expect(await records(world)).toMatchObject([{ score: 'unknown', endedBy: 'playbook' }]);
  });
});

test('a playbook that lost what it had earned has to ask, until a person lifts it', async () => {
  const world = await healingWorld();
  world.knows('port_in_use', {}, {});
  const captured = await world.fails('port_in_use 3000');
  await world.heal(captured);
  const playbook = await world.playbooks.get('fix_port_in_use');
  for (let i = 0; i < 4; i++)
    await world.playbooks.saveRun({ id: `old_${i}`, playbook: 'fix_port_in_use', hash: playbook?.hash ?? '', component: 'worker', bootId: 'b', signature: captured.failure.signature, failureId: null, scope: 'process', confidence: 1, restart: true, state: i === 0 ? 'interrupted' : 'undone', decision: '', startedAtMs: world.clock.nowMs() - 1000, endedAtMs: world.clock.nowMs() - 500 }); // prettier-ignore
  await world.autonomy.judge('fix_port_in_use');
  expect(world.of('playbook_demoted')).toMatchObject([
    { from: 'tier_1', to: 'tier_2', reason: expect.stringContaining('0 of its last 3') },
  ]);
  world.settings['port_in_use'] = 'broken again';
  await world.heal(await world.fails('port_in_use 3000'));
  expect(world.of('playbook_chosen').at(-1)).toMatchObject({ verdict: 'allow_with_notice' });
  await world.autonomy.judge('fix_port_in_use');
  expect(world.of('playbook_demoted'), 'judged by what came since').toHaveLength(1);
});
