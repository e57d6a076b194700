import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { seededRandom } from '../../kernel/index.ts';
import { EntryLines } from './entry-lines.ts';

const random = seededRandom(11);
const upTo = (limit: number): number => Math.floor(random.next() * limit);
/** Some empty, many short, some longer than what is read at once. */
const LINES = Array.from({ length: 3000 }, (_, i) =>
  `${i}${'x'.repeat(i % 7 === 0 ? 0 : upTo(i % 500 === 3 ? 200_000 : 300))}`.slice(i % 11 === 0 ? 20 : 0),
);

let dir: string;
let path: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'grace-entry-lines-'));
  path = join(dir, 'entries.jsonl');
  writeFileSync(path, LINES.map((line) => `${line}\n`).join(''));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Looked at when all is read: a line stays what it was. */
async function read(lines: EntryLines, from: number, to: number): Promise<readonly string[]> {
  const kept: Uint8Array[] = [];
  for await (const batch of lines.read(from, to)) kept.push(...batch);
  return kept.map((line) => Buffer.from(line).toString('latin1'));
}

test('a part is read the same wherever it begins and ends, for the first time and again', async () => {
  const known = new EntryLines(path);
  expect(await known.count()).toBe(LINES.length);
  for (let round = 0; round < 40; round++) {
    const from = upTo(LINES.length);
    const to = from + upTo(200);
    for (const lines of [known, new EntryLines(path)])
      expect(await read(lines, from, to), `lines ${from} to ${to}`).toEqual(LINES.slice(from, to));
  }
  expect(await read(known, 0, Infinity)).toEqual(LINES);
});

test('what follows the last line feed is no line', async () => {
  const torn = join(dir, 'torn.jsonl');
  writeFileSync(torn, `one\n${'two'.repeat(50_000)}\nthr`);
  const lines = new EntryLines(torn);
  expect(await lines.count()).toBe(2);
  await expect(read(lines, 0, Infinity)).rejects.toThrow(/3 bytes and no line end/);
  expect(await read(lines, 0, 2)).toEqual(['one', 'two'.repeat(50_000)]);
});

test('a file without line feeds is not read into memory', async () => {
  const endless = join(dir, 'endless.jsonl');
  writeFileSync(endless, `one\n${'x'.repeat(3 * 1024 * 1024)}`);
  await expect(read(new EntryLines(endless), 0, Infinity)).rejects.toThrow(/line 2 has more than 1048576 bytes/);
});
