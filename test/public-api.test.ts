import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseSync } from 'oxc-parser';
import { expect, it } from 'vitest';
import * as api from '../src/index.ts';

const ROOT = resolve(import.meta.dirname, '..');
const SOURCE = 'src/index.ts';

// What a service may rely on. Each name here is a promise: adding one is a decision, taking one away breaks somebody.
const FUNCTIONS = [
  'GraceError',
  'definePlaybook',
  'generatePlaybook',
  'healthScore',
  'openMemory',
  'patterns',
  'recordFailure',
  'registerRoutes',
  'suggestions',
];
const TYPES = [
  'AutonomyTier', 'FailureInput', 'GenerateOptions', 'GeneratedPlaybook', 'GraceConfigFile', 'HealthScore', 'KnownPattern', 'Memory',
  'MemoryOptions', 'Playbook', 'PlaybookContext', 'PlaybookMatch', 'PlaybookVerify', 'PrimitiveParams', 'RecordedFailure', 'ReportedFailure', 'Risk',
  'StepResult', 'SuggestedCommand', 'Suggestion',
]; // prettier-ignore

it('has these functions, and no other', () => {
  expect(Object.keys(api).toSorted()).toEqual(FUNCTIONS.toSorted());
});

it('has these types, and no other', () => {
  const { module } = parseSync(SOURCE, readFileSync(join(ROOT, SOURCE), 'utf8'));
  const names = module.staticExports.flatMap((e) => e.entries.flatMap((entry) => (entry.isType ? (entry.exportName.name ?? '') : [])));
  expect(names.toSorted()).toEqual(TYPES.toSorted());
});

it('loads nothing heavy before it is asked to: a playbook imports it too', () => {
  const seen = new Set<string>();
  const follow = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    const { module } = parseSync(file, readFileSync(file, 'utf8'));
    const requests = [
      ...module.staticImports.filter((i) => i.entries.length === 0 || i.entries.some((e) => !e.isType)).map((i) => i.moduleRequest.value),
      ...module.staticExports.flatMap((e) => e.entries.flatMap((entry) => (entry.isType ? [] : (entry.moduleRequest?.value ?? [])))),
    ];
    for (const name of requests) {
      if (name.startsWith('.')) follow(resolve(file, '..', name));
      else seen.add(name);
    }
  };
  follow(join(ROOT, SOURCE));
  const heavy = [...seen]
    .map((name) => name.replace(`${ROOT}/`, ''))
    .filter((name) => /^src\/(?:adapters|catalog|primitives|runtime)\/|^(?:kysely|zod|node:sqlite)$/.test(name));
  expect(heavy).toEqual([]);
  expect(seen.size).toBeGreaterThan(3);
});
