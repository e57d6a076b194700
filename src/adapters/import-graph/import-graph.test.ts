import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ImportGraph } from '../../domains/preflight/index.ts';
import { nodeSpawner } from '../node/spawner.ts';
import { importGraphs } from './look-at-imports.ts';

type Files = Readonly<Record<string, string>>;

interface Case {
  readonly title: string;
  readonly files: Files;
  readonly links?: Readonly<Record<string, string>>;
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** `error kind specifier (name) [nearest]`, for each problem. */
  readonly found?: readonly string[];
}

const pkg = (name: string, more: object = {}): string => JSON.stringify({ name, version: '1.0.0', ...more });
const ESM = '{"type":"module"}';

/** What fails in Node, and only that, is an error; `found` says what it is. */
const CASES: readonly Case[] = [
  // packages
  {
    title: 'an ES import of a package that is not installed',
    files: { 'package.json': ESM, 'main.js': "import 'left-pad';" },
    found: ['error missing_package left-pad nowhere'],
  },
  {
    title: 'a require of a package that is not installed',
    files: { 'main.js': "require('left-pad');" },
    found: ['error missing_package left-pad nowhere'],
  },
  {
    title: 'a package that package.json asks for and nobody installed',
    files: { 'package.json': '{"dependencies":{"left-pad":"1"}}', 'main.js': "const x = require('left-pad');" },
    found: ['error missing_package left-pad dependency'],
  },
  {
    title: 'a package that is only needed to develop, and was left out',
    files: { 'package.json': '{"devDependencies":{"@scope/tool":"1"}}', 'main.js': "require('@scope/tool/deep');" },
    found: ['error missing_package @scope/tool/deep dev_dependency'],
  },
  {
    title: 'a package that only the lock has',
    files: { 'package-lock.json': '{"packages":{"node_modules/left-pad":{}}}', 'main.js': "require('left-pad');" },
    found: ['error missing_package left-pad locked'],
  },
  {
    title: 'a package of a package that is not installed',
    files: { 'main.js': "require('a');", 'node_modules/a/index.js': "require('b')" },
    found: ['error missing_package b nowhere'],
  },
  {
    title: 'a package whose main file is missing',
    files: { 'main.js': "require('a');", 'node_modules/a/package.json': pkg('a', { main: 'dist/a.js' }) },
    found: ['error missing_file a'],
  },
  {
    title: 'a package whose main is missing, with an index',
    files: { 'main.js': "require('a');", 'node_modules/a/package.json': pkg('a', { main: 'x.js' }), 'node_modules/a/index.js': '' },
  },
  {
    title: 'a main that is a folder',
    files: { 'main.js': "require('a');", 'node_modules/a/package.json': pkg('a', { main: './lib' }), 'node_modules/a/lib/index.js': '' },
  },
  { title: 'a require that is caught', files: { 'main.js': "let x; try { x = require('left-pad'); } catch { x = null; }" } },
  {
    title: 'a require in a try without catch',
    files: { 'main.js': "try { require('left-pad'); } finally { }" },
    found: ['error missing_package left-pad nowhere'],
  },
  {
    title: 'a require under a condition',
    files: {
      'main.js':
        "if (process.env.NEVER_SET_HERE) require('left-pad'); process.env.NEVER_SET_HERE && require('b'); const c = process.browser ? require('c') : 1;",
    },
  },
  {
    title: 'a require in a function nobody calls',
    files: { 'main.js': "function later() { return require('left-pad'); }" },
    found: ['warn missing_package left-pad nowhere'],
  },
  {
    title: 'a require in a function of a package that nobody calls',
    files: { 'main.js': "require('a')", 'node_modules/a/index.js': "module.exports = () => require('b')" },
  },
  {
    title: 'a require in a function that runs at once',
    files: { 'main.js': "(function () { require('left-pad'); }).call(this);" },
    found: ['error missing_package left-pad nowhere'],
  },
  { title: 'a require after a return', files: { 'main.js': "if (!process.env.NEVER_SET_HERE) return; require('left-pad');" } },
  {
    title: 'a require in a comment and in a text',
    files: {
      'main.js':
        "// require('left-pad')\n/* require('b') */ const x = \"require('c')\"; const y = `require('d')`; const z = /require('e')/;",
    },
  },
  {
    title: 'a require of a bundler',
    files: {
      'main.js':
        "(function (modules) { modules[0](function (n) { return n; }); })([function (require) { require('./inner'); require('left-pad'); }]);",
    },
  },
  { title: 'a require that the module declares itself', files: { 'main.js': "var require = (name) => name; require('left-pad');" } },
  {
    title: 'a wrapper for every module system',
    files: {
      'main.js':
        "(function (root, factory) { if (typeof define === 'function' && define.amd) define(['x'], factory); else if (typeof exports === 'object') module.exports = factory(require('./a')); else root.x = factory(root.y); })(this, function (a) { return a; });",
      'a.js': '',
    },
  },
  { title: 'a require of what a variable says', files: { 'main.js': "const n = 'left' + '-pad'; try { require(n) } catch {} " } },
  {
    title: 'typeof require',
    files: { 'main.js': "const has = typeof require === 'function' && typeof window !== 'undefined' && require('left-pad');" },
  },
  {
    title: 'require.resolve of what is not there',
    files: { 'main.js': "require.resolve('left-pad');" },
    found: ['error missing_package left-pad nowhere'],
  },
  {
    title: 'require.resolve of what only lies there',
    files: { 'main.js': "require.resolve('./broken.js');", 'broken.js': "require('left-pad')" },
  },
  { title: 'a logical default', files: { 'main.js': "const x = globalThis.process ?? require('left-pad');" } },
  {
    title: 'an awaited import at the top',
    files: { 'main.mjs': "const x = await import('left-pad');" },
    command: ['node', 'main.mjs'],
    found: ['error missing_package left-pad nowhere'],
  },
  {
    title: 'an awaited import that is caught',
    files: { 'main.mjs': "const x = await import('left-pad').catch(() => null); try { await import('b') } catch {}" },
    command: ['node', 'main.mjs'],
  },
  {
    title: 'an empty folder in place of a package',
    files: { 'main.js': "require('a')", 'node_modules/a/.keep': '' },
    found: ['error missing_file a'],
  },
  // builtins
  {
    title: 'modules of Node, with and without prefix and path',
    files: {
      'main.js':
        "require('fs'); require('node:fs/promises'); require('fs/promises'); require('node:test'); require('path/posix'); require('node:sqlite')",
    },
  },
  {
    title: 'a module that Node does not have',
    files: { 'main.js': "require('node:nothing');" },
    found: ['error missing_package node:nothing nowhere'],
  },
  {
    title: 'a name that a module of Node does not export',
    files: { 'main.mjs': "import { readFileSynk } from 'node:fs';" },
    command: ['node', 'main.mjs'],
    found: ['error missing_export node:fs (readFileSynk) [readFileSync]'],
  },
  {
    title: 'a name that Node has behind an option that it is given',
    files: { 'main.mjs': "import { SourceTextModule } from 'node:vm'; new SourceTextModule('1');" },
    command: ['node', '--experimental-vm-modules', 'main.mjs'],
  },
  {
    title: 'a name that Node has behind an option, in a module that is not loaded',
    files: {
      'main.mjs': "if (process.env.NEVER_SET) await import('./vm.mjs');",
      'vm.mjs': "import { SyntheticModule } from 'node:vm'; export const made = SyntheticModule;",
    },
    command: ['node', 'main.mjs'],
  },
  {
    title: 'a name that only with the prefix is of Node',
    files: { 'main.js': "require('test');" },
    found: ['error missing_package test nowhere'],
  },
  // files
  {
    title: 'a file with other capitals',
    files: { 'main.js': "require('./lib/UserStore');", 'lib/userStore.js': '' },
    found: ['error missing_file ./lib/UserStore [lib/userStore.js]'],
  },
  {
    title: 'a folder with other capitals',
    files: { 'main.js': "require('./Lib/a');", 'lib/a.js': '' },
    found: ['error missing_file ./Lib/a [lib/a]'],
  },
  {
    title: 'a slip in the name',
    files: { 'main.js': "require('./conection');", 'connection.js': '' },
    found: ['error missing_file ./conection [connection.js]'],
  },
  {
    title: 'an ES import without its ending',
    files: { 'main.mjs': "import './a';", 'a.js': '' },
    command: ['node', 'main.mjs'],
    found: ['error missing_file ./a [a.js]'],
  },
  {
    title: 'an ES import of a folder',
    files: { 'main.mjs': "import './a';", 'a/index.js': '' },
    command: ['node', 'main.mjs'],
    found: ['error missing_file ./a'],
  },
  {
    title: 'a require without ending, of a folder, of JSON',
    files: {
      'main.js': "require('./a'); require('./b'); require('./c'); require('.'); require('./d.json')",
      'a.js': '',
      'b/index.js': '',
      'c.json': '{}',
      'd.json': '[]',
      'index.js': '',
    },
  },
  {
    title: 'a query behind a file',
    files: { 'main.mjs': "import './a.js?x=1'; import { b } from './b%20c.mjs';", 'a.js': '', 'b c.mjs': 'export const b = 1' },
    command: ['node', 'main.mjs'],
  },
  {
    title: 'a file that is missing deep down',
    files: { 'main.js': "require('./a')", 'a.js': "require('./b')", 'b.js': "require('./gone')" },
    found: ['error missing_file ./gone'],
  },
  {
    title: 'a file that is missing behind a caught require',
    files: { 'main.js': "try { require('./a') } catch {}", 'a.js': "require('./gone')" },
    found: ['warn missing_file ./gone'],
  },
  {
    title: 'a preloaded module that misses something',
    files: { 'main.js': '', 'hook.js': "require('left-pad')" },
    command: ['node', '-r', './hook.js', 'main.js'],
    found: ['error missing_package left-pad nowhere'],
  },
  // exports and imports of packages
  {
    title: 'a path that exports leaves out',
    files: {
      'main.js': "require('a/inner.js');",
      'node_modules/a/package.json': pkg('a', { exports: './index.js' }),
      'node_modules/a/index.js': '',
      'node_modules/a/inner.js': '',
    },
    found: ['error hidden_path a/inner.js'],
  },
  {
    title: 'exports for import alone',
    files: {
      'main.js': "require('a');",
      'node_modules/a/package.json': pkg('a', { exports: { import: './i.mjs' } }),
      'node_modules/a/i.mjs': '',
    },
    found: ['error hidden_path a'],
  },
  {
    title: 'exports for types alone',
    files: {
      'main.mjs': "import 'a';",
      'node_modules/a/package.json': pkg('a', { exports: { '.': { types: './a.d.ts' } } }),
      'node_modules/a/a.d.ts': '',
    },
    command: ['node', 'main.mjs'],
    found: ['error hidden_path a'],
  },
  {
    title: 'a package that is two, one for each way to load it',
    files: {
      'main.mjs':
        "import { one } from 'a'; import { createRequire } from 'node:module'; const require = createRequire(import.meta.url); require('a');",
      'node_modules/a/package.json': pkg('a', { exports: { import: './i.mjs', require: './r.cjs' } }),
      'node_modules/a/i.mjs': 'export const one = 1',
      'node_modules/a/r.cjs': 'exports.two = 2',
    },
    command: ['node', 'main.mjs'],
  },
  {
    title: 'a condition of the command line',
    files: {
      'main.js': "require('a');",
      'node_modules/a/package.json': pkg('a', { exports: { special: './s.js', default: './d.js' } }),
      'node_modules/a/s.js': '',
      'node_modules/a/d.js': "require('left-pad')",
    },
    command: ['node', '--conditions=special', 'main.js'],
  },
  {
    title: 'a condition of the command line, with what is missing behind it',
    files: {
      'main.js': "require('a');",
      'node_modules/a/package.json': pkg('a', { exports: { special: './s.js', default: './d.js' } }),
      'node_modules/a/d.js': '',
      'node_modules/a/s.js': "require('left-pad')",
    },
    command: ['node', '-C', 'special', 'main.js'],
    found: ['error missing_package left-pad nowhere'],
  },
  {
    title: 'NODE_OPTIONS with a condition',
    files: {
      'main.js': "require('a');",
      'node_modules/a/package.json': pkg('a', { exports: { special: './s.js', default: './d.js' } }),
      'node_modules/a/d.js': '',
      'node_modules/a/s.js': "require('left-pad')",
    },
    env: { NODE_OPTIONS: '--conditions=special' },
    found: ['error missing_package left-pad nowhere'],
  },
  {
    title: 'a target of exports that is missing',
    files: { 'main.mjs': "import 'a';", 'node_modules/a/package.json': pkg('a', { exports: './dist/index.js' }) },
    command: ['node', 'main.mjs'],
    found: ['error missing_file a'],
  },
  {
    title: 'an import of the package itself',
    files: { 'package.json': pkg('me', { exports: { './x': './x.js' } }), 'main.js': "require('me/x')", 'x.js': '' },
  },
  {
    title: 'an import of its own that is named',
    files: {
      'package.json': pkg('me', { imports: { '#db': './db.js', '#lib/*': './lib/*.js' } }),
      'main.js': "require('#db'); require('#lib/a')",
      'db.js': '',
      'lib/a.js': '',
    },
  },
  {
    title: 'an import of its own that is not named',
    files: { 'package.json': pkg('me', { imports: { '#db': './db.js' } }), 'main.js': "require('#cache')", 'db.js': '' },
    found: ['error hidden_path #cache'],
  },
  {
    title: 'an import of its own that leads nowhere',
    files: { 'package.json': pkg('me', { imports: { '#db': './db.js' }, type: 'module' }), 'main.js': "import '#db'" },
    found: ['error missing_file #db'],
  },
  {
    title: 'a package of the workspace behind a link',
    files: {
      'main.js': "require('@me/lib')",
      'packages/lib/package.json': pkg('@me/lib', { main: 'main.js' }),
      'packages/lib/main.js': "require('dep')",
      'packages/lib/node_modules/dep/index.js': '',
    },
    links: { 'node_modules/@me/lib': '../../packages/lib' },
  },
  {
    title: 'a package of the workspace that was not built',
    files: { 'main.js': "require('@me/lib')", 'packages/lib/package.json': pkg('@me/lib', { main: 'dist/main.js' }) },
    links: { 'node_modules/@me/lib': '../../packages/lib' },
    found: ['error missing_file @me/lib'],
  },
  { title: 'NODE_PATH', files: { 'main.js': "require('far')", 'elsewhere/far.js': '' }, env: { NODE_PATH: 'elsewhere' } },
  // named exports
  {
    title: 'a name that is exported',
    files: {
      'main.mjs': "import d, { a, b as c } from './a.mjs'; import * as all from './a.mjs'",
      'a.mjs': 'export const a = 1; const x = 2; export { x as b }; export default 3;',
    },
    command: ['node', 'main.mjs'],
  },
  {
    title: 'a name that is not exported',
    files: { 'main.mjs': "import { connnect } from './a.mjs';", 'a.mjs': 'export function connect() {}' },
    command: ['node', 'main.mjs'],
    found: ['error missing_export ./a.mjs (connnect) [connect]'],
  },
  {
    title: 'a default that is not exported',
    files: { 'main.mjs': "import d from './a.mjs';", 'a.mjs': 'export const a = 1' },
    command: ['node', 'main.mjs'],
    found: ['error missing_export ./a.mjs (default)'],
  },
  {
    title: 'a name behind stars',
    files: {
      'main.mjs': "import { deep } from './a.mjs';",
      'a.mjs': "export * from './b.mjs'; export * from './c.mjs'",
      'b.mjs': "export * from './d.mjs'",
      'c.mjs': 'export const c = 1',
      'd.mjs': 'export const { deep, x: [other] } = { deep: 1, x: [2] }',
    },
    command: ['node', 'main.mjs'],
  },
  {
    title: 'a name that no star has',
    files: {
      'main.mjs': "import { deep } from './a.mjs';",
      'a.mjs': "export * from './b.mjs'",
      'b.mjs': "export * from './a.mjs'; export default 1; export const deer = 1",
    },
    command: ['node', 'main.mjs'],
    found: ['error missing_export ./a.mjs (deep) [deer]'],
  },
  {
    title: 'a default, which no star hands on',
    files: { 'main.mjs': "import d from './a.mjs';", 'a.mjs': "export * from './b.mjs'", 'b.mjs': 'export default 1' },
    command: ['node', 'main.mjs'],
    found: ['error missing_export ./a.mjs (default)'],
  },
  {
    title: 'a name that is only handed on',
    files: {
      'main.mjs': "import { a } from './a.mjs';",
      'a.mjs': "export { b as a } from './b.mjs'; export * as ns from './b.mjs'",
      'b.mjs': 'export const c = 1',
    },
    command: ['node', 'main.mjs'],
    found: ['error missing_export ./b.mjs (b)'],
  },
  {
    title: 'a name of CommonJS that the lexer sees',
    files: {
      'main.mjs': "import { a, b } from './a.cjs'; import d from './a.cjs'; import { x } from './b.cjs'",
      'a.cjs': 'exports.a = 1; module.exports.b = 2',
      'b.cjs': "module.exports = require('./c.cjs')",
      'c.cjs': 'const x = 1; module.exports = { x }',
    },
    command: ['node', 'main.mjs'],
  },
  {
    title: 'a name of CommonJS that the lexer cannot see',
    files: { 'main.mjs': "import { a } from './a.cjs';", 'a.cjs': 'module.exports = build(); function build() { return { a: 1 } }' },
    command: ['node', 'main.mjs'],
    found: ['error missing_export ./a.cjs (a)'],
  },
  {
    title: 'a name of JSON',
    files: { 'main.mjs': "import { a } from './a.json' with { type: 'json' };", 'a.json': '{"a":1}' },
    command: ['node', 'main.mjs'],
    found: ['error missing_export ./a.json (a)'],
  },
  {
    title: 'the whole of JSON',
    files: { 'main.mjs': "import a from './a.json' with { type: 'json' };", 'a.json': '{"a":1}' },
    command: ['node', 'main.mjs'],
  },
  {
    title: 'names in quotes, comments in a clause',
    files: {
      'main.mjs': "import { /* one */ 'a b' as x, // two\n y } from './a.mjs';",
      'a.mjs': "const p = 1; export { p as 'a b' }; export class y {}",
    },
    command: ['node', 'main.mjs'],
  },
  { title: 'an ES module that CommonJS requires', files: { 'main.js': "const { a } = require('./a.mjs')", 'a.mjs': 'export const a = 1' } },
  {
    title: 'a module whose system its syntax tells',
    files: { 'main.js': "import { a } from './a.js'; console.log(a)", 'a.js': 'export const a = 1' },
  },
  // TypeScript
  {
    title: 'TypeScript that Node runs itself',
    files: {
      'package.json': ESM,
      'main.ts': "import { type T, a } from './a.ts'; import type { U } from './gone.ts'; const x: T = a;",
      'a.ts': 'export type T = number; export const a: T = 1;',
    },
    command: ['node', 'main.ts'],
  },
  {
    title: 'a type that is imported as a value',
    files: { 'package.json': ESM, 'main.ts': "import { T } from './a.ts'; const x: T = 1;", 'a.ts': 'export type T = number;' },
    command: ['node', 'main.ts'],
    found: ['error missing_export ./a.ts (T)'],
  },
  {
    title: 'an ending that TypeScript would swap and Node does not',
    files: { 'package.json': ESM, 'main.ts': "import { a } from './a.js'; a", 'a.ts': 'export const a = 1;' },
    command: ['node', 'main.ts'],
    found: ['error missing_file ./a.js [a.ts]'],
  },
  {
    title: 'endings that say the system',
    files: {
      'main.mts': "import { a } from './a.cts'; import { b } from './b.mts'",
      'a.cts': 'exports.a = 1 as number',
      'b.mts': 'export const b: number = 1',
    },
    command: ['node', 'main.mts'],
  },
  {
    title: 'an alias that nobody translates',
    files: { 'main.js': "require('@/lib/a')" },
    found: ['error missing_file @/lib/a'],
  },
  // circles
  {
    title: 'a circle in which a class extends one that is not there yet',
    files: {
      'main.mjs': "import './base.mjs'",
      'base.mjs': "import { Child } from './child.mjs'; export class Base { static make() { return new Child(); } }",
      'child.mjs': "import { Base } from './base.mjs';\nexport class Child extends Base {}",
    },
    command: ['node', 'main.mjs'],
    found: ['error early_read ./base.mjs (Base)'],
  },
  {
    title: 'the same circle begun at its other end',
    files: {
      'main.mjs': "import './child.mjs'",
      'base.mjs': "import { Child } from './child.mjs'; export class Base { static make() { return new Child(); } }",
      'child.mjs': "import { Base } from './base.mjs';\nexport class Child extends Base {}",
    },
    command: ['node', 'main.mjs'],
  },
  {
    title: 'a circle that only functions use',
    files: {
      'main.mjs': "import { a } from './a.mjs'; a()",
      'a.mjs': "import { b } from './b.mjs'; export const one = 1; export function a() { return b; }",
      'b.mjs': "import { one, a } from './a.mjs'; export const b = () => one; a;",
    },
    command: ['node', 'main.mjs'],
  },
  {
    title: 'a circle that reads a constant',
    files: {
      'main.mjs': "import './a.mjs'",
      'a.mjs': "import './b.mjs'; export const one = 1;",
      'b.mjs': "import { one } from './a.mjs'; export const two = [one + 1];",
    },
    command: ['node', 'main.mjs'],
    found: ['error early_read ./a.mjs (one)'],
  },
  {
    title: 'a circle that reads a var',
    files: {
      'main.mjs': "import './a.mjs'",
      'a.mjs': "import './b.mjs'; export var one = 1;",
      'b.mjs': "import { one } from './a.mjs'; export const two = [one];",
    },
    command: ['node', 'main.mjs'],
  },
  {
    title: 'a circle that reads a default export',
    files: {
      'main.mjs': "import './a.mjs'",
      'a.mjs': "import './b.mjs'; export default { x: 1 };",
      'b.mjs': "import a from './a.mjs'; const { x } = a;",
    },
    command: ['node', 'main.mjs'],
    found: ['error early_read ./a.mjs (default)'],
  },
  {
    title: 'a circle that calls a default function',
    files: {
      'main.mjs': "import './a.mjs'",
      'a.mjs': "import './b.mjs'; export default function a() { return 1 }",
      'b.mjs': "import a from './a.mjs'; a();",
    },
    command: ['node', 'main.mjs'],
  },
  {
    title: 'a circle that calls a function that reads what is not there yet',
    files: {
      'main.mjs': "import './a.mjs'",
      'a.mjs': "import './b.mjs'; const registry = new Map(); export function register() { registry.set('b', 1); }",
      'b.mjs': "import { register } from './a.mjs'; register();",
    },
    command: ['node', 'main.mjs'],
    found: ['error early_read ./a.mjs (registry)'],
  },
  {
    title: 'a circle through a module that hands on',
    files: {
      'main.mjs': "import { A } from './index.mjs'; new A()",
      'index.mjs': "export * from './a.mjs'; export * from './b.mjs';",
      'a.mjs': "import { B } from './index.mjs'; export class A { b() { return new B() } }",
      'b.mjs': "import { A } from './index.mjs'; export class B extends A {}",
    },
    command: ['node', 'main.mjs'],
  },
  {
    title: 'a circle through a module that hands on what has not run yet',
    files: {
      'main.mjs': "import { A } from './index.mjs'; new A()",
      'index.mjs': "export * from './b.mjs'; export * from './a.mjs';",
      'a.mjs': "import { B } from './index.mjs'; export class A { b() { return new B() } }",
      'b.mjs': "import { A } from './index.mjs'; export class B extends A {}",
    },
    command: ['node', 'main.mjs'],
    found: ['error early_read ./index.mjs (A)'],
  },
  {
    title: 'a circle through a module that hands on, in the wrong order',
    files: {
      'main.mjs': "import './a.mjs'",
      'index.mjs': "export * from './b.mjs'; export * from './a.mjs';",
      'a.mjs': "import { B } from './index.mjs'; export class A { b() { return new B() } }",
      'b.mjs': "import { A } from './index.mjs'; export class B extends A {}",
    },
    command: ['node', 'main.mjs'],
    found: ['error early_read ./index.mjs (A)'],
  },
  {
    title: 'a circle that reads through the whole module',
    files: {
      'main.mjs': "import './a.mjs'",
      'a.mjs': "import './b.mjs'; export const one = 1;",
      'b.mjs': "import * as a from './a.mjs'; export const two = a.one;",
    },
    command: ['node', 'main.mjs'],
    found: ['error early_read ./a.mjs (one)'],
  },
  {
    title: 'a circle whose early read is caught, or under a condition',
    files: {
      'main.mjs': "import './a.mjs'",
      'a.mjs': "import './b.mjs'; export const one = 1;",
      'b.mjs':
        "import { one } from './a.mjs'; try { one } catch {} ; if (process.env.NEVER_SET_HERE) one; const f = () => one; { const one = 1; one; } ((one) => one)(1)",
    },
    command: ['node', 'main.mjs'],
  },
  {
    title: 'a module that imports itself',
    files: { 'main.mjs': "import { one as self } from './main.mjs'; export const one2 = 1; export function one() { return one2 } one()" },
    command: ['node', 'main.mjs'],
  },
  {
    title: 'a circle of CommonJS that calls what is not exported yet',
    files: {
      'main.js': "require('./a')",
      'a.js': "const b = require('./b');\nmodule.exports = { run() { return b; } };",
      'b.js': "const a = require('./a');\na.run();",
    },
    found: ['error early_read ./a (run)'],
  },
  {
    title: 'a circle of CommonJS that extends what is not exported yet',
    files: {
      'main.js': "require('./a')",
      'a.js': "const { B } = require('./b');\nclass A {}\nexports.A = A;",
      'b.js': "const { A } = require('./a');\nclass B extends A {}\nexports.B = B;",
    },
    found: ['error early_read ./a (A)'],
  },
  {
    title: 'a circle of CommonJS that exports first',
    files: {
      'main.js': "require('./a')",
      'a.js': "class A {}\nexports.A = A;\nconst { B } = require('./b');",
      'b.js': "const { A } = require('./a');\nclass B extends A {}\nexports.B = B;",
    },
  },
  {
    title: 'a circle of CommonJS as TypeScript writes it',
    files: {
      'main.js': "require('./a')",
      'a.js':
        '"use strict";\nObject.defineProperty(exports, "__esModule", { value: true });\nexports.A = void 0;\nexports.f = f;\nconst b_1 = require(\'./b\');\nclass A {}\nexports.A = A;\nfunction f() { return 1; }',
      'b.js': '"use strict";\nconst a_1 = require(\'./a\');\na_1.f();\nexports.x = a_1.A;',
    },
  },
  {
    title: 'a circle of CommonJS that only hands on what is not there yet',
    files: {
      'main.js': "require('./a')",
      'a.js': "const b = require('./b');\nexports.one = 1;",
      'b.js': "const { one } = require('./a');\nconst a = require('./a');\nexports.list = [one, a.two];\nexports.later = () => a.one();",
    },
  },
  {
    title: 'a circle of CommonJS in which another module writes what is then read',
    files: {
      'main.js': "require('./a')",
      'a.js': "const b = require('./b');\nexports.one = 1;",
      'b.js': "const a = require('./a');\na.two = 2; a.two.toFixed(); Object.assign(a, { three() {} }); a.three();",
    },
  },
  // what survives, or is made
  {
    title: 'a require that fails where somebody catches what nobody catches',
    files: { 'main.js': "process.on('uncaughtException', (e) => console.log(e)); require('left-pad')" },
    found: ['warn missing_package left-pad nowhere'],
  },
  {
    title: 'a require that fails where the one who catches it ends the process',
    files: { 'main.js': "process.on('uncaughtException', (e) => { process.exit(1) }); require('left-pad')" },
    found: ['error missing_package left-pad nowhere'],
  },
  {
    title: 'a require that fails before anybody catches it',
    files: { 'main.js': "require('left-pad'); process.on('uncaughtException', () => {});" },
    found: ['error missing_package left-pad nowhere'],
  },
  {
    title: 'a module that is written before it is asked for',
    files: {
      'main.js':
        "const fs = require('fs'); fs.writeFileSync(__dirname + '/gen.js', ''); require('./gen'); fs.unlinkSync(__dirname + '/gen.js')",
    },
    found: ['warn missing_file ./gen'],
  },
  {
    title: 'a module that a command writes before it is asked for',
    files: { 'main.js': "const cp = require('child_process'); cp.execSync('touch gen.js'); require('./gen'); cp.execSync('rm gen.js')" },
    found: ['warn missing_file ./gen'],
  },
  // hooks
  {
    title: 'a module that is found by a hook of its ending',
    files: {
      'main.js':
        "const M = require('module'); for (const e of ['.es6']) M._extensions[e] = (m, f) => m._compile(require('fs').readFileSync(f, 'utf8'), f); require('./app')",
      'app.es6': '',
    },
    found: ['warn missing_file ./app'],
  },
  {
    title: 'a package that is not there beside a hook for templates, which finds none',
    files: {
      'main.js': "require.extensions['.handlebars'] = () => {}; require('left-pad'); require('./other')",
      'mime.js': 'class Mime { define(t, e) { this._extensions[t] = e; } }',
    },
    found: ['error missing_package left-pad nowhere', 'error missing_file ./other'],
  },
  {
    title: 'a module that is found by require.extensions',
    files: { 'main.js': "require.extensions['.es6'] = (m, f) => {}; require('./app')", 'app.es6': '' },
    found: ['warn missing_file ./app'],
  },
  {
    title: 'a module that a loader of another name makes up',
    files: {
      'main.js': "const M = require('module'); const o = M._load; M._load = (r, ...a) => r === 'vv' ? 1 : o(r, ...a); require('vv')",
    },
    found: ['warn missing_package vv nowhere'],
  },
  {
    title: 'names of a module that a preloaded hook translates',
    files: {
      'hook.js':
        "require('pirates').addHook((code) => code.replace(/import \\{ (\\w+) \\} from '(.*?)';/, \"const { $1 } = require('$2');\"));",
      'node_modules/pirates/index.js':
        "const M = require('module'); exports.addHook = (t) => { M._extensions['.ts'] = (m, f) => m._compile(t(require('fs').readFileSync(f, 'utf8')), f); };",
      'main.ts': "import { one } from './b.js'; console.log(one);",
      'b.js': 'exports.two = 2;',
    },
    command: ['node', '-r', './hook.js', 'main.ts'],
    found: ['warn missing_export ./b.js (one)'],
  },
  // syntax
  {
    title: 'a module that is no JavaScript',
    files: { 'package.json': ESM, 'main.js': "import './b.js'", 'b.js': "import 'node:fs';\nconst x=;" },
    found: ["error syntax (Unexpected token ';')"],
  },
  {
    title: 'a CommonJS module that is cut off, behind options and in a package',
    files: { 'main.js': "require('a')", 'node_modules/a/index.js': '#!/usr/bin/env node\nmodule.exports = { a: 1,' },
    command: ['node', '--enable-source-maps', 'main.js'],
    found: ['error syntax (Unexpected end of input)'],
  },
  {
    title: 'a main module that npm starts and nobody can read',
    files: { 'package.json': '{"scripts":{"start":"node main.js"}}', 'main.js': 'function (' },
    command: ['npm', 'start'],
    found: ['error syntax (Function statements require a function name)'],
  },
  {
    title: 'TypeScript whose types Node takes out, and which is none',
    files: { 'main.ts': "import './b.ts'; const x: number = 1;", 'b.ts': 'export const x: number = ;' },
    command: ['node', 'main.ts'],
    found: ['error syntax (Expression expected)'],
  },
  {
    title: 'what is only read where a failure is caught, or later, or is no module',
    files: {
      'main.js': "try { require('./b') } catch {} ; module.exports = () => require('./c'); require('./d.json'); require('./e')",
      'b.js': 'const x=;',
      'c.js': '#!/usr/bin/env node\nif (process.env.NEVER_SET_HERE) return; const y = new.target;',
      'd.json': '{"a":1}',
      'e.js': '\uFEFFreturn;',
    },
    found: ["warn syntax (Unexpected token ';')"],
  },
  {
    title: 'what an option of V8 allows',
    files: { 'main.js': "require('./b')", 'b.js': 'function f() {} %NeverOptimizeFunction(f);' },
    command: ['node', '--allow-natives-syntax', 'main.js'],
  },
  {
    title: 'what something translates before Node reads it',
    files: {
      'main.js': "require('hook/register'); require('./view')",
      'view.js': 'module.exports = <div/>;',
      'node_modules/hook/register.js':
        "const old = require.extensions['.js']; require.extensions['.js'] = (m, f) => f.endsWith('view.js') ? m._compile('', f) : old(m, f)",
    },
  },
  // commands
  {
    title: 'a script of npm',
    files: { 'package.json': '{"scripts":{"serve":"node --enable-source-maps ./main.js"}}', 'main.js': "require('left-pad')" },
    command: ['npm', 'run', 'serve'],
    found: ['error missing_package left-pad nowhere'],
  },
  {
    title: 'a script that Node runs itself',
    files: { 'package.json': '{"scripts":{"start":"node main.js"}}', 'main.js': "require('left-pad')" },
    command: ['node', '--run', 'start'],
    found: ['error missing_package left-pad nowhere'],
  },
  {
    title: 'a program of a package',
    files: { 'node_modules/tool/bin.js': "#!/usr/bin/env node\nrequire('left-pad')" },
    links: { 'node_modules/.bin/tool': '../tool/bin.js' },
    command: ['node_modules/.bin/tool', 'serve'],
    found: ['error missing_package left-pad nowhere'],
  },
  {
    title: 'a folder as the main module',
    files: { 'package.json': pkg('x', { main: 'lib/start' }), 'lib/start.js': "require('left-pad')" },
    command: ['node', '.'],
    found: ['error missing_package left-pad nowhere'],
  },
];

describe('the imports of a service', () => {
  test.each(CASES)('$title', async ({ files, links, command = ['node', 'main.js'], env, found = [] }) => {
    const dir = project(files, links);
    const whole = { PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`, ...env };
    const truth = spawnSync(command[0] ?? '', command.slice(1), { cwd: dir, env: whole, encoding: 'utf8' });
    const graph = await importGraphs(nodeSpawner, join(dir, '.grace', 'import-graph.json')).look(
      { command, cwd: dir, env: whole },
      AbortSignal.timeout(20_000),
    );
    expect(inShort(graph, dir)).toEqual(found);
    expect({ fails: found.some((one) => one.startsWith('error')), said: truth.stderr }).toEqual({
      fails: truth.status !== 0,
      said: truth.stderr,
    });
  });
});

test('paths are those of the configuration of TypeScript that the command or the environment names', async () => {
  const dir = project({
    'tsconfig.json': '{}',
    'tsconfig.server.json': '{"compilerOptions":{"paths":{"~lib/*":["./lib/*"]}}}',
    'server.ts': "import { one } from '~lib/one'; console.log(one);",
    'lib/one.ts': 'export const one: number = 1;',
  });
  const look = async (command: string, env: Record<string, string> = {}) => {
    const order = { command: command.split(' '), cwd: dir, env: { PATH: dirname(process.execPath), ...env } };
    return inShort(await importGraphs(nodeSpawner, join(dir, '.grace', 'import-graph.json')).look(order, AbortSignal.timeout(20_000)), dir);
  };
  expect(await look('tsx --tsconfig tsconfig.server.json server.ts')).toEqual([]);
  expect(await look('tsx --tsconfig=./tsconfig.server.json server.ts')).toEqual([]);
  expect(await look('tsx server.ts', { TSX_TSCONFIG_PATH: 'tsconfig.server.json' })).toEqual([]);
  expect(await look('ts-node -P tsconfig.server.json server.ts')).toEqual([]);
  expect(await look('tsx server.ts')).toEqual(['error missing_package ~lib/one nowhere']);
});

function inShort(graph: ImportGraph | null, dir: string): readonly string[] {
  if (graph === null) return ['no graph'];
  return graph.problems.map(({ isSure, kind, specifier, name, declared, nearest }) =>
    [
      isSure ? 'error' : 'warn',
      kind,
      specifier,
      name === null ? '' : `(${name})`,
      declared ?? '',
      nearest === null ? '' : `[${nearest.replace(`${dir}/`, '')}]`,
    ]
      .filter((part) => part !== '')
      .join(' '),
  );
}

function project(files: Files, links: Files = {}): string {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'grace-imports-')));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), text, { mode: 0o755 });
  }
  for (const [name, target] of Object.entries(links)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    symlinkSync(target, join(dir, name));
  }
  return dir;
}
