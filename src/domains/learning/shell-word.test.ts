import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { REDACTED } from '../incidents/index.ts';
import { shellCommand, shellWord } from './shell-word.ts';

/** What a real shell makes of the words: each on a line of its own. */
function asSeenByShell(words: readonly string[]): readonly string[] {
  const seen = execFileSync('sh', ['-c', `for word in ${words.join(' ')}; do printf '%s\\n' "$word"; done`], { encoding: 'utf8' });
  return seen.split('\n').slice(0, -1);
}

test.each(['npm', '.grace/logs/api.log', '-n', '@scope/pkg', 'a=b', '/srv/app+1/x:2'])('%s needs no quotes', (word) => {
  expect(shellWord(word)).toBe(word);
});

test('a real shell gives back what was put in, whatever it is', () => {
  const nasty = fc.string({
    unit: fc.constantFrom(
      "'",
      '"',
      '$',
      '`',
      '\\',
      ';',
      '|',
      '&',
      '<',
      '>',
      '(',
      ')',
      '*',
      '?',
      '~',
      '!',
      '#',
      ' ',
      '{',
      '}',
      'a',
      'é',
      '-',
    ),
    minLength: 1,
    maxLength: 12,
  });
  fc.assert(
    fc.property(fc.array(nasty, { minLength: 20, maxLength: 20 }), (words) => {
      const quoted = words.map((word) => shellWord(word) ?? '');
      expect(asSeenByShell(quoted)).toEqual(words);
    }),
    { numRuns: 20 },
  );
});

test.each([
  ['nothing', ''],
  ['a line break, after which another command would run', 'a\nrm -rf b'],
  ['a terminal escape', 'a\u001B]0;x\u0007'],
  ['a secret that was cut out', `token=${REDACTED}`],
  ['something endless', 'x'.repeat(301)],
])('%s is no word', (_what, text) => {
  expect(shellWord(text)).toBeNull();
  expect(shellCommand('ls', text)).toBeNull();
});
