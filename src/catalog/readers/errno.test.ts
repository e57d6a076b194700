import { describe, expect, test } from 'vitest';
import { cleanLines } from '../../domains/incidents/index.ts';
import { errnoIn } from './errno.ts';
import { readFacts } from './index.ts';

describe('an error of the operating system is known', () => {
  test.each([
    ['by its number in Python', "[Errno 39] Directory not empty: '/srv/a'", 'ENOTEMPTY'],
    ['by its number in Rust', 'Invalid cross-device link (os error 18)', 'EXDEV'],
    ['by its number, unworded', 'Os { code: 40, kind: FilesystemLoop, message: "?" }', 'ELOOP'],
    ['by its name in Node', "EEXIST: file already exists, mkdir '/srv/a'", 'EEXIST'],
    ['by its name in Ruby', 'File too large @ io_write - /srv/a (Errno::EFBIG)', 'EFBIG'],
    ['by its words in C', 'cannot open /srv/a: Stale file handle', 'ESTALE'],
    ['by its words in Go, which has them in small letters', 'open /srv/a: device or resource busy', 'EBUSY'],
  ])('%s', (_how, sentence, name) => {
    expect(errnoIn(sentence)).toBe(name);
  });

  test.each(['EVERYTHING is lost', 'no leader', 'error 39'])('and not where there is none: %s', (sentence) => {
    expect(errnoIn(sentence)).toBe('');
  });

  test('also within an exception that no rule knows', () => {
    const output = `Traceback (most recent call last):\n  File "/srv/a.py", line 1, in f\n    os.rmdir(p)\nOSError: [Errno 39] Directory not empty: '/srv/a'`;
    expect(readFacts(cleanLines(output)).facts[0]).toMatchObject({ kind: 'exception', details: { errno: 'ENOTEMPTY' } });
  });
});
