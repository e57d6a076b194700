import { describe, expect, test } from 'vitest';
import { seededRandom, type Random } from '../../kernel/index.ts';
import { demotionReason, isEarned, promotionRefusal, RECENT_RUNS, standing, type JudgedRun } from './autonomy.ts';
import { successRate } from './success-rate.ts';

const runs = (helped: readonly boolean[]): readonly JudgedRun[] => helped.map((h, atMs) => ({ helped: h, atMs }));
const HISTORIES = 1000;

test('the Wilson interval is what is published for it, and says nothing without data', () => {
  // Brown, Cai, DasGupta, and R: prop.test(x, n, correct = FALSE)
  expect(successRate(8, 10)).toMatchObject({ lower: expect.closeTo(0.4902, 4), upper: expect.closeTo(0.9433, 4) });
  expect(successRate(10, 10)).toMatchObject({ lower: expect.closeTo(0.7225, 4), upper: expect.closeTo(1, 9) });
  expect(successRate(0, 0)).toMatchObject({ lower: 0, upper: 1 });
});

describe('over a thousand simulated histories', () => {
  /** At which of a hundred looks, one after each episode, it is first suggested; null at none. Half of the episodes are met with it. */
  const firstSuggested = (random: Random, helps: number, itselfRate: number): number | null => {
    const done: JudgedRun[] = [];
    const itself = { recovered: 0, episodes: 0 };
    for (let look = 1; look <= 100; look++) {
      if (random.next() < 0.5) done.push({ helped: random.next() < helps, atMs: look });
      else {
        itself.episodes++;
        if (random.next() < itselfRate) itself.recovered++;
      }
      if (isEarned(standing('s', done, itself, 0))) return look;
    }
    return null;
  };
  const suggestions = (seed: number, helps: number, itselfRate: number): readonly number[] => {
    const random = seededRandom(seed);
    return Array.from({ length: HISTORIES }, () => firstSuggested(random, helps, itselfRate)).filter((look) => look !== null);
  };

  test.each([20_261_126, 1, 2, 3])(
    'a playbook that does nothing about a fault that clears itself 9 times of 10 is suggested at no look of any (seed %i)',
    (seed) => {
      expect(suggestions(seed, 0.9, 0.9)).toEqual([]);
    },
  );

  test.each([20_261_126, 1, 2])(
    'one that helps 19 times of 20, where 1 of 5 clears itself, is always suggested: mostly by the 40th episode, 20 of them its own (seed %i)',
    (seed) => {
      const looks = suggestions(seed, 0.95, 0.2).toSorted((a, b) => a - b);
      expect(looks).toHaveLength(HISTORIES);
      expect(looks[HISTORIES / 2]).toBeLessThanOrEqual(40);
      expect(looks[0.95 * HISTORIES]).toBeLessThanOrEqual(65);
    },
  );

  test('a playbook that falls from 95 % to 60 % is demoted within the window, in all but a few', () => {
    const random = seededRandom(7);
    const after: number[] = [];
    for (let h = 0; h < HISTORIES; h++) {
      const done = Array.from({ length: RECENT_RUNS }, () => random.next() < 0.95);
      for (let i = 1; i <= RECENT_RUNS; i++) {
        done.push(random.next() < 0.6);
        if (demotionReason(standing('s', runs(done), { recovered: 0, episodes: 0 }, 0).recent, successRate(0, 0)) === null) continue;
        after.push(i);
        break;
      }
    }
    const sorted = after.toSorted((a, b) => a - b);
    const at = (share: number): number => sorted[Math.floor(share * sorted.length)] ?? 0;
    expect(after.length / HISTORIES).toBeGreaterThan(0.97);
    expect([at(0.1), at(0.5), at(0.9)]).toMatchInlineSnapshot(`
      [
        8,
        15,
        23,
      ]
    `);
    expect(after.length).toMatchInlineSnapshot(`987`);
  });

  test('a playbook that stays at 95 % is almost never demoted in two hundred runs', () => {
    const random = seededRandom(11);
    let demoted = 0;
    for (let h = 0; h < HISTORIES; h++) {
      const done: boolean[] = [];
      for (let i = 0; i < 200; i++) {
        done.push(random.next() < 0.95);
        if (demotionReason(standing('s', runs(done), { recovered: 0, episodes: 0 }, 0).recent, successRate(0, 0)) === null) continue;
        demoted++;
        break;
      }
    }
    expect(demoted / HISTORIES).toBeLessThan(0.02);
    expect(demoted).toMatchInlineSnapshot(`15`);
  });
});

describe('a promotion', () => {
  const good = standing('s', runs(Array.from({ length: 12 }, () => true)), { recovered: 0, episodes: 10 }, 0);
  const asked = {
    to: 'tier_2' as const,
    declared: 'tier_3' as const,
    effective: 'tier_3' as const,
    risk: 'medium' as const,
    origin: 'generated',
    hasIrreversible: false,
    standings: [good],
  };

  test('is for one tier more, and for what was earned', () => {
    expect(promotionRefusal(asked)).toBeNull();
    expect(promotionRefusal({ ...asked, to: 'tier_1' })).toContain('one tier above');
    expect(promotionRefusal({ ...asked, standings: [] })).toContain('never judged');
    const unknown = standing('s', runs(Array.from({ length: 500 }, () => true)), { recovered: 0, episodes: 0 }, 0);
    expect(promotionRefusal({ ...asked, standings: [good, unknown] })).toContain('is not known');
  });

  test('never goes past what risk, origin and steps allow', () => {
    expect(promotionRefusal({ ...asked, risk: 'high' })).toContain('risk high');
    expect(promotionRefusal({ ...asked, origin: 'learned' })).toContain('learned');
    expect(promotionRefusal({ ...asked, to: 'tier_1', declared: 'tier_2', effective: 'tier_2', hasIrreversible: true })).toContain(
      'undone',
    );
  });

  test('back to what the file says needs no record', () => {
    expect(promotionRefusal({ ...asked, to: 'tier_1', declared: 'tier_1', effective: 'tier_2', standings: [] })).toBeNull();
  });
});
