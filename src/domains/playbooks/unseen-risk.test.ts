import { expect, test } from 'vitest';
import { unseenRisk } from './unseen-risk.ts';

test('more risk than the playbook claims is told', () => {
  expect(unseenRisk('this use of write', 'high', 'low', 'tier_1')).toBe(
    "this use of write has high risk, and no policy could see that it is in here: let the playbook claim risk: 'high', not 'low'",
  );
  expect(unseenRisk('write', 'high', 'medium', 'tier_3')).toMatch(/claim risk: 'high', not 'medium'/);
  expect(unseenRisk('write', 'high', 'high', 'tier_3')).toBeNull();
});

test('up to medium the author is believed', () => {
  expect(unseenRisk('write', 'medium', 'low', 'tier_1')).toBeNull();
});

test('critical risk is for the quorum, whatever is claimed', () => {
  expect(unseenRisk('shell', 'critical', 'critical', 'tier_3')).toMatch(/has to be tier_4/);
  expect(unseenRisk('shell', 'critical', 'low', 'tier_4')).toBeNull();
});
