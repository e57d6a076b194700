import * as fs from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CommandResult } from '../kernel/index.ts';
import { primitives } from './index.ts';
import { Sandbox } from './testing/sandbox.ts';

let box: Sandbox;

beforeEach(async () => {
  box = await new Sandbox().make();
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

describe('run_project_script', () => {
  const name = 'run_project_script';
  const params = { directory: '.', script: 'build', makes: 'dist/main.js' };
  const builds = async (): Promise<CommandResult> => {
    await box.write('dist/main.js', 'built');
    await box.write('dist/util.js', 'built');
    return ended(0);
  };

  beforeEach(async () => {
    await box.write('package.json', JSON.stringify({ scripts: { build: 'node build.js', ship: 'npm run build && npm publish' } }));
    await box.write('src/main.ts', 'source');
  });

  it('really runs the script, and moves what it made away again', async () => {
    await box.write(
      'build.js',
      "const fs = require('fs'); fs.mkdirSync('dist', { recursive: true }); fs.writeFileSync('dist/main.js', 'built');",
    );
    box.environment = { ...box.environment, HOME: box.dir };
    const before = await box.state();
    const record = await box.apply(name, params);
    expect(await box.read('dist/main.js')).toBe('built');
    await box.undo(name, record);
    await box.undo(name, record);
    expect(await box.state()).toEqual(before);
  }, 30_000);

  it('undoes what was made wherever it dies, and only what was not there before', async () => {
    await box.write('dist/assets/logo.svg', 'kept');
    box.runAs = builds;
    const before = await box.state();
    const nested = { ...params, makes: 'dist/server/main.js' };
    box.runAs = async () => {
      await box.write('dist/server/main.js', 'built');
      return ended(0);
    };
    expect(await box.undoneAfterEveryCut(name, nested, before)).toEqual({ cuts: expect.any(Number), wrong: null });
    expect(await box.read('dist/assets/logo.svg')).toBe('kept');
  });

  it('fails with the words of the build, and when it made nothing', async () => {
    box.runAs = async () => ended(2, 'src/main.ts(2,7): error TS2322');
    await expect(box.apply(name, params)).rejects.toThrow(/npm run build ended with 2\n.*TS2322/);
    box.runAs = async () => ended(0);
    await expect(box.apply(name, params)).rejects.toThrow(/ended well, and .*dist\/main\.js is not there/);
  });

  it('has nothing to do once it is there, and takes an empty directory for a build that was cut off', async () => {
    await fs.mkdir(box.path('dist'));
    expect((await box.plan(name, { ...params, makes: 'dist' })).state).toBe('ready');
    await box.write('dist/main.js', 'built');
    expect((await box.plan(name, params)).state).toBe('nothing_to_do');
  });

  it('takes the package manager of the lock file where it is installed', async () => {
    box.runAs = builds;
    box.packages = { ...box.packages, manager: 'pnpm' };
    box.environment = { PATH: box.path('bin') };
    await box.apply(name, params);
    await fs.rm(box.path('dist'), { recursive: true });
    await box.write('bin/pnpm', '', 0o755);
    await box.apply(name, params);
    expect(box.ran).toEqual([
      ['npm', 'run', 'build'],
      ['pnpm', 'run', 'build'],
    ]);
  });

  it('runs nothing but a script of package.json that stays within the project', async () => {
    expect(await box.refusal(name, { ...params, script: 'test' })).toMatch(/has no script "test"/);
    expect(await box.refusal(name, { ...params, script: 'constructor' })).toMatch(/has no script/);
    expect(await box.refusal(name, { ...params, script: 'ship' })).toMatch(/reaches beyond the project/);
    await expect(box.plan(name, { ...params, script: '--prefix=/tmp' })).rejects.toThrow(/"script" has to be the name/);
    await expect(box.plan(name, { ...params, script: 'build; reboot' })).rejects.toThrow(/"script" has to be the name/);
    await expect(box.plan(name, { ...params, directory: box.outside })).rejects.toThrow(/outside the roots/);
    await expect(box.plan(name, { ...params, makes: `${box.outside}/main.js` })).rejects.toThrow(/outside the roots/);
    await box.write('package.json', '{ broken');
    expect(await box.refusal(name, params)).toMatch(/has no script "build"/);
  });

  it('runs no script before or after which another one reaches beyond the project', async () => {
    for (const hook of ['prebuild', 'postbuild']) {
      await box.write('package.json', JSON.stringify({ scripts: { build: 'node build.js', [hook]: 'npm publish' } }));
      expect(await box.refusal(name, params)).toMatch(/reaches beyond the project: npm publish/);
    }
  });

  it('runs a script only of a manifest that is as at the last verified boot, where that is kept', async () => {
    await box.remember('package.json');
    expect((await box.plan(name, params)).state).toBe('ready');
    await box.write('package.json', JSON.stringify({ scripts: { build: 'node build.js', prebuild: 'node other.js' } }));
    expect(await box.refusal(name, params)).toMatch(/not as it was at the last verified boot/);
  });

  it('runs no script of a manifest that is younger than the run, where nothing is kept', async () => {
    const primitive = primitives.get(name);
    const { mtimeMs } = await fs.stat(box.path('package.json'));
    const planAt = (startedAtMs: number) =>
      primitive?.plan(primitive.parse(params), { ...box.context(), runSoFar: { startedAtMs, touched: [] } });
    expect(await planAt(mtimeMs + 1000)).toMatchObject({ state: 'ready' });
    expect(await planAt(mtimeMs)).toMatchObject({ state: 'refused', reason: expect.stringMatching(/changed while this run went on/) });
    await box.remember('package.json');
    expect(await planAt(mtimeMs)).toMatchObject({ state: 'ready' });
  });

  it('runs no script that this run has touched, nor one that names what it has touched', async () => {
    const primitive = primitives.get(name);
    await box.write('build.js', 'made by a step');
    const reasonFor = async (touched: string) => {
      const runSoFar = { startedAtMs: null, touched: [touched] };
      const plan = await primitive?.plan(primitive.parse(params), { ...box.context(), runSoFar });
      return plan?.state === 'refused' ? plan.reason : plan?.state;
    };
    expect(await reasonFor(box.path('package.json'))).toMatch(/has acted on .*package\.json/);
    expect(await reasonFor(box.root)).toMatch(/has acted on/);
    expect(await reasonFor(box.path('build.js'))).toMatch(/has acted on .*build\.js, which it names/);
    expect(await reasonFor(box.path('other.js'))).toBe('ready');
    await box.remember('build.js');
    expect(await reasonFor(box.path('build.js'))).toBe('ready');
    await box.remember('package.json');
    expect(await reasonFor(box.path('package.json'))).toMatch(/has acted on/);
  });

  it('does not run a script that changed after it was looked at', async () => {
    const primitive = primitives.get(name);
    const plan = await box.plan(name, params);
    if (plan.state !== 'ready' || primitive === undefined) throw new Error('not ready');
    await box.write('package.json', JSON.stringify({ scripts: { build: 'npm publish' } }));
    await expect(primitive.apply(primitive.parse(params), box.context(), plan.undo)).rejects.toThrow(/reaches beyond the project/);
    expect(box.ran).toEqual([]);
  });
});

describe('generate_client', () => {
  const name = 'generate_client';
  const params = { directory: '.', tool: 'prisma' };

  it('runs nothing but the command that generates, of the tool that is installed', async () => {
    expect(await box.refusal(name, params)).toMatch(/install_packages first/);
    await box.write('node_modules/.bin/prisma', '', 0o755);
    box.runAs = async () => ended(0);
    await box.apply(name, params);
    expect(box.ran).toEqual([[box.path('node_modules/.bin/prisma'), 'generate']]);
    await expect(box.plan(name, { ...params, tool: 'drizzle' })).rejects.toThrow(/"tool" has to be one of prisma/);
    await expect(box.plan(name, { ...params, directory: box.outside })).rejects.toThrow(/outside the roots/);
  });

  it('says how it failed', async () => {
    await box.write('node_modules/.bin/prisma', '', 0o755);
    box.runAs = async () => ended(1, 'Error: Could not find Prisma Schema');
    await expect(box.apply(name, params)).rejects.toThrow(/prisma generate ended with 1\n.*Could not find Prisma Schema/);
  });
});
