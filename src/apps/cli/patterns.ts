import type { Pattern, PatternState } from '../../domains/incidents/index.ts';
import type { Answer } from './answer.ts';
import { NotKnown } from './errors.ts';
import { explainIncident } from './explain.ts';
import type { Memory } from './memory.ts';
import { fitted, paint } from './terminal.ts';
import { iso, when } from './when.ts';

/** `grace patterns` and `grace incidents`: every family of failures, the one seen last first. */
export async function listPatterns(memory: Memory): Promise<Answer> {
  const patterns = await memory.incidents.patterns();
  const lines =
    patterns.length === 0
      ? [paint('green', 'nothing has failed here so far')]
      : [
          fitted([
            ['incident', 'component', 'family', 'state', 'seen', 'last', 'playbook', 'cause'].map((title) => paint('dim', title)),
            ...patterns.map((p) => [
              p.incidentId,
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
  return { exitCode: 0, data: patterns.map(patternJson), lines };
}

/** `grace incidents show`. */
export async function showIncident(memory: Memory, id: string): Promise<Answer> {
  const pattern = await memory.incidents.patternByIncident(id);
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
