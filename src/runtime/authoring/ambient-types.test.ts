import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AMBIENT_TYPES_FILE, ambientTypes } from './ambient-types.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const TSC = join(ROOT, 'node_modules', '.bin', 'tsc');

const playbook = (steps: string, params = "{ path: 'uploads', from: 'example', keys: ['A'] }", more = ''): string => `
import { definePlaybook } from 'grace-runtime';
export default definePlaybook({
  name: 'mend',
  description: 'mends',
  risk: 'low',
  tier: 'tier_1',
  service: 'boot_pipeline',
  match: { family: 'directory_missing', component: 'api' },
  params: ${params},
  ${more}
  async run(ctx) {
    ${steps}
  },
});
`;

/** What a file holds, and a part of what the compiler has to say to it; null for nothing. */
const FILES: Readonly<Record<string, readonly [string, RegExp | null]>> = {
  right: [
    playbook(`
    const made = await ctx.step('make it', 'make_directory', { path: ctx.params.path });
    if (made.summary !== undefined) await ctx.step('say so', 'notify', { message: made.summary });
    // A choice among words that stands in the parameters stays one.
    await ctx.step('keys', 'add_env_keys', { file: '.env', keys: ctx.params.keys, from: ctx.params.from });
    await ctx.step('migrate', 'run_migrations', {});
    await ctx.step('mode', 'restore_permissions', { path: 'x', mode: '640' });`),
    null,
  ],
  wrong_primitive: [playbook("await ctx.step('x', 'make_directroy', { path: 'x' });"), /make_directroy/],
  wrong_parameter: [playbook("await ctx.step('x', 'make_directory', { pth: 'x' });"), /'pth'/],
  parameter_left_out: [playbook("await ctx.step('x', 'create_env_file', { file: '.env' });"), /'example'/],
  wrong_type: [playbook("await ctx.step('x', 'free_port', { port: '3000' });"), /'string' is not assignable to type 'number'/],
  wrong_choice: [playbook("await ctx.step('x', 'add_env_keys', { file: '.env', keys: [], from: 'thin_air' });"), /thin_air/],
  none_taken: [playbook("await ctx.step('x', 'run_migrations', { path: 'x' });"), /not assignable to type 'undefined'|'never'/],
  unknown_param: [playbook("await ctx.step('x', 'make_directory', { path: ctx.params.pth });"), /'pth' does not exist/],
  wrong_tier: [playbook('').replace('tier_1', 'tier_9'), /tier_9/],
  unknown_key: [playbook('', '{}', "matches: { family: 'x' },"), /'matches'/],
};
const NAMES = Object.keys(FILES);

let dir = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'grace-types-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** What tsc says of each file of a project that holds all of them. */
function compiled(name: string, extension: 'ts' | 'js' | 'mjs', isInstalled: boolean): ReadonlyMap<string, string> {
  const folder = join(dir, name, 'playbooks');
  mkdirSync(folder, { recursive: true });
  for (const [file, [source]] of Object.entries(FILES))
    writeFileSync(join(folder, `${file}.${extension}`), extension === 'ts' ? source : `// @ts-check\n${source}`);
  if (!isInstalled) writeFileSync(join(folder, AMBIENT_TYPES_FILE), ambientTypes());
  const compilerOptions = {
    target: 'es2024',
    lib: ['es2024', 'esnext.disposable', 'esnext.array'],
    module: 'nodenext',
    strict: true,
    noEmit: true,
    allowJs: true,
    skipLibCheck: true,
    types: isInstalled ? ['node'] : [],
    allowImportingTsExtensions: true,
    ...(isInstalled ? { typeRoots: [join(ROOT, 'node_modules', '@types')], paths: { 'grace-runtime': [join(ROOT, 'src/index.ts')] } } : {}),
  };
  writeFileSync(join(dir, name, 'package.json'), '{"type":"module"}');
  writeFileSync(join(dir, name, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['playbooks'] }));
  const { stdout, error } = spawnSync(TSC, ['--pretty', 'false', '-p', '.'], { cwd: join(dir, name), encoding: 'utf8' });
  if (error !== undefined) throw error;
  const said = new Map<string, string>();
  let at = '';
  for (const line of stdout.split('\n')) {
    at = /^(\S+?)\(\d+,\d+\): error/.exec(line)?.[1] ?? at;
    said.set(at, `${said.get(at) ?? ''}${line}\n`);
  }
  return new Map([...said].map(([file, text]) => [file.replace(/^playbooks\//, ''), text]));
}

describe.each([
  ['TypeScript, grace-runtime installed', 'ts', true],
  ['TypeScript, grace-runtime not installed', 'ts', false],
  ['JavaScript, grace-runtime installed', 'mjs', true],
  ['JavaScript, grace-runtime not installed', 'js', false],
] as const)('the compiler, with %s', (title, extension, isInstalled) => {
  let said: ReadonlyMap<string, string> = new Map();
  beforeAll(() => {
    said = compiled(title.replaceAll(/\W+/g, '-'), extension, isInstalled);
  });

  test.each(NAMES)('tells of %s what is wrong with it, and of the right one nothing', (name) => {
    const expected = FILES[name]?.[1] ?? null;
    const text = said.get(`${name}.${extension}`);
    if (expected === null) expect(text).toBeUndefined();
    else expect(text).toMatch(expected);
  });

  test('complains about nothing else', () => {
    const wrong = NAMES.filter((name) => FILES[name]?.[1] !== null).map((name) => `${name}.${extension}`);
    // Grace's own source is checked with its own settings, which are stricter in places, and elsewhere.
    expect([...said.keys()].filter((name) => name !== '' && !name.startsWith('../')).toSorted()).toEqual(wrong.toSorted());
  });
});
