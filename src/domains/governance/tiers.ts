export type Risk = 'low' | 'medium' | 'high' | 'critical';
/** tier_1 runs, tier_2 runs with notice, tier_3 needs one approval, tier_4 a quorum: the shipped policies say so. */
export type AutonomyTier = 'tier_1' | 'tier_2' | 'tier_3' | 'tier_4';
/** Where an action would happen: boot acts within tier policy, run time only observes unless told otherwise [GV-4]. */
export type Phase = 'boot' | 'runtime';

const RISKS: readonly Risk[] = ['low', 'medium', 'high', 'critical'];

/**
 * Whether what has this risk may be done by a playbook that claims another, when nobody could see before that it is in there. Up to
 * medium the author is believed; high and critical risk are decided on otherwise, and have to be told.
 */
export function isWithinClaim(risk: Risk, claimed: Risk): boolean {
  return RISKS.indexOf(risk) <= Math.max(RISKS.indexOf(claimed), RISKS.indexOf('medium'));
}

const ORDER: readonly AutonomyTier[] = ['tier_1', 'tier_2', 'tier_3', 'tier_4'];

/**
 * The tier that counts. What cannot be undone never runs unseen, whatever its playbook says of itself: with notice at least, and
 * with an approval where the risk is high.
 */
export function tierAllowed(claimed: AutonomyTier, risk: Risk, isIrreversible: boolean): AutonomyTier {
  if (!isIrreversible) return claimed;
  const least = risk === 'high' || risk === 'critical' ? 'tier_3' : 'tier_2';
  return ORDER.indexOf(claimed) >= ORDER.indexOf(least) ? claimed : least;
}
