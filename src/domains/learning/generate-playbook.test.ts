import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { parseSync } from 'oxc-parser';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { incidentId, signatureOf, type Json } from '../../kernel/index.ts';
import type { Failure, Pattern } from '../incidents/index.ts';
import type { RemedyStep } from '../playbooks/index.ts';
import { component } from '../supervisor/testing.ts';
import type { Diagnosis } from './family.ts';
import { generatePlaybookSource, portableSteps } from './generate-playbook.ts';

const ROOT = resolve(import.meta.dirname, '../../..');

interface Texts {
  readonly cause?: string;
  readonly evidence?: readonly string[];
  readonly description?: string;
  readonly template?: string;
  readonly component?: string;
}

function generate(steps: readonly RemedyStep[], texts: Texts = {}, name = 'mend_it'): string {
  const diagnosis: Diagnosis = {
    family: 'port_in_use',
    cause: texts.cause ?? 'port 3000 is in use',
    evidence: texts.evidence ?? ['Error: listen EADDRINUSE'],
    confidence: 0.9,
    remedy: { playbook: name, description: texts.description ?? 'frees the port', risk: 'low', tier: 'tier_1', steps, restart: true },
    advice: [],
    waitFor: null,
  };
  const failure = { signature: signatureOf('0123456789abcdef'), component: texts.component ?? 'api' } as Failure;
  const pattern = { incidentId: incidentId('autonomy_load_01234567'), template: texts.template ?? 'port_in_use: <port>' } as Pattern;
  return generatePlaybookSource(name, diagnosis, failure, pattern, steps);
}

const step = (name: string, params: Record<string, Json> = {}, primitive = 'set'): RemedyStep => ({ name, primitive, params });

interface Loaded {
  readonly name: string;
  readonly description: string;
  readonly match: unknown;
  readonly params: unknown;
  readonly steps: readonly unknown[];
}

let dir = '';
beforeAll(() => void (dir = mkdtempSync(join(tmpdir(), 'grace-generate-'))));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Loads sources in a process of their own, where code that got loose would be seen, runs them against nothing, and says what they asked for. */
function load(...sources: readonly string[]): readonly Loaded[] {
  const folder = mkdtempSync(join(dir, 'p-'));
  const script = `
    const { registerHooks } = await import('node:module');
    const { writeFileSync } = await import('node:fs');
    registerHooks({
      resolve: (specifier, context, next) =>
        specifier === 'grace-runtime' ? { url: ${JSON.stringify(`file://${join(ROOT, 'src', 'index.ts')}`)}, shortCircuit: true } : next(specifier, context),
    });
    const sources = JSON.parse(process.argv[2]);
    const loaded = [];
    for (const [i, source] of sources.entries()) {
      const file = process.argv[1] + '/p' + i + '.ts';
      writeFileSync(file, source);
      const { default: playbook } = await import(file);
      const steps = [];
      await playbook.run({ params: playbook.params, component: 'api', step: async (...asked) => void steps.push(asked) });
      loaded.push({ name: playbook.name, description: playbook.description, match: playbook.match, params: playbook.params, steps });
    }
    console.log(JSON.stringify({ loaded, owned: globalThis.owned === true }));
  `;
  const answer = execFileSync(process.execPath, ['--input-type=module', '-e', script, folder, JSON.stringify(sources)], {
    encoding: 'utf8',
  });
  const { loaded, owned } = JSON.parse(answer) as { loaded: Loaded[]; owned: boolean };
  expect(owned).toBe(false);
  return loaded;
}

const HOSTILE = [
  '*/ globalThis.owned = true; /*',
  '**/ globalThis.owned = true; /**',
  '*\u2028/ globalThis.owned = true; /*',
  '*\n/ globalThis.owned = true; /*',
  '\n*/\nglobalThis.owned = true;\n/*',
  "'); globalThis.owned = true; ('",
  '"); globalThis.owned = true; ("',
  '`${globalThis.owned = true}`',
  "\\'); globalThis.owned = true; //",
  '\\',
  '\u2028globalThis.owned = true;\u2029',
  '\r\nglobalThis.owned = true;',
  '</script><script>',
  '\u0000\u001B[2J',
  '\uD800',
  `${'x'.repeat(109)}*/ globalThis.owned = true; /*`,
];

describe('text from outside', () => {
  test('stays text: in comments, names, descriptions, parameters and step names', () => {
    const sources = HOSTILE.map((text) =>
      generate([step(text, { [text]: text, list: [text, { deep: text }] })], {
        cause: text,
        evidence: [text, text],
        description: text,
        template: text,
        component: text,
      }),
    );
    const loaded = load(...sources);
    for (const [i, playbook] of loaded.entries()) {
      const text = HOSTILE[i] ?? '';
      expect(playbook.steps).toEqual([[text, 'set', { [text]: text, list: [text, { deep: text }] }]]);
      expect(playbook.description).toBe(text);
      expect(playbook.match).toMatchObject({ component: text });
    }
  });

  test('any text whatever gives one comment, one import and one export', () => {
    const nasty = fc.string({
      unit: fc.constantFrom('*', '/', '\\', "'", '"', '`', '$', '{', '}', '\n', '\r', '\u2028', ';', ')', 'a', '\u0000'),
      maxLength: 30,
    });
    fc.assert(
      fc.property(nasty, nasty, (a, b) => {
        const { program, errors, comments } = parseSync(
          'p.ts',
          generate([step(a, { [b]: a })], { cause: b, evidence: [a, b], description: a, template: b }),
        );
        expect(errors).toEqual([]);
        expect(program.body.map((n) => n.type)).toEqual(['ImportDeclaration', 'ExportDefaultDeclaration']);
        expect(comments.filter((c) => c.type === 'Block')).toHaveLength(1);
      }),
      { numRuns: 500 },
    );
  });

  test('no line of the header is longer than a page is wide', () => {
    const source = generate([step('s')], { cause: 'c'.repeat(5000), evidence: ['e'.repeat(5000)] });
    expect(Math.max(...source.split('\n').map((line) => line.length))).toBeLessThan(140);
  });
});

describe('a generated playbook', () => {
  test('asks for the steps of its remedy, with the parameters of each', () => {
    const [playbook] = load(
      generate([
        step('put it back', { path: 'config.yaml', mode: 0o644, force: true, none: null }, 'restore_file'),
        step('put the other back', { path: 'db.yaml', 'odd-key': [1, 'two'] }, 'restore_file'),
        step('wait', {}, 'wait_for_port'),
      ]),
    );
    expect(playbook?.steps).toEqual([
      ['put it back', 'restore_file', { path: 'config.yaml', mode: 0o644, force: true, none: null }],
      ['put the other back', 'restore_file', { path: 'db.yaml', 'odd-key': [1, 'two'] }],
      ['wait', 'wait_for_port', {}],
    ]);
    expect(playbook?.params).toEqual({
      path: 'config.yaml',
      mode: 0o644,
      force: true,
      none: null,
      path2: 'db.yaml',
      'odd-key': [1, 'two'],
    });
  });

  test('two steps that want the same value share one parameter, so that it is changed in one place', () => {
    const source = generate([step('free', { port: 3000 }, 'free_port'), step('wait', { port: 3000 }, 'wait_for_port')]);
    expect(source.match(/3000/g)).toHaveLength(2); // the parameter, and the cause in the header
    expect(load(source)[0]?.params).toEqual({ port: 3000 });
  });

  test.each<[string, readonly Record<string, Json>[]]>([
    ['a name that a numbered one would take', [{ path: 'a' }, { path: 'b' }, { path2: 'c', path: 'd' }]],
    ['names that objects have anyway', [{ constructor: 'a', toString: 'b' }, { constructor: 'c' }]],
  ])('parameters keep apart: %s', (_what, params) => {
    const [playbook] = load(generate(params.map((p, i) => step(`s${i}`, p))));
    expect(playbook?.steps.map((s) => (s as unknown[])[2])).toEqual(params);
  });

  test('type-checks in the repository it is meant for', () => {
    const folder = mkdtempSync(join(dir, 'tsc-'));
    mkdirSync(join(folder, 'playbooks'));
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    const source = generate([
      step('free', { port: 3000 }, 'free_port'),
      step("don't", { path: 'config/it.json', from: null }, 'restore_file'),
      step('none', { message: "it's `done`" }, 'notify'),
    ]);
    writeFileSync(join(folder, 'playbooks', 'mend_it.ts'), source);
    writeFileSync(join(folder, 'playbooks', 'wrong.ts'), source.replace("'tier_1'", "'tier_9'"));
    const options = JSON.parse(readFileSync(join(ROOT, 'tsconfig.json'), 'utf8')) as { compilerOptions: Record<string, unknown> };
    const compilerOptions = {
      ...options.compilerOptions,
      types: [],
      typeRoots: [],
      // The part of the public API that a playbook uses: the whole would have all of Grace checked with it.
      paths: { 'grace-runtime': [join(ROOT, 'src/domains/playbooks/index.ts')] },
    };
    const files = ['playbooks/mend_it.ts', 'playbooks/wrong.ts'];
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions: { ...compilerOptions, types: ['node'], typeRoots: [join(ROOT, 'node_modules/@types')] }, files }),
    );
    let said = '';
    try {
      said = execFileSync(join(ROOT, 'node_modules/.bin/tsc'), ['--noEmit', '-p', folder], { encoding: 'utf8' });
    } catch (error) {
      said = (error as { stdout: string }).stdout;
    }
    expect(said).toContain('tier_9');
    expect(said).not.toContain('mend_it');
  });

  test('is made from a remedy, and from nothing else', () => {
    const hold = { remedy: null } as Diagnosis;
    expect(() => generatePlaybookSource('x', hold, {} as Failure, {} as Pattern, [])).toThrow('a playbook is generated from a remedy');
  });
});

describe('paths', () => {
  const portable = (value: Json): Json | undefined =>
    portableSteps([step('s', { value })], component({ cwd: '/srv/app' }))[0]?.params['value'];

  test.each([
    ['/srv/app/config/app.yaml', 'config/app.yaml'],
    ['/srv/app', '.'],
    ['/srv/app/', '.'],
    ['/srv/application/x', '/srv/application/x'],
    ['/etc/passwd', '/etc/passwd'],
    ['/srv/app/../secret', '/srv/app/../secret'],
    ['/srv/app/..data/x', '..data/x'],
    ['config/app.yaml', 'config/app.yaml'],
    ['', ''],
  ])('%s becomes %s', (path, expected) => {
    expect(portable(path)).toBe(expected);
  });

  test('in lists are made portable too, and what is no path stays as it is', () => {
    expect(portable(['/srv/app/a', 'b', 5, null, ['/srv/app/c']])).toEqual(['a', 'b', 5, null, ['c']]);
    expect(portable(true)).toBe(true);
  });
});
