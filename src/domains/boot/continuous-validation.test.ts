import { expect, test } from 'vitest';
import type { Approval } from '../governance/index.ts';
import type { CheckResult, GraceEvent } from '../healing/index.ts';
import type { Mission, MissionStore } from '../missions/index.ts';
import { component, SimulatedClock } from '../supervisor/testing.ts';
import { finding, type BootContext, type CoreChecks } from './boot-context.ts';
import { validateAgain } from './continuous-validation.ts';

const SECRET = '/srv/keys/tops3cret-4711';
const FAILED: CheckResult = { state: 'failed', cause: 'it is gone', seen: 'it is gone', advice: [], fixes: [] };
const APPROVAL = {
  id: 'ap_1',
  rejectedBy: null,
  approvedBy: [] as string[],
  requiredApprovals: 1,
  requestedBy: null,
  expiresAtMs: Infinity,
  usedAtMs: null,
};

/** A service of one component, whose command names a file that is gone. */
function world() {
  const all = new Map<string, Mission>();
  const missions: MissionStore = {
    get: async (id) => all.get(id) ?? null,
    list: async () => [...all.values()],
    standing: async () => [...all.values()].filter(({ state }) => state !== 'verified'),
    async save(mission, was) {
      if ((all.get(mission.id)?.state ?? null) !== was) return false;
      all.set(mission.id, mission);
      return true;
    },
  };
  const clock = new SimulatedClock();
  const events: GraceEvent[] = [];
  const w = {
    all,
    events,
    tried: 0,
    isRecovering: false,
    missing: [SECRET] as readonly string[],
    guards: [] as Awaited<ReturnType<CoreChecks['guards']>>,
    result: FAILED,
    approval: APPROVAL,
    missions: () => [...all.values()],
    last: () => events.findLast((e) => e.type === 'validation_ended'),
    async look() {
      await clock.pass(3_600_000);
      let n = all.size;
      await validateAgain(context, {
        missions,
        approvals: { get: async () => w.approval as unknown as Approval },
        ids: { next: (prefix) => `${prefix}_${++n}` },
        redact: (found) => JSON.parse(JSON.stringify(found).replaceAll(SECRET, '[redacted]')) as typeof found,
      });
    },
  };
  const context = {
    clock,
    signal: new AbortController().signal,
    emit: (e: GraceEvent) => void events.push(e),
    components: [component()],
    files: { stat: async () => null },
    supervision: {
      isRecovering: () => w.isRecovering,
      passCheck: async () => {
        w.tried++;
        return w.result;
      },
    },
    core: {
      missingNamed: async () => w.missing,
      takenAway: async () => [],
      dataLeftBehind: async () => null,
      environmentOf: async () => ({}),
      pendingMigrations: async () => [],
      schemaLacks: async () => null,
      failedLooks: () => 0,
      guards: async () => w.guards,
      runGuardFix: async () => ({ state: 'waiting', detail: 'it needs an approval' }),
      preflight: async () => [],
    },
  } as unknown as BootContext;
  return w;
}

test('what a finding says of a secret opens one mission, which is known again and stays dropped', async () => {
  const w = world();
  await w.look();
  expect(w.missions()).toMatchObject([{ state: 'open', code: 'named_missing', message: expect.stringContaining('[redacted]') }]);
  expect(JSON.stringify(w.missions()).replaceAll('#', '3'), 'not by its figures either').not.toContain('tops3cret');
  await w.look();
  expect([w.tried, w.events.filter((e) => e.type === 'mission_opened').length]).toEqual([1, 1]);
  expect(w.missions()).toMatchObject([{ state: 'open', seen: 2 }]);
  w.all.set('ms_1', { ...(w.missions()[0] as Mission), state: 'abandoned' });
  await w.look();
  expect(w.missions()).toMatchObject([{ state: 'abandoned', seen: 3 }]);
});

test('what waits for an approval is tried again when it was given, and once', async () => {
  const w = world();
  w.result = { ...FAILED, approval: 'ap_1' };
  await w.look();
  await w.look();
  expect(w.missions()).toMatchObject([{ approval: 'ap_1', seen: 2 }]);
  expect(w.tried, 'nobody has answered').toBe(1);
  w.approval = { ...APPROVAL, approvedBy: ['ann'] };
  w.result = { ...FAILED, approval: null };
  await w.look();
  await w.look();
  expect(w.tried, 'a limit kept it from running').toBe(3);
  w.result = { ...FAILED, wasTried: true };
  await w.look();
  await w.look();
  expect(w.tried, 'it ran and did not help').toBe(4);
  expect(w.missions()).toMatchObject([{ state: 'open', approval: null, seen: 6 }]);
});

test('what was agreed to and helps closes its mission', async () => {
  const w = world();
  w.result = { ...FAILED, approval: 'ap_1' };
  await w.look();
  w.approval = { ...APPROVAL, approvedBy: ['ann'] };
  w.result = { state: 'passed', fixes: ['restore_it'] };
  await w.look();
  expect(w.last()).toMatchObject({ fixed: ['api: restore_it'], missions: 0 });
  expect(w.missions()).toMatchObject([{ state: 'verified' }]);
});

test.each(['recovered', 'acted on'])(
  'a component that is being %s is left for the next look, and nothing is taken for gone',
  async (how) => {
    const w = world();
    w.isRecovering = how === 'recovered';
    w.result = { ...FAILED, isBusy: true };
    await w.look();
    expect([w.tried, w.missions()]).toEqual([how === 'recovered' ? 0 : 1, []]);
    w.isRecovering = false;
    w.result = FAILED;
    await w.look();
    expect(w.missions()).toMatchObject([{ state: 'open' }]);
    w.isRecovering = true;
    w.missing = [];
    await w.look();
    expect(w.missions(), 'not looked at').toMatchObject([{ state: 'open' }]);
  },
);

test('a fix for what has not failed yet that may not run by itself is said to have not run', async () => {
  const w = world();
  w.missing = [];
  w.guards = [{ ...finding('warn', 'path_missing', 'api', 'its folder is gone', 'make it'), fix: { playbook: 'make_it', params: {} } }];
  await w.look();
  await w.look();
  expect(w.missions()).toMatchObject([{ seen: 2, evidence: ['make_it did not run: it needs an approval'] }]);
});
