import { afterEach, beforeEach, expect, test } from 'vitest';
import type { PortHolder } from '../domains/playbooks/index.ts';
import { primitives } from './index.ts';
import { Sandbox } from './testing/sandbox.ts';

const name = 'use_another_port';
const params = { variable: 'PORT', port: 3000 };
let box: Sandbox;
beforeEach(async () => {
  box = await new Sandbox().make();
  box.environment['PORT'] = '3000';
  box.holders.set(3000, held('foreign'));
});
afterEach(() => box.remove());

function held(relation: PortHolder['relation']): PortHolder {
  return {
    pid: 4242,
    startTicks: 5,
    command: 'node',
    argv: ['node', 'other.js'],
    cwd: null,
    user: 'app',
    parentPid: 1,
    startedAtMs: 0,
    relation,
  };
}

test('takes the first port that nobody holds and nobody is configured with', async () => {
  box.holders.set(3001, held('foreign'));
  box.portNames.set(3002, ['port of web']);
  await box.apply(name, params);
  expect(box.overrides.env).toEqual({ PORT: '3003' });
  expect(box.said).toBe('PORT=3003 from the next start');
});

test('puts back the override that there was, and none where there was none', async () => {
  box.overrides = { ...box.overrides, env: { PORT: '3000', LANG: 'C' } };
  await box.undo(name, await box.apply(name, params));
  expect(box.overrides.env).toEqual({ PORT: '3000', LANG: 'C' });
  box.overrides = { ...box.overrides, env: { LANG: 'C' } };
  await box.undo(name, await box.apply(name, params));
  expect(box.overrides.env).toEqual({ LANG: 'C' });
});

test('leaves the port that a person has chosen since', async () => {
  const record = await box.apply(name, params);
  box.overrides = { ...box.overrides, env: { PORT: '8080' } };
  expect(await box.undo(name, record)).toEqual(['PORT was chosen anew since, and stays so']);
  expect(box.overrides.env).toEqual({ PORT: '8080' });
});

test('refuses where the component does not have its port from that variable', async () => {
  box.environment['PORT'] = '8080';
  expect(await box.refusal(name, params)).toBe('PORT of web is not 3000');
  delete box.environment['PORT'];
  expect(await box.refusal(name, params)).toBe('web is started without PORT');
});

test('has nothing to do where nobody holds the port, and refuses where it is held by what Grace sees to', async () => {
  box.holders.set(3000, null);
  expect(await box.plan(name, params)).toMatchObject({ state: 'nothing_to_do' });
  box.holders.set(3000, held('managed'));
  expect(await box.refusal(name, params)).toMatch(/a process that Grace runs now/);
  box.holders.set(3000, held('own_stale'));
  expect(await box.refusal(name, params)).toMatch(/stale copy of web, which free_port ends/);
  box.holders.set(3000, held('own_other'));
  expect(await box.plan(name, params)).toMatchObject({ state: 'ready' });
});

test('refuses where somebody else counts on the port, and says who and what to do', async () => {
  box.portNames.set(3000, ['smoke check "home"', 'component shop (API_URL)']);
  expect(await box.refusal(name, params)).toBe(
    'port 3000 is named elsewhere too (smoke check "home", component shop (API_URL)): choose another by hand, there and in PORT',
  );
  box.portNames.set(3000, ['a', 'b', 'c', 'd', 'e', 'f', 'g']);
  expect(await box.refusal(name, params)).toMatch(/\(a, b, c, d, e and 2 more\)/);
});

test('looks within its range only, and never at the ports of root', async () => {
  for (const port of [4000, 4001]) box.holders.set(port, held('foreign'));
  expect(await box.refusal(name, { ...params, from: 4000, to: 4001 })).toBe('no port from 4000 to 4001 is free');
  expect(await box.plan(name, { ...params, from: 4000 })).toMatchObject({ undo: { to: '4002' } });
  expect(await box.plan(name, { ...params, from: 3000, to: 3001 })).toMatchObject({ undo: { to: '3001' } });
  box.environment['PORT'] = '80';
  box.holders.set(80, held('foreign'));
  expect(await box.plan(name, { ...params, port: 80 })).toMatchObject({ undo: { to: '1024' } });
});

test('does not act when the port, the environment or the override has become another since the plan', async () => {
  const plan = await box.plan(name, params);
  const undo = plan.state === 'ready' ? plan.undo : null;
  const primitive = primitives.get(name);
  const apply = async () => primitive?.apply(primitive.parse(params), box.context(), undo);
  box.holders.set(3001, held('foreign'));
  await expect(apply()).rejects.toThrow(/port 3001 was taken/);
  box.holders.delete(3001);
  box.overrides = { ...box.overrides, env: { PORT: '3000' } };
  await expect(apply()).rejects.toThrow(/PORT was chosen anew/);
  box.overrides = { ...box.overrides, env: {} };
  box.environment['PORT'] = '8080';
  await expect(apply()).rejects.toThrow(/PORT of web is not 3000/);
  expect(box.overrides.env).toEqual({});
});

test.each([
  [{ variable: '1PORT' }, /no name of a variable/],
  [{ variable: 'TIMEOUT' }, /not named like a port/],
  [{ variable: 'EXPORT' }, /not named like a port/],
  [{ variable: 'DB_PORT' }, /something that the component connects to/],
  [{ from: 4001, to: 4000 }, /no port from 4001 to 4000/],
  [{ port: 65_535 }, /no port from 65536/],
  [{ from: 2000, to: 3000 }, /more than 1000 ports/],
  [{ from: 80 }, /"from" has to be a whole number from 1024/],
])('%o is misuse', async (change, problem) => {
  await expect(box.plan(name, { ...params, ...change })).rejects.toThrow(problem);
});
