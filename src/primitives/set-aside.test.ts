import * as fs from 'node:fs/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sha256Hex } from '../kernel/index.ts';
import { Sandbox } from './testing/sandbox.ts';

let box: Sandbox;
beforeEach(async () => {
  box = await new Sandbox().make();
  await box.write('conf.d/site.conf', 'listen 80;');
  for (const path of ['conf.d', 'conf.d/site.conf']) await box.remember(path);
});
afterEach(() => box.remove());

const name = 'set_aside';
const params = (path: string, content: string): { path: string; digest: string } => ({ path, digest: sha256Hex(content) });

it('moves a new file of a known folder to where Grace keeps things, and back', async () => {
  await box.write('conf.d/new.conf', 'locaton', 0o640, 1234);
  const before = await box.state();
  const wanted = params('conf.d/new.conf', 'locaton');
  expect(await box.undoneAfterEveryCut(name, wanted, before)).toMatchObject({ wrong: null });
  const record = await box.apply(name, wanted);
  expect(Object.keys(await box.state())).not.toContain('/conf.d/new.conf');
  const [kept] = await fs.readdir(box.backupDir);
  expect(await fs.readFile(`${box.backupDir}/${kept ?? ''}`, 'utf8')).toBe('locaton');
  await box.undo(name, record);
  expect(await box.state()).toEqual(before);
});

it('leaves a file alone once somebody has corrected it', async () => {
  await box.write('conf.d/new.conf', 'location / {}');
  expect(await box.plan(name, params('conf.d/new.conf', 'locaton'))).toMatchObject({ state: 'nothing_to_do' });
  expect(await box.plan(name, params('conf.d/gone.conf', 'locaton'))).toMatchObject({ state: 'nothing_to_do' });
});

it('refuses what was part of the last good boot, what nobody knows, and what the command names', async () => {
  expect(await box.refusal(name, params('conf.d/site.conf', 'listen 80;'))).toMatch(/was there at the last good boot/);
  await box.write('data/user.json', '{');
  expect(await box.refusal(name, params('data/user.json', '{'))).toMatch(/nobody knows what was in/);
  await box.write('conf.d/main.conf', 'x');
  box.component = { ...box.component, command: ['nginx', '-c', 'conf.d/main.conf'] };
  expect(await box.refusal(name, params('conf.d/main.conf', 'x'))).toMatch(/is told to read/);
  await expect(box.plan(name, params('../outside/x', 'x'))).rejects.toThrow(/outside the roots/);
});
