import { tierAllowed, type AutonomyTier } from '../governance/index.ts';
import type { PlaybookHead, Primitive, RegisteredPlaybook } from '../playbooks/index.ts';

/** The tier that counts for a playbook whose steps are known: see `tierAllowed`. */
export function tierOf(
  { tier, risk }: Pick<PlaybookHead, 'tier' | 'risk'>,
  steps: RegisteredPlaybook['steps'],
  primitives: ReadonlyMap<string, Primitive>,
): AutonomyTier {
  return tierAllowed(
    tier,
    risk,
    steps.some((step) => primitives.get(step.primitive)?.undo === null),
  );
}
