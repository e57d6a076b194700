import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readLine } from './canonical-line.ts';

const entryWith = (payload: unknown): string =>
  canonicalize({
    action: 'heal.plan',
    actor: 'grace',
    payload: { payload },
    resource: 'svc/checkout',
    result: 'ok',
    sequence: 7,
    subsystem: 'healing',
    timestamp: '2026-01-01T00:00:00.000Z',
  }) ?? '';
const read = (text: string): ReturnType<typeof readLine> => readLine(Buffer.from(text));

test('an entry in the form that the library of the vectors gives it is one, whatever its payload', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5, stringUnit: 'grapheme' }), (payload) => {
      expect(read(entryWith(payload))).toMatchObject({ state: 'entry', sequence: 7 });
    }),
    { numRuns: 300 },
  );
});

test('numbers that Grace itself refuses to write are canonical where they are written as RFC 8785 has it', () => {
  for (const number of [2 ** 53, 1e21, 1.5e300, 123456789012345680000]) expect(read(entryWith(number)).state).toBe('entry');
  expect(read(entryWith(2 ** 53).replace('9007199254740992', '9007199254740993'))).toMatchObject({ kind: 'not_canonical', sequence: 7 });
});

test('the same entry in any other form is none', () => {
  const text = entryWith({ a: [1, 2.5], b: 'x/y' });
  for (const other of [
    text.replace('"a":[1,2.5],"b":"x/y"', '"b":"x/y","a":[1,2.5]'),
    text.replace('[1,2.5]', '[1, 2.5]'),
    text.replace('2.5', '2.50'),
    text.replace('2.5', '25e-1'),
    text.replace('x/y', String.raw`x\/y`),
    text.replace('x/y', String.raw`\u0078/y`),
    text.replace('"b":', '"b":"x/y","b":'),
    `${text} `,
    `\ufeff${text}`,
  ]) {
    expect(other).not.toBe(text);
    expect(read(other)).toMatchObject({ state: 'wrong', kind: 'not_canonical' });
  }
});
