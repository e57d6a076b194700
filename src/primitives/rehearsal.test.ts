import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '../kernel/index.ts';
import { observeTargets, PrimitiveMisuse, type PrimitivePlan } from '../domains/playbooks/index.ts';
import { primitives } from './index.ts';
import { REHEARSALS, type Rehearsal } from './testing/rehearsals.ts';
import { Sandbox } from './testing/sandbox.ts';

let box: Sandbox;
beforeEach(async () => {
  box = await new Sandbox().make();
});
afterEach(() => box.remove());

test('every primitive is rehearsed', () => {
  expect(Object.keys(REHEARSALS).toSorted()).toEqual([...primitives.keys()].toSorted());
});

test('what has no undo says why, and cannot be done by itself', () => {
  for (const { name, undo, irreversible } of primitives.values()) if (undo === null) expect(irreversible, name).toMatch(/\w+ \w+ \w+/);
});

const all = [...primitives.values()].map((primitive) => ({ name: primitive.name, primitive, rehearsal: REHEARSALS[primitive.name] }));
const rehearsed = all.flatMap(({ rehearsal, ...rest }) => (rehearsal === undefined ? [] : [{ ...rest, rehearsal }]));

describe.each(rehearsed)('$name', ({ name, primitive, rehearsal }) => {
  const isLacking = (rehearsal.lacks ?? null) !== null;
  const can = test.skipIf(isLacking);

  can('is ready where it is for something, and touches nothing to tell', async () => {
    const params = await rehearsal.ready(box);
    const before = await whole(rehearsal);
    const plan = await readyPlan(name, params);
    expect(plan.targets.length).toBeGreaterThan(0);
    expect(await whole(rehearsal)).toEqual(before);
  });

  test.skipIf(typeof rehearsal.absent === 'string')('touches nothing where what it is for is not there', async () => {
    const before = await box.everything();
    expect(await careful(name, rehearsal.absent as JsonObject)).not.toBe('ready');
    expect(await box.everything()).toEqual(before);
  });

  test.skipIf(isLacking || typeof rehearsal.disturb === 'string')('does not act when that has changed since the plan', async () => {
    const params = await rehearsal.ready(box);
    const plan = await readyPlan(name, params);
    if (typeof rehearsal.disturb !== 'string') await rehearsal.disturb(box);
    const before = await seen(rehearsal);
    const changed = await primitive.apply(primitive.parse(params), box.context(), plan.undo).then(
      (result) => result.changed,
      () => [],
    );
    expect(changed).toEqual([]);
    expect(await seen(rehearsal)).toEqual(before);
    expect(box.asked).toEqual([]);
  });

  if (primitive.undo === null) return;

  can('is as before once it is undone, also twice', async () => {
    const params = await rehearsal.ready(box);
    const before = await seen(rehearsal);
    const plan = await readyPlan(name, params);
    const observed = (): Promise<Json> => observeTargets(primitive, plan.targets, box.context());
    const observedBefore = await observed();
    await primitive.apply(primitive.parse(params), box.context(), plan.undo);
    const isDifferent = JSON.stringify(await observed()) !== JSON.stringify(observedBefore);
    expect(isDifferent, 'what it changes is among what it observes').toBe(rehearsal.onlyLooks !== true && rehearsal.stays === undefined);
    for (const _time of [1, 2]) {
      const kept = await box.undo(name, JSON.parse(JSON.stringify(plan.undo)) as Json);
      if (rehearsal.stays !== undefined) {
        expect(kept).toEqual([expect.stringMatching(rehearsal.stays)]);
        continue;
      }
      expect(kept).toEqual([]);
      expect(await observed()).toEqual(observedBefore);
      expect(await seen(rehearsal)).toEqual(before);
    }
  });

  can('is as before once it is undone wherever Grace died', async () => {
    const params = await rehearsal.ready(box);
    const { wrong, cuts } = await box.undoneAfterEveryCut(
      name,
      params,
      await seen(rehearsal),
      () => seen(rehearsal),
      rehearsal.stays ?? rehearsal.staysCutOff,
    );
    expect(wrong).toBeNull();
    expect(cuts).toBeGreaterThanOrEqual(rehearsal.onlyLooks ? 0 : 1);
  });
});

/** All that a plan must leave alone. */
async function whole(rehearsal: Rehearsal): Promise<Json> {
  return { everything: await box.everything(), more: (await rehearsal.state?.(box)) ?? null };
}

/** What an undo has to bring back. A database that is looked into is compared by what it holds, not by its bytes. */
async function seen(rehearsal: Rehearsal): Promise<Json> {
  const files = Object.entries(await box.state()).filter(([path]) => rehearsal.state === undefined || !path.startsWith('/app.db'));
  return { files: Object.fromEntries(files), overrides: { ...box.overrides }, more: (await rehearsal.state?.(box)) ?? null };
}

async function readyPlan(name: string, params: JsonObject): Promise<Extract<PrimitivePlan, { state: 'ready' }>> {
  const plan = await box.plan(name, params);
  if (plan.state !== 'ready') throw new Error(`${name} is not ready: ${JSON.stringify(plan)}`);
  return plan;
}

async function careful(name: string, params: JsonObject): Promise<string> {
  try {
    return (await box.plan(name, params)).state;
  } catch (error) {
    if (error instanceof PrimitiveMisuse) return 'misuse';
    throw error;
  }
}
