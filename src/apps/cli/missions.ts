import { GraceError } from '../../kernel/index.ts';
import { Redactor } from '../../domains/incidents/index.ts';
import type { Mission } from '../../domains/missions/index.ts';
import type { Answer } from './answer.ts';
import { NotKnown } from './errors.ts';
import type { Memory } from './memory.ts';
import { columns, fitted, paint, table, wrap } from './terminal.ts';
import { iso, when } from './when.ts';

const LISTED_MAX = 500;
const REASON_CHARS_MAX = 500;

class MissionRefused extends GraceError {
  constructor(message: string, hint: string) {
    super({ code: 'GRACE_CLI_MISSION_REFUSED', message, hint });
  }
}

/** `grace missions list`: what is wrong and no playbook may mend; the open ones, or all. */
export async function listMissions(memory: Memory, isAll: boolean): Promise<Answer> {
  const every = await memory.missions.list(LISTED_MAX);
  const missions = isAll ? every : every.filter(({ state }) => state === 'open');
  const rest = every.length - missions.length;
  const lines =
    missions.length === 0
      ? [rest === 0 ? 'no mission was ever opened' : `nothing is open; ${rest} closed: grace missions list --all`]
      : [
          fitted([
            ['mission', 'state', 'component', 'opened', 'seen', 'what'].map((title) => paint('dim', title)),
            ...missions.map((m) => [m.id, stateOf(m), m.component, when(m.openedAtMs, memory.nowMs), `${m.seen} x`, m.message]),
          ]),
        ];
  return { exitCode: 0, data: missions.map(missionJson), lines };
}

/** `grace missions show`: what is wrong, where, and what to do about it. @throws NotKnown */
export async function showMission(memory: Memory, id: string): Promise<Answer> {
  const mission = await theMission(memory, id);
  const { place } = mission;
  const at = place === null ? null : [place.file, place.line, place.column].filter((part) => part !== null).join(':');
  const width = columns() - 2;
  return {
    exitCode: 0,
    data: missionJson(mission),
    lines: [
      `${paint('bold', mission.id)}  ${stateOf(mission)}`,
      wrap(`${mission.component}: ${mission.message}`, width, ''),
      '',
      table([
        ['code', mission.code],
        ...(at === null ? [] : [['where', at]]),
        ['what to do', mission.hint],
        ['opened', when(mission.openedAtMs, memory.nowMs)],
        ...(mission.approval === undefined || mission.approval === null || mission.state !== 'open'
          ? []
          : [['waits for', `approval ${mission.approval}: grace approvals list`]]),
        ['last seen', `${when(mission.lastSeenAtMs, memory.nowMs)}, ${mission.seen} x`],
        ...(mission.closeReason === null ? [] : [['closed', `by ${mission.closedBy ?? '?'}: ${mission.closeReason}`]]),
      ]),
      ...mission.evidence.map((line) => paint('dim', `  ${wrap(line, width - 2, '  ')}`)),
    ],
  };
}

/** `grace missions abandon`: not told any more while it lasts. @throws MissionRefused, NotKnown */
export async function abandonMission(memory: Memory, id: string, by: string, reason: string): Promise<Answer> {
  const mission = await theMission(memory, id);
  if (mission.state !== 'open')
    throw new MissionRefused(`${id} is ${mission.state} already`, 'see the open ones with: grace missions list');
  if (reason.trim() === '' || reason.length > REASON_CHARS_MAX)
    throw new MissionRefused(
      `--reason has to be a text of 1 to ${REASON_CHARS_MAX} characters`,
      'say why it may stay as it is, for those who come later',
    );
  const dropped: Mission = {
    ...mission,
    state: 'abandoned',
    closedAtMs: memory.nowMs,
    closedBy: by,
    closeReason: new Redactor().redact(reason),
  };
  if (!(await memory.missions.save(dropped, mission.state)))
    throw new MissionRefused(`${id} has been closed just now`, 'see what became of it with: grace missions show');
  return {
    exitCode: 0,
    data: missionJson(dropped),
    lines: [`${paint('green', 'abandoned')} ${id} by ${by}: it is not told again while it stays as it is`],
  };
}

async function theMission(memory: Memory, id: string): Promise<Mission> {
  const mission = await memory.missions.get(id);
  if (mission === null) throw new NotKnown('mission', id, 'see them with: grace missions list --all');
  return mission;
}

function stateOf({ state, severity }: Mission): string {
  if (state === 'open') return severity === 'error' ? paint('red', 'open, error') : paint('yellow', 'open');
  return state === 'verified' ? paint('green', 'gone') : paint('dim', 'abandoned');
}

function missionJson(m: Mission): Readonly<Record<string, unknown>> {
  return {
    id: m.id,
    state: m.state,
    severity: m.severity,
    component: m.component,
    code: m.code,
    message: m.message,
    hint: m.hint,
    evidence: m.evidence,
    place: m.place,
    approval: m.approval ?? null,
    opened_at: iso(m.openedAtMs),
    last_seen_at: iso(m.lastSeenAtMs),
    seen: m.seen,
    closed_at: m.closedAtMs === null ? null : iso(m.closedAtMs),
    closed_by: m.closedBy,
    close_reason: m.closeReason,
  };
}
