import { membersOf, standingPatterns, type GroupingRule, type Pattern, type PatternState } from '../../domains/incidents/index.ts';
import type { Answer } from './answer.ts';
import { NotKnown } from './errors.ts';
import { explainIncident } from './explain.ts';
import { mergedWith, standingPattern } from './grouping.ts';
import type { Memory } from './memory.ts';
import { fitted, paint } from './terminal.ts';
import { iso, when } from './when.ts';

/** `grace patterns` and `grace incidents`: every family of failures, the one seen last first. */
export async function listPatterns(memory: Memory): Promise<Answer> {
  const rules = await memory.groupingRules.list();
  const all = await memory.incidents.patterns();
  const patterns = standingPatterns(all, rules);
  const lines =
    patterns.length === 0
      ? [paint('green', 'nothing has failed here so far')]
      : [
          fitted([
            ['incident', 'component', 'family', 'state', 'seen', 'last', 'playbook', 'cause'].map((title) => paint('dim', title)),
            ...patterns.map((p) => [
              withMerged(p, rules),
              p.component,
              p.familyName ?? 'unexplained',
              stateOf(p.state),
              `${p.occurrences}x`,
              when(p.lastSeenMs, memory.nowMs),
              p.playbook ?? paint('dim', '-'),
              p.rootCause || p.template,
            ]),
          ]),
        ];
  return { exitCode: 0, data: patterns.map((p) => ({ ...patternJson(p), merged: mergedWith(p, all, rules) })), lines };
}

/** Its name, and how many others count on it. */
export function withMerged(pattern: Pattern, rules: readonly GroupingRule[]): string {
  const members = membersOf(pattern.signature, rules).length;
  return members === 0 ? pattern.incidentId : `${pattern.incidentId} ${paint('dim', `(+${members})`)}`;
}

/** `grace incidents show`. */
export async function showIncident(memory: Memory, id: string): Promise<Answer> {
  const pattern = await standingPattern(memory, id);
  if (pattern === null) throw new NotKnown('incident', id, 'see the known ones with: grace incidents');
  return explainIncident(memory, pattern);
}

const STATE_STYLE = { new: 'red', candidate: 'yellow', verified: 'green', immune: 'green' } as const;

export function stateOf(state: PatternState): string {
  return paint(STATE_STYLE[state], state);
}

export function patternJson(p: Pattern): Readonly<Record<string, unknown>> {
  return {
    incident: p.incidentId,
    signature: p.signature,
    component: p.component,
    class: p.familyName ?? 'unexplained',
    state: p.state,
    occurrences: p.occurrences,
    first_seen: iso(p.firstSeenMs),
    last_seen: iso(p.lastSeenMs),
    clean_boots: p.cleanBoots,
    playbook: p.playbook,
    cause: p.rootCause,
    stage: p.stage,
    template: p.template,
  };
}
