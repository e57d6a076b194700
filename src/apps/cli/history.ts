import type { Suggestion, WeekOfLearning } from '../../domains/learning/index.ts';
import { evolutionOf, knownPatterns, scoreOf, suggestionsOf } from '../../runtime/track-record.ts';
import type { Answer } from './answer.ts';
import { mergedWith } from './grouping.ts';
import type { Memory } from './memory.ts';
import { scoreJson, scoreLine, scoreReasons } from './past-boots.ts';
import { patternJson, stateOf, withMerged } from './patterns.ts';
import { columns, fitted, isUtf8, paint, wrap } from './terminal.ts';
import { iso, when } from './when.ts';

export const WEEKS_SHOWN = 8;
/** With what stands before it, as wide as the narrowest usual terminal. */
const BAR_WIDTH = 8;

/** `grace history`: health score, known failures, how it went week by week, and what would be worth doing [BL-12], [BL-13]. */
export async function history(memory: Memory, weeks: number = WEEKS_SHOWN): Promise<Answer> {
  const { score } = await scoreOf(memory);
  const rules = await memory.groupingRules.list();
  const all = await memory.incidents.patterns();
  const byName = new Map((await memory.playbooks.list()).map((p) => [p.name, p]));
  const advice = await suggestionsOf(memory, memory.nowMs);
  const learned = await evolutionOf(memory, weeks, memory.nowMs);
  const rows = (await knownPatterns(memory))
    .toSorted((a, b) => b.occurrences - a.occurrences)
    .map((pattern) => ({ pattern, playbook: pattern.playbook === null ? undefined : byName.get(pattern.playbook) }));
  const data = {
    health: scoreJson(score),
    patterns: rows.map(({ pattern, playbook }) => ({
      ...patternJson(pattern),
      merged: mergedWith(pattern, all, rules),
      risk_level: playbook?.risk ?? null,
      autonomy_tier: playbook?.tier ?? null,
    })),
    suggestions: advice.map(({ kind, subject, text, reason, command }) => ({ kind, subject, text, reason, command })),
    evolution: learned.map(weekJson),
  };
  const lines = [
    `${paint('bold', 'health')}  ${scoreLine(score)}`,
    ...scoreReasons(score),
    '',
    paint('bold', 'known failures'),
    rows.length === 0
      ? '  none so far'
      : fitted([
          ['  incident', 'seen', 'last', 'state', 'playbook', 'risk', 'tier', 'cause'].map((title) => paint('dim', title)),
          ...rows.map(({ pattern: p, playbook }) => [
            `  ${withMerged(p, rules)}`,
            `${p.occurrences}x`,
            when(p.lastSeenMs, memory.nowMs),
            stateOf(p.state),
            p.playbook ?? paint('dim', '-'),
            playbook?.risk ?? paint('dim', '-'),
            playbook?.tier ?? paint('dim', '-'),
            p.rootCause || p.template,
          ]),
        ]),
    '',
    ...evolutionLines(learned, isUtf8(process.env)),
    '',
    paint('bold', 'suggestions'),
    ...(advice.length === 0 ? ['  none'] : advice.flatMap(suggestionLines)),
  ];
  return { exitCode: 0, data, lines };
}

function suggestionLines(s: Suggestion, index: number): readonly string[] {
  const indent = '     ';
  return [
    `  ${index + 1}. ${wrap(s.text, columns() - 5, indent)}`,
    paint('dim', `${indent}${wrap(`because ${s.reason}`, columns() - 5, indent)}`),
    ...(s.command === null ? [] : [`${indent}${s.command}`]),
  ];
}

/** A table with a bar for the failures of each week; weeks before the first boot are left out. */
export function evolutionLines(weeks: readonly WeekOfLearning[], isUtf8Terminal: boolean): readonly string[] {
  const first = weeks.findIndex((w) => w.boots > 0 || w.failures > 0 || w.newPlaybooks > 0);
  const shown = first < 0 ? [] : weeks.slice(first);
  const title = paint('bold', 'week by week');
  if (shown.length === 0) return [title, '  nothing yet'];
  const most = Math.max(1, ...shown.map((w) => w.failures));
  const bar = (n: number): string => (isUtf8Terminal ? '█' : '#').repeat(n === 0 ? 0 : Math.max(1, Math.round((n / most) * BAR_WIDTH)));
  const rows = [
    ['  week', 'boots', 'failed', 'failures', 'new', 'playbooks', 'healed', 'came back', ''].map((t) => paint('dim', t)),
    ...shown.map((w) => [
      `  ${w.week}`,
      String(w.boots),
      String(w.failedBoots),
      String(w.failures),
      String(w.newPatterns),
      String(w.newPlaybooks),
      w.healedShare === null ? paint('dim', '-') : `${w.healedByItself} of ${w.failures}`,
      String(w.recurrences),
      paint('yellow', bar(w.failures)),
    ]),
  ];
  return [title, fitted(rows)];
}

/** Numbers only, for a chart. */
function weekJson(w: WeekOfLearning): Readonly<Record<string, unknown>> {
  return {
    week: w.week,
    starts_at: iso(w.startsAtMs),
    boots: w.boots,
    failed_boots: w.failedBoots,
    failures: w.failures,
    new_patterns: w.newPatterns,
    new_playbooks: w.newPlaybooks,
    healed_by_itself: w.healedByItself,
    healed_share: w.healedShare,
    recurrences: w.recurrences,
  };
}
