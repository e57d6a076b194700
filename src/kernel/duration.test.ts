import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDuration, parseDurationMs } from './duration.ts';

test.each([
  ['250ms', 250],
  ['1.5s', 1500],
  ['10m', 600_000],
  ['2h', 7_200_000],
  ['7d', 604_800_000],
  [' 3 s ', 3000],
  ['40', 40],
  ['0', 0],
  [0, 0],
  [12.5, 12.5],
])('reads %j as %d ms', (text, ms) => {
  expect(parseDurationMs(text)).toBe(ms);
});

test.each(['', 's', '-1s', '1 second', '1s2', '1,5s', '1e3', '.5s', 'NaN', -1, Number.NaN, Number.POSITIVE_INFINITY])(
  'takes %j for no duration',
  (text) => {
    expect(parseDurationMs(text)).toBeNull();
  },
);

test.each([
  [0, '0 ms'],
  [85.4, '85 ms'],
  [999.4, '999 ms'],
  [999.6, '1.0 s'],
  [3240, '3.2 s'],
  [59_940, '59.9 s'],
  [59_960, '1 min 00 s'],
  [245_000, '4 min 05 s'],
  [3_599_400, '59 min 59 s'],
  [3_599_600, '1 h 00 min'],
  [7_800_000, '2 h 10 min'],
])('says %d ms as %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

test('never says sixty of a unit that has a bigger one', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), (ms) => {
      expect(formatDuration(ms)).not.toMatch(/\b1000 ms|\b60(?:\.0)? (?:s|min)|(?:min|h) 60/);
    }),
  );
});
