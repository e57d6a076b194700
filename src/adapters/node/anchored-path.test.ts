import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { anchored } from './anchored-path.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'grace-anchored-'));
  for (const name of ['project', 'project/data', 'outside']) mkdirSync(join(dir, name));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const swap = (): void => {
  renameSync(join(dir, 'project/data'), join(dir, 'project/data.real'));
  symlinkSync(join(dir, 'outside'), join(dir, 'project/data'));
};
const put = (path: string, isAllowed: (real: string) => Promise<unknown>, make = true): Promise<void> =>
  anchored(join(dir, path), isAllowed, (at) => writeFile(at, 'put'), make);

it('judges where a path really leads, and does nothing when that is refused', async () => {
  swap();
  const judged: string[] = [];
  const refuse = (real: string): Promise<never> => {
    judged.push(real);
    return Promise.reject(new Error('outside'));
  };
  await expect(put('project/data/a.txt', refuse)).rejects.toThrow('outside');
  expect(judged).toEqual([join(dir, 'outside/a.txt')]);
  expect(readdirSync(join(dir, 'outside'))).toEqual([]);
});

it.runIf(process.platform === 'linux')('writes into the folder that was judged, whatever stands in its place then', async () => {
  await put('project/data/a.txt', () => Promise.resolve(swap()));
  expect(readdirSync(join(dir, 'outside'))).toEqual([]);
  expect(readFileSync(join(dir, 'project/data.real/a.txt'), 'utf8')).toBe('put');
});

it.runIf(process.platform === 'linux')('makes what is missing, and follows no link that came where it was missing', async () => {
  await put('project/new/deep/a.txt', () => Promise.resolve());
  expect(readFileSync(join(dir, 'project/new/deep/a.txt'), 'utf8')).toBe('put');
  await expect(put('project/none/a.txt', () => Promise.resolve(), false)).rejects.toThrow(/project\/none is gone/);
  expect(existsSync(join(dir, 'project/none'))).toBe(false);
  const link = (): Promise<void> => Promise.resolve(symlinkSync(join(dir, 'outside'), join(dir, 'project/late')));
  await expect(put('project/late/a.txt', link)).rejects.toThrow(/"late" on the way to .* is a link or a file by now/);
  expect(readdirSync(join(dir, 'outside'))).toEqual([]);
});

it('tells a failure with the path of the file, not with that of a handle', async () => {
  writeFileSync(join(dir, 'project/data/a.txt'), '');
  const work = (at: string): Promise<void> => rename(`${at}.none`, at);
  await expect(anchored(join(dir, 'project/data/a.txt'), () => Promise.resolve(), work, true)).rejects.toThrow(
    `'${join(dir, 'project/data/a.txt.none')}'`,
  );
});
