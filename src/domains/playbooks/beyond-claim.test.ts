import { expect, test } from 'vitest';
import type { AutonomyTier, Risk } from '../governance/index.ts';
import { beyondClaim } from './beyond-claim.ts';

const use = (risk?: Risk, claimed: Risk = 'low', tier: AutonomyTier = 'tier_1') =>
  beyondClaim('write', { state: 'ready', summary: 'write code', targets: ['it'], undo: null, ...(risk && { risk }) }, claimed, tier);

test('a use with more risk than the playbook claims is told', () => {
  expect(use('high')).toBe(
    "this use of write has high risk (write code), and no policy could see that it is in here: let the playbook claim risk: 'high', not 'low'",
  );
  expect(use('high', 'medium', 'tier_3')).toMatch(/claim risk: 'high', not 'medium'/);
  expect(use('high', 'high', 'tier_3')).toBeNull();
});

test('critical risk is for the quorum, whatever is claimed', () => {
  expect(use('critical', 'critical', 'tier_3')).toMatch(/has to be tier_4/);
  expect(use('critical', 'low', 'tier_4')).toBeNull();
});

test('a use that says nothing has the risk of all', () => {
  expect(use()).toBeNull();
});
