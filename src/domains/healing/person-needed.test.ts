import { describe, expect, test } from 'vitest';
import { mergePatterns } from '../incidents/index.ts';
import { propose } from './propose.ts';
import { syncPlaybooks } from './sync-playbooks.ts';
import { healingWorld, type HealingWorld } from './testing.ts';

const commandsOf = async (world: HealingWorld) =>
  (await world.incidents.explanations({ limit: 1 })).flatMap((e) => (e.commands ?? []).map((c) => c.command));

describe('where a person is needed', () => {
  test('the commands for it are told, and kept with the explanation', async () => {
    const world = await healingWorld();
    world.knows('path_missing', { advice: ['bring it back'] });
    await world.heal(await world.fails('path_missing data.json'));
    const [event] = world.of('person_needed');
    expect(event).toMatchObject({ component: 'api', advice: ['bring it back'] });
    expect(event?.commands.map((c) => c.command)).toEqual(['tail -n 50 api.log', 'grace up']);
    expect(await commandsOf(world)).toEqual(['tail -n 50 api.log', 'grace up']);
  });

  test('an approval that waits is named in them', async () => {
    const world = await healingWorld();
    world.knows('port_in_use', {}, { tier: 'tier_3' });
    const result = await world.heal(await world.fails('port_in_use 3000'));
    if (result.state !== 'needs_approval') throw new Error(result.state);
    expect(await commandsOf(world)).toEqual(expect.arrayContaining([`grace approvals approve ${result.approval}`]));
  });

  test('nobody is asked for anything while Grace mends it, and afterwards they only show what was done', async () => {
    const world = await healingWorld();
    world.knows('port_in_use', {}, {});
    const result = await world.heal(await world.fails('port_in_use 3000'));
    if (result.state !== 'applied') throw new Error(result.state);
    await world.healer.applied.confirm(result.run);
    expect(world.of('person_needed')).toEqual([]);
    expect(await commandsOf(world)).toEqual(['grace playbooks show fix_port_in_use']);
  });
});

test('a playbook that a person wrote for one failure serves the other, once they were merged', async () => {
  const world = await healingWorld();
  world.knows('anything', {}, { playbook: 'generated' });
  const [a, b] = [await world.fails('path_missing a.json'), await world.fails('port_in_use 1')];
  await world.library.write(
    'by_hand',
    `import { definePlaybook } from 'grace-runtime';
export default definePlaybook({ name: 'by_hand', description: 'd', risk: 'low', tier: 'tier_1', service: 'boot_pipeline',
  match: { signature: '${b.failure.signature}' }, params: {}, verify: {},
  async run(ctx) { await ctx.step('set', 'set', { key: 'hand', to: 'made' }); } });`,
  );
  await syncPlaybooks(world.library, world.playbooks, world.clock);
  const decision = { id: 'gr_1', by: 'ada', atMs: 1, reason: 'one pool' };
  const { rule, into } = mergePatterns(b.pattern, a.pattern, [], decision);
  await world.groupingRules.save(rule, [into]);
  const again = await world.fails('path_missing a.json');
  expect(await world.heal(again)).toMatchObject({ state: 'applied', run: { playbook: 'by_hand' } });
  expect(world.settings).toEqual({ hand: 'made' });
  const other = await world.fails('port_in_use 1');
  expect(other).toMatchObject({ isNew: false, pattern: { incidentId: a.pattern.incidentId, occurrences: 4 } });
});

test('a proposal explains and remembers, and does nothing', async () => {
  const world = await healingWorld();
  world.knows('port_in_use', {}, {});
  const captured = await world.fails('port_in_use 3000');
  const { playbook, registered, explanation } = await propose(captured, world.spec(), {
    incidents: world.incidents,
    playbooks: world.playbooks,
    knowledge: async () => ({ families: world.families, primitives: world.primitives }),
    caseFile: async () => ({ failure: captured.failure, component: world.spec(), attempts: [], drift: [] }) as never,
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    projectDir: world.dir,
  });
  expect({ playbook, registered }).toEqual({ playbook: 'fix_port_in_use', registered: null });
  expect(explanation).toMatchObject({ cause: 'because of port_in_use', outcome: 'open', playbook: null });
  expect(world.settings).toEqual({});
  expect(await world.library.files()).toEqual([]);
  expect(await world.incidents.patterns()).toMatchObject([{ familyName: 'port_in_use', rootCause: 'because of port_in_use' }]);
});
