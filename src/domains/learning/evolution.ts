import type { AutonomyTier } from '../governance/index.ts';
import type { Occurrence, Pattern } from '../incidents/index.ts';
import type { RegisteredPlaybook } from '../playbooks/index.ts';

/** What one ISO week (Monday to Sunday, UTC) brought [BL-13]. Failures are counted by pattern: a crash loop is one. */
export interface WeekOfLearning {
  /** `2026-W48`. */
  readonly week: string;
  readonly startsAtMs: number;
  readonly boots: number;
  readonly failedBoots: number;
  /** Distinct failures seen. */
  readonly failures: number;
  /** Of those, never seen before. */
  readonly newPatterns: number;
  readonly newPlaybooks: number;
  /** Of the distinct failures, those that a playbook mended and nobody had to approve. */
  readonly healedByItself: number;
  /** 0 to 1; null in a week without failures. */
  readonly healedShare: number | null;
  /** Distinct failures that came in another boot than the one they were first seen in. */
  readonly recurrences: number;
}

export interface EvolutionInput {
  /** From the start of the first week on, any order. */
  readonly occurrences: readonly Occurrence[];
  readonly patterns: readonly Pick<Pattern, 'signature' | 'firstSeenMs'>[];
  readonly playbooks: readonly Pick<RegisteredPlaybook, 'name' | 'createdAtMs' | 'origin' | 'tier'>[];
  readonly boots: readonly { readonly atMs: number; readonly isSuccess: boolean }[];
}

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;

/** Monday, 00:00 UTC, of the week `weeks - 1` before this one. */
export function evolutionStartMs(weeks: number, nowMs: number): number {
  return mondayOf(nowMs) - (weeks - 1) * WEEK_MS;
}

/** Week by week, oldest first; the last one is the week of `nowMs` and still goes on. */
export function evolution(input: EvolutionInput, weeks: number, nowMs: number): readonly WeekOfLearning[] {
  const firstMs = evolutionStartMs(weeks, nowMs);
  const tiers = new Map(input.playbooks.map((p) => [p.name, p.tier]));
  const firstSeen = new Map(input.patterns.map((p) => [p.signature, p.firstSeenMs]));
  const ordered = input.occurrences.toSorted((a, b) => a.atMs - b.atMs);
  const firstBoots = new Map<string, string>();
  for (const o of ordered) if (!firstBoots.has(o.signature)) firstBoots.set(o.signature, bootOf(o));
  const cameBack = (o: Occurrence): boolean =>
    (firstSeen.get(o.signature) ?? o.atMs) < firstMs || bootOf(o) !== firstBoots.get(o.signature);
  return Array.from({ length: weeks }, (_, index) => {
    const startsAtMs = firstMs + index * WEEK_MS;
    const isIn = (atMs: number): boolean => atMs >= startsAtMs && atMs < startsAtMs + WEEK_MS;
    const here = ordered.filter((o) => isIn(o.atMs));
    const failures = Map.groupBy(here, (o) => o.signature);
    const boots = input.boots.filter((b) => isIn(b.atMs));
    const healed = [...failures.values()].filter((all) => wasHealedByItself(all.at(-1), tiers)).length;
    return {
      week: isoWeek(startsAtMs),
      startsAtMs,
      boots: boots.length,
      failedBoots: boots.filter((b) => !b.isSuccess).length,
      failures: failures.size,
      newPatterns: input.patterns.filter((p) => isIn(p.firstSeenMs)).length,
      newPlaybooks: input.playbooks.filter((p) => p.origin !== 'shipped' && isIn(p.createdAtMs)).length,
      healedByItself: healed,
      healedShare: failures.size === 0 ? null : healed / failures.size,
      recurrences: new Set(here.filter(cameBack).map((o) => o.signature)).size,
    };
  });
}

/** What was recorded outside a boot stands for itself. */
function bootOf(o: Occurrence): string {
  return o.bootId.startsWith('boot_') ? o.bootId : o.failureId;
}

const ASKED: ReadonlySet<AutonomyTier> = new Set(['tier_3', 'tier_4']);

function wasHealedByItself(last: Occurrence | undefined, tiers: ReadonlyMap<string, AutonomyTier>): boolean {
  if (last === undefined || last.outcome !== 'healed' || last.playbook === null) return false;
  const tier = tiers.get(last.playbook);
  return tier === undefined || !ASKED.has(tier);
}

function mondayOf(atMs: number): number {
  const midnightMs = Math.floor(atMs / DAY_MS) * DAY_MS;
  return midnightMs - ((new Date(midnightMs).getUTCDay() + 6) % 7) * DAY_MS;
}

/** @see ISO 8601: the week belongs to the year that has its Thursday, and week 1 is the first such week */
function isoWeek(mondayMs: number): string {
  const thursday = new Date(mondayMs + 3 * DAY_MS);
  const year = thursday.getUTCFullYear();
  const week = 1 + Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / WEEK_MS);
  return `${year}-W${String(week).padStart(2, '0')}`;
}
