import { expect, test } from 'vitest';
import { sha256Hex } from '../kernel/index.ts';
import { changedKeys, configDigests, readConfigDigests } from './config-digests.ts';
import type { GraceConfig } from './config/index.ts';

const SECRET = 'a-secret-value-8d1c';
const config = (values: Readonly<Record<string, unknown>>): GraceConfig =>
  ({
    ...values,
    provenance: new Map(Object.entries(values).map(([path, value]) => [path, { value, source: 'file' }])),
  }) as unknown as GraceConfig;
const digest = (text: string): string => sha256Hex(`key ${text}`);

test('names what was set, changed and taken away, and holds no value', () => {
  const before = configDigests(config({ 'components.api.port': 3000, gone: 1, same: [1, 2], env: SECRET }), digest);
  const now = configDigests(config({ 'components.api.port': 3001, same: [1, 2], env: `${SECRET}2`, made: true }), digest);
  expect(before.whole).not.toBe(now.whole);
  expect(changedKeys(readConfigDigests(JSON.stringify(before)), now)).toEqual(['components.api.port', 'env', 'gone', 'made']);
  expect(changedKeys(now, now)).toEqual([]);
  expect(JSON.stringify([before, now])).not.toContain(SECRET);
});

test('does not guess where an older Grace has kept the digest of the whole alone, or nothing', () => {
  const now = configDigests(config({ made: true }), digest);
  expect(readConfigDigests('abcd')).toEqual({ whole: 'abcd', keys: {} });
  expect(changedKeys(readConfigDigests('abcd'), now)).toEqual([]);
  expect(changedKeys(readConfigDigests(null), now)).toEqual([]);
});
