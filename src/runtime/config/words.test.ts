import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseWords } from './words.ts';

const argvOf = (line: string): readonly string[] | string => {
  const words = parseWords(line);
  return words.ok ? words.argv : words.problem;
};

describe('parseWords', () => {
  it.each([
    ['node server.js', ['node', 'server.js']],
    ['  node   server.js\t--x ', ['node', 'server.js', '--x']],
    [`echo 'a b' "c d" e\\ f`, ['echo', 'a b', 'c d', 'e f']],
    [`echo 'a\\b' "a\\"b" "a\\nb"`, ['echo', 'a\\b', 'a"b', 'a\\nb']],
    [`x '' ""`, ['x', '', '']],
    [`x --flag='a;b|c' "a&b"`, ['x', '--flag=a;b|c', 'a&b']],
    ['x --cost=5$ \\$HOME', ['x', '--cost=5$', '$HOME']],
    [`x '$HOME'`, ['x', '$HOME']],
    ['node app.js --env=a', ['node', 'app.js', '--env=a']],
  ])('splits %s', (line, argv) => {
    expect(argvOf(line)).toEqual(argv);
  });

  it.each(['a && b', 'a; b', 'a | b', 'a > b', 'a $HOME', 'a "${HOME}"', 'a `b`', 'a $(b)'])('refuses the shell syntax of %s', (line) => {
    expect(argvOf(line)).toMatch(/^has shell syntax/);
  });

  it('says how a shell can be asked for', () => {
    expect(parseWords('a && b')).toMatchObject({ suggestion: 'write ["sh", "-c", "a && b"] if a shell is meant' });
  });

  it.each([
    ['', 'is empty'],
    ['   ', 'is empty'],
    [`'' a`, 'is empty'],
    [`a 'b`, "has an unclosed '"],
    ['a "b', 'has an unclosed "'],
    ['a \\', 'ends with a backslash'],
    ['PORT=1 node a.js', 'starts with the variable PORT=1'],
    ['a \0', 'holds a null byte'],
  ])('refuses %j', (line, problem) => {
    expect(argvOf(line)).toBe(problem);
  });

  it('gives back any words that were quoted', () => {
    const word = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0'));
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 5 }), (words) => {
        const line = ['run', ...words].map((text) => `'${text.replaceAll("'", `'\\''`)}'`).join(' ');
        expect(argvOf(line)).toEqual(['run', ...words]);
      }),
    );
  });
});
