import { expect, test } from 'vitest';
import type { Approval } from '../governance/index.ts';
import type { RegisteredPlaybook } from '../playbooks/index.ts';
import { component, SimulatedClock } from '../supervisor/testing.ts';
import type { GraceEvent } from './events.ts';
import { AnsweredApprovals, type AnsweredApprovalPorts } from './answered-approvals.ts';

const REQUEST: Approval = {
  id: 'ap_1',
  action: 'run_playbook',
  playbook: 'make_room',
  component: 'web',
  incidentId: '',
  requestedBy: null,
  summary: [],
  bindingHash: 'b',
  foreseen: null,
  requiredApprovals: 1,
  approvedBy: [],
  claimedNames: {},
  rejectedBy: null,
  createdAtMs: 0,
  expiresAtMs: new SimulatedClock().nowMs() + 86_400_000,
  usedAtMs: null,
};

/** A Grace that runs, what it remembers of requests, and what it did about them. */
function running(given: { readonly step?: string; readonly outdated?: boolean } = {}) {
  const clock = new SimulatedClock();
  const did: string[] = [];
  const w = { clock, did, requests: [] as Approval[], isRecovering: false, isBusy: false, mayLook: true };
  const ports = {
    clock,
    approvals: { endingAfter: async (ms: number) => w.requests.filter(({ expiresAtMs }) => expiresAtMs > ms) },
    playbooks: { get: async () => ({ steps: [{ primitive: given.step ?? 'make_directory' }] }) as unknown as RegisteredPlaybook },
    healer: {
      foretell: async () => ({
        decision: { verdict: 'allow', reason: '' },
        outdated: given.outdated === true ? { id: 'ap_1', changes: ['another path'] } : null,
      }),
      prevent: async (name: string, _c: unknown, _b: unknown, _s: unknown, phase: string, by: string) => {
        did.push(`${name} ${phase} by ${by}`);
        return { state: w.isBusy ? 'failed' : 'applied', detail: '', runId: null, isBusy: w.isBusy };
      },
    },
    components: [component({ name: 'web' })],
    bootId: 'boot_1',
    emit: (e: GraceEvent) => e.type === 'notice' && e.level === 'warn' && did.push(e.text),
    isRecovering: () => w.isRecovering,
    hurry: (name: string, why: string) => void did.push(`hurry ${name}: ${why}`),
    lookAgain: async (id: string) => {
      did.push(`look again ${id}`);
      return w.mayLook;
    },
    signal: new AbortController().signal,
  } as unknown as AnsweredApprovalPorts;
  const answered = new AnsweredApprovals(ports);
  return Object.assign(w, {
    async look(mayAct = true) {
      await answered.look(mayAct);
      await answered.ended();
      return did.splice(0);
    },
  });
}

const HURRIED = 'hurry web: ap_1 is approved';

test('an answer is taken up once, and not when it was given before Grace began to look', async () => {
  const w = running();
  w.requests = [{ ...REQUEST, id: 'ap_0', approvedBy: ['ann'] }, REQUEST];
  expect(await w.look()).toEqual([]);
  expect(await w.look(), 'nobody has answered').toEqual([]);
  w.requests = [w.requests[0] as Approval, { ...REQUEST, approvedBy: ['ann'] }];
  expect(await w.look()).toEqual([HURRIED, 'look again ap_1']);
  expect(await w.look()).toEqual([]);
});

test('what was asked and answered between two looks is taken up as well', async () => {
  const w = running();
  await w.look();
  w.requests = [{ ...REQUEST, requestedBy: 'ann', approvedBy: ['bob'] }];
  expect(await w.look()).toEqual([HURRIED, 'make_room runtime by ann']);
});

test.each([
  ['a no', { rejectedBy: 'bob' }, 0, 'rejected'],
  ['the end of its time', {}, 86_400_001, 'expired'],
] as const)('%s is told to what waits for it, and runs nothing that a person has asked for', async (_what, change, afterMs, state) => {
  const w = running();
  w.requests = [REQUEST, { ...REQUEST, id: 'ap_2', requestedBy: 'ann' }];
  await w.look();
  w.requests = w.requests.map((request) => ({ ...request, ...change }));
  await w.clock.pass(afterMs);
  expect(await w.look()).toEqual([`hurry web: ap_1 is ${state}`, 'look again ap_1', `hurry web: ap_2 is ${state}`]);
});

test('what cannot be done now is tried again, and given up after ten minutes', async () => {
  const w = running();
  w.requests = [{ ...REQUEST, requestedBy: 'ann' }];
  await w.look();
  w.requests = [{ ...REQUEST, requestedBy: 'ann', approvedBy: ['bob'] }];
  expect(await w.look(false), 'the service boots').toEqual([]);
  w.isRecovering = true;
  expect(await w.look()).toEqual([HURRIED]);
  w.isRecovering = false;
  w.isBusy = true;
  expect(await w.look(), 'not at every look: each try is recorded').toEqual([]);
  await w.clock.pass(5000);
  expect(await w.look()).toEqual([HURRIED, 'make_room runtime by ann']);
  await w.clock.pass(600_000);
  expect(await w.look()).toEqual([HURRIED, 'make_room runtime by ann']);
  await w.clock.pass(5000);
  expect(await w.look()).toEqual([]);
});

test('what is another thing by now is not run, and whoever asked is told what to do', async () => {
  const w = running({ outdated: true });
  await w.look();
  w.requests = [{ ...REQUEST, requestedBy: 'ann', approvedBy: ['bob'] }];
  expect((await w.look()).at(-1)).toBe(
    'ap_1 is approved, and nothing was done: it is not for this any more: another path; ann asks for it again with: grace playbooks run make_room',
  );
});

test('a release is not changed under the service that runs with it', async () => {
  const w = running({ step: 'roll_back_release' });
  await w.look();
  w.requests = [{ ...REQUEST, requestedBy: 'ann', approvedBy: ['bob'] }];
  expect(await w.look()).toEqual([HURRIED]);
});
