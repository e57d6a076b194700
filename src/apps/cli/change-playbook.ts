import type { AutonomyTier, DecisionRequest } from '../../domains/governance/index.ts';
import { changesNoData } from '../../domains/healing/index.ts';
import type { RegisteredPlaybook } from '../../domains/playbooks/index.ts';
import { primitives } from '../../primitives/index.ts';
import type { AskedByHand } from './ask-policies.ts';

/** What the policies are asked before a person changes whether, or how freely, a playbook runs. */
export function changeRequest(
  about: AskedByHand,
  p: RegisteredPlaybook,
  to: { readonly change: 'enable' | 'disable' | 'promote'; readonly tier: AutonomyTier; readonly toTier: AutonomyTier },
): DecisionRequest {
  return {
    action: 'change_playbook',
    ...about,
    ...to,
    playbook: p.name,
    component: p.component ?? '',
    risk: p.risk,
    origin: p.origin,
    primitives: p.steps.map((step) => step.primitive),
    changesNoData: changesNoData(p.steps, primitives),
  };
}
