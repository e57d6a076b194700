import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ConfigProject, mistakeLines } from './config/config-project.ts';
import { ConfigInvalid } from './config/index.ts';
import { serve } from './lifecycle.ts';
import { openPolicies } from './policy.ts';

const FORBID = '@id("no_db") @reason("for people") forbid (principal, action, resource) when { context.component == "db" };';
const project = (policies: readonly string[], files: Readonly<Record<string, string>> = {}) =>
  new ConfigProject({ 'grace.config.json': { components: { api: { command: 'node server.js' } }, policies }, ...files });

async function refusal(of: ConfigProject): Promise<string> {
  try {
    await openPolicies(await of.load());
    return '';
  } catch (error) {
    if (error instanceof ConfigInvalid) return mistakeLines(error.mistakes).join('\n');
    throw error;
  }
}

const request = {
  action: 'run_playbook',
  actor: { kind: 'grace', name: 'grace' },
  playbook: 'p',
  component: 'db',
  risk: 'low',
  tier: 'tier_1',
  origin: 'generated',
  primitives: [],
  changesNoData: false,
  phase: 'boot',
  mode: 'normal',
  environment: '',
  executeAtRuntime: false,
  approvals: 0,
  attempts: 0,
  failures: 0,
} as const;

test('reads the policies that the globs of the config find', async () => {
  using p = project(['policies/*.cedar'], { 'policies/a.cedar': FORBID, 'policies/b.txt': 'forbid (' });
  expect(await (await openPolicies(await p.load())).policy.decide(request)).toMatchObject({ verdict: 'deny', reason: 'for people' });
});

test('without any, those that ship decide', async () => {
  using p = project([]);
  expect(await (await openPolicies(await p.load())).policy.decide(request)).toMatchObject({ verdict: 'allow' });
});

test('tells every mistake of every file, with line and column', async () => {
  using p = project(['policies/*.cedar', 'gone.cedar'], {
    'policies/a.cedar': `${FORBID}\n@id("x") forbid (principal, action, resource) when {\n  resource.teir == "a" };`,
    'policies/b.cedar': '\n\nforbid (principal',
  });
  const told = await refusal(p);
  expect(told).toMatch(/policies\[1\]: finds no file: gone\.cedar/);
  expect(told).toMatch(/`teir`.*did you mean `tier`.*\(policies\/a\.cedar:3:3\)/);
  expect(told).toMatch(/\(policies\/b\.cedar:3:18\)/);
});

test('a mistake refuses the start, and nothing was made or started', async () => {
  using p = project(['own.cedar'], { 'own.cedar': 'forbid (principal' });
  const config = await p.load();
  const before = readdirSync(p.dir);
  const events: unknown[] = [];
  const logger = { debug() {}, info() {}, warn() {}, error() {} };
  for (const until of ['stopped', 'dry-run'] as const)
    await expect(
      serve({ config, environment: {}, emit: (e) => events.push(e), logger, signal: new AbortController().signal, until }),
    ).rejects.toBeInstanceOf(ConfigInvalid);
  expect(readdirSync(p.dir)).toEqual(before);
  expect(existsSync(join(p.dir, '.grace'))).toBe(false);
  expect(events).toEqual([]);
});
