import { isWithinClaim, type AutonomyTier, type Risk } from '../governance/index.ts';

/**
 * Why a playbook may not do something of this risk: policies decide on what a playbook claims and on the primitives that it is known to
 * use, and see none of this. Critical risk needs the quorum; what that decides on may be anything.
 * @param what  a primitive that only the playbook's file tells of, or one very use of it that has more risk than others
 * @returns null when it may
 */
export function unseenRisk(what: string, risk: Risk, claimed: Risk, tier: AutonomyTier): string | null {
  if (tier === 'tier_4' || (risk !== 'critical' && isWithinClaim(risk, claimed))) return null;
  const instead = risk === 'critical' ? 'it has to be tier_4' : `let the playbook claim risk: '${risk}', not '${claimed}'`;
  return `${what} has ${risk} risk, and no policy could see that it is in here: ${instead}`;
}
