import { readdirSync } from 'node:fs';
import * as fs from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Sandbox } from './testing/sandbox.ts';

const name = 'relink_interpreter';
const params = { directory: '.venv' };
const LOST = '/opt/gone/bin/python3';
/** Any Python of this machine; without one only the refusals can be rehearsed. */
const VERSION = readdirSync('/usr/bin')
  .map((entry) => /^python(3\.\d+)$/.exec(entry)?.[1])
  .find((version) => version !== undefined);
const hasPython = it.skipIf(VERSION === undefined);

let box: Sandbox;
beforeEach(async () => {
  box = await new Sandbox().make();
});
afterEach(() => box.remove());

async function environment(version = VERSION ?? '3.99', link = LOST): Promise<void> {
  await box.write('.venv/pyvenv.cfg', `home = /opt/gone/bin\nversion = ${version}.2\n`);
  await fs.mkdir(box.path('.venv/bin'), { recursive: true });
  await fs.symlink(link, box.path('.venv/bin/python3'));
  await fs.symlink('python3', box.path('.venv/bin/python'));
}

hasPython('links the environment to the same version, and back again wherever it dies', async () => {
  await environment();
  const before = await box.state();
  expect(await box.undoneAfterEveryCut(name, params, before)).toMatchObject({ wrong: null });
  const record = await box.apply(name, params);
  expect(await fs.realpath(box.path('.venv/bin/python'))).toMatch(/python3/);
  expect(await box.plan(name, params)).toMatchObject({ state: 'nothing_to_do' });
  await box.undo(name, record);
  expect(await box.state()).toEqual(before);
});

hasPython('leaves a link that somebody set in the meantime', async () => {
  await environment();
  const plan = await box.plan(name, params);
  const record = await box.apply(name, params);
  await fs.rm(box.path('.venv/bin/python3'));
  await fs.symlink('/usr/bin/env', box.path('.venv/bin/python3'));
  await box.undo(name, record);
  expect(await fs.readlink(box.path('.venv/bin/python3'))).toBe('/usr/bin/env');
  expect(plan).toMatchObject({ state: 'ready', targets: [box.path('.venv/bin/python3')] });
});

it('does not put another version in the place of the one that the packages are for', async () => {
  await environment('3.99');
  expect(await box.refusal(name, params)).toMatch(/Python 3\.99 is not installed/);
  await box.write('.venv/pyvenv.cfg', 'home = /usr/bin\n');
  expect(await box.refusal(name, params)).toMatch(/does not say for which Python/);
});

hasPython('takes a link to another version for a broken one', async () => {
  await environment('3.99', `/usr/bin/python${VERSION ?? ''}`);
  expect(await box.refusal(name, params)).toMatch(/Python 3\.99 is not installed/);
});

it('touches neither an environment that is whole, nor what is none, nor one outside the roots', async () => {
  await box.write('lib/readme.txt', '');
  expect(await box.refusal(name, { directory: 'lib' })).toMatch(/no pyvenv\.cfg/);
  await environment('3.99', '/usr/bin/env');
  expect(await box.plan(name, params)).toMatchObject({ state: 'nothing_to_do' });
  await expect(box.plan(name, { directory: join(box.outside, '.venv') })).rejects.toThrow(/outside the roots/);
});
