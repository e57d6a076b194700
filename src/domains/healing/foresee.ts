import { messageOf } from '../../kernel/index.ts';
import type { ForeseenStep } from '../governance/index.ts';
import {
  planRun,
  type LoadedPlaybook,
  type Primitive,
  type PrimitiveContext,
  type RegisteredPlaybook,
  type RemedyStep,
} from '../playbooks/index.ts';

/** A person's file, or one that was edited, says by itself what it does: its steps are known when it runs. */
export function knowsSteps({ steps, hash, origin }: RegisteredPlaybook, loadedHash: string): boolean {
  return steps.length > 0 && hash === loadedHash && origin !== 'edited' && origin !== 'written';
}

/** What each step would do now. Later ones are planned as if those before them had not run: so they are each time. */
export async function foresee(
  steps: readonly RemedyStep[],
  primitives: ReadonlyMap<string, Primitive>,
  context: PrimitiveContext,
): Promise<readonly ForeseenStep[]> {
  const foreseen: ForeseenStep[] = [];
  for (const { name, primitive, params } of steps) {
    const step = { step: name, primitive, targets: [] };
    try {
      const power = primitives.get(primitive);
      if (power === undefined) throw new TypeError(`there is no primitive "${primitive}"`);
      const plan = await power.plan(power.parse(params), context);
      if (plan.state === 'refused') foreseen.push({ ...step, state: 'refused', summary: plan.reason });
      else
        foreseen.push({
          ...step,
          state: plan.state,
          summary: withoutTime(plan.summary),
          targets: plan.state === 'ready' ? plan.targets : [],
        });
    } catch (error) {
      foreseen.push({ ...step, state: 'refused', summary: messageOf(error) });
    }
  }
  return foreseen;
}

/**
 * The same for a playbook whose steps only its file knows: its code asks for them, and each is planned instead of taken.
 * What it would ask for after a step that has really acted may be another thing; then the run is refused, and people are asked again.
 */
export async function foreseeUnknown(
  playbook: LoadedPlaybook,
  primitives: ReadonlyMap<string, Primitive>,
  context: PrimitiveContext,
): Promise<readonly ForeseenStep[]> {
  const { steps } = await planRun(playbook, primitives, context);
  return steps.map(({ step, primitive, state, summary, targets, params }) => ({
    step,
    primitive,
    state,
    summary: withoutTime(summary),
    targets,
    paramsDigest: context.digest(JSON.stringify(params)),
  }));
}

/** What is kept of a file gets a name with the time of the run: another time is not another plan. */
function withoutTime(summary: string): string {
  return summary.replaceAll(/\.broken-\d{14}(?:-\d{1,9})?/g, '.broken-<time>');
}
