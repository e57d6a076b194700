import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { nodeFiles } from './files.ts';
import { packageState } from './packages.ts';

let dir = '';
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), 'grace-language-packages-'))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function write(path: string, text = ''): void {
  mkdirSync(dirname(join(dir, path)), { recursive: true });
  writeFileSync(join(dir, path), text);
}
const state = () => packageState(dir, nodeFiles, null);

describe('Composer', () => {
  beforeEach(() => {
    write(
      'composer.lock',
      '{"packages": [{"name": "a/b"}, {"name": "c/d"}, {"name": "e/all", "type": "metapackage"}], "packages-dev": [{"name": "t/t"}]}',
    );
    for (const path of ['vendor/autoload.php', 'vendor/a/b/x.php', 'vendor/c/d/x.php']) write(path);
  });

  test('has all that its lock file names, development aside', async () => {
    expect(await state()).toEqual({ manager: 'composer', directory: dir, lockFile: join(dir, 'composer.lock'), missing: [], damaged: [] });
  });

  test('misses a package without a directory', async () => {
    rmSync(join(dir, 'vendor/c'), { recursive: true });
    expect((await state()).missing).toEqual(['c/d']);
  });

  test('misses its own autoloader', async () => {
    rmSync(join(dir, 'vendor/autoload.php'));
    expect((await state()).missing).toEqual(['vendor/autoload.php']);
  });

  test('says nothing about a lock file that cannot be read', async () => {
    write('composer.lock', '{"packages": [');
    expect((await state()).missing).toEqual([]);
  });
});

describe('pip', () => {
  const SITE = '.venv/lib/python3.11/site-packages';
  beforeEach(() => {
    write(
      'requirements.txt',
      '# web\nFlask==3.0\nruamel.yaml>=0.17 # settings\nuvicorn[standard]\npywin32; sys_platform == "win32"\n-r more.txt\ngit+https://x/y\n\n',
    );
    write('.venv/pyvenv.cfg', 'version = 3.11\n');
    for (const name of ['flask-3.0.0.dist-info', 'ruamel.yaml-0.18.5.dist-info', 'uvicorn-0.29.0.dist-info'])
      write(`${SITE}/${name}/METADATA`);
  });

  test('has what is required, however the names are written', async () => {
    expect(await state()).toMatchObject({ manager: 'pip', missing: [] });
  });

  test('misses a requirement that the environment of the project lacks', async () => {
    rmSync(join(dir, SITE, 'flask-3.0.0.dist-info'), { recursive: true });
    expect((await state()).missing).toEqual(['Flask']);
  });

  test('does not judge by any other environment', async () => {
    rmSync(join(dir, '.venv'), { recursive: true });
    expect((await state()).missing).toEqual([]);
  });
});

test('of two lock files the one that misses something counts', async () => {
  write('package-lock.json', '{"lockfileVersion": 3, "packages": {"": {}}}');
  write('composer.lock', '{"packages": [{"name": "a/b"}]}');
  expect(await state()).toMatchObject({ manager: 'composer', missing: ['a/b'] });
  write('vendor/autoload.php');
  write('vendor/a/b/x.php');
  expect(await state()).toMatchObject({ manager: 'npm', missing: [] });
});
