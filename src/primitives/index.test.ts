import { afterEach, beforeEach, expect, test } from 'vitest';
import { primitives } from './index.ts';
import { Sandbox } from './testing/sandbox.ts';

let box: Sandbox;
beforeEach(async () => {
  box = await new Sandbox().make();
});
afterEach(() => box.remove());

test.each([...primitives.values()].filter((p) => p.undo === null))('$name says why it has no undo', ({ irreversible }) => {
  expect(irreversible).toMatch(/\w+ \w+/);
});

test.each([...primitives.values()])('$name takes an unknown parameter for a typing mistake', ({ parse }) => {
  expect(() => parse({ '?': 1 })).toThrow(/there is no parameter "\?"/);
});

test('what has become wrong since the plan is refused at the moment of action', async () => {
  box.component = { ...box.component, optional: true };
  const params = { reason: 'its tool is missing' };
  const plan = await box.plan('skip_component', params);
  if (plan.state !== 'ready') throw new Error('not ready');
  box.component = { ...box.component, optional: false };
  await expect(primitives.get('skip_component')?.apply(params, box.context(), plan.undo)).rejects.toThrow(/not optional/);
  expect(box.overrides.skip).toBe(false);
});

const OVERRIDES = [
  ['set_env_override', { name: 'LANG', value: 'C.UTF-8' }],
  ['raise_heap_limit', { toMb: 512 }],
  ['raise_open_files', { to: 2048 }],
  ['skip_component', { reason: 'its tool is missing' }],
] as const;

test.each(OVERRIDES)('%s is seen to have changed what it changes, and to have put it back, also twice', async (name, params) => {
  box.component = { ...box.component, optional: true };
  const plan = await box.plan(name, params);
  if (plan.state !== 'ready') throw new Error('not ready');
  const observed = async () => primitives.get(name)?.observe?.(plan.targets, box.context());
  const before = await observed();
  const record = await box.apply(name, params);
  expect(await observed()).not.toEqual(before);
  for (const _time of [1, 2]) {
    await box.undo(name, record);
    expect(await observed()).toEqual(before);
  }
});

test('an undo says which directory it left because somebody uses it', async () => {
  const record = await box.apply('make_directory', { path: 'uploads' });
  await box.write('uploads/photo.jpg', 'x');
  expect(await primitives.get('make_directory')?.undo?.(record, box.context())).toEqual([
    `${box.path('uploads')} holds something by now and stays`,
  ]);
});
