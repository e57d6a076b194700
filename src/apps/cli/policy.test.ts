import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ConfigProject } from '../../runtime/config/config-project.ts';
import { checkPolicyFiles, showPolicy, testPolicy } from './policy.ts';

const OWN = '@id("no_db") @reason("the database is for people") forbid (principal, action, resource) when { context.component == "db" };';
const project = (own = OWN) =>
  new ConfigProject({
    'grace.config.json': { components: { api: { command: 'node a.js' }, db: { command: 'node b.js' } }, policies: ['own.cedar'] },
    'own.cedar': own,
  });
const optionsOf = (p: ConfigProject) => ({ config: join(p.dir, 'grace.config.json') });

test('grace policy show has those that ship and those of the user, with their place', async () => {
  using p = project();
  const { data, lines } = await showPolicy(optionsOf(p));
  expect(data).toMatchObject({ since: null, files_in_force: ['own.cedar'], files_differ: false });
  expect((data as { policies: unknown }).policies).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ id: 'tier_3', overridable: true, approvals: 1 }),
      expect.objectContaining({ id: 'high_risk', overridable: false }),
      expect.objectContaining({ id: 'no_db', file: 'own.cedar', line: 1 }),
    ]),
  );
  expect(lines.at(-1)).toBe('a policy of your own can lift: tier_3, observe_at_run_time, no_shell, leave_emergency, critical_restart');
});

test('grace policy test explains a decision, and what would change it', async () => {
  using p = project();
  const { data } = await testPolicy({ playbook: 'mend', risk: 'low', tier: 'tier_4', component: 'api' }, optionsOf(p));
  expect(data).toMatchObject({
    verdict: 'needs_approval',
    approvals: 2,
    reason: 'tier_4 needs 2 distinct approvers',
    policies: [{ id: 'tier_4', file: 'tiers.cedar' }],
    would_change: expect.arrayContaining([
      'with 2 approvals: allow_with_notice (tier_4, approved by its quorum)',
      expect.stringMatching(/^at run time: observe/),
    ]),
  });
});

test('grace policy test takes the phase, the mode and who asks', async () => {
  using p = project(
    '@id("people") forbid (principal, action, resource) when { principal.kind == "person" && context.mode == "read_only" };',
  );
  const ask = async (change: object) =>
    ((await testPolicy({ playbook: 'mend', risk: 'low', tier: 'tier_1', ...change }, optionsOf(p))).data as { verdict: string }).verdict;
  expect(await ask({})).toBe('allow');
  expect(await ask({ phase: 'runtime' })).toBe('observe');
  expect(await ask({ mode: 'observation_only' })).toBe('observe');
  expect(await ask({ as: 'ann', mode: 'read_only' })).toBe('deny');
});

test('grace policy test says what it has to know of a playbook that nobody knows', async () => {
  using p = project();
  await expect(testPolicy({ playbook: 'nothing' }, optionsOf(p))).rejects.toMatchObject({ code: 'GRACE_CLI_POLICY_CASE_UNKNOWN' });
});

test('grace policy check says fine, or what is wrong and where', async () => {
  using p = project();
  expect(await checkPolicyFiles([], optionsOf(p), p.dir)).toMatchObject({ exitCode: 0, data: { files: ['own.cedar'], mistakes: [] } });
  p.write('bad.cedar', 'forbid (principal, action, resource)\nwhen { resource.teir == "x" };');
  const { exitCode, lines } = await checkPolicyFiles(['bad.cedar'], {}, p.dir);
  expect(exitCode).toBe(1);
  expect(lines).toEqual([expect.stringMatching(/^bad\.cedar:2:8: attribute `teir`/), expect.stringMatching(/^bad\.cedar:1:1: has no @id/)]);
});
