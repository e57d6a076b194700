import type { AutonomyTier, Risk } from '../governance/index.ts';
import type { PrimitivePlan } from './primitive.ts';

const RISKS: readonly Risk[] = ['low', 'medium', 'high', 'critical'];

/**
 * Why a playbook may not take this very use of a primitive, which has more risk than the primitive says for all: policies decide on
 * what a playbook claims and on the primitives that it is known to use, and see none of this. What the quorum decides on may be anything.
 * @returns null when it may
 */
export function beyondClaim(primitive: string, plan: PrimitivePlan, claimed: Risk, tier: AutonomyTier): string | null {
  if (plan.state !== 'ready' || plan.risk === undefined || tier === 'tier_4') return null;
  if (plan.risk !== 'critical' && RISKS.indexOf(plan.risk) <= RISKS.indexOf(claimed)) return null;
  const instead = plan.risk === 'critical' ? 'it has to be tier_4' : `let the playbook claim risk: '${plan.risk}', not '${claimed}'`;
  return `this use of ${primitive} has ${plan.risk} risk (${plan.summary}), and no policy could see that it is in here: ${instead}`;
}
