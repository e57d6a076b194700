import { execFile } from 'node:child_process';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ConfigProject, mistakeLines } from './config-project.ts';

async function linesOf(name: string, content: unknown): Promise<readonly string[]> {
  using project = new ConfigProject({ [name]: content });
  return mistakeLines(await project.mistakes()).map((line) => line.replaceAll(project.dir, ''));
}

describe('a config file', () => {
  it.each<[string, string, unknown, readonly string[]]>([
    [
      'JSON without a comma',
      'grace.config.json',
      '{\n  "name": "a"\n  "boot": {}\n}',
      [': is not valid JSON: comma expected (grace.config.json:3:3)'],
    ],
    [
      'JSON without an end',
      'grace.config.json',
      '{ "name": ',
      [
        ': is not valid JSON: value expected (grace.config.json:1:11)',
        ': is not valid JSON: close brace expected (grace.config.json:1:11)',
      ],
    ],
    [
      'JSON with a key twice',
      'grace.config.json',
      '{ "name": "a",\n  "name": "b" }',
      ['name: is written twice; remove one of them (grace.config.json:2:3)'],
    ],
    ['JSON nested without end', 'grace.config.json', '['.repeat(200_000), [': is nested too deep']],
    ['an empty JSON file', 'grace.config.json', ' \n', [': is empty; grace init writes one']],
    ['JSON of comments only', 'grace.config.json', '// later\n', [': is not valid JSON: value expected (grace.config.json:2:1)']],
    [
      'YAML with a tab',
      'grace.config.yaml',
      'name: a\nboot:\n\tmode: fast\n',
      [': is not valid YAML: Tabs are not allowed as indentation (grace.config.yaml:3:1)'],
    ],
    [
      'YAML with a key twice',
      'grace.config.yml',
      'name: a\nname: b\n',
      [': is not valid YAML: Map keys must be unique (grace.config.yml:2:1)'],
    ],
    ['an empty YAML file', 'grace.config.yaml', '# nothing yet\n', [': is empty; grace init writes one']],
    ['YAML that is text', 'grace.config.yaml', 'hello', [': must be an object with settings, not "hello" (grace.config.yaml:1:1)']],
    ['a list', 'grace.config.yaml', '- a\n- b\n', [': must be an object with settings, not a list (grace.config.yaml:1:1)']],
    ['what is no text', 'grace.config.json', new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]), [': is not UTF-8 text']],
    ['what is far too large', 'grace.config.json', ' '.repeat(4 * 1024 * 1024 + 1), [': is larger than 4 MiB, which no config is']],
  ])('is refused with its place: %s', async (_, name, content, lines) => {
    const actual = await linesOf(name, content);
    // the parser words what follows its first error in its own way
    expect(actual.slice(0, lines.length)).toEqual(lines);
  });

  it('does not blow up with YAML aliases', async () => {
    const layers = Array.from({ length: 9 }, (_, n) => `l${n + 1}: &l${n + 1} [${`*l${n}, `.repeat(9)}]`);
    const [line] = await linesOf('grace.config.yaml', `l0: &l0 [x]\n${layers.join('\n')}\n`);
    expect(line).toMatch(/^: is not usable YAML: Excessive alias count/);
  });

  it('is one of one: two are named and neither is chosen', async () => {
    using project = new ConfigProject({ 'grace.config.json': '{}', 'grace.config.ts': '' });
    expect(mistakeLines(await project.mistakes())).toEqual([
      ': has 2 config files: grace.config.ts and grace.config.json; keep one of them, or name it with --config',
    ]);
  });

  it('can be named, and is missed when it is not there', async () => {
    using project = new ConfigProject({ 'grace.config.json': '{}', 'grace.toml': '' });
    expect(mistakeLines(await project.mistakes({ configFile: 'other.json' }))).toEqual([': does not exist; grace init writes one']);
    expect(mistakeLines(await project.mistakes({ configFile: 'grace.toml' }))[0]).toMatch(
      /^: cannot be read: Grace knows no config files that end in "\.toml"/,
    );
  });
});

/** In a process of its own, since the test runner loads modules in its own way. */
async function inNode(files: Readonly<Record<string, string>>): Promise<Readonly<Record<string, unknown>>> {
  using project = new ConfigProject({ ...files, 'package.json': { type: 'module' } });
  const script = `
    const { loadConfig } = await import(${JSON.stringify(new URL('load-config.ts', import.meta.url).href)});
    const results = {};
    for (const name of ${JSON.stringify(Object.keys(files))})
      try {
        const config = await loadConfig({ directory: ${JSON.stringify(project.dir)}, configFile: name, environment: {} });
        results[name] = config.components.map((c) => [c.name, ...c.command].join(' '));
      } catch (error) {
        results[name] = error.mistakes?.map((m) => m.problem + ' | ' + m.suggestion + ' | ' + m.location) ?? String(error.stack);
      }
    console.log(JSON.stringify(results));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  return JSON.parse(stdout.replaceAll(project.dir, '').replaceAll(basename(project.dir), '')) as Record<string, unknown>;
}

describe('a config that is code', () => {
  it('is loaded, or refused in one message with its place', async () => {
    const results = await inNode({
      'right.ts':
        "import type { GraceConfigFile } from 'grace-runtime';\nexport default { components: { api: { command: ['node', 'a.ts'] } } } satisfies GraceConfigFile;",
      'right.mjs': "export default Promise.resolve({ components: { api: { command: 'node b.js', port: undefined } } });",
      'throws.ts': "const a: number = 1;\n\nthrow new Error('no database here');\nexport default {};",
      'throws-text.mjs': "throw 'just text';",
      'syntax.ts': 'const a = 1;\nexport default { a: ;\n',
      'syntax.mjs': 'const a = 1;\nexport default { a: ;\n',
      'enum.ts': 'enum Mode { fast }\nexport default {};',
      'missing.ts': "import './not-there.ts';\nexport default {};",
      'package.mjs': "// ours\nimport 'not-a-package';\nexport default {};",
      'helper-export.mjs': "import { nothing } from './right.mjs';\nexport default { nothing };",
      'named.ts': 'export const config = {};',
      'function.ts': 'export default () => ({});',
      'empty.ts': '',
    });
    expect(results).toEqual({
      'right.ts': ['api node a.ts'],
      'right.mjs': ['api node b.js'],
      'throws.ts': ['cannot be loaded: no database here | null | throws.ts:3:7'],
      'throws-text.mjs': ['cannot be loaded: just text | null | null'],
      'syntax.ts': ['cannot be loaded: SyntaxError: Expression expected | null | syntax.ts:2'],
      'syntax.mjs': ["cannot be loaded: SyntaxError: Unexpected token ';' | null | syntax.mjs:2"],
      'enum.ts': [
        'cannot be loaded: SyntaxError: TypeScript enum is not supported in strip-only mode | types are stripped, not compiled: leave out enums, namespaces and parameter properties | enum.ts:1',
      ],
      'missing.ts': [
        'cannot be loaded: it imports the file /not-there.ts, which is not there | install it, or correct the import; imports of files need their extension | missing.ts:1',
      ],
      'package.mjs': [
        'cannot be loaded: it imports the package not-a-package, which is not there | install it, or correct the import; imports of files need their extension | package.mjs:2',
      ],
      'helper-export.mjs': [
        "cannot be loaded: SyntaxError: The requested module './right.mjs' does not provide an export named 'nothing' | null | helper-export.mjs:1",
      ],
      'named.ts': ['exports no settings | write: export default { components: { … } } | null'],
      'function.ts': ['must be plain data, not a function | null | null'],
      'empty.ts': ['is empty | grace init writes one | null'],
    });
  });

  it('does not load the schema where there is no config', async () => {
    using project = new ConfigProject({ 'server.js': '' });
    const script = `
      const { loadConfig } = await import(${JSON.stringify(new URL('load-config.ts', import.meta.url).href)});
      const { registerHooks } = await import('node:module');
      registerHooks({ load(url, context, next) { console.log(url); return next(url, context); } });
      await loadConfig({ directory: ${JSON.stringify(project.dir)}, environment: {} });`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
    expect(stdout).toBe('');
  });
});
