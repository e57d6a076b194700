import { describe, expect, test } from 'vitest';
import { bootId, signatureOf } from '../../kernel/index.ts';
import type { Occurrence } from '../incidents/index.ts';
import { evolution, evolutionStartMs, type EvolutionInput } from './evolution.ts';

const DAY_MS = 86_400_000;
/** Monday, the first day of ISO week 23. */
const MONDAY_MS = Date.UTC(2026, 5, 1);
const NOW_MS = MONDAY_MS + 3 * DAY_MS;

let count = 0;
const seen = (letter: string, atMs: number, parts: Partial<Occurrence> = {}): Occurrence => ({
  failureId: `f${++count}`,
  signature: signatureOf(letter.repeat(16)),
  bootId: bootId('boot_1'),
  atMs,
  outcome: 'waiting',
  playbook: null,
  ...parts,
});

const healed = { outcome: 'healed', playbook: 'mend_it' } as const;
const of = (input: Partial<EvolutionInput>, weeks = 1, nowMs = NOW_MS) =>
  evolution({ occurrences: [], patterns: [], playbooks: [], boots: [], ...input }, weeks, nowMs);

describe('a week', () => {
  test('begins on Monday at midnight, UTC, and the present one is the last', () => {
    expect(evolutionStartMs(1, NOW_MS)).toBe(MONDAY_MS);
    expect(evolutionStartMs(3, NOW_MS)).toBe(MONDAY_MS - 14 * DAY_MS);
    const weeks = of(
      {
        boots: [
          { atMs: MONDAY_MS - 1, isSuccess: true },
          { atMs: MONDAY_MS, isSuccess: false },
        ],
      },
      2,
    );
    expect(weeks.map((w) => [w.week, w.boots, w.failedBoots])).toEqual([
      ['2026-W22', 1, 0],
      ['2026-W23', 1, 1],
    ]);
  });

  test.each([
    [Date.UTC(2026, 0, 1), '2026-W01'],
    [Date.UTC(2027, 0, 1), '2026-W53'],
    [Date.UTC(2024, 11, 30), '2025-W01'],
    [Date.UTC(2023, 0, 1), '2022-W52'],
  ])('is numbered as ISO 8601 says (%d is in %s)', (atMs, week) => {
    expect(of({}, 1, atMs)[0]?.week).toBe(week);
  });
});

test('a crash loop is one failure, and a week without failures has no share', () => {
  const loop = Array.from({ length: 90 }, (_, i) => seen('a', MONDAY_MS + i));
  expect(of({ occurrences: [...loop, seen('b', MONDAY_MS)] })[0]).toMatchObject({ failures: 2, healedByItself: 0, healedShare: 0 });
  expect(of({})[0]).toMatchObject({ failures: 0, healedShare: null });
});

test('healed by itself is what a playbook mended last, without being approved', () => {
  const playbooks = [
    { name: 'mend_it', createdAtMs: 0, origin: 'generated', tier: 'tier_2' },
    { name: 'asked', createdAtMs: 0, origin: 'generated', tier: 'tier_3' },
  ] as const;
  const occurrences = [
    seen('a', MONDAY_MS, healed),
    seen('b', MONDAY_MS, { ...healed, playbook: 'asked' }),
    seen('c', MONDAY_MS, { outcome: 'healed' }), // only started again
    seen('d', MONDAY_MS, healed),
    seen('d', MONDAY_MS + 1), // and back again
  ];
  expect(of({ occurrences, playbooks })[0]).toMatchObject({ failures: 4, healedByItself: 1, healedShare: 0.25 });
});

test('a recurrence is a failure in another boot than its first, however often it came', () => {
  const again = { bootId: bootId('boot_2') };
  const patterns = [
    { signature: signatureOf('a'.repeat(16)), firstSeenMs: MONDAY_MS },
    { signature: signatureOf('b'.repeat(16)), firstSeenMs: MONDAY_MS - 60 * DAY_MS },
    { signature: signatureOf('c'.repeat(16)), firstSeenMs: MONDAY_MS },
  ];
  const occurrences = [
    seen('a', MONDAY_MS),
    seen('a', MONDAY_MS + 1, again),
    seen('a', MONDAY_MS + 2, again),
    seen('b', MONDAY_MS), // known from long ago
    seen('c', MONDAY_MS),
    seen('c', MONDAY_MS + 1),
  ];
  expect(of({ occurrences, patterns })[0]).toMatchObject({ failures: 3, newPatterns: 2, recurrences: 2 });
});

test('what was recorded outside a boot comes back the second time', () => {
  const outside = { bootId: bootId('none') };
  expect(of({ occurrences: [seen('a', MONDAY_MS, outside)] })[0]?.recurrences).toBe(0);
  expect(of({ occurrences: [seen('a', MONDAY_MS, outside), seen('a', MONDAY_MS + 1, outside)] })[0]?.recurrences).toBe(1);
});

test('playbooks that ship with Grace are not learned', () => {
  const made = { createdAtMs: MONDAY_MS, tier: 'tier_1' } as const;
  const playbooks = [
    { ...made, name: 'a', origin: 'shipped' },
    { ...made, name: 'b', origin: 'generated' },
    { ...made, name: 'c', origin: 'written', createdAtMs: MONDAY_MS - 1 },
  ] as const;
  expect(of({ playbooks })[0]?.newPlaybooks).toBe(1);
});
