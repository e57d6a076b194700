import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isAllowed, type RunPlaybook } from '../../domains/governance/index.ts';
import { cedarPolicy, checkPolicies, shippedPolicies } from './index.ts';

const shipped = cedarPolicy([]);
const file = (text: string, name = 'own.cedar') => ({ name, text });
const withOwn = (...texts: readonly string[]) => cedarPolicy(texts.map((text, i) => file(text, `own-${i}.cedar`)));

const request = (change: Partial<RunPlaybook> = {}): RunPlaybook => ({
  action: 'run_playbook',
  actor: { kind: 'grace', name: 'grace' },
  playbook: 'free_port_8080',
  component: 'api',
  risk: 'low',
  tier: 'tier_1',
  origin: 'generated',
  primitives: ['free_port'],
  changesNoData: true,
  phase: 'boot',
  mode: 'normal',
  environment: '',
  executeAtRuntime: false,
  approvals: 0,
  attempts: 0,
  failures: 0,
  ...change,
});

describe('the policies that ship', () => {
  test('are valid by their own schema', async () => {
    expect((await checkPolicies([], true)).mistakes).toEqual([]);
  });

  test('give a reason each, and a name', async () => {
    const { rules } = await checkPolicies([]);
    expect(rules.length).toBeGreaterThan(10);
    expect(rules.filter((p) => p.id === '' || p.reason.startsWith('policy '))).toEqual([]);
  });

  test.each([
    ['tier_1', 0, 'allow', 'tier_1 runs automatically'],
    ['tier_1', 1, 'allow', 'tier_1 runs automatically'],
    ['tier_2', 0, 'allow_with_notice', 'tier_2 runs automatically, with notice'],
    ['tier_2', 1, 'allow_with_notice', 'tier_2 runs automatically, with notice'],
    ['tier_3', 0, 'needs_approval', 'tier_3 needs one approval'],
    ['tier_3', 1, 'allow_with_notice', 'tier_3, approved'],
    ['tier_4', 0, 'needs_approval', 'tier_4 needs 2 distinct approvers'],
    ['tier_4', 1, 'needs_approval', 'tier_4 needs 2 distinct approvers'],
    ['tier_4', 2, 'allow_with_notice', 'tier_4, approved by its quorum'],
  ] as const)('at boot %s with %d approvals: %s', async (tier, approvals, verdict, reason) => {
    expect(await shipped.decide(request({ tier, approvals }))).toMatchObject({ verdict, reason });
  });

  test('ask one person for tier_3, and two for tier_4', async () => {
    expect(await shipped.decide(request({ tier: 'tier_3' }))).toMatchObject({ approvals: 1, policies: ['tier_3'] });
    expect(await shipped.decide(request({ tier: 'tier_4' }))).toMatchObject({ approvals: 2, policies: ['tier_4'] });
    expect(await shipped.decide(request({ tier: 'tier_4', risk: 'critical', approvals: 1 }))).toMatchObject({ approvals: 2 });
  });

  test.each(['tier_1', 'tier_2', 'tier_3', 'tier_4'] as const)(
    'let %s only observe at run time, even when it is approved',
    async (tier) => {
      expect(await shipped.decide(request({ tier, phase: 'runtime', approvals: 2 }))).toMatchObject({
        verdict: 'observe',
        reason: expect.stringContaining('SELF_HEAL_EXECUTE'),
        policies: ['observe_at_run_time'],
      });
    },
  );

  test('change no tier by the leave to act at run time', async () => {
    for (const tier of ['tier_1', 'tier_2', 'tier_3', 'tier_4'] as const)
      for (const approvals of [0, 1, 2])
        expect(await shipped.decide(request({ tier, approvals, phase: 'runtime', executeAtRuntime: true }))).toEqual(
          await shipped.decide(request({ tier, approvals })),
        );
  });

  test.each([
    ['high risk', { risk: 'high' }, 'high_risk'],
    ['critical risk', { risk: 'critical', tier: 'tier_2' }, 'high_risk'],
    ['what was learned', { origin: 'learned' }, 'learned'],
    ['an emergency', { mode: 'emergency' }, 'emergency'],
  ] as const)('ask for an approval of %s, whatever the tier', async (_, change, id) => {
    expect(await shipped.decide(request(change))).toMatchObject({ verdict: 'needs_approval', approvals: 1, policies: [id] });
    expect(isAllowed(await shipped.decide(request({ ...change, approvals: 1 })))).toBe(true);
  });

  test('ask two people before a command of its own runs, whatever the tier', async () => {
    const ask = (change: Partial<RunPlaybook>) => shipped.decide(request({ primitives: ['free_port', 'shell'], ...change }));
    for (const approvals of [0, 1])
      expect(await ask({ approvals })).toMatchObject({ verdict: 'needs_approval', approvals: 2, policies: ['no_shell'] });
    expect(isAllowed(await ask({ approvals: 2 }))).toBe(true);
    expect(await ask({ approvals: 2, phase: 'runtime' })).toMatchObject({ verdict: 'observe' });
    expect(await ask({ approvals: 2, mode: 'read_only', changesNoData: false })).toMatchObject({ verdict: 'observe' });
    expect(await ask({ approvals: 2, mode: 'observation_only' })).toMatchObject({ verdict: 'observe' });
  });

  test('deny what they do not know', async () => {
    expect(await shipped.decide(request({ tier: 'tier_9' as never }))).toMatchObject({ verdict: 'deny', policies: [] });
  });
});

describe("the user's own", () => {
  const notDb = `@id("not_db") @reason("the database is for people") forbid (principal, action, resource) when { context.component == "db" };`;
  const two = `@id("two") @approvals("2") forbid (principal, action == Grace::Action::"run_playbook", resource) when { resource.primitives.contains("run_migrations") } unless { context.approvals >= 2 };`;
  const trusted = `@id("trusted") @reason("the worker may") @overrides("tier_3") permit (principal, action, resource) when { context.component == "worker" };`;

  test('forbid, with their reason', async () => {
    expect(await withOwn(notDb).decide(request({ component: 'db' }))).toEqual({
      verdict: 'deny',
      reason: 'the database is for people',
      policies: ['not_db'],
    });
    expect(await withOwn(notDb).decide(request())).toMatchObject({ verdict: 'allow' });
  });

  test('ask for more approvals than ships', async () => {
    const ask = (approvals: number) => withOwn(two).decide(request({ tier: 'tier_3', primitives: ['run_migrations'], approvals }));
    expect(await ask(0)).toMatchObject({ verdict: 'needs_approval', approvals: 2, policies: ['two', 'tier_3'] });
    expect(await ask(1)).toMatchObject({ verdict: 'needs_approval', approvals: 2, policies: ['two'] });
    expect(await ask(2)).toMatchObject({ verdict: 'allow_with_notice' });
  });

  test('lift a limit where it may be lifted, and people are told', async () => {
    const policy = withOwn(trusted);
    expect(await policy.decide(request({ tier: 'tier_3', component: 'worker' }))).toEqual({
      verdict: 'allow_with_notice',
      reason: 'the worker may',
      policies: ['trusted'],
    });
    expect(await policy.decide(request({ tier: 'tier_3' }))).toMatchObject({ verdict: 'needs_approval' });
  });

  test('lift the quorum of a command, or forbid it', async () => {
    const lifted = trusted.replace('tier_3', 'no_shell');
    const ask = (text: string, change: Partial<RunPlaybook>) => withOwn(text).decide(request({ primitives: ['shell'], ...change }));
    expect(await ask(lifted, { component: 'worker' })).toMatchObject({ verdict: 'allow_with_notice', policies: ['trusted'] });
    expect(await ask(lifted, { component: 'worker', risk: 'critical' }), 'its risk stays').toMatchObject({ verdict: 'needs_approval' });
    expect(isAllowed(await ask(lifted, { component: 'worker', risk: 'critical', approvals: 1 }))).toBe(true);
    const never = `@id("never") forbid (principal, action == Grace::Action::"run_playbook", resource) when { resource.primitives.contains("shell") };`;
    expect(await ask(never, { approvals: 9 })).toMatchObject({ verdict: 'deny', policies: ['never'] });
  });

  test('lift nothing else: risk, origin, the quorum and their own forbids stay', async () => {
    const policy = withOwn(
      trusted,
      notDb.replace('action,', 'action == Grace::Action::"run_playbook",').replace('db"', 'worker" && context.attempts > 2'),
    );
    for (const change of [{ risk: 'high' }, { origin: 'learned' }, { tier: 'tier_4' }, { attempts: 3 }, { phase: 'runtime' }] as const)
      expect(isAllowed(await policy.decide(request({ tier: 'tier_3', component: 'worker', ...change })))).toBe(false);
  });

  test('deny everything once they are broken, instead of being passed over', async () => {
    expect(await withOwn('forbid (principal').decide(request())).toMatchObject({
      verdict: 'deny',
      reason: expect.stringContaining('own-0.cedar:1:18'),
    });
    const overflows = `@id("sum") forbid (principal, action == Grace::Action::"run_playbook", resource) when { context.attempts * 9223372036854775807 > 5 };`;
    expect(await withOwn(overflows).decide(request({ attempts: 2 }))).toMatchObject({
      verdict: 'deny',
      reason: expect.stringContaining('policy sum'),
    });
  });
});

describe('whatever is asked', () => {
  const anyRequest = fc.record({
    action: fc.constant('run_playbook'),
    actor: fc.constantFrom({ kind: 'grace', name: 'grace' } as const, { kind: 'person', name: 'ann' } as const),
    playbook: fc.string(),
    component: fc.constantFrom('api', 'db', 'worker', '"; permit'),
    risk: fc.constantFrom('low', 'medium', 'high', 'critical'),
    tier: fc.constantFrom('tier_1', 'tier_2', 'tier_3', 'tier_4'),
    origin: fc.constantFrom('generated', 'edited', 'written', 'shipped', 'learned'),
    primitives: fc.array(fc.constantFrom('free_port', 'restore_file', 'shell'), { maxLength: 3 }),
    changesNoData: fc.boolean(),
    phase: fc.constantFrom('boot', 'runtime'),
    mode: fc.constantFrom('normal', 'read_only', 'observation_only', 'emergency'),
    environment: fc.constantFrom('', 'production'),
    executeAtRuntime: fc.boolean(),
    approvals: fc.nat({ max: 3 }),
    attempts: fc.nat({ max: 5 }),
    failures: fc.nat({ max: 5 }),
  }) as fc.Arbitrary<RunPlaybook>;

  /** Said again, in other words: what each request needs at least. */
  const needed = (r: RunPlaybook): number =>
    Math.max(
      { tier_1: 0, tier_2: 0, tier_3: 1, tier_4: 2 }[r.tier],
      r.primitives.includes('shell') ? 2 : 0,
      r.risk === 'high' || r.risk === 'critical' || r.origin === 'learned' || r.mode === 'emergency' ? 1 : 0,
    );
  const mayAct = (r: RunPlaybook): boolean =>
    (r.mode !== 'read_only' || r.changesNoData) &&
    r.mode !== 'observation_only' &&
    (r.actor.kind === 'person' || r.phase === 'boot' || r.executeAtRuntime);

  test('it is allowed exactly when it has the approvals it needs, and nothing forbids it', async () => {
    await fc.assert(
      fc.asyncProperty(anyRequest, async (r) => {
        const decision = await shipped.decide(r);
        expect(isAllowed(decision)).toBe(mayAct(r) && r.approvals >= needed(r));
        if (decision.verdict === 'needs_approval') expect(decision.approvals).toBe(needed(r));
        expect(decision.reason).not.toBe('');
      }),
      { numRuns: 300 },
    );
  });

  test('a forbid wins over everything that permits', async () => {
    const permits = ['tier_3', 'observe_at_run_time'].map(
      (id) => `@id("own_${id}") @overrides("${id}") permit (principal, action, resource);`,
    );
    const policy = withOwn(
      ...permits,
      `@id("no") forbid (principal, action, resource) when { context.component == "db" || principal.kind == "person" };`,
    );
    await fc.assert(
      fc.asyncProperty(anyRequest, async (r) => {
        const decision = await policy.decide(r);
        if (r.component === 'db' || r.actor.kind === 'person') expect(decision.verdict).toBe('deny');
        // However much is lifted: these stay.
        const least =
          r.tier === 'tier_3' &&
          !r.primitives.includes('shell') &&
          r.risk !== 'high' &&
          r.risk !== 'critical' &&
          r.origin !== 'learned' &&
          r.mode !== 'emergency'
            ? 0
            : needed(r);
        if (isAllowed(decision)) expect(r.approvals).toBeGreaterThanOrEqual(least);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a policy file with a mistake', () => {
  const where = async (text: string) =>
    (await checkPolicies([file(text)])).mistakes.map((m) => `${m.file}:${m.line}:${m.column} ${m.problem}; ${m.suggestion ?? ''}`);

  test.each([
    ['@id("a")\nforbid (principal, action', /^own\.cedar:2:26 is no policy: unexpected end of input/],
    [
      '// ü\n@id("a") forbid (principal, action, resource)\nwhen { "é" == "é" &&\n resource.teir == "x" };',
      /^own\.cedar:4:2 attribute `teir` .* did you mean `tier`\?/,
    ],
    ['@id("a") forbid (principal, action, resource) when { context.approvals == "1" };', /^own\.cedar:1:54 .*Long and String/],
    ['forbid (principal, action, resource);', /^own\.cedar:1:1 has no @id/],
    ['@id("A b") forbid (principal, action, resource);', /is not a short name/],
    ['@id("a") @reson("x") forbid (principal, action, resource);', /unknown annotation @reson/],
    ['@id("tier_1") forbid (principal, action, resource);', /policy "tier_1" is there already; .*tiers\.cedar:/],
    ['@id("a") permit (principal, action, resource);', /a permit of your own allows nothing by itself/],
    ['@id("a") @overrides("tier_4") permit (principal, action, resource);', /"tier_4", which no policy of yours can lift/],
    ['@id("a") @overrides("high_risk") permit (principal, action, resource);', /"high_risk", which no policy of yours can lift/],
    ['@id("a") @overridable("yes") forbid (principal, action, resource);', /@overridable is for the policies that ship/],
    [
      '@id("a") forbid (principal, action, resource) when { resource.primitives.isEmpty() };',
      /attribute `primitives` .* not found; not every action has it: .*run_playbook/,
    ],
    ['@id("a") @approvals("0") forbid (principal, action, resource) unless { context.approvals >= 1 };', /whole number from 1 to 10/],
    ['@id("a") @approvals("1") forbid (principal, action, resource);', /asks for what its conditions never look at/],
    ['@id("a") @verdict("allow") forbid (principal, action, resource);', /@verdict of a forbid can only be "observe"/],
    ['@id("a") forbid (principal == ?principal, action, resource);', /includes a template/],
    ['@id("a") forbid (principal, action == Grace::Action::"walk", resource);', /^own\.cedar:1:.*walk/],
  ])('%j is told with its place', async (text, expected) => {
    expect((await where(text)).join('\n')).toMatch(expected);
  });

  test('tells all of them at once, of all files', async () => {
    const { mistakes } = await checkPolicies([file('forbid (principal, action, resource);', 'a.cedar'), file('permit', 'b.cedar')]);
    expect([...new Set(mistakes.map((m) => m.file))]).toEqual(['a.cedar', 'b.cedar']);
  });

  test.each([
    ['a million rules', '@id("a") forbid (principal, action, resource);\n'.repeat(1_000_000), /larger than 64 KiB/],
    [
      'more rules than are allowed',
      Array.from({ length: 201 }, (_, i) => `@id("a${i}") forbid (principal, action, resource);`).join('\n'),
      /201 policies; 200 are allowed/,
    ],
    [
      'brackets without end',
      `@id("a") forbid (principal, action, resource) when { ${'('.repeat(50_000)}`,
      /own\.cedar:1:1 has more than 150 parts/,
    ],
    ['a chain of nots', `@id("a") forbid (principal, action, resource) when { ${'!'.repeat(50_000)}true };`, /./],
    ['ifs within ifs', `@id("a") forbid (principal, action, resource) when { ${'if true then true else '.repeat(2_500)}true };`, /./],
    ['a long sum', `@id("a") forbid (principal, action, resource) when { 1${'+1'.repeat(5_000)} > 2 };`, /has more than 150 parts, or/],
    [
      'members of members',
      `@id("a") forbid (principal, action, resource) when { context${'.a'.repeat(5_000)} };`,
      /has more than 150 parts/,
    ],
    [
      'indices of indices',
      `@id("a") forbid (principal, action, resource) when { context${'["a"]'.repeat(5_000)} };`,
      /has more than 150 parts/,
    ],
    [
      'a long sum with ends in quotes',
      `@id("a") forbid (principal, action, resource) when { 1${'+1'.repeat(100)} > 2 && ";" == ";" // ;\n && 1${'+1'.repeat(100)} > 2 };`,
      /has more than 150 parts/,
    ],
    [
      'lists of lists',
      `@id("a") forbid (principal, action, resource) when { ${'['.repeat(120)}${']'.repeat(120)} == [] };`,
      /brackets deeper than 20/,
    ],
    ['bytes of no text', '\0\u{fffd}\0', /own\.cedar:1:/],
  ])('%s is refused, and what follows works as before', async (_, text, expected) => {
    expect((await where(text)).join('\n')).toMatch(expected);
    expect((await checkPolicies([], true)).mistakes).toEqual([]);
    expect(await cedarPolicy([]).decide(request())).toMatchObject({ verdict: 'allow' });
  });
});

const ann = { kind: 'person', name: 'ann' } as const;
const about = { actor: ann, mode: 'normal', environment: '', approvals: 0 } as const;

describe('what people ask for', () => {
  const restart = { ...about, action: 'restart_component', component: 'api', isCritical: true } as const;

  test.each([
    ['a critical component', {}, 'needs_approval', 'critical_restart'],
    ['a critical component, approved', { approvals: 1 }, 'allow_with_notice', 'person_restarts'],
    ['another component', { isCritical: false }, 'allow_with_notice', 'person_restarts'],
    ['another component, read_only', { isCritical: false, mode: 'read_only' }, 'allow_with_notice', 'person_restarts'],
    ['another component, observation_only', { isCritical: false, mode: 'observation_only' }, 'allow_with_notice', 'person_restarts'],
    ['another component, emergency', { isCritical: false, mode: 'emergency' }, 'needs_approval', 'emergency'],
    ['something by Grace itself', { isCritical: false, actor: { kind: 'grace', name: 'grace' } }, 'deny', undefined],
  ] as const)('restart %s', async (_, change, verdict, id) => {
    const decision = await shipped.decide({ ...restart, ...change });
    expect(decision.verdict).toBe(verdict);
    expect(decision.policies[0]).toBe(id);
  });

  test('lift the second person with a policy of their own', async () => {
    const policy = withOwn(
      '@id("alone") @overrides("critical_restart") permit (principal, action, resource) when { context.component == "api" };',
    );
    expect(await policy.decide(restart)).toMatchObject({ verdict: 'allow_with_notice', policies: ['alone'] });
    expect(await policy.decide({ ...restart, component: 'db' })).toMatchObject({ verdict: 'needs_approval' });
    expect(await policy.decide({ ...restart, mode: 'emergency' })).toMatchObject({
      verdict: 'needs_approval',
      policies: ['emergency', 'critical_restart'],
    });
  });

  test.each([
    [ann, 'normal', 'emergency', 'allow_with_notice'],
    [ann, 'read_only', 'normal', 'allow_with_notice'],
    [ann, 'emergency', 'normal', 'needs_approval'],
    [ann, 'emergency', 'observation_only', 'needs_approval'],
    [{ kind: 'grace', name: 'grace' }, 'normal', 'read_only', 'allow_with_notice'],
    [{ kind: 'grace', name: 'grace' }, 'read_only', 'observation_only', 'allow_with_notice'],
    [{ kind: 'grace', name: 'grace' }, 'observation_only', 'emergency', 'allow_with_notice'],
    [{ kind: 'grace', name: 'grace' }, 'read_only', 'normal', 'deny'],
    [{ kind: 'grace', name: 'grace' }, 'observation_only', 'read_only', 'deny'],
    [{ kind: 'grace', name: 'grace' }, 'normal', 'normal', 'deny'],
  ] as const)('%j sets the mode from %s to %s: %s', async (actor, mode, to, verdict) => {
    expect(await shipped.decide({ ...about, action: 'set_mode', actor, mode, to })).toMatchObject({ verdict });
  });

  test('restore, go back and close breakers only as people who are allowed to', async () => {
    const grace = { kind: 'grace', name: 'grace' } as const;
    const snapshot = { ...about, action: 'restore_snapshot', component: 'api', snapshot: 's1' } as const;
    const release = { ...about, action: 'roll_back_release', component: 'api', release: 'r1' } as const;
    const breaker = { ...about, action: 'close_breaker', component: 'api', breaker: 'mend' } as const;
    const verdict = async (r: Parameters<typeof shipped.decide>[0]) => (await shipped.decide(r)).verdict;
    expect(await verdict(snapshot)).toBe('allow_with_notice');
    expect(await verdict({ ...snapshot, mode: 'emergency' })).toBe('needs_approval');
    expect(await verdict({ ...snapshot, approvals: 1, actor: grace })).toBe('deny');
    expect(await verdict({ ...snapshot, approvals: 1, mode: 'read_only' })).toBe('deny');
    expect(await verdict({ ...release, actor: grace })).toBe('needs_approval');
    expect(await verdict({ ...release, actor: grace, approvals: 1 })).toBe('allow_with_notice');
    expect(await verdict({ ...release, approvals: 1, mode: 'read_only' })).toBe('deny');
    expect(await verdict(breaker)).toBe('allow_with_notice');
    expect(await verdict({ ...breaker, actor: grace })).toBe('deny');
    expect(await verdict({ ...breaker, mode: 'emergency' })).toBe('needs_approval');
    const { risk, tier, origin, primitives, changesNoData } = request();
    const traits = { risk, tier, origin, primitives, changesNoData };
    const change = { ...about, ...traits, action: 'change_playbook', playbook: 'p', component: 'api', change: 'promote', toTier: 'tier_1' } as const; // prettier-ignore
    expect(await verdict(change)).toBe('allow_with_notice');
    expect(await verdict({ ...change, actor: grace })).toBe('deny');
    expect(await verdict({ ...change, mode: 'emergency' })).toBe('needs_approval');
    expect(await verdict({ ...change, mode: 'emergency', change: 'disable' })).toBe('allow_with_notice');
  });

  test('change the policies with notice, unless those in force ask for more', async () => {
    const change = { ...about, action: 'change_policy', digest: 'd', added: [], removed: ['not_db'] } as const;
    expect(await shipped.decide(change)).toMatchObject({ verdict: 'allow_with_notice', policies: ['policy_change'] });
    const guarded = withOwn(
      '@id("keep") @approvals("2") forbid (principal, action == Grace::Action::"change_policy", resource) when { !resource.removed.isEmpty() } unless { context.approvals >= 2 };',
    );
    expect(await guarded.decide(change)).toMatchObject({ verdict: 'needs_approval', approvals: 2 });
    expect(await guarded.decide({ ...change, removed: [] })).toMatchObject({ verdict: 'allow_with_notice' });
  });

  test('have nothing done that no policy knows', async () => {
    expect(await shipped.decide({ ...about, action: 'delete_everything' } as never)).toMatchObject({ verdict: 'deny', policies: [] });
    expect(await withOwn('@id("no") forbid (principal, action, resource);').decide(restart)).toMatchObject({
      verdict: 'deny',
      policies: ['no'],
    });
  });
});

test('what a policy can ask about is what a decision knows', async () => {
  const { schema } = await shippedPolicies();
  for (const name of Object.keys(request()).filter((key) => !['action', 'actor', 'playbook'].includes(key)))
    expect(schema).toContain(`${name}:`);
});
