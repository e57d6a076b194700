import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStore } from '../../adapters/store/index.ts';
import { dataDirOf, openMemory } from './memory.ts';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'grace-cli-'));
});
afterEach(async () => {
  await rm(dir, { recursive: true, force: true });
});

describe('looking at what is remembered', () => {
  it('never creates a store', async () => {
    await expect(openMemory(join(dir, '.grace'))).rejects.toMatchObject({ code: 'GRACE_CLI_NOTHING_BOOTED_YET' });
    expect(existsSync(join(dir, '.grace'))).toBe(false);
  });

  it('does not take a store that it cannot reach for none', async () => {
    await symlink('grace.db', join(dir, 'grace.db'));
    await expect(openMemory(dir)).rejects.toMatchObject({ code: expect.stringMatching(/^GRACE_STORE_/) as string });
  });

  it('takes a store without a boot for no store', async () => {
    (await openStore(join(dir, 'grace.db'))).close();
    await expect(openMemory(dir)).rejects.toMatchObject({ code: 'GRACE_CLI_NOTHING_BOOTED_YET' });
  });

  it('looks where grace up keeps its data: flag, environment, config, beside the config', async () => {
    expect(await dataDirOf({}, dir, {})).toBe(join(dir, '.grace'));
    await writeFile(join(dir, 'grace.config.json'), JSON.stringify({ dataDir: 'kept', components: { api: { command: 'node x.js' } } }));
    expect(await dataDirOf({}, dir, {})).toBe(join(dir, 'kept'));
    expect(await dataDirOf({}, dir, { GRACE_DATA_DIR: 'other' })).toBe(join(dir, 'other'));
    expect(await dataDirOf({ dataDir: 'given' }, dir, { GRACE_DATA_DIR: 'other' })).toBe(join(dir, 'given'));
    expect(await dataDirOf({ config: join(dir, 'grace.config.json') }, tmpdir(), {})).toBe(join(dir, 'kept'));
  });

  it('is not stopped by a mistake in the config when the store is where it always is', async () => {
    await writeFile(join(dir, 'grace.config.json'), '{ "components": ');
    await expect(dataDirOf({}, dir, {})).rejects.toMatchObject({ code: 'GRACE_CONFIG_INVALID' });
    (await openStore(join(dir, '.grace', 'grace.db'))).close();
    expect(await dataDirOf({}, dir, {})).toBe(join(dir, '.grace'));
  });

  it('leaves the folder of a project alone', async () => {
    await dataDirOf({}, dir, {});
    expect(await readdir(dir)).toEqual([]);
  });
});
