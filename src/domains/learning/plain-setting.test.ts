import { expect, test } from 'vitest';
import { isPlainSetting } from './plain-setting.ts';

test.each([
  ['MODE', 'gold'],
  ['REGION', 'eu-west-1'],
  ['DATABASE_HOST', 'db-01.internal.example:5432'],
  ['ENDPOINT', 'https://api.example/v2/orders'],
  ['DATA_DIR', '/srv/app/data-2026'],
  ['NODE_OPTIONS', '--max-old-space-size=4096'],
  ['EMPTY', ''],
])('%s=%s is a setting', (name, value) => {
  expect(isPlainSetting(name, value)).toBe(true);
});

test.each([
  ['API_TOKEN', 'gold'],
  ['LICENSE', 'kq8Zr2wLx7Tn4Vb9'],
  ['LICENSE', 'AB12-CD34EF56GH78-ZZ'],
  ['CARD', '4111111111111111'],
  ['SEED', 'qwertyuiopasdfghjklzxcvbnm'],
  ['DATABASE', 'postgres://app:pw@db/x'],
  ['CALLBACK', 'https://x.example/?sig=abc'],
  ['TEXT', 'two\nlines'],
  ['LONG', 'a '.repeat(101)],
  ['MIX', '$(cat /etc/passwd)'],
])('%s=%s is not', (name, value) => {
  expect(isPlainSetting(name, value)).toBe(false);
});
