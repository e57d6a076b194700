import { basename, dirname, join, resolve } from 'node:path';
import type { Files, Json } from '../../kernel/index.ts';
import { bindingHash, type ForeseenStep } from '../governance/index.ts';
import type { Primitive, RegisteredPlaybook, RemedyStep } from '../playbooks/index.ts';
import type { ComponentSpec } from '../supervisor/index.ts';

/**
 * What people can agree to before there is a plan: which steps, for which failure, and where these may act at most.
 * What they find there, and so what they do, shows only when the failure is back.
 */
export interface Offer {
  readonly steps: readonly ForeseenStep[];
  /** To the bytes, their parameters, the component, the failure, and where the places lead now. */
  readonly binding: string;
}

/** Parameters that name a place in the file system. */
const PLACES = ['path', 'file', 'directory'] as const;
/** Makes what is missing above a directory as well. */
const MAKES_PARENTS = 'make_directory';
/** Targets told to people for one step; more of them are another plan altogether. */
const TOLD_MAX = 3;

/** @param hash  of the bytes that would run */
export async function offerOf(
  { steps, signature }: Pick<RegisteredPlaybook, 'steps' | 'signature'>,
  hash: string,
  params: Json,
  component: Pick<ComponentSpec, 'name' | 'cwd'>,
  files: Pick<Files, 'realpath'>,
): Promise<Offer> {
  const offered: ForeseenStep[] = [];
  for (const step of steps)
    offered.push({
      step: step.name,
      primitive: step.primitive,
      state: 'offered',
      summary: '',
      targets: await placesOf(step, component.cwd, files),
    });
  return { steps: offered, binding: bindingHash(hash, component.name, [params, signature], offered) };
}

/** What a step names, and where that leads: by either a primitive may call it. */
async function placesOf({ params }: RemedyStep, cwd: string, files: Pick<Files, 'realpath'>): Promise<readonly string[]> {
  const places = new Set<string>();
  for (const key of PLACES) {
    const named = params[key];
    if (typeof named !== 'string') continue;
    const at = resolve(cwd, named);
    places.add(at).add(await leadsTo(at, files));
  }
  return [...places];
}

/** Without the links on the way; what is not there yet is where it will be. */
async function leadsTo(path: string, files: Pick<Files, 'realpath'>): Promise<string> {
  const above = dirname(path);
  return (await files.realpath(path)) ?? (above === path ? path : join(await leadsTo(above, files), basename(path)));
}

/**
 * In what a plan goes further than what was offered. What is no path (a variable, a port, a limit) follows from the parameters, which
 * are bound; which database it is does not, so that shows only in a plan.
 * @returns in words; empty when it stays within
 */
export function beyondOffer(
  offered: readonly ForeseenStep[],
  plan: readonly ForeseenStep[],
  primitives: ReadonlyMap<string, Primitive>,
): readonly string[] {
  const beyond: string[] = [];
  for (let i = 0; i < Math.max(offered.length, plan.length); i++) {
    const [may, would] = [offered[i], plan[i]];
    if (may === undefined || would === undefined || may.step !== would.step || may.primitive !== would.primitive) {
      beyond.push(would === undefined ? `${may?.step ?? ''}: no step any more` : `${would.step}: a step that was not offered`);
      continue;
    }
    const isOfDatabase = primitives.get(would.primitive)?.touchesDatabase === true;
    const further = would.targets.filter((target) =>
      target.startsWith('/') ? !may.targets.some((place) => isWithin(target, place, would.primitive)) : isOfDatabase,
    );
    if (further.length > 0) beyond.push(`${would.step}: acts on ${further.slice(0, TOLD_MAX).join(', ')}, which was not offered`);
  }
  return beyond;
}

function isWithin(target: string, place: string, primitive: string): boolean {
  return target === place || target.startsWith(`${place}/`) || (primitive === MAKES_PARENTS && place.startsWith(`${target}/`));
}

/**
 * The plan as it is agreed to with an offer. A step that would not act yet may have something to do once those before it have
 * acted: then it too stays where it may act.
 */
export function agreedPlan(offered: readonly ForeseenStep[], plan: readonly ForeseenStep[]): readonly ForeseenStep[] {
  return plan.map((step, i) => (step.state === 'ready' ? step : { ...step, targets: offered[i]?.targets ?? [] }));
}
