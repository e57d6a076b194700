import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';
import { nodeClock } from '../adapters/node/clock.ts';
import { nodeIds } from '../adapters/node/ids.ts';
import { openStore } from '../adapters/store/index.ts';
import { anApproval, aPlaybook } from '../apps/cli/testing.ts';
import { openAuditSource } from '../apps/cli/audit-source.ts';
import { verifyAudit } from '../apps/cli/audit-verify.ts';
import { answerEntry, approve, recordedDecisions, type Breaker, type PersonRequest, type PolicyText } from '../domains/governance/index.ts';
import { Redactor } from '../domains/incidents/index.ts';
import { reconcileMissions } from '../domains/missions/index.ts';
import type { PlaybookRun } from '../domains/playbooks/index.ts';
import type { Snapshots } from '../domains/snapshots/index.ts';
import { signatureOf } from '../kernel/index.ts';
import { auditedSnapshots } from './audited-repositories.ts';
import { Audit } from './audit.ts';
import { repositories, type Repositories } from './repositories.ts';

const SIGNATURE = signatureOf('aaaaaaaaaaaaaaaa');
const BREAKER: Breaker = {
  id: 'br_1',
  kind: 'breaker',
  playbook: 'mend',
  component: 'web',
  openedAtMs: 1,
  reason: 'it did not help',
  closedAtMs: null,
  closedBy: null,
  closeReason: null,
};
const REQUEST: PersonRequest = {
  id: 'rq_1',
  action: 'restart_component',
  component: 'web',
  by: 'ann',
  claimedName: null,
  reason: 'slow',
  askedAtMs: 1,
  state: 'asked',
  approval: null,
  detail: '',
};
const RUN: PlaybookRun = {
  id: 'run_1',
  playbook: 'mend',
  hash: 'h',
  component: 'web',
  bootId: 'boot_1',
  signature: SIGNATURE,
  failureId: null,
  scope: 'process',
  confidence: 1,
  restart: false,
  state: 'running',
  decision: 'dc_0',
  startedAtMs: 1,
  endedAtMs: null,
};
const text = (digest: string): PolicyText => ({ digest, files: [], state: 'in_force', sinceMs: 1, reason: 'so', approval: null });
const answer = (by: string) => ({
  id: nodeIds.next('dc'),
  atMs: 1,
  ...answerEntry({ id: 'ap_1', component: 'web', playbook: 'mend', action: 'run_playbook' }, by, 'approved', 'it may'),
});
let restored = 0;
const SNAPSHOTS = { restore: async () => ({ restored: restored++, verified: true, left: [], before: null }) } as unknown as Snapshots;

/** Everything that decides or acts: what it does, and how it shows that it was done. */
const ACTS: readonly [
  name: string,
  action: string,
  act: (r: Repositories) => Promise<unknown>,
  shows: (r: Repositories) => Promise<unknown>,
][] = [
  [
    'a decision',
    'decision.made',
    async (r) => {
      const point = recordedDecisions(
        { decide: async () => ({ verdict: 'allow', reason: 'why not', policies: [] }) },
        { record: r.decisions, clock: nodeClock, ids: nodeIds },
      );
      const request = {
        action: 'set_mode',
        actor: { kind: 'person', name: 'ann' },
        to: 'normal',
        mode: 'normal',
        environment: '',
        approvals: 0,
      } as const;
      const { verdict, reason } = await point.decide(request);
      if (verdict !== 'allow') throw new Error(reason);
    },
    (r) => r.decisions.list({ limit: 9 }),
  ],
  ['asking people', 'approval.asked', (r) => r.approvals.save(anApproval('ap_2')), (r) => r.approvals.get('ap_2')],
  [
    'an answer, with the yes that it is',
    'approval.answered',
    (r) => r.approvals.change('ap_1', (a) => approve(a, 'bob', 1), answer('bob')),
    async (r) => [(await r.approvals.get('ap_1'))?.approvedBy, await r.decisions.list({ limit: 9 })],
  ],
  [
    'closing a breaker',
    'limit.breaker_closed',
    (r) => r.limits.saveBreaker({ ...BREAKER, closedAtMs: 2, closedBy: 'ann', closeReason: 'mended' }),
    async (r) => (await r.limits.breakers()).map(({ closedBy }) => closedBy),
  ],
  [
    'another mode',
    'mode.set',
    (r) =>
      r.modes.append({
        id: 'mo_1',
        mode: 'read_only',
        atMs: 1,
        by: 'ann',
        claimedName: null,
        reason: 'so',
        untilMs: null,
        fallback: 'normal',
      }),
    (r) => r.modes.history(9),
  ],
  ['a restart that is asked for', 'restart.asked', (r) => r.requests.add({ ...REQUEST, id: 'rq_2' }), (r) => r.requests.get('rq_2')],
  [
    'a restart that is about to be done',
    'restart.answered',
    (r) => r.requests.move('rq_1', 'asked', { state: 'running', detail: 'now', approval: null }),
    async (r) => (await r.requests.get('rq_1'))?.state,
  ],
  ['other policies', 'policy.changed', (r) => r.policyTexts.save(text('d2')), async (r) => (await r.policyTexts.inForce())?.digest],
  [
    'more trust',
    'playbook.promoted',
    (r) =>
      r.tierChanges.save({
        id: 't1',
        playbook: 'mend',
        hash: 'h',
        kind: 'promoted',
        from: 'tier_3',
        to: 'tier_2',
        by: 'ann',
        atMs: 1,
        reason: 'so',
      }),
    (r) => r.tierChanges.of('mend', 'h'),
  ],
  [
    'a playbook that is switched off',
    'playbook.disabled',
    (r) => r.playbooks.save({ ...aPlaybook('mend'), isEnabled: false }),
    async (r) => (await r.playbooks.get('mend'))?.isEnabled,
  ],
  [
    'a rule about failures',
    'grouping.rule_made',
    (r) =>
      r.groupingRules.save(
        { id: 'gr_1', kind: 'merge', signature: SIGNATURE, into: SIGNATURE, by: 'ann', atMs: 1, reason: 'one', takenBack: null },
        [],
      ),
    (r) => r.groupingRules.list(),
  ],
  ['a run', 'run.started', (r) => r.playbooks.saveRun({ ...RUN, id: 'run_2' }), (r) => r.playbooks.run('run_2')],
  [
    'a step',
    'run.step_planned',
    (r) =>
      r.journal.write({
        runId: 'run_1',
        index: 0,
        step: 'make it',
        primitive: 'write_file',
        params: {},
        targets: [],
        before: null,
        undo: null,
        state: 'planned',
        summary: '',
      }),
    (r) => r.journal.entries('run_1'),
  ],
  [
    'putting a run back',
    'run.undo_started',
    (r) => r.playbooks.saveRun({ ...RUN, state: 'undoing' }),
    async (r) => (await r.playbooks.run('run_1'))?.state,
  ],
];

/** Stores that a test has closed by itself. */
const closed = new WeakSet<object>();

async function aStore(dir = mkdtempSync(join(tmpdir(), 'grace-acts-'))) {
  const path = join(dir, 'grace.db');
  const store = await openStore(path);
  const troubles: unknown[] = [];
  const open = (): Audit =>
    new Audit({ path, service: 'shop', clock: nodeClock, redactor: new Redactor(), onTrouble: (e) => troubles.push(e) });
  const audit = open();
  onTestFinished(async () => {
    await audit.close().catch(() => undefined);
    if (!closed.has(store)) store.close();
    rmSync(dir, { recursive: true, force: true });
  });
  const repos = repositories(store, audit);
  await repos.approvals.save(anApproval('ap_1', { requiredApprovals: 3, expiresAtMs: 1e15 }));
  await repos.limits.saveBreaker(BREAKER);
  await repos.requests.add(REQUEST);
  await repos.policyTexts.save(text('d1'));
  await repos.playbooks.save(aPlaybook('mend'));
  await repos.playbooks.saveRun(RUN);
  return { dir, path, store, audit, repos, open, troubles, plain: repositories(store) };
}

async function actionsIn(dir: string): Promise<readonly string[]> {
  const source = await openAuditSource({ dataDir: dir });
  const found: string[] = [];
  for await (const batch of source.reader.entries(0, Infinity))
    for (const one of batch)
      found.push(one instanceof Uint8Array ? (JSON.parse(Buffer.from(one).toString()) as { action: string }).action : '');
  source.close();
  return found;
}

async function verified(dir: string): Promise<number> {
  const source = await openAuditSource({ dataDir: dir });
  try {
    return (await verifyAudit(source, {})).exitCode;
  } finally {
    source.close();
  }
}

async function allOf(shows: Repositories): Promise<readonly unknown[]> {
  const all: unknown[] = [];
  for (const [, , , look] of ACTS) all.push(await look(shows));
  return all;
}

/** What it is when nothing of it was done. */
async function expectNothingDone(made: { readonly plain: Repositories }, shut: Repositories, audit: Audit): Promise<void> {
  const before = await allOf(made.plain);
  const done = restored;
  for (const [name, , act] of ACTS) await expect(act(shut), name).rejects.toThrow();
  await expect(auditedSnapshots(SNAPSHOTS, audit, 'ann').restore('s_1', new AbortController().signal)).rejects.toThrow();
  expect(restored).toBe(done);
  expect(await allOf(made.plain)).toEqual(before);
}

describe('a person who has the name of Grace', () => {
  const entriesOf = async (dir: string): Promise<readonly Record<string, unknown>[]> => {
    const source = await openAuditSource({ dataDir: dir });
    onTestFinished(() => source.close());
    const found: Record<string, unknown>[] = [];
    for await (const batch of source.reader.entries(0, Infinity))
      for (const one of batch)
        if (one instanceof Uint8Array) found.push(JSON.parse(Buffer.from(one).toString()) as Record<string, unknown>);
    return found;
  };
  const promotion = { id: 't1', playbook: 'mend', hash: 'h', kind: 'promoted', from: 'tier_3', to: 'tier_2', by: 'grace', atMs: 1, reason: 'so' } as const; // prettier-ignore
  const rule = { id: 'gr_1', kind: 'merge', signature: SIGNATURE, into: SIGNATURE, by: 'ann', atMs: 1, reason: 'one', takenBack: null } as const; // prettier-ignore

  test('is not Grace in the log: closing a breaker or a storm, promoting, and taking a rule back', async () => {
    const { dir, audit, repos } = await aStore();
    const closedByPerson = { closedAtMs: 2, closedBy: 'user:grace', closeReason: 'mended' };
    await repos.limits.saveBreaker({ ...BREAKER, ...closedByPerson });
    await repos.limits.saveBreaker({ ...BREAKER, ...closedByPerson, closedBy: 'Grace' });
    await repos.limits.saveBreaker({ ...BREAKER, ...closedByPerson, closedBy: 'grace' });
    await repos.limits.saveBreaker({ ...BREAKER, id: 'brk_2', kind: 'storm', ...closedByPerson });
    await repos.limits.saveBreaker({ ...BREAKER, id: 'brk_3', kind: 'storm', ...closedByPerson, closedBy: 'grace' });
    await repos.tierChanges.save(promotion);
    await repos.tierChanges.save({ ...promotion, id: 't2', kind: 'demoted' });
    await repos.groupingRules.save({ ...rule, claimedName: 'bob' }, []);
    await repos.groupingRules.save({ ...rule, takenBack: { by: 'grace', claimedName: 'ann', atMs: 2 } }, []);
    await repos.groupingRules.save({ ...rule, id: 'alike_1', by: 'grace' }, []);
    await audit.head();
    const told = (await entriesOf(dir)).slice(-10);
    expect(told.map(({ actor, action }) => [actor, action])).toEqual([
      ['user:grace', 'limit.breaker_closed'],
      ['Grace', 'limit.breaker_closed'],
      ['user:grace', 'limit.breaker_closed'],
      ['user:grace', 'limit.breaker_closed'],
      ['grace', 'limit.breaker_closed'],
      ['user:grace', 'playbook.promoted'],
      ['grace', 'playbook.demoted'],
      ['ann', 'grouping.rule_made'],
      ['user:grace', 'grouping.rule_taken_back'],
      ['grace', 'grouping.rule_made'],
    ]);
    expect(told.slice(-3).map(({ payload }) => (payload as { claimed_name: unknown }).claimed_name)).toEqual(['bob', 'ann', null]);
  });

  test('closes no breaker and no storm when that cannot be logged; Grace ends a storm all the same', async () => {
    const made = await aStore();
    await made.audit.close();
    chmodSync(join(made.dir, 'audit.key'), 0o644);
    const audit = made.open();
    onTestFinished(() => audit.close());
    const { limits } = repositories(made.store, audit);
    const storm = { ...BREAKER, id: 'brk_2', kind: 'storm', closedAtMs: 2, closeReason: 'over' } as const;
    await expect(limits.saveBreaker({ ...BREAKER, closedAtMs: 2, closedBy: 'user:grace', closeReason: 'x' })).rejects.toThrow();
    await expect(limits.saveBreaker({ ...BREAKER, closedAtMs: 2, closedBy: 'grace', closeReason: 'x' })).rejects.toThrow();
    await expect(limits.saveBreaker({ ...storm, closedBy: 'user:grace' })).rejects.toThrow();
    expect((await made.plain.limits.breakers()).map(({ closedBy }) => closedBy)).toEqual([null]);
    await limits.saveBreaker({ ...storm, closedBy: 'grace' });
    expect((await made.plain.limits.breakers()).map(({ id, closedBy }) => [id, closedBy])).toEqual(
      expect.arrayContaining([
        ['br_1', null],
        ['brk_2', 'grace'],
      ]),
    );
  });
});

test('each change and its entry lie in one transaction', async () => {
  const { dir, path, repos, audit } = await aStore();
  for (const [, action, act] of ACTS) {
    await act(repos);
    await audit.head();
    expect((await actionsIn(dir)).at(-1)).toBe(action);
  }
  expect(await verified(dir)).toBe(0);
  // What the change would leave behind when its entry can not be stored beside it: nothing.
  const database = new DatabaseSync(path);
  database.exec(`create trigger no_entries before insert on audit_entries begin select raise(abort, 'no entry'); end`);
  database.close();
  await expect(
    repos.modes.append({
      id: 'mo_2',
      mode: 'emergency',
      atMs: 2,
      by: 'ann',
      claimedName: null,
      reason: '',
      untilMs: null,
      fallback: 'normal',
    }),
  ).rejects.toMatchObject({ code: 'GRACE_AUDIT_APPEND_FAILED' });
  expect(await repos.modes.history(9)).toHaveLength(1);
});

describe('what can not be logged does not happen', () => {
  test('with a log whose end is damaged', async () => {
    const made = await aStore();
    await made.audit.close();
    const database = new DatabaseSync(made.path);
    database.exec(
      'delete from audit_checkpoints; update audit_entries set bodies = zeroblob(9) where first = (select max(first) from audit_entries)',
    );
    database.close();
    const audit = made.open();
    onTestFinished(() => audit.close());
    await expectNothingDone(made, repositories(made.store, audit), audit);
  });

  test('with a key that others can read', async () => {
    const made = await aStore();
    await made.audit.close();
    chmodSync(join(made.dir, 'audit.key'), 0o644);
    const audit = made.open();
    onTestFinished(() => audit.close());
    await expectNothingDone(made, repositories(made.store, audit), audit);
    chmodSync(join(made.dir, 'audit.key'), 0o600);
    // It takes entries again, and says that it did not.
    await repositories(made.store, audit).approvals.save(anApproval('ap_2'));
    await audit.head();
    expect((await actionsIn(made.dir)).slice(-2)).toEqual(['approval.asked', 'audit.entries_missed']);
  });

  test('neither is an undo begun anew that a crash has cut off', async () => {
    const made = await aStore();
    const undoing = { ...RUN, state: 'undoing' as const };
    await made.repos.playbooks.saveRun(undoing, 'it did not help');
    await made.repos.playbooks.saveRun(undoing, 'a crash of Grace cut it off');
    await made.audit.close();
    expect((await actionsIn(made.dir)).slice(-2)).toEqual(['run.undo_started', 'run.undo_started']);
    chmodSync(join(made.dir, 'audit.key'), 0o644);
    const audit = made.open();
    onTestFinished(() => audit.close());
    await expect(repositories(made.store, audit).playbooks.saveRun(undoing)).rejects.toMatchObject({ code: 'GRACE_AUDIT_KEY_UNUSABLE' });
  });

  test('on a full disk, and on one that may only be read (needs root)', async ({ skip }) => {
    const outer = mkdtempSync(join(tmpdir(), 'grace-disk-'));
    const disk = join(outer, 'disk');
    mkdirSync(disk);
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk]).status !== 0) return skip();
    onTestFinished(() => {
      spawnSync('umount', ['-l', disk]);
      rmSync(outer, { recursive: true, force: true });
    });
    const data = join(disk, 'data');
    mkdirSync(data);
    const made = await aStore(data);
    // A page is left in the WAL's last block at most.
    for (let size = 1 << 20; size >= 1; size >>= 1)
      for (let i = 0; i < 4; i++)
        try {
          writeFileSync(join(disk, `filler-${size}-${i}`), Buffer.alloc(size * 4));
        } catch {
          break; // full, which is wanted
        }
    await expectNothingDone(made, made.repos, made.audit);
    expect(made.troubles).not.toEqual([]);
    spawnSync('mount', ['-o', 'remount,size=9m', disk]);
    await made.repos.approvals.save(anApproval('ap_3'));
    await made.audit.close();
    made.store.close();
    closed.add(made.store);
    expect(await verified(data)).toBe(0);
    expect(spawnSync('mount', ['-o', 'remount,ro', disk]).status).toBe(0);
    // SQLite opens it all the same, for looking.
    const store = await openStore(made.path);
    const audit = made.open();
    onTestFinished(async () => {
      await audit.close();
      store.close();
      spawnSync('mount', ['-o', 'remount,rw', disk]);
    });
    await expectNothingDone({ plain: repositories(store) }, repositories(store, audit), audit);
    expect(audit.trouble).toContain('cannot write the store');
    expect(await verified(data)).toBe(0);
  });
});

describe('approvals', () => {
  test('that two people answer at the same moment count both, each with one entry', async () => {
    const { dir, repos, audit, open, store } = await aStore();
    const other = open();
    const beside = repositories(store, other);
    await Promise.all([
      repos.approvals.change('ap_1', (a) => approve(a, 'bob', 1), answer('bob')),
      beside.approvals.change('ap_1', (a) => approve(a, 'cy', 1), answer('cy')),
    ]);
    expect((await repos.approvals.get('ap_1'))?.approvedBy.toSorted()).toEqual(['bob', 'cy']);
    await other.close();
    await audit.head();
    expect((await actionsIn(dir)).filter((action) => action === 'approval.answered')).toHaveLength(2);
    expect(audit.trouble).toBeNull();
  });

  test('that nobody answers are told once, and those that somebody has answered are not', async () => {
    const { dir, repos, audit, open, store } = await aStore();
    await repos.approvals.save(anApproval('ap_2', { expiresAtMs: 10 }));
    await repos.approvals.save(anApproval('ap_3', { expiresAtMs: 10, rejectedBy: 'ann' }));
    expect(await repos.approvals.expire(9)).toEqual([]);
    expect((await repos.approvals.expire(11)).map(({ id }) => id)).toEqual(['ap_2']);
    const other = open();
    expect(await repositories(store, other).approvals.expire(12)).toEqual([]);
    await other.close();
    await audit.head();
    expect((await actionsIn(dir)).filter((action) => action === 'approval.expired')).toHaveLength(1);
  });
});

test('of two who take up a request one wins, and the other leaves no entry', async () => {
  const { dir, repos, audit, open, store } = await aStore();
  const other = open();
  const change = { state: 'running', detail: 'now', approval: null } as const;
  const won = await Promise.all([
    repos.requests.move('rq_1', 'asked', change),
    repositories(store, other).requests.move('rq_1', 'asked', change),
  ]);
  expect(won.toSorted()).toEqual([false, true]);
  await other.close();
  await audit.head();
  expect((await actionsIn(dir)).filter((action) => action === 'restart.answered')).toHaveLength(1);
  expect([audit.trouble, other.trouble]).toEqual([null, null]);
});

test('a mission that a person drops while it is looked at stays dropped, and is opened in no second entry', async () => {
  const { dir, repos, audit, open, store } = await aStore();
  const ports = { missions: repos.missions, clock: nodeClock, ids: nodeIds };
  const found = {
    severity: 'error',
    code: 'config_broken',
    component: 'web',
    message: 'no JSON',
    evidence: [],
    hint: 'mend it',
    fix: null,
  } as const;
  const { opened } = await reconcileMissions([found], [], ports);
  const other = open();
  const theirs = repositories(store, other).missions;
  const [mission] = opened;
  // Between what the look reads and what it saves.
  const standing = async () => {
    const read = await repos.missions.standing();
    if (mission !== undefined && read[0]?.state === 'open') await theirs.save({ ...mission, state: 'abandoned', closedBy: 'ann' }, 'open');
    return read;
  };
  expect(await reconcileMissions([found], [], { ...ports, missions: { ...repos.missions, standing } })).toMatchObject({
    opened: [],
    open: 0,
  });
  expect(await repos.missions.standing()).toMatchObject([{ state: 'abandoned', closedBy: 'ann', seen: 2 }]);
  await other.close();
  await audit.head();
  expect((await actionsIn(dir)).filter((action) => action.startsWith('mission.'))).toEqual(['mission.opened', 'mission.abandoned']);
});
