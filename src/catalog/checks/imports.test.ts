import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { importGraphs } from '../../adapters/import-graph/look-at-imports.ts';
import { nodeClock } from '../../adapters/node/clock.ts';
import { nodeFiles } from '../../adapters/node/files.ts';
import { nodeSpawner } from '../../adapters/node/spawner.ts';
import type { Check, Finding } from '../../domains/preflight/index.ts';
import { engines } from './engines.ts';
import { imports } from './imports.ts';
import { ask, inShort, serviceFolder } from './testing.ts';

const unused = (): Promise<never> => Promise.reject(new Error('this check asks for nothing of the kind'));

/** Each look is one of its own, as at another boot; what was kept stays in the folder. */
function look(check: Check, dir: string, command: readonly string[] = ['node', 'server.js']): Promise<readonly Finding[]> {
  const ports = {
    clock: nodeClock,
    files: nodeFiles,
    spawner: nodeSpawner,
    lint: unused,
    runModule: unused,
    ask: unused,
    imports: importGraphs(nodeSpawner, join(dir, '.grace', 'import-graph.json')),
  };
  return ask(check, dir, ports, { spec: { command }, env: { PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}` } });
}

describe('imports', () => {
  test('say where, what, the way there and what to do', async () => {
    const dir = serviceFolder({
      'server.js': "require('./app');",
      'app.js': "\nconst s = require('./lib/UserStore');",
      'lib/userStore.js': '',
    });
    const [finding] = await look(imports, dir);
    expect(finding).toMatchObject({
      severity: 'error',
      code: 'module_file_missing',
      message: 'app.js:2:11 imports "./lib/UserStore", and there is no such file; there is lib/userStore.js',
      hint: 'write it as the file is called: this machine tells capital letters from small ones',
      evidence: ['loaded by server.js → app.js'],
      place: { file: join(dir, 'app.js'), line: 2, column: 11 },
    });
  });

  test('name a package that is missing once, where it is surely asked for, and who else asks', async () => {
    const dir = serviceFolder({
      'server.js': "require('./a'); require('./b');",
      'a.js': "exports.later = () => require('left-pad');",
      'b.js': "require('left-pad/lib');",
    });
    const findings = await look(imports, dir);
    expect(inShort(findings, dir)).toEqual(['error package_missing b.js:1']);
    expect(findings[0]?.evidence).toEqual(['loaded by server.js → b.js', 'and by a.js']);
  });

  test('name the command of the package manager that the project uses', async () => {
    const files = { 'server.js': "require('left-pad')", 'package.json': '{"devDependencies":{"left-pad":"1"}}' };
    expect((await look(imports, serviceFolder(files)))[0]?.hint).toBe('make it a dependency: npm install left-pad');
    expect((await look(imports, serviceFolder({ ...files, 'pnpm-lock.yaml': '' })))[0]?.hint).toBe(
      'make it a dependency: pnpm add left-pad',
    );
  });

  test('are not looked at for what is no Node, needs a shell, or builds first', async () => {
    const dir = serviceFolder({
      'server.js': "require('left-pad')",
      'package.json': '{"scripts":{"start":"node server.js","prestart":"tsc","chain":"tsc && node server.js"}}',
    });
    for (const command of [
      ['python3', 'server.js'],
      ['npm', 'start'],
      ['npm', 'run', 'chain'],
      ['sh', '-c', 'node server.js'],
      ['node', '-e', '1'],
    ])
      expect(await look(imports, dir, command)).toEqual([]);
  });

  test('are asked anew when a package is installed, a file appears, or a text changes without changing its size', async () => {
    const dir = serviceFolder({ 'server.js': "require('a1'); require('./b')" });
    const write = (name: string, text: string): void => {
      mkdirSync(dirname(join(dir, name)), { recursive: true });
      writeFileSync(join(dir, name), text);
    };
    expect(inShort(await look(imports, dir), dir)).toEqual(['error module_file_missing server.js:1', 'error package_missing server.js:1']);
    write('node_modules/a1/index.js', '');
    expect(inShort(await look(imports, dir), dir)).toEqual(['error module_file_missing server.js:1']);
    write('b.js', '');
    expect(await look(imports, dir)).toEqual([]);
    write('server.js', "require('a2'); require('./b')");
    expect(inShort(await look(imports, dir), dir)).toEqual(['error package_missing server.js:1']);
    symlinkSync('a1', join(dir, 'node_modules/a2'));
    expect(await look(imports, dir)).toEqual([]);
    write('node_modules/a1/package.json', '{"exports":{"./x":"./index.js"}}');
    expect(inShort(await look(imports, dir), dir)).toEqual(['error module_path_hidden server.js:1']);
  });

  test('survive files that are meant to break their reader', async () => {
    const dir = serviceFolder({
      'server.js': "require('./deep'); require('./long'); require('./broken'); require('./bytes'); require('left-pad')",
      'deep.js': `module.exports = ${'['.repeat(50_000)}${']'.repeat(50_000)}; require('x')`,
      'long.js': `// ${'import '.repeat(200_000)}\n${' '.repeat(500_000)}x`,
      'broken.js': "require('y'); }}} =>",
      'bytes.js': new Uint8Array([0xff, 0xfe, 0x00, 0x80]),
    });
    expect(inShort(await look(imports, dir), dir)).toEqual([
      'error module_syntax broken.js:1',
      'error module_syntax bytes.js:1',
      'error package_missing server.js:1',
    ]);
  });
});

describe('engines', () => {
  test('are a warning, and an error where the project is strict', async () => {
    const files = { 'server.js': '', 'package.json': '{"engines":{"node":"<12"}}' };
    expect(inShort(await look(engines, serviceFolder(files)), '')).toEqual([expect.stringMatching(/^warn node_version_differs/)]);
    expect(inShort(await look(engines, serviceFolder({ ...files, '.npmrc': 'engine-strict=true\n' })), '')).toEqual([
      expect.stringMatching(/^error node_version_differs/),
    ]);
    const major = process.versions.node.split('.')[0];
    const fitting = {
      'server.js': '',
      'package.json': `{"engines":{"node":">=${major}"}}`,
      '.nvmrc': `v${major}\n`,
      '.node-version': 'lts/*',
    };
    expect(await look(engines, serviceFolder(fitting))).toEqual([]);
  });

  test('of packages are one warning, and version files count', async () => {
    const dir = serviceFolder({
      'server.js': "require('a'); require('b')",
      '.nvmrc': '12.3\n',
      'package.json': '{}',
      'node_modules/a/package.json': '{"name":"a","engines":{"node":"<12"}}',
      'node_modules/a/index.js': '',
      'node_modules/b/package.json': '{"name":"b","engines":{"node":"what"}}',
      'node_modules/b/index.js': '',
    });
    const findings = await look(engines, dir);
    expect(inShort(findings, dir)).toEqual(['warn node_version_differs .nvmrc', 'warn package_wants_other_node']);
    expect(findings[1]?.message).toContain('a (<12)');
  });
});
