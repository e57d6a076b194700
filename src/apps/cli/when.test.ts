import { expect, it } from 'vitest';
import { when } from './when.ts';

it.each([
  [0, 'just now'],
  [9_999, 'just now'],
  [10_000, '10 s ago'],
  [59_400, '59 s ago'],
  [60_000, '1 min ago'],
  [3_600_000, '1 h ago'],
  [86_400_000, '1 day ago'],
  [6 * 86_400_000, '6 days ago'],
  [-7_200_000, 'in 2 h'],
])('tells how long ago %d ms is', (agoMs, text) => {
  expect(when(1_000_000_000_000 - agoMs, 1_000_000_000_000)).toBe(text);
});

it('gives the date of what is older than a week', () => {
  expect(when(Date.UTC(2026, 0, 2), Date.UTC(2026, 5, 1))).toBe('2026-01-02');
});
