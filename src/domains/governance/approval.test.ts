import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  APPROVAL_LIFE_MS,
  ApprovalRefused,
  approvalsHeld,
  approvalState,
  approve,
  askedBinding,
  bindingHash,
  endedUnanswered,
  isExpiringSoon,
  reject,
  useApproval,
  type Approval,
} from './approval.ts';

const request = (change: Partial<Approval> = {}): Approval => ({
  id: 'ap_1',
  action: 'run_playbook',
  playbook: 'drop_index',
  component: 'api',
  incidentId: 'autonomy_load_01234567',
  requestedBy: null,
  summary: [],
  foreseen: null,
  claimedNames: {},
  bindingHash: 'h',
  requiredApprovals: 2,
  approvedBy: [],
  rejectedBy: null,
  createdAtMs: 0,
  expiresAtMs: APPROVAL_LIFE_MS,
  usedAtMs: null,
  ...change,
});

test('a quorum needs as many distinct people as it says, and not one fewer', () => {
  const one = approve(request(), 'ann', 1);
  expect(approvalState(one, 1)).toBe('pending');
  expect(approvalState(approve(one, 'bob', 2), 2)).toBe('approved');
});

test('one person cannot be a quorum', () => {
  const one = approve(request(), 'ann', 1);
  expect(() => approve(one, 'ann', 2)).toThrow(ApprovalRefused);
  expect(() => approve(one, 'ann', 2)).toThrow(/distinct|already approved/);
});

test('approving changes nothing about the request that was read', () => {
  const before = request();
  approve(before, 'ann', 1);
  expect(before.approvedBy).toEqual([]);
});

test('a request lives to the last millisecond of its week', () => {
  expect(approvalState(request(), APPROVAL_LIFE_MS)).toBe('pending');
  expect(approvalState(request(), APPROVAL_LIFE_MS + 1)).toBe('expired');
});

test('an expired request cannot be approved, nor by the second of two people', () => {
  const half = approve(request(), 'ann', APPROVAL_LIFE_MS);
  expect(() => approve(half, 'bob', APPROVAL_LIFE_MS + 1)).toThrow('approval ap_1 is expired');
});

test('what was approved ends as well, and only an offer stands until somebody takes it back', () => {
  const late = APPROVAL_LIFE_MS + 1;
  const approved = request({ approvedBy: ['ann', 'bob'] });
  expect(approvalState(approved, APPROVAL_LIFE_MS)).toBe('approved');
  expect(approvalState(approved, late)).toBe('expired');
  expect(approvalsHeld(approved, late)).toBe(0);
  expect(endedUnanswered(approved, late)).toBe(false);
  expect(endedUnanswered(request(), late)).toBe(true);
  const step = { step: 's', primitive: 'make_directory', state: 'offered', summary: '', targets: ['/srv/x'] } as const;
  const offer = request({ approvedBy: ['ann', 'bob'], foreseen: [step] });
  expect(approvalState(offer, late)).toBe('approved');
  expect(approvalState(request({ foreseen: [step] }), late)).toBe('expired');
  expect(approvalState(reject(offer, 'eve', late), late)).toBe('rejected');
});

test('a yes can be taken back, and a no cannot', () => {
  const approved = request({ approvedBy: ['ann', 'bob'] });
  expect(approvalState(reject(approved, 'ann', 1), 1)).toBe('rejected');
  expect(() => reject(request({ rejectedBy: 'eve' }), 'ann', 1)).toThrow('approval ap_1 is rejected');
});

test('what a person asked for is for one run, and what Grace asked for is not', () => {
  const asked = request({ requestedBy: 'cid', approvedBy: ['ann', 'bob'] });
  const used = useApproval(asked, 7);
  expect(approvalState(used, 7)).toBe('used');
  expect(approvalsHeld(used, 7)).toBe(0);
  expect(() => useApproval(used, 8)).toThrow('approval ap_1 is used');
  expect(() => reject(used, 'ann', 8)).toThrow('approval ap_1 is used');
  const graces = request({ approvedBy: ['ann', 'bob'] });
  expect(approvalState(useApproval(graces, 7), 8)).toBe('approved');
});

test('one rejection outweighs any number of approvals', () => {
  const rejected = request({ approvedBy: ['ann', 'bob'], rejectedBy: 'eve' });
  expect(approvalState(rejected, 1)).toBe('rejected');
  expect(() => approve(rejected, 'cid', 1)).toThrow('approval ap_1 is rejected');
});

test('nobody can add to what is approved already', () => {
  expect(() => approve(request({ approvedBy: ['ann', 'bob'] }), 'cid', 1)).toThrow('approval ap_1 is approved');
});

test('an approval is bound to exactly these bytes, this component and these parameters', () => {
  const bound = bindingHash('bytes', 'api', { path: '/a' });
  expect(bindingHash('bytes', 'api', { path: '/a' })).toBe(bound);
  expect(bindingHash('other', 'api', { path: '/a' })).not.toBe(bound);
  expect(bindingHash('bytes', 'web', { path: '/a' })).not.toBe(bound);
  expect(bindingHash('bytes', 'api', { path: '/b' })).not.toBe(bound);
  expect(bindingHash('bytes', 'api', { path: '/a', force: true })).not.toBe(bound);
});

test('no two different bindings look alike, wherever one part ends and the next begins', () => {
  const parts = fc.tuple(fc.string(), fc.string(), fc.jsonValue());
  fc.assert(
    fc.property(parts, parts, (a, b) => {
      if (JSON.stringify(a) === JSON.stringify(b)) return;
      expect(bindingHash(a[0], a[1], a[2] as never)).not.toBe(bindingHash(b[0], b[1], b[2] as never));
    }),
  );
});

test('nobody approves what they asked for', () => {
  const own = request({ requestedBy: 'ann', requiredApprovals: 1 });
  expect(() => approve(own, 'ann', 1)).toThrow('ann has asked for ap_1 and cannot approve it');
  expect(approvalState(approve(own, 'bob', 1), 1)).toBe('approved');
});

test.each(['Ann', 'ANN', ' ann ', '\uff41nn'])('whoever asked is the same person when written %j', (name) => {
  const own = request({ requestedBy: 'ann', requiredApprovals: 1 });
  expect(() => approve(own, name, 1)).toThrow('cannot approve it');
  expect(() => approve(own, 'bob', 1, name), 'who says to be the one who asked').toThrow('cannot approve it');
  expect(() => approve(approve(request(), 'ann', 1), name, 1)).toThrow('already approved');
  expect(approvalsHeld(request({ requestedBy: 'ann', requiredApprovals: 1, approvedBy: [name] }), 1)).toBe(0);
  expect(approvalsHeld(request({ approvedBy: ['ann', name] }), 1)).toBe(0);
});

test('for what a person wants done now, their own agreement does not count; that of two people counts for either', () => {
  const graces = request({ requiredApprovals: 1, approvedBy: ['ann'] });
  expect([null, 'Ann', 'bob'].map((by) => approvalsHeld(graces, 1, by))).toEqual([1, 0, 1]);
  const bobs = request({ requestedBy: 'bob', requiredApprovals: 1, approvedBy: ['ann'] });
  expect([null, 'ann', 'bob', 'cid'].map((by) => approvalsHeld(bobs, 1, by))).toEqual([1, 1, 1, 2]);
  expect(askedBinding('h'), 'asked for beside what Grace asks for').not.toBe('h');
});

test('what a name is claimed to be counts for nothing', () => {
  const one = approve(request(), 'ann', 1, 'bob');
  expect(one).toMatchObject({ approvedBy: ['ann'], claimedNames: { ann: 'bob' } });
  expect(() => approve(one, 'ann', 2, 'cid')).toThrow(ApprovalRefused);
});

test('whoever is written down as approver: their own agreement and a second one of the same person never count', () => {
  const names = fc.constantFrom('ann', 'bob', 'cid', 'dan');
  fc.assert(
    fc.property(
      fc.array(names, { maxLength: 6 }),
      fc.option(names),
      fc.integer({ min: 1, max: 3 }),
      (approvedBy, requestedBy, requiredApprovals) => {
        const held = approvalsHeld(request({ approvedBy, requestedBy, requiredApprovals }), 1);
        const others = new Set(approvedBy);
        if (requestedBy !== null) others.delete(requestedBy);
        expect(held).toBe(others.size >= requiredApprovals ? others.size : 0);
      },
    ),
  );
});

test('of a request that is rejected, expired or short of one nothing is held', () => {
  expect(approvalsHeld(null, 1)).toBe(0);
  expect(approvalsHeld(request({ approvedBy: ['ann'] }), 1)).toBe(0);
  expect(approvalsHeld(request({ approvedBy: ['ann', 'bob'], rejectedBy: 'eve' }), 1)).toBe(0);
  expect(approvalsHeld(request({ approvedBy: ['ann'] }), APPROVAL_LIFE_MS + 1)).toBe(0);
  expect(approvalsHeld(request({ approvedBy: ['ann', 'bob'] }), 1)).toBe(2);
});

test('a request is about to end from a day before it does, until it has', () => {
  const dayMs = 86_400_000;
  expect(isExpiringSoon(request(), APPROVAL_LIFE_MS - dayMs - 1)).toBe(false);
  expect(isExpiringSoon(request(), APPROVAL_LIFE_MS - dayMs)).toBe(true);
  expect(isExpiringSoon(request(), APPROVAL_LIFE_MS)).toBe(true);
  expect(isExpiringSoon(request(), APPROVAL_LIFE_MS + 1)).toBe(false);
  expect(isExpiringSoon(request({ approvedBy: ['ann', 'bob'] }), APPROVAL_LIFE_MS)).toBe(false);
});

test('one byte, one parameter, one target or one finding more is another binding', () => {
  const step = fc.record({
    step: fc.string(),
    primitive: fc.string(),
    state: fc.constantFrom('ready', 'nothing_to_do', 'refused'),
    summary: fc.string(),
    targets: fc.array(fc.string(), { maxLength: 3 }),
  });
  const bound = fc.tuple(fc.string(), fc.string(), fc.dictionary(fc.string(), fc.integer()), fc.option(fc.array(step, { maxLength: 3 })));
  fc.assert(
    fc.property(bound, bound, (a, b) => {
      fc.pre(JSON.stringify(a) !== JSON.stringify(b));
      expect(bindingHash(...a)).not.toBe(bindingHash(...b));
    }),
  );
  fc.assert(
    fc.property(bound, fc.array(step, { minLength: 1, maxLength: 3 }), fc.string(), ([hash, component, params], steps, more) => {
      const before = bindingHash(hash, component, params, steps);
      expect(bindingHash(`${hash}x`, component, params, steps)).not.toBe(before);
      expect(bindingHash(hash, component, { ...params, [`${more}+`.padEnd(12, '+')]: 1 }, steps)).not.toBe(before);
      expect(bindingHash(hash, component, params, steps.with(0, { ...steps[0]!, targets: [...steps[0]!.targets, more] }))).not.toBe(before);
      expect(bindingHash(hash, component, params, steps.with(0, { ...steps[0]!, summary: `${steps[0]!.summary}.` }))).not.toBe(before);
      expect(bindingHash(hash, component, params)).not.toBe(before);
    }),
  );
});
