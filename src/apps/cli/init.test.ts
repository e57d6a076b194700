import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { init } from './init.ts';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'grace-init-'));
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

describe('grace init', () => {
  it('writes what it found', async () => {
    await writeFile(join(dir, 'server.mjs'), '');
    init(['node', 'server.mjs'], {}, dir, {});
    expect(await readFile(join(dir, 'grace.config.ts'), 'utf8')).toContain("command: ['node', 'server.mjs']");
  });

  it('leaves a config that is there as it is', async () => {
    await writeFile(join(dir, 'grace.config.json'), '{}');
    expect(() => init(['node', 'server.mjs'], {}, dir, {})).toThrow('there is a config already');
    expect(await readdir(dir)).toEqual(['grace.config.json']);
  });

  it('prints instead of writing', async () => {
    expect(init(['node', 'server.mjs'], { stdout: true }, dir, {}).lines.join('\n')).toContain('export default');
    expect(await readdir(dir)).toEqual([]);
  });

  it('refuses when there is nothing to run', async () => {
    expect(() => init([], {}, dir, {})).toThrow('nothing to run was found');
    expect(await readdir(dir)).toEqual([]);
  });
});
