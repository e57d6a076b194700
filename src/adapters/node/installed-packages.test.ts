import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { installedPackages } from './installed-packages.ts';

function project(files: Readonly<Record<string, unknown>>): string {
  const dir = mkdtempSync(join(tmpdir(), 'grace-packages-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return dir;
}

test('npm: its own index of what it installed, nested ones too, and when', () => {
  const dir = project({
    'node_modules/.package-lock.json': {
      packages: {
        'node_modules/a': { version: '1.0.0' },
        'node_modules/a/node_modules/@b/c': { version: '2.0.0' },
        'node_modules/own': { link: true },
      },
    },
  });
  utimesSync(join(dir, 'node_modules/.package-lock.json'), 1e9, 1e9);
  expect(installedPackages(dir, {})).toEqual({
    'npm a': '1.0.0',
    'npm a/node_modules/@b/c': '2.0.0',
    'npm own': 'linked',
    'npm (installed at)': '2001-09-09T01:46:40.000Z',
  });
});

test('pnpm: the names in its store, peers left out, several versions beside each other', () => {
  const store = (name: string): string => `node_modules/.pnpm/${name}/package.json`;
  const dir = project({
    [store('a@1.0.0')]: '',
    [store('a@2.0.0_x@1.0.0')]: '',
    [store('@b+c@3.1.0(d@1.0.0)')]: '',
    [store('node_modules')]: '',
  });
  expect(installedPackages(dir, {})).toEqual({ 'pnpm a': '1.0.0 2.0.0', 'pnpm @b/c': '3.1.0' });
});

test('yarn: what is in its modules, scopes too', () => {
  const dir = project({
    'node_modules/.yarn-integrity': '',
    'node_modules/a/package.json': { version: '1.0.0' },
    'node_modules/@b/c/package.json': { version: '2.0.0' },
    'node_modules/half/package.json': '{"ver',
  });
  expect(installedPackages(dir, {})).toEqual({ 'yarn a': '1.0.0', 'yarn @b/c': '2.0.0' });
});

test('modules without any index are read one by one', () => {
  expect(installedPackages(project({ 'node_modules/a/package.json': { version: '1.0.0' } }), {})).toEqual({ 'npm a': '1.0.0' });
});

test('Python: without an environment of its own, what is there for everybody and for its user', () => {
  const home = project({ '.local/lib/python3.12/site-packages/celery_x-5.4.0.dist-info/METADATA': '' });
  expect(installedPackages(project({ 'app.py': '' }), { HOME: home })).toMatchObject({ 'pip celery-x': '5.4.0' });
  expect(installedPackages(project({ 'app.js': '' }), { HOME: home })).toEqual({});
});

test('Python: the environment of the project, or the one that is named', () => {
  const site = 'lib/python3.12/site-packages';
  const dir = project({
    [`.venv/${site}/Flask_Cors-4.0.1.dist-info/METADATA`]: '',
    [`other/${site}/requests-2.32.0.dist-info/METADATA`]: '',
  });
  expect(installedPackages(dir, {})).toEqual({ 'pip flask-cors': '4.0.1' });
  expect(installedPackages(dir, { VIRTUAL_ENV: join(dir, 'other') })).toEqual({ 'pip requests': '2.32.0' });
});

test('Ruby and PHP: the gems of the bundle, the index of composer', () => {
  const dir = project({
    'vendor/bundle/ruby/3.3.0/gems/rack-3.0.8/x': '',
    'vendor/bundle/ruby/3.3.0/gems/net-http-persistent-4.0.2/x': '',
    'vendor/composer/installed.json': { packages: [{ name: 'symfony/console', version: 'v7.0.1' }] },
  });
  expect(installedPackages(dir, {})).toEqual({
    'gem rack': '3.0.8',
    'gem net-http-persistent': '4.0.2',
    'composer symfony/console': 'v7.0.1',
  });
});

test('nothing where nothing is installed, and no error where an index is damaged', () => {
  expect(installedPackages(project({}), {})).toEqual({});
  expect(installedPackages(project({ 'node_modules/.package-lock.json': '{"packages":' }), {})).toEqual({});
});
