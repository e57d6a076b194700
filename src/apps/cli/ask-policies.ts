import { nodeIds } from '../../adapters/node/ids.ts';
import { cedarPolicy } from '../../adapters/policy/index.ts';
import {
  askForAction,
  isAllowed,
  modeInForce,
  recordedDecisions,
  subjectOf,
  type Decision,
  type DecisionRequest,
  type Mode,
  type PolicySource,
} from '../../domains/governance/index.ts';
import type { GraceConfig } from '../../runtime/config/index.ts';
import { ownPolicies } from '../../runtime/policy.ts';
import { ActionRefused } from './errors.ts';
import { NOBODY_ELSE } from './four-eyes.ts';
import type { Memory } from './memory.ts';

/** What every action by hand is asked with. */
export interface AskedByHand {
  readonly actor: { readonly kind: 'person'; readonly name: string };
  readonly mode: Mode;
  readonly environment: string;
  readonly approvals: 0;
}

export interface ActionByHand {
  request(about: AskedByHand): DecisionRequest;
  /** `the mode read_only`: what is not done when they say no. */
  readonly what: string;
  /** What makes this time another one than the last: an approval is for one occasion. The last time it was allowed is part of it. */
  readonly occasion: string;
  /** What would be done, for the person who decides. */
  readonly summary: readonly string[];
}

/** Asks the policies in force whether a person may do this now, and writes the answer down. @throws ActionRefused, ConfigInvalid */
export type AskPolicies = (action: ActionByHand) => Promise<Decision>;

export interface PolicySettings {
  readonly environment: string;
  /** Where no policies are in force yet: those of the files. */
  own(): Promise<readonly PolicySource[]>;
}

export function settingsOf(config: GraceConfig): PolicySettings {
  return { environment: config.environment, own: () => ownPolicies(config) };
}

type Stores = Pick<Memory, 'policyTexts' | 'decisions' | 'approvals' | 'modes' | 'nowMs'>;

/** The one door for what people change by hand [GV-2]. @param by  the user this runs as, who can not agree to it as well */
export function askPolicies(stores: Stores, { environment, own }: PolicySettings, by: string): AskPolicies {
  return async ({ request, what, occasion, summary }) => {
    const { policyTexts, decisions: record, approvals, modes, nowMs } = stores;
    const world = { clock: { nowMs: () => nowMs }, ids: nodeIds };
    const inForce = await policyTexts.inForce();
    const policy = recordedDecisions(cedarPolicy(inForce?.files ?? (await own())), { record, ...world });
    const { mode } = modeInForce((await modes.history(1))[0] ?? null, nowMs);
    const asked = request({ actor: { kind: 'person', name: by }, mode, environment, approvals: 0 });
    const last = await record.lastAllowed(asked.action, subjectOf(asked));
    const { decision, approval } = await askForAction({ ...world, approvals, policy }, asked, `${occasion} ${last ?? ''}`, summary);
    if (decision.verdict === 'needs_approval')
      throw new ActionRefused(
        what,
        decision.reason,
        `another person: grace approvals show ${approval?.id ?? ''}; then run this again; ${NOBODY_ELSE}`,
        approval?.id ?? null,
      );
    if (!isAllowed(decision)) throw new ActionRefused(what, decision.reason, `why: grace policy test --action ${asked.action}`);
    return decision;
  };
}
