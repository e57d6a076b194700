import type { Clock, Ids } from '../../kernel/index.ts';
import type { Finding } from '../preflight/index.ts';
import { missionKey, type Mission } from './mission.ts';
import type { MissionStore } from './mission-store.ts';

/** More than this is one problem told a hundred times; the rest is found again when some are gone. */
const STANDING_MAX = 200;
const GONE = 'a later validation did not find it any more';

export interface MissionChanges {
  readonly opened: readonly Mission[];
  readonly closed: readonly Mission[];
  /** All that are open now. */
  readonly open: number;
}

/** A part that could not look: all that it found earlier may still be there, or what it found in one component. */
export interface Unseen {
  /** null: nobody knows which. */
  readonly origin: string | null;
  readonly component: string | null;
}

/**
 * Opens a mission for each finding that has none, and closes those whose finding is gone: the part that found it has looked, and did not
 * find it. A mission of which nobody knows who found it is closed only when everything was looked at.
 * @param approvals  what findings wait for, by the keys of their missions
 */
export async function reconcileMissions(
  findings: readonly Finding[],
  unseen: readonly Unseen[],
  { missions, clock, ids }: { readonly missions: MissionStore; readonly clock: Clock; readonly ids: Ids },
  approvals: ReadonlyMap<string, string> = new Map(),
): Promise<MissionChanges> {
  const now = clock.nowMs();
  const standing = await missions.standing();
  const known = new Map(standing.map((mission) => [mission.key, mission]));
  const found = new Map(findings.filter(({ severity }) => severity !== 'info').map((finding) => [missionKey(finding), finding]));
  const opened: Mission[] = [];
  const closed: Mission[] = [];
  for (const [key, finding] of found) {
    const before = known.get(key);
    if (before !== undefined) {
      const approval = approvals.get(key) ?? null;
      await change(missions, before, (mission) => ({
        ...mission,
        ...textOf(finding),
        approval,
        lastSeenAtMs: now,
        seen: mission.seen + 1,
      }));
      continue;
    }
    if (standing.length + opened.length >= STANDING_MAX) continue;
    const mission: Mission = {
      id: ids.next('ms'),
      key,
      component: finding.component,
      code: finding.code,
      ...textOf(finding),
      approval: approvals.get(key) ?? null,
      state: 'open',
      openedAtMs: now,
      lastSeenAtMs: now,
      seen: 1,
      closedAtMs: null,
      closedBy: null,
      closeReason: null,
    };
    await missions.save(mission, null);
    opened.push(mission);
  }
  for (const mission of standing) {
    if (found.has(mission.key) || unseen.some((part) => isHidden(mission, part))) continue;
    const gone = await change(missions, mission, (present) => ({
      ...present,
      state: 'verified',
      closedAtMs: now,
      closedBy: 'grace',
      closeReason: GONE,
    }));
    if (gone !== null) closed.push(gone);
  }
  const open = (await missions.standing()).filter(({ state }) => state === 'open').length;
  return { opened, closed, open };
}

/** What a person does with it meanwhile counts: it is read again, and changed as it is then. @returns null when it does not stand any more */
async function change(missions: MissionStore, read: Mission, work: (mission: Mission) => Mission): Promise<Mission | null> {
  for (let present: Mission | null = read; present !== null && present.state !== 'verified'; present = await missions.get(read.id)) {
    const changed = work(present);
    if (await missions.save(changed, present.state)) return changed;
  }
  return null;
}

function isHidden({ origin, component }: Mission, unseen: Unseen): boolean {
  if (origin === undefined || unseen.origin === null) return true;
  return unseen.origin === origin && (unseen.component === null || unseen.component === component);
}

function textOf({
  origin,
  severity,
  message,
  hint,
  evidence,
  place,
}: Finding): Pick<Mission, 'origin' | 'severity' | 'message' | 'hint' | 'evidence' | 'place'> {
  return { severity, message, hint, evidence, place: place ?? null, ...(origin === undefined ? {} : { origin }) };
}
