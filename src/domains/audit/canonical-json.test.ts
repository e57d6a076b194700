import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalJson } from './canonical-json.ts';
import { EntryRefused } from './errors.ts';

test('any JSON value has the text that the library of the vectors gives it', () => {
  const json = fc.jsonValue({ maxDepth: 5, stringUnit: 'binary' });
  fc.assert(
    fc.property(json, (value) => {
      let own: string;
      try {
        own = canonicalJson(value, 'payload');
      } catch (error) {
        // Whole numbers beyond 2^53 - 1 are refused here alone; of other values there are none that JSON has.
        expect(error).toBeInstanceOf(EntryRefused);
        expect(JSON.stringify(value)).toMatch(/\d{16}|e\+/);
        return;
      }
      expect(own).toBe(canonicalize(value));
    }),
    { numRuns: 300 },
  );
});

test('any number and any text, too', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.string({ unit: 'binary' }), (number, text) => {
      if (!Number.isInteger(number) || Number.isSafeInteger(number)) expect(canonicalJson(number, 'n')).toBe(canonicalize(number));
      expect(canonicalJson(text, 't')).toBe(canonicalize(text));
    }),
    { numRuns: 300 },
  );
});

test('names are in order, however many there are', () => {
  const object = fc.dictionary(fc.string({ unit: 'binary', maxLength: 3 }), fc.nat(), { minKeys: 10, maxKeys: 30, noNullPrototype: true });
  fc.assert(
    fc.property(object, (value) => {
      expect(canonicalJson(value, 'payload')).toBe(canonicalize(value));
    }),
  );
});

test('names that read as numbers are put in the order of texts', () => {
  expect(canonicalJson({ b: 1, 10: 2, 9: 3 }, 'payload')).toBe('{"10":2,"9":3,"b":1}');
});

test('a rewritten text is what is written, and a rewritten name decides its place', () => {
  const rewrite = (text: string): string => text.replace('secret', 'zz');
  expect(canonicalJson({ secret: ['a secret', 1], b: 'secret' }, 'payload', rewrite)).toBe('{"b":"zz","zz":["a zz",1]}');
});

test('a rewrite can not bring in half of a surrogate pair', () => {
  expect(() => canonicalJson({ a: 'x' }, 'payload', () => '\ud800')).toThrow(EntryRefused);
});
