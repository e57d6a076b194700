import { describe, expect, test } from 'vitest';
import { canonicalEntry, EntryRefused, ENTRY_BYTES_MAX, type AuditEntry } from './index.ts';

const ENTRY: AuditEntry = {
  sequence: 0,
  timestamp: '2026-01-01T00:00:00.000Z',
  actor: 'grace',
  action: 'runtime.start',
  resource: 'runtime',
  subsystem: 'kernel',
  result: 'ok',
  payload: {},
};
const textOf = (parts: object): string => Buffer.from(canonicalEntry({ ...ENTRY, ...parts })).toString();

test('an entry has its members sorted by UTF-16 units, and no spaces', () => {
  expect(textOf({ payload: { ö: 1, '€': 2, '😀': 3, '\ufb33': 4, b: [1e21 / 10 ** 21, -0, 0.000001], a: null } })).toBe(
    '{"action":"runtime.start","actor":"grace","payload":{"a":null,"b":[1,0,0.000001],"ö":1,"€":2,"😀":3,"\ufb33":4},"resource":"runtime",' +
      '"result":"ok","sequence":0,"subsystem":"kernel","timestamp":"2026-01-01T00:00:00.000Z"}',
  );
});

test('members that no entry has are left out', () => {
  expect(textOf({ secret: 1 })).toBe(textOf({}));
});

describe('an entry is refused, not mended, when', () => {
  const deep = JSON.parse('['.repeat(300) + ']'.repeat(300)) as unknown;
  const hole: unknown[] = [1];
  hole[2] = 3;
  test.each([
    ['a text holds half of a surrogate pair', { actor: 'a\ud800' }, 'actor holds half of a surrogate pair'],
    ['a text of its payload does', { payload: { a: ['\udc00'] } }, 'payload.a[0] holds half of a surrogate pair'],
    ['a name in its payload does', { payload: { '\ud800': 1 } }, 'a name in payload holds half'],
    ['a number is NaN', { payload: { n: Number.NaN } }, 'payload.n is NaN'],
    ['a number is infinite', { payload: { n: -Infinity } }, 'payload.n is -Infinity'],
    ['a whole number is beyond 2^53 - 1', { payload: { n: 2 ** 53 } }, 'payload.n is a whole number beyond'],
    ['a number is a bigint', { payload: { n: 1n } }, 'payload.n is a bigint'],
    ['a value is undefined, which JSON would drop', { payload: { n: undefined } }, 'payload.n is undefined'],
    ['a list has a hole, which JSON would fill', { payload: { n: hole } }, 'payload.n[1] is undefined'],
    [
      'a value is of a class, which JSON would turn into something else',
      { payload: { at: new Date(0) } },
      'payload.at is an object of a class',
    ],
    ['it is nested without end', { payload: { deep } }, 'nested deeper'],
    ['its payload is a list', { payload: [] }, 'payload is not an object'],
    ['its sequence is no place', { sequence: -1 }, 'sequence is not a whole number'],
    ['its actor is missing', { actor: '' }, 'actor is not a text'],
    ['its time has no milliseconds', { timestamp: '2026-01-01T00:00:00Z' }, 'timestamp is not a moment'],
    ['its day does not exist', { timestamp: '2026-02-30T00:00:00.000Z' }, 'timestamp is not a moment'],
  ])('%s', (_, parts, problem) => {
    expect(() => textOf(parts)).toThrow(EntryRefused);
    expect(() => textOf(parts)).toThrow(problem);
  });

  test('it has a byte more than fits', () => {
    const room = ENTRY_BYTES_MAX - canonicalEntry({ ...ENTRY, payload: { a: '' } }).length;
    expect(canonicalEntry({ ...ENTRY, payload: { a: 'x'.repeat(room) } })).toHaveLength(ENTRY_BYTES_MAX);
    expect(() => textOf({ payload: { a: 'x'.repeat(room + 1) } })).toThrow('65536 bytes');
  });
});

test('a refusal shows no name that is not harmless', () => {
  expect(() => textOf({ payload: { '\u001b[31m': Number.NaN } })).toThrow('payload.… is NaN');
});
