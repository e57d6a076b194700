import { approvalState } from '../../domains/governance/index.ts';
import type { Answer } from './answer.ts';
import type { Memory } from './memory.ts';
import { pastBoots, scoreJson, scoreLine, scoreOf } from './past-boots.ts';
import { patternJson, stateOf } from './patterns.ts';
import { suggestions } from './suggestions.ts';
import { columns, fitted, paint, wrap } from './terminal.ts';
import { when } from './when.ts';

/** Further back than the score: a stage that fails once a week is seen in it. */
const BOOTS_LOOKED_AT = 50;

/** `grace history`: health score, known patterns, and what would be worth doing [BL-12]. */
export async function history(memory: Memory): Promise<Answer> {
  const { score } = await scoreOf(memory);
  const patterns = await memory.incidents.patterns();
  const playbooks = await memory.playbooks.list();
  const byName = new Map(playbooks.map((p) => [p.name, p]));
  const pending = (await memory.approvals.list()).filter((a) => approvalState(a, memory.nowMs) === 'pending').length;
  const advice = suggestions(patterns, playbooks, await pastBoots(memory, BOOTS_LOOKED_AT), pending);
  const rows = patterns
    .toSorted((a, b) => b.occurrences - a.occurrences)
    .map((pattern) => ({ pattern, playbook: pattern.playbook === null ? undefined : byName.get(pattern.playbook) }));
  const data = {
    health: scoreJson(score),
    patterns: rows.map(({ pattern, playbook }) => ({
      ...patternJson(pattern),
      risk_level: playbook?.risk ?? null,
      autonomy_tier: playbook?.tier ?? null,
    })),
    suggestions: advice.map(({ kind, subject, text }) => ({ kind, subject, text })),
  };
  const lines = [
    `${paint('bold', 'health')}  ${scoreLine(score)}`,
    '',
    paint('bold', 'known failures'),
    rows.length === 0
      ? '  none so far'
      : fitted([
          ['  incident', 'seen', 'last', 'state', 'playbook', 'risk', 'tier', 'cause'].map((title) => paint('dim', title)),
          ...rows.map(({ pattern: p, playbook }) => [
            `  ${p.incidentId}`,
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
    paint('bold', 'suggestions'),
    ...(advice.length === 0 ? ['  none'] : advice.map((s, i) => `  ${i + 1}. ${wrap(s.text, columns() - 5, '     ')}`)),
  ];
  return { exitCode: 0, data, lines };
}
