import { expect, test } from 'vitest';
import type { Ids } from '../../kernel/index.ts';
import type { Mission, MissionStore } from '../missions/index.ts';
import type { CheckReport, Finding } from '../preflight/index.ts';
import { component, SimulatedClock } from '../supervisor/testing.ts';
import type { BootContext } from './boot-context.ts';
import { validateAgain } from './continuous-validation.ts';

const API = component({ name: 'api', envFiles: [], requiredEnv: [], migrate: ['true'] });
const found = (code: string): Finding => ({ severity: 'warn', code, component: 'api', message: code, evidence: [], hint: '', fix: null });
const report = (findings: readonly Finding[], change: Partial<CheckReport> = {}): CheckReport => ({
  name: 'migrations',
  title: 'migrations',
  when: 'beside_start',
  durationMs: 1,
  isRemembered: false,
  couldLook: true,
  findings,
  ...change,
});

/** A service with one component whose checks, guards and database say what the test wants. */
function world() {
  const kept = new Map<string, Mission>();
  const missions: MissionStore = {
    get: async (id) => kept.get(id) ?? null,
    list: async () => [...kept.values()],
    standing: async () => [...kept.values()].filter(({ state }) => state !== 'verified'),
    save: async (mission, was) => {
      if ((kept.get(mission.id)?.state ?? null) !== was) return false;
      kept.set(mission.id, mission);
      return true;
    },
  };
  let n = 0;
  let failedLooks = 0;
  const now = { reports: [] as readonly CheckReport[], guards: [] as readonly Finding[], pending: [] as readonly string[], isAway: false };
  const look = <T>(seen: T, unseen: T): T => {
    if (now.isAway) failedLooks++;
    return now.isAway ? unseen : seen;
  };
  const core = {
    environmentOf: async () => ({}),
    missingNamed: async () => [],
    takenAway: async () => [],
    dataLeftBehind: async () => null,
    pendingMigrations: async () => look(now.pending, []),
    schemaLacks: async () => null,
    guards: async () => look(now.guards, []),
    failedLooks: () => failedLooks,
    preflight: async (when: string) => (when === 'beside_start' ? now.reports : []),
  };
  const context = {
    components: [API],
    clock: new SimulatedClock(),
    emit: () => undefined,
    files: { stat: async () => null },
    signal: new AbortController().signal,
    core,
    supervision: { isRecovering: () => false, passCheck: async () => ({ state: 'failed', fixes: [] }) },
  } as unknown as BootContext;
  return {
    now,
    states: () => [...kept.values()].map(({ code, state }) => `${code} ${state}`),
    validate: () =>
      validateAgain(context, {
        missions,
        approvals: { get: async () => null },
        ids: { next: (prefix) => `${prefix}_${++n}` } satisfies Ids,
        redact: (finding) => finding,
      }),
  };
}

test('a check that took too long, or could not see its database, closes nothing of its own', async () => {
  const w = world();
  w.now.reports = [report([found('migration_edited')]), report([found('disk_full')], { name: 'disk_space' })];
  await w.validate();
  w.now.reports = [report([], { couldLook: false }), report([], { name: 'disk_space' })];
  await w.validate();
  expect(w.states()).toEqual(['migration_edited open', 'disk_full verified']);
  w.now.reports = [report([], { unseen: ['api'] })];
  await w.validate();
  expect(w.states()).toEqual(['migration_edited open', 'disk_full verified']);
  w.now.reports = [report([])];
  await w.validate();
  expect(w.states()).toEqual(['migration_edited verified', 'disk_full verified']);
});

test('while the database is away neither guards nor looks at it close what they have found', async () => {
  const w = world();
  w.now.guards = [found('failure_returns')];
  w.now.pending = ['002_orders'];
  await w.validate();
  const open = ['schema_behind open', 'failure_returns open'];
  expect(w.states()).toEqual(open);
  w.now.isAway = true;
  await w.validate();
  expect(w.states()).toEqual(open);
  Object.assign(w.now, { isAway: false, guards: [], pending: [] });
  await w.validate();
  expect(w.states()).toEqual(['schema_behind verified', 'failure_returns verified']);
});
