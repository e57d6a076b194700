import { expect, test } from 'vitest';
import { tierAllowed } from './tiers.ts';

test('what cannot be undone runs with notice at least, whatever its playbook claims', () => {
  expect(tierAllowed('tier_1', 'low', true)).toBe('tier_2');
  expect(tierAllowed('tier_1', 'medium', true)).toBe('tier_2');
});

test('what cannot be undone needs an approval where its risk is high', () => {
  expect(tierAllowed('tier_1', 'high', true)).toBe('tier_3');
  expect(tierAllowed('tier_2', 'critical', true)).toBe('tier_3');
});

test('a stricter tier stays, and so does what can be undone', () => {
  expect(tierAllowed('tier_4', 'high', true)).toBe('tier_4');
  expect(tierAllowed('tier_3', 'low', true)).toBe('tier_3');
  expect(tierAllowed('tier_1', 'high', false)).toBe('tier_1');
});
