import * as fs from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sha256Hex } from '../kernel/index.ts';
import { Sandbox } from './testing/sandbox.ts';

const name = 'write_file';
let box: Sandbox;
beforeEach(async () => {
  box = await new Sandbox().make();
});
afterEach(() => box.remove());

test('makes a new file that belongs to whom its directory belongs to, and takes it away again', async () => {
  await fs.mkdir(box.path('conf'));
  await fs.chown(box.path('conf'), 7, 7);
  const before = await box.state();
  const record = await box.apply(name, { path: 'conf/a.json', content: '{}' });
  expect(await box.read('conf/a.json')).toBe('{}');
  expect((await fs.stat(box.path('conf/a.json'))).uid).toBe(7);
  expect(await box.undo(name, record)).toEqual([]);
  expect(await box.state()).toEqual(before);
});

test('writes over nothing but what it was told of', async () => {
  await box.write('a.json', '{"a":1}');
  expect(await box.refusal(name, { path: 'a.json', content: '{}' })).toMatch(/only what "over" names/);
  expect(await box.refusal(name, { path: 'a.json', content: '{}', over: sha256Hex('{"a":2}') })).toMatch(/somebody has changed it/);
  expect(await box.refusal(name, { path: 'b.json', content: '{}', over: sha256Hex('x') })).toMatch(/there is no/);
  expect(await box.plan(name, { path: 'a.json', content: '{"a":1}' })).toMatchObject({ state: 'nothing_to_do' });
});

test('keeps out of programs, of what does not parse, of directories, and of everything outside', async () => {
  await box.write('run.sh', '#!/bin/sh\n', 0o755);
  const over = sha256Hex('#!/bin/sh\n');
  expect(await box.refusal(name, { path: 'run.sh', content: 'rm', over })).toMatch(/can be run/);
  expect(await box.refusal(name, { path: 'a.json', content: '{' })).toMatch(/does not parse/);
  expect(await box.refusal(name, { path: '.', content: 'x' })).toMatch(/directory/);
  expect(await box.refusal(name, { path: 'none/a.txt', content: 'x' })).toMatch(/make_directory/);
  await fs.symlink(join(box.outside, 'a.txt'), box.path('link'));
  await fs.writeFile(join(box.outside, 'a.txt'), 'outside');
  for (const path of ['../outside/b.txt', 'link', join(box.outside, 'b.txt')])
    await expect(box.plan(name, { path, content: 'x' })).rejects.toThrow(/outside the roots/);
  await expect(box.plan(name, { path: 'a.txt', content: 'password=hunter2hunter2' })).rejects.toThrow(/looks like a secret/);
  await expect(box.plan(name, { path: 'a.txt', content: 'x'.repeat(65_537) })).rejects.toThrow(/at most 65536/);
});

test('says that it keeps what a person wrote after it', async () => {
  const record = await box.apply(name, { path: 'a.txt', content: 'ours' });
  await box.write('a.txt', 'theirs');
  expect(await box.undo(name, record)).toEqual([`${box.path('a.txt')} was changed after Grace had written it, and stays`]);
  expect(await box.read('a.txt')).toBe('theirs');
});
