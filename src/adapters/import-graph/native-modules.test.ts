import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeAll, afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { nodeSpawner } from '../node/spawner.ts';
import { importGraphs } from './look-at-imports.ts';
import { nativeHeader } from './native-header.ts';

const hasCompiler = (() => {
  try {
    execFileSync('gcc', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

/** Real shared objects: what a compiler makes of a few lines, as node-gyp would. */
const SOURCES: Readonly<Record<string, string>> = {
  napi: 'void *napi_register_module_v1(void *env, void *exports) { return exports; }',
  current: `void node_register_module_v${process.versions.modules}(void *e, void *m, void *c) {}`,
  older: 'void node_register_module_v72(void *e, void *m, void *c) {}',
};
let built = '';

beforeAll(() => {
  built = mkdtempSync(join(tmpdir(), 'grace-native-'));
  if (!hasCompiler) return;
  for (const [name, source] of Object.entries(SOURCES)) {
    writeFileSync(join(built, `${name}.c`), source);
    execFileSync('gcc', ['-shared', '-fPIC', '-o', join(built, `${name}.node`), join(built, `${name}.c`)]);
  }
  // Linked to a library that is taken away afterwards.
  writeFileSync(join(built, 'gone.c'), 'int gone(void) { return 1; }');
  execFileSync('gcc', ['-shared', '-fPIC', '-Wl,-soname,libgone.so.3', '-o', join(built, 'libgone.so'), join(built, 'gone.c')]);
  writeFileSync(join(built, 'needy.c'), `int gone(void); void *napi_register_module_v1(void *a, void *b) { gone(); return b; }`);
  execFileSync('gcc', ['-shared', '-fPIC', '-o', join(built, 'needy.node'), join(built, 'needy.c'), `-L${built}`, '-lgone']);
  const other = readFileSync(join(built, 'napi.node'));
  other.writeUInt16LE(183, 18);
  writeFileSync(join(built, 'arm.node'), other);
  writeFileSync(join(built, 'cut.node'), readFileSync(join(built, 'napi.node')).subarray(0, 3000));
  writeFileSync(join(built, 'text.node'), 'not a binary');
});
afterAll(() => rmSync(built, { recursive: true, force: true }));

describe.runIf(hasCompiler)('native modules', () => {
  test.each([
    ['one with Node-API', 'napi', []],
    ['one of this ABI', 'current', []],
    ['one of an older ABI', 'older', [`error native_abi 72 ${process.versions.modules}`]],
    ['one of another processor', 'arm', ['error native_architecture arm64 x64']],
    ['one whose library is nowhere', 'needy', ['error native_library libgone.so.3 a place where the linker looks']],
    ['one that was cut off', 'cut', ['error native_broken no whole ELF file a shared object']],
    ['a text of that name', 'text', ['error native_broken no whole ELF file a shared object']],
  ])('%s fails in Node just when it is found', async (_, name, found) => {
    const dir = service({ 'main.js': "require('./build/Release/x.node')" }, { 'build/Release/x.node': name });
    expect(await look(dir)).toEqual(found);
    expect(fails(dir)).toBe(found.length > 0);
  });

  test('are found where bindings, node-gyp-build and node-pre-gyp look', async () => {
    const finder = { 'node_modules/bindings/index.js': 'module.exports = (n) => require("../a/build/Release/" + n)' };
    const a = {
      'node_modules/a/package.json': '{"name":"a","gypfile":true}',
      'node_modules/a/index.js': "module.exports = require('bindings')('a.node')",
    };
    const main = { 'main.js': "require('a')" };
    expect(await look(service({ ...main, ...finder, ...a }, { 'node_modules/a/build/Release/a.node': 'older' }))).toEqual([
      `error native_abi 72 ${process.versions.modules}`,
    ]);
    expect(await look(service({ ...main, ...finder, ...a }, { 'node_modules/a/build/Release/a.node': 'napi' }))).toEqual([]);
    const none = service({ ...main, ...finder, ...a }, {});
    expect(await look(none)).toEqual([`error native_missing no binary linux-${process.arch}, ABI ${process.versions.modules}`]);
    expect(fails(none)).toBe(true);
  });

  test('among prebuilt ones the one is taken that is for this Node', async () => {
    const files = {
      'main.js': "require('a')",
      'node_modules/node-gyp-build/index.js': 'module.exports = () => ({})',
      'node_modules/a/package.json': '{"name":"a"}',
      'node_modules/a/index.js': "module.exports = require('node-gyp-build')(__dirname)",
    };
    const at = `node_modules/a/prebuilds/linux-${process.arch}`;
    expect(await look(service(files, { [`${at}/node.abi72.node`]: 'older', [`${at}/node.napi.node`]: 'napi' }))).toEqual([]);
    expect(await look(service(files, { [`${at}/node.abi72.node`]: 'older' }))).toEqual([
      `error native_missing no binary linux-${process.arch}, ABI ${process.versions.modules}`,
    ]);
  });

  test('in packages of their own are missed where the lock file has them for this machine, and again once they are installed', async () => {
    const names = ['a-linux-x64', 'a-linux-arm64', 'a-linuxmusl-x64', 'a-linuxmusl-arm64', 'a-darwin-arm64', 'plain'];
    const packages = Object.fromEntries(
      names.slice(0, 5).map((name) => {
        const [, os = '', cpu = ''] = name.split('-');
        const libc = os === 'darwin' ? {} : { libc: [os === 'linux' ? 'glibc' : 'musl'] };
        return [`node_modules/@a/${name}`, { optional: true, os: [os.replace('musl', '')], cpu: [cpu], ...libc }];
      }),
    );
    const optional = Object.fromEntries(names.map((name) => [name === 'plain' ? name : `@a/${name}`, '1']));
    const dir = service(
      {
        'main.js': "require('a')",
        'node_modules/a/package.json': JSON.stringify({ name: 'a', optionalDependencies: optional }),
        'node_modules/a/index.js': '',
        'package-lock.json': JSON.stringify({ packages: { ...packages, 'node_modules/plain': { optional: true } } }),
      },
      {},
    );
    const libc = (process.report.getReport() as { header: { glibcVersionRuntime?: string } }).header.glibcVersionRuntime;
    const own = `@a/a-${libc === undefined ? 'linuxmusl' : 'linux'}-${process.arch}`;
    expect(await look(dir)).toEqual([`warn native_package_missing no binary ${own}`]);
    mkdirSync(join(dir, 'node_modules', own), { recursive: true });
    writeFileSync(join(dir, 'node_modules', own, 'package.json'), '{}');
    expect(await look(dir)).toEqual([]);
    rmSync(join(dir, 'node_modules', own), { recursive: true });
    expect(await look(dir)).toEqual([`warn native_package_missing no binary ${own}`]);
    rmSync(join(dir, 'package-lock.json'));
    expect(await look(dir)).toEqual([]);
  });

  test('that only a branch or a caught require loads are left to their loader', async () => {
    const dir = service({ 'main.js': "let x; try { x = require('./a.node') } catch {}" }, { 'a.node': 'older' });
    expect(await look(dir)).toEqual([]);
    expect(fails(dir)).toBe(false);
  });

  test('a header that points outside its file is no header', async () => {
    const bytes = readFileSync(join(built, 'napi.node'));
    for (let at = 16; at < 64; at += 1) {
      const broken = Buffer.from(bytes);
      broken.writeUInt8(0xff, at);
      const file = join(built, 'broken.node');
      writeFileSync(file, broken);
      await expect(nativeHeader(file)).resolves.toBeDefined();
    }
  });
});

async function look(dir: string): Promise<readonly string[]> {
  const order = { command: [process.execPath, 'main.js'], cwd: dir, env: { PATH: '/usr/bin' } };
  const graph = await importGraphs(nodeSpawner, join(dir, '.grace', 'import-graph.json')).look(order, AbortSignal.timeout(20_000));
  return graph?.native.map(({ isSure, kind, has, wanted }) => `${isSure ? 'error' : 'warn'} ${kind} ${has} ${wanted}`) ?? ['no graph'];
}

function fails(dir: string): boolean {
  try {
    execFileSync(process.execPath, ['main.js'], { cwd: dir, stdio: 'ignore' });
    return false;
  } catch {
    return true;
  }
}

function service(files: Readonly<Record<string, string>>, binaries: Readonly<Record<string, string>>): string {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'grace-native-')));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), text);
  }
  for (const [name, binary] of Object.entries(binaries)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    copyFileSync(join(built, `${binary}.node`), join(dir, name));
  }
  return dir;
}
