import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { nodeFiles } from './files.ts';
import { packageState, takePackageManifest } from './packages.ts';

let dir = '';
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), 'grace-packages-'))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function write(path: string, text = '{}'): void {
  mkdirSync(dirname(join(dir, path)), { recursive: true });
  writeFileSync(join(dir, path), text);
}
const lock = (packages: Record<string, object>): void =>
  write('package-lock.json', JSON.stringify({ lockfileVersion: 3, packages: { '': {}, ...packages } }));
const state = (manifest: Awaited<ReturnType<typeof takePackageManifest>> = null) => packageState(dir, nodeFiles, manifest);

function installed(): void {
  lock({ 'node_modules/express': {}, 'node_modules/@scope/db': {}, 'node_modules/express/node_modules/qs': {} });
  for (const name of ['express', '@scope/db', 'express/node_modules/qs']) {
    write(`node_modules/${name}/package.json`);
    write(`node_modules/${name}/lib/index.js`, 'module.exports = 1;');
  }
}

test('whatever is in the lock file and installed is fine', async () => {
  installed();
  expect(await state()).toEqual({ manager: 'npm', directory: dir, lockFile: join(dir, 'package-lock.json'), missing: [], damaged: [] });
});

test('a package without its directory or its manifest is missing, nested and scoped ones too', async () => {
  installed();
  rmSync(join(dir, 'node_modules/@scope'), { recursive: true });
  rmSync(join(dir, 'node_modules/express/node_modules/qs/package.json'));
  truncateSync(join(dir, 'node_modules/express/package.json'), 0);
  expect((await state()).missing).toEqual(['@scope/db', 'express', 'express/node_modules/qs']);
});

test.each(['optional', 'dev', 'devOptional', 'peer', 'link', 'extraneous'])('a package that is only %s may be missing', async (kind) => {
  lock({ 'node_modules/x': { [kind]: true }, 'packages/own': {} });
  expect((await state()).missing).toEqual([]);
});

test('a file that is gone, empty or of another size damages its package, once', async () => {
  installed();
  const manifest = await takePackageManifest(dir, nodeFiles);
  expect((await state(manifest)).damaged).toEqual([]);
  write('node_modules/express/lib/index.js', '');
  rmSync(join(dir, 'node_modules/@scope/db/lib'), { recursive: true });
  write('node_modules/express/node_modules/qs/lib/index.js', 'module.exports = 2; // longer');
  expect(await state(manifest)).toMatchObject({ missing: [], damaged: ['@scope/db', 'express', 'express/node_modules/qs'] });
});

test('a package that is gone is missing, not damaged', async () => {
  installed();
  const manifest = await takePackageManifest(dir, nodeFiles);
  rmSync(join(dir, 'node_modules/express'), { recursive: true });
  expect(await state(manifest)).toMatchObject({ missing: ['express', 'express/node_modules/qs'], damaged: [] });
});

test('after the lock file changed the old manifest says nothing any more', async () => {
  installed();
  const manifest = await takePackageManifest(dir, nodeFiles);
  lock({ 'node_modules/express': {} });
  write('node_modules/express/lib/index.js', 'another version');
  expect((await state(manifest)).damaged).toEqual([]);
});

test('caches and npm’s own notes are no part of the manifest, linked packages are followed', async () => {
  installed();
  write('node_modules/.cache/x', 'c');
  write('node_modules/.package-lock.json', 'n');
  write('packages/own/index.js', 'o');
  symlinkSync('../packages/own', join(dir, 'node_modules/own'));
  const paths = (await takePackageManifest(dir, nodeFiles))?.files.map(([path]) => path) ?? [];
  expect(paths).toContain('node_modules/own/index.js');
  expect(paths.filter((p) => /\.cache|package-lock/.test(p))).toEqual([]);
});

test('a project that has installed nothing has no manifest', async () => {
  expect(await takePackageManifest(dir, nodeFiles)).toBeNull();
  lock({});
  expect(await takePackageManifest(dir, nodeFiles)).toBeNull();
});

test('a broken lock file is another failure than a missing package', async () => {
  write('package-lock.json', '{"packages": {');
  expect(await state()).toMatchObject({ manager: 'npm', missing: [] });
});

test.each([
  ['pnpm-lock.yaml', 'pnpm'],
  ['yarn.lock', 'yarn'],
  ['Gemfile.lock', 'bundler'],
  ['requirements.txt', 'pip'],
  ['package.json', 'npm'],
  ['other.txt', 'none'],
])('%s means %s', async (file, manager) => {
  write(file);
  expect((await state()).manager).toBe(manager);
});
