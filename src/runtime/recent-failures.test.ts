import { expect, test } from 'vitest';
import { bootId, signatureOf } from '../kernel/index.ts';
import type { IncidentStore, Occurrence, Pattern } from '../domains/incidents/index.ts';
import { recentFailures } from './recent-failures.ts';

const A = signatureOf('a'.repeat(16));
const B = signatureOf('b'.repeat(16));
const OTHERS = signatureOf('c'.repeat(16));
const GONE = signatureOf('d'.repeat(16));

const occurrence = (signature: Occurrence['signature'], atMs: number): Occurrence => ({
  failureId: `f${atMs}`,
  signature,
  bootId: bootId('boot_20260101_000000'),
  atMs,
  outcome: null,
  playbook: null,
});

const incidents: Pick<IncidentStore, 'occurrences' | 'pattern'> = {
  occurrences: async (sinceMs) =>
    [occurrence(A, 1), occurrence(B, 11), occurrence(A, 12), occurrence(B, 13), occurrence(OTHERS, 14), occurrence(GONE, 15)].filter(
      ({ atMs }) => atMs >= sinceMs,
    ),
  pattern: async (signature) =>
    signature === GONE
      ? null
      : ({
          signature,
          component: signature === OTHERS ? 'worker' : 'web',
          template: `says ${signature[0] ?? ''}`,
          familyName: 'crash',
          playbook: signature === B ? 'restart_crash' : null,
        } as Pattern),
};

test('failures since then are counted by signature, the most frequent first, of this component alone', async () => {
  expect(await recentFailures('web', 10, incidents)).toEqual([
    { signature: B, template: 'says b', count: 2, family: 'crash', playbook: 'restart_crash' },
    { signature: A, template: 'says a', count: 1, family: 'crash', playbook: null },
  ]);
});
