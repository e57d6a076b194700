import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shapeOf } from './shape.ts';

test.each([
  ['numbers', 'took 125 ms, then 7', 'took 0 ms, then 0'],
  ['numbers within words', 'worker12 of pool3b', 'worker0 of pool0b'],
  ['hexadecimal numbers', 'at 0x7FED806e, id 9f3c2ab1', 'at 0, id 0'],
  ['hexadecimal numbers without a digit', 'mask ffffffff', 'mask 0'],
  ['a UUID', '7c9e6679-7425-40de-944b-e07fc1f90ae7', '0-0-0-0-0'],
])('takes the value of %s out', (_what, line, shape) => {
  expect(shapeOf(line)).toBe(shape);
});

test.each([
  ['words of the letters a to f', 'a bad face faded'],
  ['letters that only look like a number at their start', 'abcdefgh'],
  ['other scripts and their digits', 'Grüße 世界 ٣'],
])('leaves %s alone', (_what, line) => {
  expect(shapeOf(line)).toBe(line);
});

test('keeps the names of devices apart, though some are spelled like hexadecimal numbers', () => {
  expect(shapeOf('fd0 eda2 wlan1 ee1')).toBe('fd0 eda0 wlan0 ee0');
});

test('gives lines that differ in numbers one shape, and is its own shape', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(), fc.nat(), (text, a, b) => {
      expect(shapeOf(`${text} ${a}`)).toBe(shapeOf(`${text} ${b}`));
      expect(shapeOf(shapeOf(text))).toBe(shapeOf(text));
    }),
  );
});
