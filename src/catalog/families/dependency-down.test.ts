import { expect, test } from 'vitest';
import { dependencyDown } from './dependency-down.ts';
import { choose, dependency, fact, guardAfter, stepsOf, type World } from './testing.ts';

const refused = [fact('connection_refused', '127.0.0.1:5432')];
const startable = dependency({ command: ['pg_ctl', 'start'] });
const START = ['start_dependency {"name":"db"}', 'wait_for_dependency {"host":"127.0.0.1","port":5432,"timeoutMs":60000}'];

test('starts the dependency with its declared command', async () => {
  const sick: World = { facts: refused, components: [startable] };
  const { chosen } = await choose(sick);
  expect(stepsOf(chosen)).toEqual(START);
  expect(chosen?.remedy).toMatchObject({ playbook: 'start_db', tier: 'tier_2', restart: true });
  expect(await guardAfter(dependencyDown, sick, sick)).toContain('nothing answers at 127.0.0.1:5432');
  expect(await guardAfter(dependencyDown, sick, { ...sick, reachable: ['127.0.0.1:5432'] })).toBeNull();
});

test('an attempt to connect that times out is a dependency that does not answer', async () => {
  const dropped = [fact('timeout', '10.0.0.9:5432', { code: 'ETIMEDOUT' })];
  const { best } = await choose({ facts: dropped, components: [] });
  expect([best.family, best.cause]).toEqual(['dependency_down', expect.stringContaining('nothing answers at 10.0.0.9:5432')]);
  expect(best.waitFor).toEqual({ kind: 'reachable', host: '10.0.0.9', port: 5432 });
});

test.each([
  ['something that can be reached took too long', '10.0.0.9:5432', ['10.0.0.9:5432']],
  ['nobody says what took too long', 'the request', []],
])('a timeout is another failure when %s', async (_when, subject, reachable) => {
  const { best } = await choose({ facts: [fact('timeout', subject)], components: [], reachable });
  expect(best.family).toBe('unexplained');
});

test('waits for a dependency that nobody here may start', async () => {
  const { best, chosen } = await choose({ facts: refused, components: [dependency()] });
  expect(chosen).toBeNull();
  expect(best.waitFor).toEqual({ kind: 'reachable', host: '127.0.0.1', port: 5432 });
});

test('sees a dependency that is down although the output is silent', async () => {
  expect(stepsOf((await choose({ symptom: 'smoke', components: [startable] })).chosen)).toEqual(START);
});

test('never restarts a running component for a dependency that is down', async () => {
  const { chosen } = await choose({ stage: 'runtime', symptom: 'liveness', facts: refused, components: [startable] });
  expect(chosen?.remedy).toMatchObject({ playbook: 'start_db', restart: false });
  expect((await choose({ stage: 'runtime', symptom: 'liveness', facts: refused, components: [dependency()] })).chosen).toBeNull();
});

test('restarts a running component that does not find its way back to a dependency that is up', async () => {
  const { chosen } = await choose({
    stage: 'runtime',
    symptom: 'liveness',
    facts: refused,
    components: [startable],
    reachable: ['127.0.0.1:5432'],
  });
  expect(chosen?.family).toBe('hung');
});

test('starts again when the dependency came late', async () => {
  const { chosen } = await choose({ facts: refused, components: [startable], reachable: ['127.0.0.1:5432'] });
  expect(chosen?.remedy?.playbook).toMatch(/^retry_with/);
});

test('does not start a dependency a second time that did not come up', async () => {
  const { best, chosen } = await choose({ facts: refused, components: [startable], attempts: ['start_db'] });
  expect(chosen).toBeNull();
  expect(best.cause).toContain('did not bring it up');
});

test('waits for a database that is still starting up', async () => {
  const { chosen } = await choose({
    facts: [fact('not_ready_yet', 'postgres')],
    components: [dependency()],
    reachable: ['127.0.0.1:5432'],
  });
  expect(stepsOf(chosen)[0]).toContain('wait_for_dependency');
});

test('does not take the address of the component itself for a dependency', async () => {
  const { all } = await choose({ component: { port: 3000 }, facts: [fact('connection_refused', 'localhost:3000')] });
  expect(all.map((d) => d.family)).not.toContain('dependency_down');
});

test('lets a dependency of ours go on that was stopped, and no stranger on its port', async () => {
  const db = dependency({ command: ['pg_ctl', 'start'], roots: ['/srv/db'] });
  const stopped = (cwd: string): World => ({
    symptom: 'dependency',
    component: db,
    reachable: ['127.0.0.1:5432'],
    holders: { 5432: { pid: 77, cwd } },
    processes: { 77: { state: 'T', cwd } },
  });
  expect(stepsOf((await choose(stopped('/srv/db/data'))).chosen)).toEqual(['resume_process {}']);
  expect((await choose(stopped('/srv/other'))).chosen).toBeNull();
  expect((await choose({ ...stopped('/srv/db/data'), component: { ...db, command: [] } })).chosen).toBeNull();
});
