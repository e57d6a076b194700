import fc from 'fast-check';
import { expect, test } from 'vitest';
import { globPattern } from './path-glob.ts';

test.each([
  ['*.log', 'app.log', true],
  ['*.log', 'logs/app.log', false],
  ['*.log', 'appXlog', false],
  ['tmp/**', 'tmp/a/b/c.txt', true],
  ['tmp/**', 'tmp', false],
  ['tmp/**', 'tmpx/a', false],
  ['**/*.tmp', 'x.tmp', true],
  ['**/*.tmp', 'a/b/x.tmp', true],
  ['cache-?', 'cache-1', true],
  ['cache-?', 'cache-12', false],
  ['cache-?', 'cache-/', false],
  ['*.{log,tmp}', 'a.tmp', true],
  ['*.{log,tmp}', 'a.txt', false],
  ['{a,{b,c}}.log', 'c.log', true],
  ['log.[0-9]', 'log.7', true],
  ['log.[0-9]', 'log.x', false],
  ['log.[!0-9]', 'log.x', true],
  ['log.[!0-9]', 'log.7', false],
  ['a+b(c).txt', 'a+b(c).txt', true],
  ['a+b(c).txt', 'aab(c).txt', false],
  ['{unclosed', '{unclosed', true],
  ['{[}]', '{}', true],
  ['[z-a]', '[z-a]', true],
])('%s and %s: %s', (glob, path, matches) => {
  expect(globPattern(glob).test(path)).toBe(matches);
});

test.each([
  ['*', '.env'],
  ['**', '.git/config'],
  ['**/*', 'a/.env'],
  ['**/config', '.git/config'],
  ['tmp/**', 'tmp/.keep'],
  ['?env', '.env'],
])('the wildcards of %s never reach the dot file %s', (glob, path) => {
  expect(globPattern(glob).test(path)).toBe(false);
});

test('reaches a dot file that is named', () => {
  expect(globPattern('.cache/**').test('.cache/a/b')).toBe(true);
  expect(globPattern('**/.tmp').test('a/.tmp')).toBe(true);
});

test('any text is a pattern, however broken its braces and brackets are', () => {
  const glob = fc.string({ unit: fc.constantFrom('*', '?', '[', ']', '!', '{', '}', ',', '/', '.', '-', '\\', '^', 'a', 'z', '$', '(', ')'), maxLength: 14 }); // prettier-ignore
  fc.assert(
    fc.property(glob, (text) => {
      expect(globPattern(text)).toBeInstanceOf(RegExp);
    }),
    { numRuns: 5000 },
  );
});

test('text without wildcards matches itself and nothing longer', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', 'B', '.', '+', '(', ')', '|', '^', '$', '-', '_', '/', ' '), minLength: 1, maxLength: 20 }),
      (path) => {
        expect(globPattern(path).test(path)).toBe(true);
        expect(globPattern(path).test(`${path}x`)).toBe(false);
      },
    ),
  );
});
