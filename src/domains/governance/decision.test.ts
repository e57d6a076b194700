import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decisionOf, type FiredPolicy } from './decision.ts';

const policy = (id: string, effect: FiredPolicy['effect'], change: Partial<FiredPolicy> = {}): FiredPolicy => ({
  id,
  effect,
  reason: `because of ${id}`,
  approvals: null,
  verdict: null,
  overrides: null,
  isOverridable: false,
  ...change,
});

const permit = policy('fine', 'permit');
const waiver = policy('waiver', 'permit', { overrides: 'limit' });

test('what nothing permits is denied', () => {
  expect(decisionOf([], 9)).toMatchObject({ verdict: 'deny', policies: [] });
});

test('a notice outweighs a silent permit, and gives the reason', () => {
  expect(decisionOf([permit, policy('loud', 'permit', { verdict: 'notice' })], 0)).toEqual({
    verdict: 'allow_with_notice',
    reason: 'because of loud',
    policies: ['loud', 'fine'],
  });
});

test('refusing outweighs observing, and observing outweighs asking', () => {
  const ask = policy('ask', 'forbid', { approvals: 1 });
  const watch = policy('watch', 'forbid', { verdict: 'observe' });
  const no = policy('no', 'forbid');
  expect(decisionOf([ask, watch, no, permit], 0)).toMatchObject({ verdict: 'deny', policies: ['no'] });
  expect(decisionOf([ask, watch, permit], 0)).toMatchObject({ verdict: 'observe', policies: ['watch'] });
  expect(decisionOf([ask, permit], 0)).toMatchObject({ verdict: 'needs_approval', approvals: 1, policies: ['ask'] });
});

test('of several that ask, the one that asks most gives number and reason', () => {
  const [one, three] = [policy('one', 'forbid', { approvals: 1 }), policy('three', 'forbid', { approvals: 3 })];
  expect(decisionOf([one, three], 0)).toMatchObject({ approvals: 3, reason: 'because of three', policies: ['three', 'one'] });
});

test('one that still forbids with what it asked for wants more than that', () => {
  expect(decisionOf([policy('lies', 'forbid', { approvals: 1 })], 2)).toMatchObject({ verdict: 'needs_approval', approvals: 3 });
});

test('a limit is lifted only where it may be, and only by a permit that names it', () => {
  const limit = (isOverridable: boolean) => policy('limit', 'forbid', { approvals: 1, isOverridable });
  expect(decisionOf([limit(true), waiver], 0)).toEqual({ verdict: 'allow_with_notice', reason: 'because of waiver', policies: ['waiver'] });
  expect(decisionOf([limit(false), waiver], 0)).toMatchObject({ verdict: 'needs_approval' });
  expect(decisionOf([limit(true), permit], 0)).toMatchObject({ verdict: 'needs_approval' });
  expect(decisionOf([limit(true), policy('other', 'forbid'), waiver], 0)).toMatchObject({ verdict: 'deny', policies: ['other'] });
});

test('a permit that lifts a limit permits nothing where that limit does not hold', () => {
  expect(decisionOf([waiver], 0)).toMatchObject({ verdict: 'deny' });
});

test('whatever holds beside it: a forbid that is not lifted is never outweighed', () => {
  const any = fc.record({
    id: fc.constantFrom('a', 'b', 'c', 'd'),
    effect: fc.constantFrom('permit', 'forbid'),
    reason: fc.constant('x'),
    approvals: fc.option(fc.integer({ min: 1, max: 4 })),
    verdict: fc.constantFrom(null, 'notice', 'observe'),
    overrides: fc.option(fc.constantFrom('a', 'b', 'c', 'd')),
    isOverridable: fc.boolean(),
  }) as fc.Arbitrary<FiredPolicy>;
  fc.assert(
    fc.property(fc.array(any, { maxLength: 6 }), fc.nat({ max: 3 }), (fired, approvals) => {
      const { verdict } = decisionOf(fired, approvals);
      const lifts = fired.flatMap((p) => (p.effect === 'permit' && p.overrides !== null ? [p.overrides] : []));
      const stands = fired.some((p) => p.effect === 'forbid' && !(p.isOverridable && lifts.includes(p.id)));
      if (stands) expect(['deny', 'observe', 'needs_approval']).toContain(verdict);
      if (!fired.some((p) => p.effect === 'permit')) expect(['allow', 'allow_with_notice']).not.toContain(verdict);
    }),
  );
});
