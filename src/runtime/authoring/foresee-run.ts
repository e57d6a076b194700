import { approvalState, type Decision } from '../../domains/governance/index.ts';
import { planRun, type LoadedPlaybook, type PlannedRun, type RegisteredPlaybook } from '../../domains/playbooks/index.ts';
import type { JsonObject, Logger } from '../../kernel/index.ts';
import { nodeClock } from '../../adapters/node/clock.ts';
import { lockHolder } from '../../adapters/node/instance-lock.ts';
import { knowsSteps } from '../../domains/healing/index.ts';
import type { GraceConfig } from '../config/index.ts';
import { knowledge } from '../load-knowledge.ts';
import { onACopy } from '../on-a-copy.ts';
import { openPolicies } from '../policy.ts';
import { chosenComponent, chosenPlaybook } from './chosen-playbook.ts';

/** What a run would do this moment, and what governance would say. */
export interface ForeseenRun extends PlannedRun {
  readonly playbook: string;
  readonly description: string;
  readonly file: string;
  readonly component: string;
  readonly risk: LoadedPlaybook['risk'];
  readonly tier: LoadedPlaybook['tier'];
  readonly origin: RegisteredPlaybook['origin'];
  readonly isEnabled: boolean;
  readonly decision: Decision;
  /** The request that exists already for exactly this; null without one. */
  readonly approval: { readonly id: string; readonly state: string; readonly has: number; readonly needs: number } | null;
}

export interface ForeseeOptions {
  readonly config: GraceConfig;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly name: string;
  readonly component: string | null;
  /** Who would ask for it. */
  readonly by: string;
}

/**
 * Plans a run of a playbook and changes nothing: it works on a copy of what Grace remembers, its code runs in a process without
 * powers, and each step that it asks for is planned and not taken.
 * @throws NoSuchPlaybook, PlaybookInvalid, ConfigInvalid
 */
export async function foreseeRun({ name, component, by, ...given }: ForeseeOptions): Promise<ForeseenRun> {
  const policies = await openPolicies(given.config);
  // Beside a Grace that keeps services up it is run time; without one it is as before a boot.
  const phase = lockHolder(given.config.dataDir) === null ? 'boot' : 'runtime';
  const options = { ...given, emit: () => undefined };
  return onACopy(options, policies, async (_, composed) => {
    await composed.core.syncPlaybooks();
    const registered = await chosenPlaybook(name, composed.playbooks, given.config.playbooksDir);
    const spec = chosenComponent(component, registered, given.config);
    const { primitives } = await knowledge();
    await composed.launchOf(spec); // tells the redactor what the component is started with
    const context = composed.contextFor(spec, given.signal, () => undefined);
    const foretold = await composed.healer.foretell(registered, spec, given.signal, phase, by);
    if (foretold instanceof Error) throw foretold;
    const { playbook, hash, tier, decision, approval } = foretold;
    return composed.redactor.redactDeep({
      playbook: registered.name,
      description: playbook.description,
      file: registered.file,
      component: spec.name,
      risk: playbook.risk,
      tier,
      origin: registered.origin,
      isEnabled: registered.isEnabled,
      ...(await planRun(playbook, primitives, context, { knowsSteps: knowsSteps(registered, hash), tier })),
      decision,
      approval:
        approval === null
          ? null
          : {
              id: approval.id,
              state: approvalState(approval, nodeClock.nowMs()),
              has: approval.approvedBy.length,
              needs: approval.requiredApprovals,
            },
    } satisfies ForeseenRun as unknown as JsonObject) as unknown as ForeseenRun;
  });
}
