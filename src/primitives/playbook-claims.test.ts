import * as fs from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sha256Hex, type JsonObject } from '../kernel/index.ts';
import { definePlaybook, executePlaybook, planRun, type JournalEntry } from '../domains/playbooks/index.ts';
import { primitives } from './index.ts';
import { Sandbox } from './testing/sandbox.ts';

let box: Sandbox;
beforeEach(async () => {
  box = await new Sandbox().make();
});
afterEach(() => box.remove());

type Step = readonly [primitive: string, params: JsonObject];

function asking(steps: readonly Step[], risk: 'low' | 'high') {
  return definePlaybook({
    name: 'tidy',
    description: '',
    risk,
    tier: risk === 'low' ? 'tier_1' : 'tier_3',
    service: 'app',
    match: {},
    params: {},
    async run(ctx) {
      // Not what the types of a playbook allow: what a file that nobody has compiled asks for.
      const ask = ctx.step as (step: string, primitive: string, params: JsonObject) => Promise<unknown>;
      for (const [index, [primitive, params]] of steps.entries()) await ask(`step ${index + 1}`, primitive, params);
    },
  });
}

async function run(steps: readonly Step[], risk: 'low' | 'high' = 'low') {
  const rows: JournalEntry[] = [];
  return executePlaybook({
    runId: 'run_1',
    playbook: asking(steps, risk),
    params: {},
    primitives,
    agreed: null,
    signal: new AbortController().signal,
    limits: { stepMs: 60_000, endMs: 1000, after: () => new AbortController().signal },
    contextFor: () => box.context(),
    journal: { write: async (entry) => void (rows[entry.index] = entry), entries: async () => rows },
    onStep: () => undefined,
  });
}

const MANIFEST = '{"scripts":{"build":"node build.js"}}';
const EVIL = '{"scripts":{"tidy":"node tidy.js"}}';

test('a playbook that claims low risk gets no command of its own to run, whichever file it writes', async () => {
  await box.write('package.json', MANIFEST);
  await box.write('api.ts', 'serve();\n');
  const code = 'require("fs").writeFileSync("ran", "")\n';
  const overManifest: Step = ['write_file', { path: 'package.json', content: EVIL, over: sha256Hex(MANIFEST) }];
  const newCode: Step = ['write_file', { path: 'tidy.js', content: code }];
  const overProgram: Step = ['write_file', { path: 'api.ts', content: code, over: sha256Hex('serve();\n') }];
  for (const steps of [[overManifest], [newCode], [overProgram]]) {
    expect(await run(steps)).toMatchObject({ success: false, refused: true, changes: 0 });
    expect(await planRun(asking(steps, 'low'), primitives, box.context())).toMatchObject({ steps: [{ state: 'refused' }] });
  }
  expect(await fs.readdir(box.root)).toEqual(['api.ts', 'package.json']);
  expect(await box.read('package.json')).toBe(MANIFEST);
});

test('one that claims high risk may add code, and still not have a script run it', async () => {
  await box.write('package.json', MANIFEST);
  const write: Step = ['write_file', { path: 'build.js', content: 'require("fs").writeFileSync("ran", "")\n' }];
  const build: Step = ['run_project_script', { directory: '.', script: 'build' }];
  expect(await run([write, build], 'high')).toMatchObject({
    success: false,
    changes: 1,
    results: [{}, { error: expect.stringMatching(/a step of this run has acted on .*build\.js, which it names/) }],
  });
  expect(box.ran).toEqual([]);
  expect(await fs.readdir(box.root)).toEqual(['build.js', 'package.json']);
});

test('a build runs after steps that have nothing to do with it', async () => {
  await box.write('package.json', MANIFEST);
  await box.write('build.js', 'source');
  box.runAs = async () => ({ exitCode: 0, signal: null, stdout: '', stderr: '', timedOut: false, spawnErrorCode: null });
  const steps: readonly Step[] = [
    ['make_directory', { path: 'cache' }],
    ['run_project_script', { directory: '.', script: 'build' }],
  ];
  expect(await run(steps)).toMatchObject({ success: true, changes: 2 });
  expect(box.ran).toEqual([['npm', 'run', 'build']]);
});

test('a catalog that was never there and its loader are made by who claims high risk', async () => {
  const loader = 'def load_metrics_catalog():\n    return {}\n';
  const steps: readonly Step[] = [
    ['write_file', { path: 'metrics_catalog.json', content: '{}\n' }],
    ['write_file', { path: 'metrics_catalog_loader.py', content: loader }],
  ];
  const planned = await planRun(asking(steps, 'high'), primitives, box.context());
  expect(planned.steps.map(({ risk }) => risk)).toEqual(['medium', 'high']);
  expect(await run(steps, 'high')).toMatchObject({ success: true, changes: 2 });
  expect(await box.read('metrics_catalog_loader.py')).toBe(loader);
});
