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
