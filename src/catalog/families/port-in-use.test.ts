import { expect, test } from 'vitest';
import { portInUse } from './port-in-use.ts';
import { choose, component, drift, fact, guardAfter, stepsOf, type World } from './testing.ts';

const stale: World = { component: { port: 3000 }, facts: [fact('port_in_use', '3000')], holders: { 3000: { relation: 'own_stale' } } };

test('ends only an old copy of the component that nobody looks after', async () => {
  const { chosen } = await choose(stale);
  expect(chosen?.remedy).toMatchObject({ playbook: 'free_port_3000', tier: 'tier_2', restart: true });
  expect(stepsOf(chosen)).toEqual(['free_port {"port":3000}', 'wait_for_port {"port":3000,"timeoutMs":30000}']);
});

test.each(['foreign', 'own_other'] as const)('names a holder that is %s and waits for it', async (relation) => {
  const { best, chosen } = await choose({ ...stale, holders: { 3000: { relation, command: 'billing' } } });
  expect(chosen).toBeNull();
  expect(best.cause).toContain('port 3000 is in use by');
  expect(best.waitFor).toEqual({ kind: 'port_free', port: 3000 });
});

test('sees a foreign holder although the service exits 0 and says nothing', async () => {
  const { best, chosen } = await choose({
    component: { port: 3000 },
    holders: { 3000: { relation: 'foreign', command: 'billing' } },
    drift: [drift('changed', 'server.js')],
  });
  expect(chosen).toBeNull();
  expect(best.cause).toContain('port 3000 is in use by billing');
});

test('sees an old copy that answers instead of the new one', async () => {
  expect(stepsOf((await choose({ ...stale, symptom: 'wrong_process', facts: [] })).chosen)[0]).toBe('free_port {"port":3000}');
});

test('does not take the component itself for a stranger', async () => {
  const { all } = await choose({ symptom: 'smoke', pid: 4711, component: { port: 3000 }, holders: { 3000: { relation: 'managed' } } });
  expect(all.map((d) => d.family)).not.toContain('port_in_use');
});

test('tells two components of one configuration apart that want the same port', async () => {
  const { best, chosen } = await choose({
    ...stale,
    holders: { 3000: { relation: 'managed' } },
    components: [component({ name: 'web', port: 3000 })],
  });
  expect(chosen).toBeNull();
  expect(best.cause).toContain('"web"');
});

test('starts again when the port is free by now', async () => {
  expect(stepsOf((await choose({ ...stale, holders: {} })).chosen).map((s) => s.split(' ')[0])).toEqual([
    'wait_for_port',
    'restart_component',
  ]);
});

test('guards the port for old copies, not for others', async () => {
  expect(await guardAfter(portInUse, stale, stale)).toContain('port 3000 is in use by an old copy of api');
  expect(await guardAfter(portInUse, stale, { ...stale, holders: {} })).toBeNull();
});
