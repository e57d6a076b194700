import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CommandResult } from '../kernel/index.ts';
import { primitives } from './index.ts';
import { dyingAfter, Sandbox } from './testing/sandbox.ts';

const name = 'install_packages';
const params = { directory: '.' };
let box: Sandbox;

beforeEach(async () => {
  box = await new Sandbox().make();
  await box.write('package.json', '{"name":"app","dependencies":{"dep":"file:dep.tgz"}}\n');
  await box.write('package-lock.json', '{"lockfileVersion":3,"packages":{"":{}}}\n');
  await box.write('node_modules/dep/index.js', 'old');
  await box.write('node_modules/.package-lock.json', '{"packages":{"node_modules/dep":{"dev":true}}}');
  box.packages = { manager: 'npm', directory: box.root, lockFile: box.path('package-lock.json'), missing: [], damaged: [] };
});
afterEach(() => box.remove());

const ended = (exitCode: number, stderr = ''): CommandResult => ({
  exitCode,
  signal: null,
  stdout: '',
  stderr,
  timedOut: false,
  spawnErrorCode: null,
});

describe(name, () => {
  it('renews all packages, and puts the old ones back wherever it dies', async () => {
    box.runAs = async () => {
      await box.write('node_modules/dep/index.js', 'new');
      await box.write('package-lock.json', 'changed by npm');
      return ended(0);
    };
    await box.apply(name, params);
    expect(await box.read('node_modules/dep/index.js')).toBe('new');
    expect(await box.read('package-lock.json')).toMatch(/lockfileVersion/);
    expect((await fs.readdir(box.root)).toSorted()).toEqual(['node_modules', 'package-lock.json', 'package.json']);
    expect(box.ran).toEqual([['npm', 'ci', '--prefer-offline', '--no-audit', '--no-fund', '--include=dev']]);
  });

  it.each(['before the install', 'during the install'])('leaves the old packages when Grace dies %s', async (when) => {
    const before = await box.state();
    const plan = await box.plan(name, params);
    if (plan.state !== 'ready') throw new Error('not ready');
    // What apply has done by then, by hand: a kill runs no catch block.
    await fs.rename(box.path('node_modules'), box.path('node_modules.grace-aside'));
    if (when === 'during the install') await box.write('node_modules/half/index.js', 'half');
    await box.undo(name, plan.undo);
    await box.undo(name, plan.undo);
    expect(await box.state()).toEqual(before);
  });

  it.each([[[]], [['dep']], [['lost']]])('is all old or all new wherever it dies, with %j broken', async (broken) => {
    const primitive = primitives.get(name);
    if (!primitive) throw new Error('gone');
    const before = await box.state();
    let cuts = 0;
    for (let finished = false; !finished; cuts++) {
      box.packages = { ...box.packages, damaged: broken };
      box.runAs = async () => {
        for (const dep of broken.length > 0 ? broken : ['dep', 'lost']) await box.write(`node_modules/${dep}/index.js`, 'new');
        await box.write('node_modules/.package-lock.json', 'new');
        box.packages = { ...box.packages, damaged: [] };
        return ended(0);
      };
      const plan = await box.plan(name, params);
      if (plan.state !== 'ready') throw new Error('not ready');
      finished = await primitive.apply({ directory: '.', manager: null }, box.context(dyingAfter(cuts, box.files)), plan.undo).then(
        () => true,
        () => false,
      );
      await box.undo(name, plan.undo);
      await box.undo(name, plan.undo);
      const state = await box.state();
      const isNew = state['/node_modules/.package-lock.json']?.endsWith('new') ?? false;
      if (!isNew) expect(state, `cut ${cuts}`).toEqual(before);
      else for (const dep of broken) expect(state[`/node_modules/${dep}/index.js`], `cut ${cuts}`).toMatch(/new$/);
      expect(Object.keys(state).filter((path) => path.includes('grace'))).toEqual([]);
      await fs.rm(box.path('node_modules'), { recursive: true });
      await box.write('node_modules/dep/index.js', 'old');
      await box.write('node_modules/.package-lock.json', '{"packages":{"node_modules/dep":{"dev":true}}}');
      box.nowMs += 1000;
    }
    expect(cuts).toBeGreaterThan(4);
  });

  it('puts everything back when the install fails', async () => {
    const before = await box.state();
    box.runAs = async () => {
      await box.write('node_modules/half/index.js', 'half');
      await box.write('package.json', '{}');
      await box.write('yarn.lock', 'surprise');
      return ended(1, 'npm error network ETIMEDOUT');
    };
    await expect(box.apply(name, params)).rejects.toThrow(/npm ended with 1\n.*ETIMEDOUT/);
    expect(await box.state()).toEqual(before);
  });

  it('takes npm install when npm ci says that lock and package.json differ, and when there is no lock', async () => {
    box.runAs = async (argv) => {
      if (argv[1] === 'ci')
        return ended(
          1,
          'npm error code EUSAGE\n`npm ci` can only install packages when your package.json and package-lock.json are in sync',
        );
      await box.write('node_modules/dep/index.js', 'new');
      return ended(0);
    };
    await box.apply(name, params);
    expect(box.ran.map((argv) => argv.slice(0, 3))).toEqual([
      ['npm', 'ci', '--prefer-offline'],
      ['npm', 'install', '--no-save'],
    ]);
    box.packages = { ...box.packages, lockFile: null };
    await box.apply(name, params);
    expect(box.ran.at(-1)?.slice(0, 3)).toEqual(['npm', 'install', '--no-package-lock']);
  });

  it('mends a few packages by themselves, and renews all when that does not help', async () => {
    box.packages = { ...box.packages, damaged: ['dep'] };
    let mends = true;
    box.runAs = async (argv) => {
      expect(await fs.readdir(box.path('node_modules')).catch(() => [])).not.toContain('dep');
      await box.write('node_modules/dep/index.js', argv[1] === 'ci' ? 'renewed' : 'mended');
      if (mends || argv[1] === 'ci') box.packages = { ...box.packages, damaged: [] };
      return ended(0);
    };
    await box.apply(name, params);
    expect(await box.read('node_modules/dep/index.js')).toBe('mended');
    expect((await fs.readdir(box.root)).toSorted()).toEqual(['node_modules', 'package-lock.json', 'package.json']);
    mends = false;
    box.packages = { ...box.packages, damaged: ['dep'] };
    await box.apply(name, params);
    expect(await box.read('node_modules/dep/index.js')).toBe('renewed');
    expect((await fs.readdir(box.root)).toSorted()).toEqual(['node_modules', 'package-lock.json', 'package.json']);
  });

  it('lets Composer and pip add what is missing, as it was installed before, and says that this stays', async () => {
    await box.write('composer.json', '{"require": {"a/b": "1.0"}}');
    await box.write('composer.lock', '{"packages": [{"name": "a/b"}]}');
    await box.write('vendor/composer/installed.json', '{"packages": [], "dev": false}');
    box.packages = { manager: 'composer', directory: box.root, lockFile: box.path('composer.lock'), missing: ['a/b'], damaged: [] };
    box.runAs = async () => {
      await box.write('composer.lock', 'changed by Composer');
      box.packages = { ...box.packages, missing: [] };
      return ended(0);
    };
    const record = await box.apply(name, params);
    expect(box.ran).toEqual([['composer', 'install', '--no-interaction', '--no-progress', '--no-dev']]);
    expect(await box.read('composer.lock')).toContain('a/b');
    await expect(box.undo(name, record)).rejects.toThrow(/what composer installed stays/);

    await box.write('requirements.txt', 'flask\n');
    await box.write('.venv/pyvenv.cfg', '');
    await box.write('.venv/bin/python3', '');
    box.packages = { manager: 'pip', directory: box.root, lockFile: box.path('requirements.txt'), missing: ['flask'], damaged: [] };
    await box.apply(name, params);
    expect(box.ran.at(-1)?.slice(1)).toEqual(['-m', 'pip', 'install', '--disable-pip-version-check', '-r', 'requirements.txt']);
  });

  it('does not choose versions that no lock file of Composer has chosen', async () => {
    await box.write('composer.json', '{}');
    expect(await box.refusal(name, { ...params, manager: 'composer' })).toMatch(/no composer\.lock/);
  });

  it('installs into no system Python, refuses without a declaration, and stays inside the roots', async () => {
    expect(await box.refusal(name, { ...params, manager: 'pip' })).toMatch(/there is no .*requirements\.txt/);
    await box.write('requirements.txt', 'flask\n');
    expect(await box.refusal(name, { ...params, manager: 'pip' })).toMatch(/no virtual environment/);
    box.packages = { ...box.packages, manager: 'none', lockFile: null };
    expect(await box.refusal(name, params)).toMatch(/declares no packages/);
    await expect(box.plan(name, { directory: box.outside })).rejects.toThrow(/outside the roots/);
    await fs.symlink(box.outside, box.path('link'));
    await expect(box.plan(name, { directory: 'link' })).rejects.toThrow(/outside the roots/);
    await expect(box.plan(name, { directory: '.', manager: 'cargo' })).rejects.toThrow(/"manager" has to be one of/);
  });

  it('really installs with npm, whole and a single package', async () => {
    await fs.rm(box.path('node_modules'), { recursive: true });
    await fs.rm(box.path('package-lock.json'));
    for (const dep of ['dep', 'pal']) {
      await fs.mkdir(`${box.dir}/${dep}`);
      await fs.writeFile(`${box.dir}/${dep}/package.json`, `{"name":"${dep}","version":"1.0.0"}`);
      await fs.writeFile(`${box.dir}/${dep}/index.js`, `module.exports = '${dep}'\n`);
      execFileSync('npm', ['pack', '--silent', '--pack-destination', box.root, `${box.dir}/${dep}`], { stdio: 'ignore' });
    }
    await box.write('package.json', '{"name":"app","dependencies":{"dep":"file:dep-1.0.0.tgz","pal":"file:pal-1.0.0.tgz"}}\n');
    box.environment = { ...box.environment, npm_config_cache: `${box.dir}/cache`, HOME: box.dir };
    execFileSync('npm', ['install', '--silent', '--no-audit', '--no-fund'], { cwd: box.root, env: box.environment, stdio: 'ignore' });
    const before = await box.state();
    await fs.writeFile(box.path('node_modules/dep/index.js'), '');
    await box.apply(name, params);
    expect(Object.keys(await box.state())).toEqual(Object.keys(before));
    expect(await box.read('node_modules/dep/index.js')).toContain("'dep'");

    await fs.rm(box.path('node_modules/pal'), { recursive: true });
    box.packages = { ...box.packages, missing: ['pal'] };
    const packages = box.packages;
    Object.defineProperty(box, 'packages', {
      get: () => ({ ...packages, missing: box.ran.length > 1 ? [] : ['pal'] }),
    });
    await box.apply(name, params);
    expect(box.ran.map((argv) => argv[1])).toEqual(['ci', 'install']);
    expect(await box.read('node_modules/pal/index.js')).toContain("'pal'");
    expect(Object.keys(await box.state())).toEqual(Object.keys(before));
    expect((await box.state())['/package-lock.json']).toBe(before['/package-lock.json']);
  }, 60_000);
});

describe('rebuild_packages', () => {
  it('runs npm rebuild, and says how it failed', async () => {
    box.runAs = async () => ended(0);
    await box.apply('rebuild_packages', params);
    expect(box.ran[0]?.slice(0, 2)).toEqual(['npm', 'rebuild']);
    box.runAs = async () => ended(1, 'gyp ERR! not found: make');
    await expect(box.apply('rebuild_packages', params)).rejects.toThrow(/gyp ERR! not found: make/);
    await fs.rm(box.path('node_modules'), { recursive: true });
    expect(await box.refusal('rebuild_packages', params)).toMatch(/install_packages first/);
  });
});
