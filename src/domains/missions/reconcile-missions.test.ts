import { describe, expect, test } from 'vitest';
import type { Clock, Ids } from '../../kernel/index.ts';
import type { Finding } from '../preflight/index.ts';
import type { Mission } from './mission.ts';
import type { MissionStore } from './mission-store.ts';
import { reconcileMissions, type Unseen } from './reconcile-missions.ts';

const found = (change: Partial<Finding> = {}): Finding => ({
  severity: 'warn',
  code: 'certificate_ends',
  component: 'api',
  message: 'tls.pem ends in 14 days',
  evidence: [],
  hint: 'renew it',
  fix: null,
  ...change,
});

function world() {
  const all = new Map<string, Mission>();
  /** What somebody else does before the next one is saved. */
  const meanwhile: (() => Promise<void>)[] = [];
  const missions: MissionStore = {
    get: async (id) => all.get(id) ?? null,
    list: async (limit) => [...all.values()].slice(0, limit),
    standing: async () => [...all.values()].filter(({ state }) => state !== 'verified'),
    async save(mission, was) {
      await meanwhile.splice(0)[0]?.();
      if ((all.get(mission.id)?.state ?? null) !== was) return false;
      all.set(mission.id, mission);
      return true;
    },
  };
  let n = 0;
  let now = 1000;
  const ports = { missions, clock: { nowMs: () => now } as Clock, ids: { next: (prefix) => `${prefix}_${++n}` } satisfies Ids };
  return {
    all: () => [...all.values()],
    missions,
    meanwhile,
    /** A person drops the only one. */
    async drop() {
      const [mission] = all.values();
      all.set('ms_1', { ...(mission as Mission), state: 'abandoned', closedBy: 'ann' });
    },
    async look(findings: readonly Finding[], unseen: readonly Unseen[] = []) {
      now += 1000;
      return reconcileMissions(findings, unseen, ports);
    },
  };
}

describe('missions', () => {
  test('a finding opens one, and the same finding with other figures is the same one', async () => {
    const w = world();
    expect(await w.look([found()])).toMatchObject({ opened: [{ id: 'ms_1', state: 'open' }], closed: [], open: 1 });
    expect(await w.look([found({ message: 'tls.pem ends in 13 days' })])).toMatchObject({ opened: [], closed: [], open: 1 });
    expect(w.all()).toMatchObject([{ seen: 2, openedAtMs: 2000, lastSeenAtMs: 3000, message: 'tls.pem ends in 13 days' }]);
  });

  test('what is found no more is closed, and opens anew when it comes back', async () => {
    const w = world();
    await w.look([found()]);
    expect(await w.look([])).toMatchObject({ closed: [{ id: 'ms_1', state: 'verified', closedBy: 'grace' }], open: 0 });
    expect(await w.look([found()])).toMatchObject({ opened: [{ id: 'ms_2' }], open: 1 });
  });

  test('one is closed only by the part that found it, when that could look', async () => {
    const w = world();
    await w.look([found({ origin: 'certificates' })]);
    expect(await w.look([], [{ origin: 'certificates', component: null }])).toMatchObject({ closed: [], open: 1 });
    expect(await w.look([], [{ origin: 'certificates', component: 'api' }])).toMatchObject({ closed: [], open: 1 });
    expect(await w.look([], [{ origin: null, component: null }])).toMatchObject({ closed: [], open: 1 });
    const others = [
      { origin: 'certificates', component: 'web' },
      { origin: 'memory', component: null },
    ];
    expect(await w.look([], others)).toMatchObject({ closed: [{ id: 'ms_1' }], open: 0 });
  });

  test('one of which nobody knows who found it is closed only when everything was looked at', async () => {
    const w = world();
    await w.look([found()]);
    expect(await w.look([], [{ origin: 'memory', component: 'web' }])).toMatchObject({ closed: [], open: 1 });
    expect(await w.look([])).toMatchObject({ closed: [{ id: 'ms_1' }], open: 0 });
  });

  test('one that a person has dropped is not opened again because it could not be looked for', async () => {
    const w = world();
    await w.look([found({ origin: 'certificates' })]);
    const [mission] = w.all();
    await w.missions.save({ ...(mission as Mission), state: 'abandoned', closedBy: 'ann' }, 'open');
    await w.look([], [{ origin: 'certificates', component: null }]);
    expect(await w.look([found({ origin: 'certificates' })])).toMatchObject({ opened: [], open: 0 });
  });

  test('one that a person has dropped is not opened again while it lasts, and is once it was gone', async () => {
    const w = world();
    await w.look([found()]);
    await w.drop();
    expect(await w.look([found()])).toMatchObject({ opened: [], open: 0 });
    expect(w.all()).toMatchObject([{ state: 'abandoned', seen: 2 }]);
    expect(await w.look([])).toMatchObject({ closed: [{ state: 'verified' }], open: 0 });
    expect(await w.look([found()])).toMatchObject({ opened: [{ id: 'ms_2' }], open: 1 });
  });

  test('one that a person drops while it is looked at stays dropped', async () => {
    const w = world();
    await w.look([found()]);
    w.meanwhile.push(w.drop);
    expect(await w.look([found()])).toMatchObject({ opened: [], open: 0 });
    expect(w.all()).toMatchObject([{ state: 'abandoned', closedBy: 'ann', seen: 2 }]);
  });

  test('two findings of one code are two when they are about two things', async () => {
    const w = world();
    const at = (file: string): Finding => found({ code: 'config_broken', message: 'is no JSON', place: { file, line: 1, column: 1 } });
    expect((await w.look([at('a.json'), at('b.json'), found({ component: 'web' })])).opened).toHaveLength(3);
  });

  test('what is only worth a word opens none, and a flood stops at a limit', async () => {
    const w = world();
    expect(await w.look([found({ severity: 'info' })])).toMatchObject({ opened: [], open: 0 });
    const many = Array.from({ length: 300 }, (_, n) => found({ message: String.fromCodePoint(0x4e00 + n) }));
    expect(await w.look(many)).toMatchObject({ open: 200 });
    expect(await w.look(many)).toMatchObject({ opened: [], open: 200 });
  });
});
