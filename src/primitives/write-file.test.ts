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

test.each([
  'package.json', 'package-lock.json', 'sub/package.json', 'PACKAGE.JSON', 'package.json.bak', 'package-old.json', '.npmrc', '.git/config', '.git/hooks/x',
  '.githooks/pre-push', 'node_modules/a/data.json', '.venv/pyvenv.cfg', 'playbooks/a.json', 'grace.config.json', 'grace.config.ts', '.env', '.env.local', 'prod.env',
  'Makefile', 'pyproject.toml', 'setup.cfg', 'Gemfile', 'Cargo.toml', 'go.mod', 'pom.xml', 'composer.json', 'Dockerfile', 'Procfile', 'compose.yaml',
  'requirements-dev.txt', 'tsconfig.json', 'a.service', 'server.js', 'conf/live.yaml', 'app.sqlite-wal', 'app.db-journal', 'app.db-shm',
  'link/config',
])('writes neither what is run nor what says what is run: %s', async (path) => {
  box.component = { ...box.component, command: ['node', 'server.js', '--config=conf/live.yaml'] };
  await fs.mkdir(box.path('.git'));
  await fs.symlink('.git', box.path('link'));
  const content = path.toLowerCase().endsWith('.json') ? '{"a":1}' : 'a: 1\n';
  expect(await box.refusal(name, { path, content })).toMatch(/ is run|say what is run|says what is run|can be run|part of a SQLite/);
  if ((await fs.stat(box.path(path)).catch(() => null)) !== null) return;
  await box.write(path, 'b: 2\n');
  expect(await box.refusal(name, { path, content, over: sha256Hex('b: 2\n') })).toMatch(/ run|part of a SQLite/);
}); // prettier-ignore

test.each(['api.ts', 'lib/tidy.py', 'schema.sql', 'run', 'api.ts.bak', 'views/home.ejs'])(
  'code is written only where nothing was, and then it has the risk of code: %s',
  async (path) => {
    const content = path === 'run' ? '#!/bin/sh\nid\n' : 'x = 1\n';
    await fs.mkdir(box.path('lib'));
    await fs.mkdir(box.path('views'));
    expect(await box.plan(name, { path, content })).toMatchObject({ state: 'ready', risk: 'high' });
    await box.write(path, '#!/bin/sh\n');
    await box.remember(path);
    expect(await box.refusal(name, { path, content, over: sha256Hex('#!/bin/sh\n') })).toMatch(/can be run/);
    await fs.rm(box.path(path));
    expect(await box.refusal(name, { path, content })).toMatch(/was there at the last verified boot/);
  },
);

test('settings and data have the risk of all', async () => {
  await fs.mkdir(box.path('data'));
  for (const path of ['data/metrics_catalog.json', 'feature.yaml', 'app.toml', 'notes.txt', 'app.conf'])
    expect(await box.plan(name, { path, content: '{}\n'.replace('{}', path.endsWith('.json') ? '{}' : '# none') })).not.toHaveProperty(
      'risk',
    );
});
