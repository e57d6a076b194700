import type { DecisionRequest } from './decision.ts';

/** What is done only when a policy lets it be done. */
export type GovernedAction = DecisionRequest['action'];

/** A record, so that an action that is missing here does not compile. */
const EACH_ACTION: Readonly<Record<GovernedAction, true>> = {
  run_playbook: true,
  restart_component: true,
  set_mode: true,
  change_policy: true,
  restore_snapshot: true,
  roll_back_release: true,
  close_breaker: true,
  change_playbook: true,
};

/** All that policies decide on, in the order in which people are told of them. */
export const GOVERNED_ACTIONS = Object.keys(EACH_ACTION) as readonly GovernedAction[];
