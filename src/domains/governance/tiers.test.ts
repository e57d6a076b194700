import { expect, test } from 'vitest';
import { decide, QUORUM, type DecisionInput } from './tiers.ts';

const ask = (change: Partial<DecisionInput> = {}) =>
  decide({
    action: 'free_port',
    component: 'api',
    risk: 'low',
    tier: 'tier_1',
    phase: 'boot',
    executeAtRuntime: false,
    isApproved: false,
    ...change,
  });

const open = { isApproved: false };
const approved = { isApproved: true };

test.each([
  ['tier_1', open, 'allow'],
  ['tier_1', approved, 'allow'],
  ['tier_2', open, 'allow_with_notice'],
  ['tier_2', approved, 'allow_with_notice'],
  ['tier_3', open, 'needs_approval'],
  ['tier_3', approved, 'allow_with_notice'],
  ['tier_4', open, 'needs_approval'],
  ['tier_4', approved, 'allow_with_notice'],
] as const)('at boot %s with %o: %s', (tier, approval, verdict) => {
  expect(ask({ tier, ...approval }).verdict).toBe(verdict);
});

test('tier_3 asks one person, tier_4 a quorum of several', () => {
  expect(ask({ tier: 'tier_3' })).toMatchObject({ approvals: 1 });
  expect(ask({ tier: 'tier_4' })).toMatchObject({ approvals: QUORUM });
  expect(QUORUM).toBeGreaterThan(1);
});

test.each(['tier_1', 'tier_2', 'tier_3', 'tier_4'] as const)('at run time %s only observes, even when it is approved', (tier) => {
  expect(ask({ tier, phase: 'runtime', isApproved: true })).toMatchObject({
    verdict: 'observe',
    reason: expect.stringContaining('SELF_HEAL_EXECUTE'),
  });
});

test('leave to act at run time changes no tier', () => {
  for (const tier of ['tier_1', 'tier_2', 'tier_3', 'tier_4'] as const)
    for (const isApproved of [true, false])
      expect(ask({ tier, isApproved, phase: 'runtime', executeAtRuntime: true })).toEqual(ask({ tier, isApproved }));
});
