import { tierAllowed, type AutonomyTier } from '../governance/index.ts';
import type { PlaybookHead, Primitive, RegisteredPlaybook } from '../playbooks/index.ts';

/** Whether all these steps are known, and none changes a file, data or a setting. */
export function changesNoData(steps: RegisteredPlaybook['steps'], primitives: ReadonlyMap<string, Primitive>): boolean {
  return steps.length > 0 && steps.every((step) => primitives.get(step.primitive)?.changes !== undefined);
}

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
