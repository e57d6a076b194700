import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HintIndex } from './hints.ts';
import { rule, type Rule } from './rule.ts';

const waitingFor = (...hints: string[]): Rule => rule(hints, /x/, () => null);

describe('a rule is tried on a line', () => {
  const index = new HintIndex([
    waitingFor('Address already in use', 'EADDRINUSE'),
    waitingFor('in use'),
    waitingFor('('),
    waitingFor('ab', 'never'),
    waitingFor('EADDR'),
  ]);

  test.each([
    ['that has one of its hints, in the order of the rules', 'EADDRINUSE (98): Address already in use', [0, 1, 2, 4]],
    ['once, however often the hint is there', 'in use, in use, in use', [1]],
    ['that ends with its hint', 'port in use', [1]],
    ['whose hint has two letters', 'cab', [3]],
    ['that is nothing but its hint', 'EADDR', [4]],
  ])('%s', (_which, line, rules) => {
    expect(index.rulesFor(line)).toEqual(rules);
  });

  test('and not on one without its hints, however near', () => {
    expect(index.rulesFor('EADD RINUSE, in  use')).toEqual([]);
    expect(index.rulesFor('')).toEqual([]);
  });
});

test('the index finds what a search of every hint would find', () => {
  const word = fc.stringMatching(/^[abc:]{1,6}$/);
  fc.assert(
    fc.property(
      fc.array(fc.array(word, { minLength: 1, maxLength: 3 }), { maxLength: 8 }),
      fc.stringMatching(/^[abc:]{0,40}$/),
      (hints, line) => {
        const rules = hints.map((one) => waitingFor(...one));
        const expected = hints.flatMap((one, at) => (one.some((hint) => line.includes(hint)) ? [at] : []));
        expect(new HintIndex(rules).rulesFor(line)).toEqual(expected);
      },
    ),
  );
});
