import { expect, test } from 'vitest';
import { commandLines } from './suggested-commands.ts';

const COMMANDS = [
  { command: "grep -l -e '^API_KEY=' .env", why: 'which env file sets it' },
  { command: 'grace diff', why: 'what changed' },
];

test('what a command tells stands beside it where the screen has room', () => {
  expect(commandLines(COMMANDS, 51)).toEqual([
    "grep -l -e '^API_KEY=' .env  which env file sets it",
    'grace diff                   what changed',
  ]);
});

test('and below it where it has not: the line with the command holds nothing else', () => {
  expect(commandLines(COMMANDS, 50)).toEqual(["grep -l -e '^API_KEY=' .env", '  which env file sets it', 'grace diff  what changed']);
});

test('no commands are no lines', () => {
  expect(commandLines([], 80)).toEqual([]);
});
