import type { Json } from '../../kernel/index.ts';
import type { EndedBy, SeenStep, ShadowRecord, ShadowScore } from './shadow-record.ts';

/** How things are once the component works and has stayed so for its soak time. */
export interface EndedEpisode {
  /** The same steps, planned and looked at again, in the same order; null when that was not possible. */
  readonly now: readonly SeenStep[] | null;
  /** When the process that works now was started; null when that is not known. */
  readonly launchedAtMs: number | null;
  /** What a person did about this failure, in sentences; null when no person's work was seen. */
  readonly person: readonly string[] | null;
  /** Playbooks that ran on the component since the failure, with success; the newest last. */
  readonly helpers: readonly { readonly playbook: string; readonly hash: string }[];
  /** Targets that the running service wrote itself, after it was started. */
  readonly writtenByService: ReadonlySet<string>;
}

export interface Scored {
  readonly score: Exclude<ShadowScore, 'open'>;
  readonly endedBy: EndedBy;
  readonly evidence: readonly string[];
}

/**
 * `done`: what the step would have done was done. `left`: nobody touched it, and it works all the same. `against`: it was changed
 * since, and the step would change it again. `needless`: it would have stopped a process that got well as it ran. `untold`:
 * nothing can be said.
 */
type StepFate = { readonly fate: 'done' | 'left' | 'against' | 'needless' | 'untold'; readonly why: string };

const RESTARTS = 'restart_component';

/**
 * Scores what a playbook would have done against what really helped. Each step that would have acted when the failure was seen last
 * is planned again now, and what it would change is compared with how it was then.
 *
 * - `hit`: every such step's aim was reached since by somebody's act (it has nothing to do any more, and what it would have changed is
 *   different or somebody is known to have acted; or the component was started again where it would have restarted it), and nothing
 *   else would have been changed. A restart alone is none where a person changed something as well.
 * - `harm`: a step would change what somebody has changed since then, or would have ended a process that got well as it ran.
 * - `miss`: it works, and a step would still change something that was left as it was: that was not to blame.
 * - `unknown`: the plan was not known, there was nothing to act on, the playbook ran after all, a step cannot be judged, or what it is
 *   for came about with nobody known to have acted.
 *
 * No data is never a hit: one step that cannot be judged makes a hit, or a miss, unknown. Harm outranks everything.
 */
export function scoreShadow(record: ShadowRecord, episode: EndedEpisode): Scored {
  const [endedBy, told] = endOf(record, episode);
  const unknown = (why: string): Scored => ({ score: 'unknown', endedBy, evidence: [told, why] });
  if (episode.helpers.some((h) => h.playbook === record.playbook && h.hash === record.hash))
    return unknown(`${record.playbook} was allowed in the end, and ran: its runs say how it does`);
  if (record.last === null) return unknown('what its steps would have done is known to its file alone');
  if (episode.now === null) return unknown('what its steps would do now could not be found out');
  const fates = record.last.flatMap((step, i) =>
    step.state === 'ready' && !step.changesNothing ? [fateOf(step, record.first?.[i], episode.now?.[i], record, episode)] : [],
  );
  if (fates.length === 0) return unknown('no step of it would have changed anything');
  const others = record.last.some((step) => step.state === 'ready' && !step.changesNothing && step.primitive !== RESTARTS);
  if (episode.person !== null && !others && fates.every((f) => f.fate === 'done')) {
    // Started again is what it was in any case: what helped is what the person did before that.
    if (record.seen === 1) return unknown('whether a start again alone would have helped cannot be told');
    return { score: 'miss', endedBy, evidence: [told, 'it was started again before, and that alone had not helped'] };
  }
  const has = (...kinds: readonly StepFate['fate'][]): boolean => fates.some((f) => kinds.includes(f.fate));
  const score = has('against', 'needless') ? 'harm' : has('untold') ? 'unknown' : has('left') ? 'miss' : 'hit';
  return { score, endedBy, evidence: [told, ...fates.map((f) => f.why)] };
}

function endOf(record: ShadowRecord, { person, helpers }: EndedEpisode): readonly [EndedBy, string] {
  const helper = helpers.at(-1);
  if (helper !== undefined) return ['playbook', `${helper.playbook} ran, and it works`];
  if (person !== null) return ['person', `a person mended it: ${person.join('; ')}`];
  const again = record.seen === 1 ? '' : `, after it had failed the same way ${record.seen} times`;
  return ['itself', `it got well with nothing done but starting it again${again}`];
}

function fateOf(
  last: SeenStep,
  first: SeenStep | undefined,
  now: SeenStep | undefined,
  record: ShadowRecord,
  { launchedAtMs, writtenByService, person, helpers }: EndedEpisode,
): StepFate {
  const it = `"${last.step}" (${last.targets.join(', ')})`;
  if (last.primitive === RESTARTS) {
    if (launchedAtMs === null) return { fate: 'untold', why: `${it}: whether it was started again is not known` };
    return launchedAtMs > record.lastAtMs
      ? { fate: 'done', why: `${it}: it was started again, and then it worked` }
      : { fate: 'needless', why: `${it}: the process that failed got well as it ran, and would have been ended` };
  }
  if (now === undefined) return { fate: 'untold', why: `${it}: it cannot be planned any more` };
  // What it looked like when the step had no cause to act yet is how it was before it broke.
  const isTouched = isChanged(last, now) || (first?.state === 'ready' && isChanged(first, now));
  if (now.state === 'nothing_to_do') {
    if (last.targets.some((target) => writtenByService.has(target)))
      return { fate: 'untold', why: `${it}: the service changed it itself once it ran; whether that helped cannot be told` };
    if (!isTouched && person === null && helpers.length === 0)
      return { fate: 'untold', why: `${it}: it came about by itself, nobody is known to have done it (${now.summary})` };
    return { fate: 'done', why: `${it}: it is as the step would have made it (${now.summary})` };
  }
  if (last.picture === null || now.picture === null) return { fate: 'untold', why: `${it}: what it would change could not be looked at` };
  if (isTouched)
    return last.targets.some((target) => writtenByService.has(target))
      ? { fate: 'untold', why: `${it}: the service has written it since it runs` }
      : { fate: 'against', why: `${it}: it was changed otherwise since, and the step would undo that (${now.summary})` };
  return { fate: 'left', why: `${it}: it was left as it was, and it works: that was not to blame` };
}

/** Only pictures of the same places can show a change. */
function isChanged(before: SeenStep, now: SeenStep): boolean {
  if (before.picture === null || now.picture === null || !isSame([...before.looked], [...now.looked])) return false;
  return !isSame(before.picture, now.picture);
}

function isSame(a: Json, b: Json): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/**
 * How often a failure went away with nothing done, of one signature. An episode that a person or a playbook ended counts against it
 * when the failure had come back at least once by then: it was started again, and that did not help. Ended at its first sight
 * it says nothing about what would have been.
 * @param startedAgain  failures that a mere start again ended, told apart from the episodes
 */
export function selfRecoveryOf(
  records: readonly ShadowRecord[],
  startedAgain: number,
): { readonly recovered: number; readonly episodes: number } {
  // Several playbooks may have been chosen in one episode: it is one all the same.
  const episodes = new Map<string, ShadowRecord>();
  for (const r of records) {
    const key = `${r.component} ${r.endedAtMs ?? ''}`;
    if (r.endedBy !== null && r.seen >= (episodes.get(key)?.seen ?? 0)) episodes.set(key, r);
  }
  const ended = [...episodes.values()];
  const recovered = ended.filter((r) => r.endedBy === 'itself').length;
  const stayed = ended.filter((r) => (r.endedBy === 'person' || r.endedBy === 'playbook') && r.seen > 1).length;
  return { recovered: recovered + startedAgain, episodes: recovered + startedAgain + stayed };
}
