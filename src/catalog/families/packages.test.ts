import { expect, test } from 'vitest';
import { packageMissing } from './package-missing.ts';
import { ask, choose, drift, fact, guardAfter, stepsOf, type World } from './testing.ts';

const npm = { manager: 'npm', directory: '/srv/app', lockFile: '/srv/app/package-lock.json' } as const;
const INSTALL = ['install_packages {"directory":"/srv/app"}'];

test('installs a package of the lock file that is not there', async () => {
  const sick: World = { facts: [fact('module_missing', 'express')], packages: { ...npm, missing: ['express'] } };
  const { chosen } = await choose(sick);
  expect(stepsOf(chosen)).toEqual(INSTALL);
  expect(chosen?.confidence).toBe(0.95);
  expect(await guardAfter(packageMissing, sick, sick)).toContain('express not installed');
  expect(await guardAfter(packageMissing, sick, {})).toBeNull();
});

test('puts the lock file back before it installs what the file names', async () => {
  const sick: World = {
    facts: [fact('module_missing', 'mime')],
    packages: { ...npm, lockFile: null },
    lastGood: { 'package-lock.json': '{}', 'etc/package.json': '{}' },
    disk: { 'package-lock.json': '{' },
    drift: [drift('changed', 'package-lock.json', { isBroken: true }), drift('missing', 'etc/package.json')],
  };
  expect(stepsOf((await choose(sick)).chosen)).toEqual(['restore_file {"path":"package-lock.json"}', ...INSTALL]);
  const { chosen } = await choose({ ...sick, drift: [drift('changed', 'package-lock.json')] });
  expect(chosen?.remedy?.playbook).not.toBe('restore_lists_and_install_packages');
});

test('sees missing packages although the service starts and says nothing', async () => {
  expect(stepsOf((await choose({ symptom: 'smoke', packages: { ...npm, missing: ['@img/sharp-linux-x64'] } })).chosen)).toEqual(INSTALL);
});

test('installs nothing when no lock file asks for the package', async () => {
  const { best, chosen } = await choose({ facts: [fact('module_missing', 'left-pad')], packages: npm });
  expect(chosen).toBeNull();
  expect(best.cause).toContain('left-pad cannot be found');
});

test('explains a Python module by whatever distribution is missing', async () => {
  expect(
    stepsOf(
      (
        await choose({
          facts: [fact('module_missing', 'yaml', { runtime: 'python' })],
          packages: { ...npm, manager: 'pip', missing: ['PyYAML'] },
        })
      ).chosen,
    ),
  ).toEqual(INSTALL);
});

test('reinstalls a package whose files are damaged, as its first frame tells', async () => {
  const { chosen } = await choose({
    facts: [fact('exception', 'TypeError')],
    frames: [{ path: '/srv/app/node_modules/corser/index.js', function: 'create', line: 3, inDependency: true, package: 'corser' }],
    packages: { ...npm, damaged: ['corser'] },
  });
  expect(chosen?.remedy?.playbook).toBe('reinstall_packages');
  expect(stepsOf(chosen)).toEqual(INSTALL);
});

test('does not suspect packages that are whole, wherever the stack begins', async () => {
  const { chosen } = await choose({
    facts: [fact('exception', 'TypeError')],
    frames: [{ path: '/srv/app/node_modules/x/i.js', function: '', line: 1, inDependency: true, package: 'x' }],
    packages: npm,
  });
  expect(chosen).toBeNull();
});

test('does not wait for more than the loader says about a torn library', async () => {
  const { chosen } = await choose({
    symptom: 'not_ready',
    facts: [fact('native_module_broken', '/srv/app/node_modules/x/x.node', { line: '/srv/app/node_modules/x/x.node: invalid ELF header' })],
    packages: npm,
  });
  expect(stepsOf(chosen)).toEqual(INSTALL);
  expect(chosen?.confidence).toBeGreaterThanOrEqual(0.8);
});

test('rebuilds native packages for another version of the runtime', async () => {
  const { chosen } = await choose({
    facts: [fact('native_module_broken', 'better-sqlite3', { line: 'was compiled against NODE_MODULE_VERSION 108' })],
    packages: npm,
  });
  expect(stepsOf(chosen)).toEqual(['rebuild_packages {"directory":"/srv/app"}']);
});

test('puts a missing file of the code back where its importer looks for it', async () => {
  const world: World = {
    facts: [fact('module_missing', './routes', { details: { importer: '/srv/app/src/server.js' } })],
    lastGood: { 'src/routes.js': 'export {}' },
    disk: { 'src/server.js': '' },
    packages: npm,
  };
  expect(stepsOf((await choose(world)).chosen)).toEqual(['restore_file {"path":"src/routes.js"}']);
  expect((await choose({ ...world, lastGood: {} })).chosen).toBeNull();
});

test('takes a dotted Python module for the file it is', async () => {
  const world: World = {
    facts: [fact('module_missing', 'app.settings', { runtime: 'python' })],
    disk: { 'app/__init__.py': '' },
    lastGood: { 'app/settings.py': 'x = 1' },
    drift: [drift('missing', 'app/settings.py')],
    packages: { ...npm, manager: 'pip' },
  };
  expect(stepsOf((await choose(world)).chosen)).toEqual(['restore_file {"path":"app/settings.py"}']);
});

test('asks a person before it changes code that still parses', async () => {
  const world: World = {
    facts: [fact('circular_import', 'app.models', { runtime: 'python' })],
    disk: { 'app/models.py': 'x' },
    lastGood: { 'app/models.py': 'y' },
  };
  expect((await choose({ ...world, drift: [drift('changed', 'app/models.py')] })).chosen?.remedy).toMatchObject({
    tier: 'tier_3',
    risk: 'high',
  });
  expect((await choose(world)).chosen).toBeNull();
});

test('leaves an optional component out whose tool is missing, and no other', async () => {
  const world: World = { symptom: 'spawn', component: { command: ['tsc', '--watch'], optional: true, critical: false } };
  expect(stepsOf((await choose(world)).chosen)).toEqual(['skip_component {"reason":"tsc is not installed"}']);
  const { best, chosen } = await choose({ ...world, component: { command: ['tsc'] } });
  expect(chosen).toBeNull();
  expect(best.cause).toBe('tsc is not installed');
});

test('installs packages for a command that belongs to them', async () => {
  expect(
    stepsOf(
      (await choose({ symptom: 'spawn', component: { command: ['node_modules/.bin/vite'] }, packages: { ...npm, missing: ['vite'] } }))
        .chosen,
    ),
  ).toEqual(INSTALL);
});

test('takes a package with a dot in its name for one package', async () => {
  expect(
    (await choose({ facts: [fact('module_missing', 'socket.io')], packages: { ...npm, missing: ['socket.io', 'x'] } })).chosen?.cause,
  ).toBe('the package socket.io is not installed');
});

test('puts package.json back when the script that is started is gone from it', async () => {
  const world: World = {
    facts: [fact('command_missing', 'npm run dev')],
    disk: { 'package.json': '{}' },
    lastGood: { 'package.json': '{"scripts":{"dev":"x"}}' },
  };
  expect(stepsOf((await choose({ ...world, drift: [drift('changed', 'package.json')] })).chosen)).toEqual([
    'restore_file {"path":"package.json"}',
  ]);
  expect((await choose(world)).chosen).toBeNull();
});

test('installs nothing of another language when a service of this one fails', async () => {
  const packages = { manager: 'composer', directory: '/srv/app', lockFile: '/srv/app/composer.lock', missing: ['shop/money'] } as const;
  expect(await ask(packageMissing, { facts: [fact('exception', 'TypeError')], packages })).toEqual([]);
  expect(await ask(packageMissing, { facts: [fact('class_missing', 'Shop\\Money', { runtime: 'php' })], packages })).toHaveLength(1);
});

test('goes back on settings that ask for a package which nothing else asks for', async () => {
  const world = (path: string): World => ({
    facts: [fact('module_missing', 'moment-tz')],
    packages: { manager: 'npm' },
    disk: { [path]: "require('moment-tz')" },
    lastGood: { [path]: 'module.exports = {}' },
    drift: [drift('changed', path)],
  });
  const settings = (await choose(world('data/settings.js'))).chosen;
  expect(stepsOf(settings)).toEqual(['restore_file {"path":"data/settings.js"}']);
  expect(settings?.remedy?.tier).toBe('tier_2');
  // Code that wants more was deployed without its packages: going back on it is for a person to agree to.
  expect((await choose(world('lib/feature.js'))).chosen?.remedy?.tier).toBe('tier_3');
  const before = world('data/settings.js');
  expect((await choose({ ...before, lastGood: before.disk ?? {} })).chosen).toBeNull();
});
