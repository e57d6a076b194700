import { afterEach, beforeEach, expect, test } from 'vitest';
import { Sandbox } from './testing/sandbox.ts';

const name = 'scale_workers';
const params = { name: 'WEB_CONCURRENCY', to: 4, min: 2, max: 6 };
let box: Sandbox;
beforeEach(async () => {
  box = await new Sandbox().make();
});
afterEach(() => box.remove());

test('counts from what an env file says that the command reads by itself', async () => {
  await box.write('.env', 'WEB_CONCURRENCY=3\n');
  box.component = { ...box.component, envFiles: [box.path('.env')], loadEnvFiles: false };
  await box.apply(name, params);
  expect(box.overrides.env).toEqual({ WEB_CONCURRENCY: '4' });
  expect(await box.read('.env')).toBe('WEB_CONCURRENCY=3\n');
});

test('goes as far as its bounds and no further, and never the other way', async () => {
  box.environment['WEB_CONCURRENCY'] = '4';
  await box.apply(name, { ...params, to: 100 });
  expect(box.overrides.env).toEqual({ WEB_CONCURRENCY: '6' });
  expect(await box.plan(name, { ...params, to: 100 })).toMatchObject({ state: 'nothing_to_do' });
  box.overrides = { ...box.overrides, env: { WEB_CONCURRENCY: '10' } };
  expect(await box.refusal(name, { ...params, to: 12 })).toMatch(/is 10, and 2 to 6 is allowed/);
});

test('leaves alone what the component does not have, what is no number, and what counts something else', async () => {
  expect(await box.refusal(name, params)).toMatch(/has no WEB_CONCURRENCY/);
  box.environment['WEB_CONCURRENCY'] = 'auto';
  expect(await box.refusal(name, params)).toMatch(/not a number/);
  await expect(box.plan(name, { ...params, name: 'PORT' })).rejects.toThrow(/not named like a number/);
  await expect(box.plan(name, { ...params, min: 7 })).rejects.toThrow(/"min" is more than "max"/);
});

test('leaves the number that a person has chosen since', async () => {
  box.environment['WEB_CONCURRENCY'] = '3';
  const record = await box.apply(name, params);
  box.overrides = { ...box.overrides, env: { WEB_CONCURRENCY: '5' } };
  expect(await box.undo(name, record)).toEqual(['WEB_CONCURRENCY was chosen anew since, and stays so']);
});
