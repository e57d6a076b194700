import fc from 'fast-check';
import { expect, test } from 'vitest';
import { APPROVAL_LIFE_MS, ApprovalRefused, approvalState, approve, bindingHash, type Approval } from './approval.ts';

const request = (change: Partial<Approval> = {}): Approval => ({
  id: 'ap_1',
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

test('what was approved in time stays approved', () => {
  expect(approvalState(request({ approvedBy: ['ann', 'bob'] }), APPROVAL_LIFE_MS + 1)).toBe('approved');
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
