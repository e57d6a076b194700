import { approvalState, type Decision, type ForeseenStep } from '../../domains/governance/index.ts';
import type { LoadedPlaybook, Primitive, PrimitiveContext, RegisteredPlaybook, StepResult } from '../../domains/playbooks/index.ts';
import type { ComponentSpec } from '../../domains/supervisor/index.ts';
import { GraceError, messageOf, type JsonObject, type Logger } from '../../kernel/index.ts';
import { nodeClock } from '../../adapters/node/clock.ts';
import { knowledge } from '../compose.ts';
import type { GraceConfig } from '../config/index.ts';
import { onACopy } from '../lifecycle.ts';
import { openPolicies } from '../policy.ts';
import { chosenComponent, chosenPlaybook } from './chosen-playbook.ts';

export interface PlannedStep extends ForeseenStep {
  readonly params: JsonObject;
  readonly risk: Primitive['risk'] | null;
  /** False: what it does stays done, also when the run fails. */
  readonly hasUndo: boolean;
  /** It was planned as if the steps before it had not acted: it may find something else then. */
  readonly isUncertain: boolean;
}

/** What a run would do this moment, and what governance would say. */
export interface ForeseenRun {
  readonly playbook: string;
  readonly description: string;
  readonly file: string;
  readonly component: string;
  readonly risk: LoadedPlaybook['risk'];
  readonly tier: LoadedPlaybook['tier'];
  readonly origin: RegisteredPlaybook['origin'];
  readonly isEnabled: boolean;
  readonly steps: readonly PlannedStep[];
  /** Why the run would end before its end; null when it would not. */
  readonly endsWith: string | null;
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
}

/**
 * Plans a run of a playbook and changes nothing: it works on a copy of what Grace remembers, its code runs in a process without
 * powers, and each step that it asks for is planned and not taken.
 * @throws NoSuchPlaybook, PlaybookInvalid, ConfigInvalid
 */
export async function foreseeRun({ name, component, ...given }: ForeseeOptions): Promise<ForeseenRun> {
  const policies = await openPolicies(given.config);
  const options = { ...given, emit: () => undefined, until: 'dry-run' as const };
  return onACopy(options, policies, async (_, composed) => {
    await composed.core.syncPlaybooks();
    const registered = await chosenPlaybook(name, composed.playbooks, given.config.playbooksDir);
    const spec = chosenComponent(component, registered, given.config);
    const { primitives } = await knowledge();
    await composed.launchOf(spec); // tells the redactor what the component is started with
    const context = composed.contextFor(spec, given.signal, () => undefined);
    const foretold = await composed.healer.foretell(registered, spec, given.signal);
    if (foretold instanceof Error) throw foretold;
    const { playbook, tier, decision, approval } = foretold;
    return composed.redactor.redactDeep({
      playbook: registered.name,
      description: playbook.description,
      file: registered.file,
      component: spec.name,
      risk: playbook.risk,
      tier,
      origin: registered.origin,
      isEnabled: registered.isEnabled,
      ...(await planRun(playbook, spec, primitives, context)),
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

/** A step that would not be taken: the run would end there, as far as anybody can tell. */
class WouldEnd extends GraceError {
  constructor(step: string, reason: string) {
    super({ code: 'GRACE_PLAYBOOKS_STEP_FAILED', message: `${step}: ${reason}` });
  }
}

/**
 * Lets the code of a playbook ask for its steps, and plans each. A step after one that would act finds the world as it is now:
 * when it would be refused, that is told, and the run goes on.
 */
export async function planRun(
  playbook: LoadedPlaybook,
  spec: Pick<ComponentSpec, 'name'>,
  primitives: ReadonlyMap<string, Primitive>,
  context: PrimitiveContext,
): Promise<Pick<ForeseenRun, 'steps' | 'endsWith'>> {
  const steps: PlannedStep[] = [];
  const step = async (name: string, primitiveName: string, params: JsonObject): Promise<StepResult> => {
    context.signal.throwIfAborted();
    const primitive = primitives.get(primitiveName) ?? null;
    const isUncertain = steps.some((s) => s.state === 'ready');
    const planned = {
      step: name,
      primitive: primitiveName,
      params,
      risk: primitive?.risk ?? null,
      hasUndo: (primitive?.undo ?? null) !== null,
      isUncertain,
    };
    const refuse = (reason: string): void => void steps.push({ ...planned, state: 'refused', summary: reason, targets: [] });
    let parsed: JsonObject;
    try {
      if (primitive === null) throw new TypeError(`there is no primitive "${primitiveName}"`);
      parsed = primitive.parse(params);
    } catch (error) {
      refuse(messageOf(error)); // whatever the steps before it do, this one stays wrong
      throw new WouldEnd(name, messageOf(error));
    }
    try {
      const plan = await primitive.plan(parsed, context);
      if (plan.state === 'refused') throw new TypeError(plan.reason);
      steps.push({ ...planned, state: plan.state, summary: plan.summary, targets: plan.state === 'ready' ? plan.targets : [] });
      return { step: name, success: true, summary: plan.summary };
    } catch (error) {
      refuse(messageOf(error));
      if (!isUncertain) throw new WouldEnd(name, messageOf(error));
      return { step: name, success: true, summary: '' };
    }
  };
  // One after the other, as a run takes them.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn: typeof step = (...asked) => {
    const mine = last.then(() => step(...asked));
    last = mine.catch(() => undefined);
    return mine;
  };
  try {
    await playbook.run({ params: playbook.params, component: spec.name, step: inTurn }, context.signal);
    return { steps, endsWith: null };
  } catch (error) {
    return { steps, endsWith: messageOf(error) };
  } finally {
    await last;
  }
}
