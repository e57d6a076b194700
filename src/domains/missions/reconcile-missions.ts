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
 */
export async function reconcileMissions(
  findings: readonly Finding[],
  unseen: readonly Unseen[],
  { missions, clock, ids }: { readonly missions: MissionStore; readonly clock: Clock; readonly ids: Ids },
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
      await missions.save({ ...before, ...textOf(finding), lastSeenAtMs: now, seen: before.seen + 1 });
      continue;
    }
    if (standing.length + opened.length >= STANDING_MAX) continue;
    const mission: Mission = {
      id: ids.next('ms'),
      key,
      component: finding.component,
      code: finding.code,
      ...textOf(finding),
      state: 'open',
      openedAtMs: now,
      lastSeenAtMs: now,
      seen: 1,
      closedAtMs: null,
      closedBy: null,
      closeReason: null,
    };
    await missions.save(mission);
    opened.push(mission);
  }
  for (const mission of standing) {
    if (found.has(mission.key) || unseen.some((part) => isHidden(mission, part))) continue;
    const gone: Mission = { ...mission, state: 'verified', closedAtMs: now, closedBy: 'grace', closeReason: GONE };
    await missions.save(gone);
    closed.push(gone);
  }
  const open = standing.filter(({ state }) => state === 'open').length + opened.length;
  return { opened, closed, open: open - closed.filter(({ key }) => known.get(key)?.state === 'open').length };
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
