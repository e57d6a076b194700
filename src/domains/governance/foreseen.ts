/** What one step of a playbook would do now, as its primitive says without touching anything. */
export interface ForeseenStep {
  readonly step: string;
  readonly primitive: string;
  /** `offered`: it was agreed to while all is well, and what it will do is not known yet. */
  readonly state: 'ready' | 'nothing_to_do' | 'refused' | 'offered';
  /** The precondition, in words: what it found and what it would do; or why it must not. */
  readonly summary: string;
  /** Paths, pids, names it would act on; where it is offered, those it may act on. */
  readonly targets: readonly string[];
  /** Keyed digest of what it is called with, where only the file of the playbook knows that [GV-6]. */
  readonly paramsDigest?: string;
}

/** Differences told to people; more of them is another plan altogether. */
const TOLD_MAX = 3;

/** In words, what a plan has become since people agreed to it; empty when it is the same. */
export function changesOfPlan(before: readonly ForeseenStep[], now: readonly ForeseenStep[]): readonly string[] {
  const changes: string[] = [];
  for (let i = 0; i < Math.max(before.length, now.length); i++) {
    const [was, is] = [before[i], now[i]];
    if (JSON.stringify(was) === JSON.stringify(is)) continue;
    const name = is?.step ?? was?.step ?? '';
    if (was === undefined || is === undefined) changes.push(`${name}: ${was === undefined ? 'a new step' : 'no step any more'}`);
    else if (was.targets.join('\0') !== is.targets.join('\0')) changes.push(`${name}: acts on ${listed(is)}, not on ${listed(was)}`);
    else if (was.paramsDigest !== is.paramsDigest && was.summary === is.summary) changes.push(`${name}: other parameters`);
    else changes.push(`${name}: ${is.summary}, no longer: ${was.summary}`);
  }
  return changes.length <= TOLD_MAX ? changes : [...changes.slice(0, TOLD_MAX), `and ${changes.length - TOLD_MAX} more`];
}

/**
 * Whether what a step would do now goes beyond what people agreed to. Once a step before it has changed something, its own plan
 * may read otherwise; what it acts on may not.
 * @param agreed  the step in the same place of the plan; undefined when the plan has no more
 * @returns in what it is something else; null when it is covered
 */
export function beyondPlan(
  agreed: ForeseenStep | undefined,
  now: Omit<ForeseenStep, 'targets'> & { readonly targets?: readonly string[] },
  isChanged: boolean,
): string | null {
  if (agreed === undefined) return `a further step "${now.step}"`;
  if (agreed.step !== now.step || agreed.primitive !== now.primitive) return `"${now.step}" (${now.primitive}) instead of "${agreed.step}"`;
  if (agreed.paramsDigest !== undefined && agreed.paramsDigest !== now.paramsDigest) return `"${now.step}" has other parameters`;
  if (now.state !== 'ready') return null;
  if (agreed.state !== 'ready' && !isChanged) return `"${now.step}" would act, and had nothing to do then`;
  // Of a step that had nothing to do only a limit that was agreed to is known, if any.
  if (agreed.state !== 'ready' && agreed.targets.length === 0) return null;
  const more = (now.targets ?? []).filter((target) => !agreed.targets.includes(target));
  return more.length === 0 ? null : `"${now.step}" acts on ${more.slice(0, TOLD_MAX).join(', ')} as well`;
}

function listed({ targets }: ForeseenStep): string {
  return targets.length === 0 ? 'nothing' : targets.slice(0, TOLD_MAX).join(', ');
}
