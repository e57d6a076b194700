import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cleanLines, LINE_CHARS_MAX, windowOf, WINDOW_LINES_MAX } from './output.ts';

test('cuts a line of 100 MB to its first characters and keeps what comes after', () => {
  const lines = cleanLines(`first\n${'x'.repeat(100 * 1024 * 1024)}\nlast`);
  expect(lines.map((line) => line.length)).toEqual([5, LINE_CHARS_MAX, 4]);
});

test('keeps a line of exactly the limit, and cuts one character more', () => {
  expect(cleanLines('a'.repeat(LINE_CHARS_MAX))[0]).toHaveLength(LINE_CHARS_MAX);
  expect(cleanLines(`${'a'.repeat(LINE_CHARS_MAX)}b`)[0]).toBe('a'.repeat(LINE_CHARS_MAX));
});

test.each([
  ['colours', '\u001B[1;31mError:\u001B[0m port \u001B[38;5;196m3000\u001B[m taken', 'Error: port 3000 taken'],
  ['a window title ended by BEL', '\u001B]0;evil title\u0007Error', 'Error'],
  ['a link ended by ESC \\', '\u001B]8;;http://evil\u001B\\Error\u001B]8;;\u001B\\', 'Error'],
  ['a cleared screen and a moved cursor', '\u001B[2J\u001B[1;1HError', 'Error'],
  ['a carriage return that would overwrite the line', 'Error: disk full\rall is well', 'Error: disk fullall is well'],
  ['a bell, a backspace, a NUL', 'a\u0007b\bc\u0000d', 'abcd'],
  ['a single-byte CSI', 'a\u009B31mb', 'a31mb'],
  ['a lone ESC at the end', 'Error\u001B', 'Error'],
])('takes out %s', (_what, text, expected) => {
  expect(cleanLines(text)).toEqual([expected]);
});

test('takes out characters that turn the direction of text or hide in it', () => {
  expect(cleanLines('rm \u202Etxt.exe\u202C \u2066a\u2069 z\u200Bw\u200E.')).toEqual(['rm txt.exe a zw.']);
});

test('keeps what people write: umlauts, CJK, emoji, box drawings', () => {
  expect(cleanLines('Grüße 世界 👍🏽 ┌─┐')).toEqual(['Grüße 世界 👍🏽 ┌─┐']);
});

test('turns tabs into spaces, so that stack frames keep their indent', () => {
  expect(cleanLines('\tat main')).toEqual(['  at main']);
});

test('leaves out lines that are empty once they are clean', () => {
  expect(cleanLines('\n  \n\u001B[0m\n\r\na\r\n')).toEqual(['a']);
});

test('nothing it returns can move a terminal, and nothing is longer than the limit', () => {
  const nasty = fc.string({
    unit: fc.constantFrom('\u001B', '[', ']', '\u0007', 'm', '3', ';', '\n', '\r', '\u202E', 'ä', 'x', ' ', '\u009B'),
    maxLength: 60,
  });
  fc.assert(
    fc.property(nasty, (text) => {
      for (const line of cleanLines(text)) {
        // oxlint-disable-next-line no-control-regex -- control characters are what must not be there
        expect(line).not.toMatch(/[\u0000-\u001F\u007F-\u009F\u202A-\u202E]/);
        expect(line.length).toBeLessThanOrEqual(LINE_CHARS_MAX);
      }
    }),
  );
});

test('keeps both ends of a long output and says how much is missing between them', () => {
  const lines = Array.from({ length: WINDOW_LINES_MAX * 2 + 3 }, (_, i) => `line ${i}`);
  const shown = windowOf(lines);
  expect(shown).toHaveLength(WINDOW_LINES_MAX * 2 + 1);
  expect(shown[0]).toBe('line 0');
  expect(shown[WINDOW_LINES_MAX]).toBe('… 3 lines left out …');
  expect(shown.at(-1)).toBe(`line ${WINDOW_LINES_MAX * 2 + 2}`);
});

test('an output of just twice the window is shown whole', () => {
  const lines = Array.from({ length: WINDOW_LINES_MAX * 2 }, (_, i) => `line ${i}`);
  expect(windowOf(lines)).toEqual(lines);
});
