import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nodeFiles } from '../../adapters/node/files.ts';
import { signatureOf, type Signature } from '../../kernel/index.ts';
import { approve, type DecisionPoint } from '../governance/index.ts';
import type { Captured, ComponentState, FailedState, FailedStateStore, PathTrace } from '../learning/index.ts';
import type { PlaybookRun, Primitive } from '../playbooks/index.ts';
import { PeopleLearner, type PeopleLearnerPorts } from './learn-from-people.ts';
import { syncPlaybooks } from './sync-playbooks.ts';
import { healingWorld, type HealingWorld } from './testing.ts';

/** The files of the machine by name, and what Grace remembers of failures: the one outlives the other's restarts. */
interface Machine {
  readonly world: HealingWorld;
  readonly files: Record<string, string>;
  readonly env: Record<string, string>;
  readonly kept: Map<string, readonly FailedState[]>;
  readonly lessons: Map<string, Readonly<Record<string, readonly string[]>>>;
  readonly restless: Set<string>;
}

async function machine(...components: readonly string[]): Promise<Machine> {
  const world = await healingWorld({ components: (components.length === 0 ? ['api'] : components).map((name) => ({ name })) });
  const power = (name: string): Primitive => ({
    name,
    description: '',
    risk: 'low',
    parse: (params) => {
      if (JSON.stringify(params).includes('TOKEN')) throw new TypeError('named like a secret');
      return params;
    },
    plan: async () => ({ state: 'ready', summary: '', targets: ['x'], undo: null }),
    apply: async (params) => {
      world.settings[name] = params['path'] ?? params['name'] ?? null;
      return { summary: `${name} ran`, changed: [] };
    },
    undo: null,
  });
  for (const name of ['restore_file', 'set_env_override']) world.primitives.set(name, power(name));
  return { world, files: {}, env: {}, kept: new Map(), lessons: new Map(), restless: new Set() };
}

function stateOf(m: Machine, component: string, bootId: string): ComponentState {
  const paths = Object.entries(m.files).map(([name, digest]): [string, PathTrace] => [
    join(m.world.dir, name),
    { kind: 'file', mode: 0o644, uid: 0, gid: 0, digest, mtimeMs: 0 },
  ]);
  return {
    component,
    bootId,
    atMs: m.world.clock.nowMs(),
    fingerprint: { commands: {}, env: { [component]: { ...m.env } }, files: {}, machine: {}, parts: {} },
    paths: Object.fromEntries(paths),
    envKeys: {},
    reachable: {},
  };
}

let ids = 0;

/** A Grace that has just been started: it knows what is on disk and nothing else. */
function learner(m: Machine, change: Partial<PeopleLearnerPorts> = {}): PeopleLearner {
  const { world } = m;
  const failedStates: FailedStateStore = {
    load: async (component) =>
      [...m.kept].flatMap(([key, states]) => (key.startsWith(`${component} `) ? states : [])).toSorted((a, b) => a.atMs - b.atMs),
    replace: async (component, signature, states) => void m.kept.set(`${component} ${signature}`, states),
    forget: async (component, signature) => void m.kept.delete(`${component} ${signature}`),
  };
  return new PeopleLearner({
    clock: world.clock,
    ids: { next: (prefix) => `${prefix}_learned_${++ids}` },
    logger: { debug() {}, info() {}, warn: (text) => void world.logged.push(text), error() {} },
    incidents: world.incidents,
    playbooks: world.playbooks,
    approvals: world.approvals,
    policy: world.policy,
    mode: async () => 'normal',
    effectiveTier: async (_playbook, _hash, declared) => declared,
    executeAtRuntime: false,
    environment: '',
    journal: world.journal,
    library: world.library,
    failedStates,
    lessons: {
      load: async (component) => m.lessons.get(component) ?? {},
      save: async (component, lessons) => void m.lessons.set(component, lessons),
    },
    emit: (event) => void world.events.push(event),
    files: nodeFiles,
    knowledge: async () => ({ families: world.families, primitives: world.primitives }),
    goodState: async (component) => stateOf(m, component.name, 'boot_20260101_000100'),
    touched: async () => null,
    hasCopy: async () => true,
    restless: async () => m.restless,
    launchedAtMs: () => null,
    harmlessValue: async (_, name) => (name.includes('SECRET') ? null : (m.env[name] ?? null)),
    isOwn: () => true,
    ...change,
  });
}

const passes = (m: Machine, ms: number): Promise<void> => m.world.clock.until(m.world.clock.sleep(ms));

/** It fails, and Grace writes down how the world looks. */
async function fails(m: Machine, fact: string, name = 'api'): Promise<Captured> {
  const captured = await m.world.fails(fact, name);
  await passes(m, 1000);
  await learner(m).remember({ ...stateOf(m, name, 'boot_20260101_000000'), signature: captured.failure.signature }, m.world.spec(name));
  return captured;
}

async function works(m: Machine, ...names: readonly string[]) {
  await passes(m, 1000);
  for (const name of names.length === 0 ? ['api'] : names) await learner(m).learn(m.world.spec(name), m.world.specs);
  return m.world.of('learned_from_person');
}

async function grace(m: Machine, run: Partial<PlaybookRun> & { readonly signature: Signature }): Promise<void> {
  await m.world.playbooks.saveRun({
    id: 'run_x',
    playbook: 'fix_it',
    hash: '',
    component: 'api',
    bootId: 'boot_20260101_000100',
    failureId: null,
    scope: 'process',
    confidence: 1,
    restart: true,
    state: 'verified',
    decision: '',
    startedAtMs: m.world.clock.nowMs() + 10,
    endedAtMs: null,
    ...run,
  });
}

const OTHER = signatureOf('fedcba9876543210');

test.each([
  [
    'asks as many people as the policy wants',
    { verdict: 'needs_approval', approvals: 3 },
    [{ requiredApprovals: 3, foreseen: [{ state: 'offered' }] }],
  ],
  ['is not offered where no approval would let it run', { verdict: 'deny' }, []],
] as const)('%s', async (_, verdict, asked) => {
  const m = await machine();
  m.files['a.ini'] = 'bad';
  await fails(m, 'config_invalid a.ini');
  m.files['a.ini'] = 'good';
  await passes(m, 1000);
  const seen: string[] = [];
  const policy: DecisionPoint = {
    decide: async (asked) => {
      seen.push(asked.action === 'run_playbook' ? asked.origin : '');
      return { ...verdict, reason: 'so it is written', policies: ['own'] };
    },
  };
  await learner(m, { policy }).learn(m.world.spec('api'), m.world.specs);
  expect(seen).toEqual(['learned']);
  expect(await m.world.approvals.list()).toMatchObject(asked);
  expect(await m.world.approvals.list()).toHaveLength(asked.length);
});

test('becomes a candidate that names what was done, is registered, and is asked for', async () => {
  const m = await machine();
  m.files['a.ini'] = 'bad';
  const { failure, pattern } = await fails(m, 'config_invalid a.ini');
  m.files['a.ini'] = 'good';
  const [event] = await works(m);
  const name = `learned_restore_file_a_ini_${failure.signature.slice(0, 6)}`;
  expect(event).toMatchObject({ component: 'api', incident: pattern.incidentId, did: ['changed a.ini'], playbook: name });
  expect(await m.world.playbooks.get(name)).toMatchObject({
    origin: 'learned',
    tier: 'tier_3',
    signature: failure.signature,
    steps: [{ params: { path: 'a.ini' } }],
  });
  expect(await m.world.incidents.pattern(failure.signature)).toMatchObject({ state: 'candidate', playbook: name });
  expect(await m.world.approvals.list()).toMatchObject([{ id: event?.approval, playbook: name, requiredApprovals: 1 }]);
  const source = m.world.source(name);
  expect(source).toContain('what a person did between boot_20260101_000000 and boot_20260101_000100, confidence');
  expect(source).toContain("tier: 'tier_3'");
  expect(await learner(m).lessonsOf('api', failure.signature)).toEqual(['changed a.ini']);
  expect(m.kept.size, 'the next failure is another story').toBe(0);
});

test('is offered when it happens again, and runs only after somebody agreed to exactly these bytes', async () => {
  const m = await machine();
  m.files['a.ini'] = 'bad';
  await fails(m, 'exception x');
  m.files['a.ini'] = 'good';
  const [event] = await works(m);
  const heal = async () => m.world.heal(await m.world.fails('exception x'));
  expect(await heal()).toMatchObject({ state: 'needs_approval', approval: event?.approval });
  expect(m.world.settings).toEqual({});
  const request = await m.world.approvals.get(event?.approval ?? '');
  if (request === null) throw new TypeError('there is no such request');
  await m.world.approvals.save(approve(request, 'ann', m.world.clock.nowMs()));
  expect(await heal()).toMatchObject({ state: 'applied', run: { playbook: event?.playbook } });
  expect(m.world.settings).toEqual({ restore_file: 'a.ini' });

  // Another word in the file is another version, which nobody has agreed to; what its tier says does not matter.
  m.world.edit(event?.playbook ?? '', (source) =>
    source.replace("tier: 'tier_3'", "tier: 'tier_1'").replace('changed a.ini', 'changed it'),
  );
  expect(await heal()).toMatchObject({ state: 'needs_approval' });
  await syncPlaybooks(m.world.library, m.world.playbooks, m.world.clock);
  expect(await m.world.playbooks.get(event?.playbook ?? '')).toMatchObject({ origin: 'edited', version: 2 });
});

test('that was agreed to is not done where its plan reaches further: it is asked for anew, and written down', async () => {
  const m = await machine();
  const { world } = m;
  m.files['a.ini'] = 'bad';
  await fails(m, 'exception x');
  m.files['a.ini'] = 'good';
  const [event] = await works(m);
  const [offer] = await world.approvals.list();
  expect(offer).toMatchObject({ id: event?.approval, foreseen: [{ state: 'offered', targets: [join(world.dir, 'a.ini')] }] });
  if (offer === undefined) throw new TypeError('nothing was offered');
  await world.approvals.save(approve(offer, 'ann', world.clock.nowMs()));
  const power = world.primitives.get('restore_file');
  if (power === undefined) throw new TypeError('there is no primitive');
  const reaching = (target: string) =>
    world.primitives.set('restore_file', { ...power, plan: async () => ({ state: 'ready', summary: '', targets: [target], undo: null }) });
  const heal = async () => world.heal(await world.fails('exception x'));

  reaching(join(world.dir, 'b.ini'));
  const again = await heal();
  if (again.state !== 'needs_approval') throw new TypeError(again.state);
  expect(again.approval).not.toBe(offer.id);
  expect(await world.approvals.get(again.approval)).toMatchObject({ foreseen: [{ state: 'ready', targets: [join(world.dir, 'b.ini')] }] });
  expect(world.settings, 'nothing was done').toEqual({});
  const told = `acts on ${join(world.dir, 'b.ini')}, which was not offered`;
  expect(world.of('notice').map((e) => e.text)).toEqual([expect.stringContaining(told)]);
  expect(await world.decisions.list({ limit: 50 })).toContainEqual(
    expect.objectContaining({ action: 'answer_approval', verdict: 'refused', reason: expect.stringContaining(told) }),
  );

  // What it reaches between the look and the act was agreed to by nobody either.
  let looks = 0;
  world.primitives.set('restore_file', {
    ...power,
    plan: async () => ({ state: 'ready', summary: '', targets: [join(world.dir, ++looks < 4 ? 'a.ini' : 'b.ini')], undo: null }),
  });
  expect(await heal()).toMatchObject({ state: 'failed', reason: expect.stringContaining('it is not what was approved') });
  expect(world.settings).toEqual({});

  reaching(join(world.dir, 'a.ini'));
  expect(await heal()).toMatchObject({ state: 'applied' });
});

test('waits behind what the catalog is sure of, goes before what it guesses, and is out of the way once somebody said no', async () => {
  const m = await machine();
  m.files['a.ini'] = 'bad';
  await fails(m, 'disk_full /');
  m.files['a.ini'] = 'good';
  const [event] = await works(m);
  m.world.knows('disk_full', { confidence: 0.79 }, {});
  expect(await m.world.heal(await m.world.fails('disk_full /'))).toMatchObject({ state: 'needs_approval' });
  m.world.knows('anything', { confidence: 0.8, family: 'surer' }, { playbook: 'surer' });
  expect(await m.world.heal(await m.world.fails('disk_full /'))).toMatchObject({ state: 'applied', run: { playbook: 'surer' } });
  m.world.families.pop();
  const request = await m.world.approvals.get(event?.approval ?? '');
  if (request !== null) await m.world.approvals.save({ ...request, rejectedBy: 'eve' });
  expect(await m.world.heal(await m.world.fails('disk_full /'))).toMatchObject({ state: 'applied', run: { playbook: 'fix_disk_full' } });
});

test('nothing is learned when Grace mended it, when nothing is different, or when it is long ago', async () => {
  const m = await machine();
  m.files['a.ini'] = 'bad';
  const { failure } = await fails(m, 'exception x');
  await grace(m, { signature: failure.signature });
  m.files['a.ini'] = 'good';
  expect(await works(m)).toEqual([]);

  await fails(m, 'exception y');
  expect(await works(m)).toEqual([]);

  await fails(m, 'exception z');
  m.files['a.ini'] = 'better';
  await passes(m, 31 * 86_400_000);
  expect(await works(m)).toEqual([]);
  expect(m.kept.size).toBe(0);
});

test('what Grace itself changed meanwhile, for another failure, is no part of it', async () => {
  const m = await machine();
  Object.assign(m.files, { 'a.ini': 'bad', 'b.ini': 'bad' });
  await fails(m, 'config_invalid a.ini');
  await grace(m, { signature: OTHER });
  await m.world.journal.write({
    runId: 'run_x',
    index: 0,
    step: '',
    primitive: 'restore_file',
    params: { path: 'b.ini' },
    targets: ['b.ini'],
    before: null,
    after: null,
    undo: null,
    state: 'done',
    summary: '',
  });
  Object.assign(m.files, { 'a.ini': 'good', 'b.ini': 'good' });
  expect(await works(m)).toMatchObject([{ did: ['changed a.ini'] }]);
});

test('several failures, each with what was done after it', async () => {
  const m = await machine();
  Object.assign(m.files, { 'a.ini': 'bad', 'b.ini': 'bad' });
  const first = await fails(m, 'exception x');
  m.files['a.ini'] = 'good';
  const second = await fails(m, 'exception y');
  m.files['b.ini'] = 'good';
  const events = await works(m);
  expect(events.map((e) => [e.incident, e.did])).toEqual([
    [first.pattern.incidentId, ['changed a.ini']],
    [second.pattern.incidentId, ['changed b.ini']],
  ]);
});

test('several components, each by itself', async () => {
  const m = await machine('api', 'worker');
  m.files['a.ini'] = 'bad';
  await fails(m, 'exception x', 'worker');
  m.files['a.ini'] = 'good';
  const events = await works(m, 'api', 'worker');
  expect(events).toMatchObject([{ component: 'worker', did: ['changed a.ini'] }]);
  expect(await m.world.playbooks.get(events[0]?.playbook ?? '')).toMatchObject({ component: 'worker' });
});

test('a fix that was undone is offered again as it is, without another version and another question', async () => {
  const m = await machine();
  m.files['a.ini'] = 'bad';
  await fails(m, 'exception x');
  m.files['a.ini'] = 'good';
  const [event] = await works(m);
  m.files['a.ini'] = 'bad';
  await fails(m, 'exception x');
  m.files['a.ini'] = 'good';
  const [, again] = await works(m);
  expect(again).toMatchObject({ playbook: event?.playbook, approval: event?.approval });
  expect(await m.world.playbooks.get(event?.playbook ?? '')).toMatchObject({ version: 1 });
  expect(await m.world.approvals.list()).toHaveLength(1);
});

test('another fix of the same failure is another version, and nobody has agreed to it', async () => {
  const m = await machine();
  Object.assign(m.files, { 'a.ini': 'bad', 'a.txt': '1' });
  await fails(m, 'exception x');
  m.files['a.ini'] = 'good';
  const [event] = await works(m);
  await fails(m, 'exception x');
  m.files['a.ini'] = 'better';
  m.files['a.txt'] = '2';
  const [, again] = await works(m);
  expect(again?.playbook).toBe(event?.playbook);
  expect(again?.approval).not.toBe(event?.approval);
  expect(await m.world.playbooks.get(event?.playbook ?? '')).toMatchObject({ version: 2 });
});

test('the same state counts once, however often it was tried', async () => {
  const m = await machine();
  Object.assign(m.files, { 'a.ini': 'bad', 'b.ini': '1' });
  await fails(m, 'exception x');
  m.files['b.ini'] = '2';
  for (let n = 0; n < 10; n++) await fails(m, 'exception x');
  Object.assign(m.files, { 'a.ini': 'good', 'b.ini': '1' });
  // `b` was as it is now when it failed first, and that is still remembered.
  expect(await works(m)).toMatchObject([{ did: ['changed a.ini'] }]);
});

test('of what fails in ever new ways, the newest are kept', async () => {
  const m = await machine();
  for (let n = 0; n < 9; n++) await fails(m, `exception x${'y'.repeat(n)}`);
  expect(m.kept.size).toBe(6);
  m.files['a.ini'] = 'new';
  expect(await works(m)).toHaveLength(6);
});

test('a playbook that somebody wrote for it stays the only one, and no file of theirs is written over', async () => {
  const m = await machine();
  m.files['a.ini'] = 'bad';
  const { failure } = await fails(m, 'exception x');
  m.files['a.ini'] = 'good';
  const [event] = await works(m);
  m.world.edit(event?.playbook ?? '', (source) => source.replace('changed a.ini', 'by hand'));
  await syncPlaybooks(m.world.library, m.world.playbooks, m.world.clock);
  m.files['a.ini'] = 'bad';
  await fails(m, 'exception x');
  m.files['a.ini'] = 'good';
  const [, again] = await works(m);
  expect(again).toMatchObject({ did: ['changed a.ini'], playbook: null });
  expect(readdirSync(join(m.world.dir, 'playbooks'))).toEqual([`learned_restore_file_a_ini_${failure.signature.slice(0, 6)}.ts`]);
  expect(m.world.source(event?.playbook ?? '')).toContain('by hand');
});

test('a secret is told by its name and never written anywhere', async () => {
  const m = await machine();
  await fails(m, 'exception x');
  Object.assign(m.env, { MY_SECRET: 'digest-of-secret', API_TOKEN: 'digest-of-token', MODE: 'gold' });
  const [event] = await works(m);
  expect(event?.did.toSorted()).toEqual([
    'set API_TOKEN in the environment',
    'set MODE in the environment',
    'set MY_SECRET in the environment',
  ]);
  const source = m.world.source(event?.playbook ?? '');
  expect(source).toContain("value: 'gold'");
  expect(source).not.toMatch(/digest-of/);
  expect(source).toContain('only a person can do this: set MY_SECRET in the environment');
});

test('what a person did is told to whoever meets the failure next', async () => {
  const m = await machine();
  const captured = await fails(m, 'exception x');
  await m.world.heal(captured);
  m.files['a.ini'] = 'new';
  const [event] = await works({ ...m }, 'api');
  expect(event).toMatchObject({ did: ['made a.ini'] });
  const [explanation] = await m.world.incidents.explanations({ limit: 1 });
  expect(explanation?.advice[0]).toBe('a person mended it: made a.ini');
  m.world.changed = { suspects: [], lessons: await learner(m).lessonsOf('api', captured.failure.signature) };
  await m.world.heal(await m.world.fails('exception x'));
  expect(m.world.of('diagnosed').at(-1)?.advice[0]).toBe('the last time a person mended it: made a.ini');
});

test('an error of its own is logged, and keeps neither the boot nor the other components from going on', async () => {
  const m = await machine();
  m.files['a.ini'] = 'bad';
  await fails(m, 'exception x');
  await learner(m, { goodState: () => Promise.reject(new Error('the disk is gone')) }).learn(m.world.spec(), m.world.specs);
  expect(m.world.logged).toContain('a fix by hand could not be learned from');
});
