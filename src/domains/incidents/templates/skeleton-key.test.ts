import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SkeletonKeys } from './skeleton-key.ts';
import { VARIABLE_TEXT, variable, type Token } from './token.ts';

const tokensOf = (...texts: readonly string[]): readonly Token[] =>
  texts.map((text) => (text === VARIABLE_TEXT ? variable(true) : { text, kind: 'word', gap: true }));

test('depends on the texts and on their order', () => {
  const lists = [['a', 'b'], ['b', 'a'], ['a', 'b', 'b'], ['ab'], ['a', 'a'], ['b', 'b'], []];
  expect(new Set(lists.map((texts) => new SkeletonKeys(tokensOf(...texts)).whole)).size).toBe(lists.length);
});

test('is one for all lists that differ in the open position only, and for no others', () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { minLength: 1, maxLength: 8 }), fc.nat(), fc.string(), (texts, n, other) => {
      const at = n % texts.length;
      const changed = texts.with(at, other);
      const [one, two] = [new SkeletonKeys(tokensOf(...texts)), new SkeletonKeys(tokensOf(...changed))];
      expect(two.open(at)).toBe(one.open(at));
      expect(two.openAll([at])).toBe(one.openAll([at]));
      expect(two.whole === one.whole).toBe(texts[at] === other);
    }),
  );
});

test('tells the same list with one open position from that with another', () => {
  const keys = new SkeletonKeys(tokensOf('a', VARIABLE_TEXT, VARIABLE_TEXT));
  expect(keys.open(1)).not.toBe(keys.open(2));
});

test('is a safe whole number', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), (texts) => {
      const { whole } = new SkeletonKeys(tokensOf(...texts));
      expect(Number.isSafeInteger(whole) && whole >= 0).toBe(true);
    }),
  );
});
