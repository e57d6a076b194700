import { describe, expect, test } from 'vitest';
import { compareSignatures, readSignatureParts, type SignaturePart } from './signature-parts.ts';

const parts = (values: Partial<Record<SignaturePart['name'], string>>): SignaturePart[] =>
  Object.entries(values).map(([name, value]) => ({ name: name as SignaturePart['name'], value }));

describe('two signatures', () => {
  const users = parts({ version: '2', kind: 'relation_missing', code: '42P01', subject: 'users', place: 'db.js#query' });

  test('that are one have no difference', () => {
    expect(compareSignatures(users, [...users])).toEqual([]);
  });

  test('that are about different tables say so', () => {
    expect(
      compareSignatures(users, parts({ version: '2', kind: 'relation_missing', code: '42P01', subject: 'orders', place: 'db.js#query' })),
    ).toEqual([{ name: 'subject', a: 'users', b: 'orders', words: 'they are about different things: users and orders' }]);
  });

  test('tell the kind before the place', () => {
    const other = parts({ version: '2', kind: 'exception', code: '', subject: 'users', place: 'db.js#load' });
    expect(compareSignatures(users, other).map((difference) => difference.name)).toEqual(['kind', 'code', 'place']);
    expect(compareSignatures(users, other)[1]?.words).toBe('the code differs: 42P01 and nothing');
  });

  test('of different versions differ in the version, and in what both of them know', () => {
    const old = readSignatureParts(['v1', 'api', 'node|exception|X|', 'Error: no', 'a.js#b']);
    const now = parts({ version: '2', component: 'api', runtime: 'node', kind: 'exception', code: 'X', message: 'no', place: 'a.js#c' });
    expect(compareSignatures(old, now).map((difference) => difference.name)).toEqual(['version', 'place']);
  });
});

describe('stored parts', () => {
  test('come back as they were', () => {
    const now = parts({ version: '2', component: 'api', kind: 'timeout' });
    expect(readSignatureParts(JSON.parse(JSON.stringify(now)))).toEqual(now);
  });

  test('of version 1 get their names', () => {
    expect(readSignatureParts(['v1', 'api', 'node|unexplained||exit:3', 'died', ''])).toEqual(
      parts({
        version: '1',
        component: 'api',
        runtime: 'node',
        kind: 'unexplained',
        code: '',
        outcome: 'exit:3',
        subject: 'died',
        place: '',
      }),
    );
  });

  test.each([[undefined], [null], ['v1'], [{}], [[]], [[{ name: 'colour', value: 'red' }, 7, { name: 'kind' }]]])(
    'that are none of these (%j) are no parts, and no error',
    (stored) => {
      expect(readSignatureParts(stored)).toEqual([]);
    },
  );
});
