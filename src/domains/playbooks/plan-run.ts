import { GraceError, messageOf, type JsonObject } from '../../kernel/index.ts';
import type { AutonomyTier, ForeseenStep, Risk } from '../governance/index.ts';
import type { LoadedPlaybook, StepResult } from './playbook.ts';
import type { Primitive, PrimitiveContext } from './primitive.ts';
import { unseenRisk } from './unseen-risk.ts';

export interface PlannedStep extends ForeseenStep {
  readonly state: 'ready' | 'nothing_to_do' | 'refused';
  readonly params: JsonObject;
  readonly risk: Risk | null;
  /** False: what it does stays done, also when the run fails. */
  readonly hasUndo: boolean;
  /** It was planned as if the steps before it had not acted: it may find something else then. */
  readonly isUncertain: boolean;
}

/** What a run would do now, as far as that can be told without doing it. */
export interface PlannedRun {
  readonly steps: readonly PlannedStep[];
  /** Why it would end before its end; null when it would not. */
  readonly endsWith: string | null;
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
 * `knowsSteps`: the policies see which primitives its steps are of; `tier`: what it is decided on as.
 */
export async function planRun(
  playbook: LoadedPlaybook,
  primitives: ReadonlyMap<string, Primitive>,
  context: PrimitiveContext,
  { knowsSteps = false, tier = playbook.tier }: { readonly knowsSteps?: boolean; readonly tier?: AutonomyTier } = {},
): Promise<PlannedRun> {
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
      const unseen = knowsSteps ? null : unseenRisk(primitiveName, primitive.risk, playbook.risk, tier);
      if (unseen !== null) throw new TypeError(unseen);
    } catch (error) {
      refuse(messageOf(error)); // whatever the steps before it do, this one stays wrong
      throw new WouldEnd(name, messageOf(error));
    }
    try {
      const plan = await primitive.plan(parsed, context);
      if (plan.state === 'refused') throw new TypeError(plan.reason);
      const { targets = [], risk = planned.risk } = plan.state === 'ready' ? plan : {};
      const unseen = risk === planned.risk ? null : unseenRisk(`this use of ${primitiveName}`, risk ?? 'critical', playbook.risk, tier);
      if (unseen !== null) throw new TypeError(unseen);
      steps.push({ ...planned, state: plan.state, summary: plan.summary, targets, risk });
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
    await playbook.run({ params: playbook.params, component: context.component.name, step: inTurn }, context.signal);
    return { steps, endsWith: null };
  } catch (error) {
    return { steps, endsWith: messageOf(error) };
  } finally {
    await last;
  }
}
