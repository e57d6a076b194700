import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { columnOf, UnreadableCsv } from '../bench/csv.ts';

describe('a column of a CSV', () => {
  test.each([
    ['commas, quotes and line breaks in quotes', 'n,Content\n1,"a, ""b""\r\nc"\n2,d\n', ['a, "b"\r\nc', 'd']],
    ['CRLF and a byte order mark', '\uFEFFContent,n\r\na,1\r\nb,2\r\n', ['a', 'b']],
    ['no line break at the end', 'Content\na\nb', ['a', 'b']],
    ['empty fields, and rows that are too short', 'n,Content\n1,\n2\n3,c\n', ['', '', 'c']],
    ['empty lines', 'Content\n\na\n\n', ['a']],
    ['a quote within a field', 'Content\n5" disk\n', ['5" disk']],
    ['text behind quotes', 'Content,n\n"a" b,1\n', ['a b']],
    ['a comma at the very end', 'Content,n\na,', ['a']],
    ['no rows', 'Content\n', []],
  ])('is read with %s', (_what, text, fields) => {
    expect(columnOf(text, 'Content')).toEqual(fields);
  });

  test.each([
    ['is empty', ''],
    ['names no such column', 'content,n\na,1\n'],
    ['ends within quotes', 'Content\n"a\n'],
  ])('is refused when the text %s', (_what, text) => {
    expect(() => columnOf(text, 'Content')).toThrow(UnreadableCsv);
  });
});

describe('bench:loghub', () => {
  const root = resolve(import.meta.dirname, '..');
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'loghub-bench-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const run = (...args: readonly string[]) =>
    spawnSync(process.execPath, [join(root, 'bench/loghub.ts'), ...args], { encoding: 'utf8', cwd: folder });

  function fileOf(text: string): string {
    const path = join(folder, 'log.csv');
    writeFileSync(path, text);
    return path;
  }

  test('prints one id a row and nothing else, with merges applied to the rows before', () => {
    const users = ['ann', 'bob', 'eve', 'joe', 'sam'].map((user) => `Failed login for ${user} from 10.0.0.1`);
    const { status, stdout, stderr } = run(
      fileOf(['Content,EventId', ...users.map((line) => `${line},E1`), '"other, line",E2', ''].join('\n')),
    );
    const ids = stdout.split('\n');
    expect([status, stderr, ids.length, ids.pop()]).toEqual([0, '', 7, '']);
    expect(new Set(ids.slice(0, 5)).size).toBe(1);
    expect(ids[5]).not.toBe(ids[0]);
  });

  test.each([
    ['a file that is not there', () => [join(folder, 'none.csv')], 'ENOENT'],
    ['a file without the column', () => [fileOf('a,b\n1,2\n')], 'no column "Content"'],
    ['no file', () => [], 'needs one FILE.csv'],
    ['an unknown option', () => ['--fast', 'log.csv'], '--fast'],
  ])('says what is wrong with %s, and exits with 2', (_what, args, said) => {
    const { status, stdout, stderr } = run(...args());
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toContain(said);
  });
});
