import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { nodeFiles } from '../../adapters/node/files.ts';
import { sweepOwnHalves } from './sweep-halves.ts';

const HALF = '.0123456789ab.grace-tmp';
const STARTED_MS = 1_700_000_000_000;

function directory(): string {
  const dir = mkdtempSync(join(tmpdir(), 'grace-halves-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

function put(path: string, atMs: number): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, 'half');
  utimesSync(path, atMs / 1000, atMs / 1000);
  return path;
}

test('what a killed Grace was writing is gone, however deep in its directories, and a file that is being written now stays', async () => {
  const dir = directory();
  const left = [HALF, join('storage', HALF), join('storage', 'last-good', 'ab', HALF), join('storage', 'snapshots', 'objects', 'ab', HALF)];
  for (const name of left) put(join(dir, name), STARTED_MS - 1);
  const now = put(join(dir, 'logs', HALF), STARTED_MS);
  await sweepOwnHalves(nodeFiles, [dir, join(dir, 'nowhere')], STARTED_MS);
  expect(left.filter((name) => existsSync(join(dir, name)))).toEqual([]);
  expect(existsSync(now)).toBe(true);
});

test('nothing of another name, nothing that was moved aside, no link and nothing behind one is touched', async () => {
  const [dir, elsewhere] = [directory(), directory()];
  const others = ['mend.ts', 'notes.grace-tmp', '.0123456789AB.grace-tmp', `${HALF}.ts`, '.0123456789abc.grace-tmp', join('aside', HALF)];
  for (const name of others) put(join(dir, name), STARTED_MS - 1);
  const behind = put(join(elsewhere, HALF), STARTED_MS - 1);
  symlinkSync(elsewhere, join(dir, 'linked'));
  symlinkSync(behind, join(dir, '.aaaaaaaaaaaa.grace-tmp'));
  mkdirSync(join(dir, '.bbbbbbbbbbbb.grace-tmp'));
  const before = readdirSync(dir, { recursive: true, encoding: 'utf8' }).toSorted();
  await sweepOwnHalves(nodeFiles, [dir], STARTED_MS);
  expect(readdirSync(dir, { recursive: true, encoding: 'utf8' }).toSorted()).toEqual(before);
  expect(existsSync(behind)).toBe(true);
});
