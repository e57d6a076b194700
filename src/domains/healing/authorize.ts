import { messageOf, type Clock, type Json } from '../../kernel/index.ts';
import {
  approvalsHeld,
  approvalState,
  bindingHash,
  changesOfPlan,
  limitReached,
  type Approval,
  type ApprovalStore,
  type AutonomyTier,
  type CountedRun,
  type Decision,
  type DecisionPoint,
  type DecisionRequest,
  type ForeseenStep,
  type HealingLimits,
  type LimitReached,
  type LimitStore,
  type Phase,
} from '../governance/index.ts';
import type { Playbook, Primitive, PrimitiveContext, RegisteredPlaybook } from '../playbooks/index.ts';

export interface PolicyPorts {
  readonly policy: DecisionPoint;
  readonly executeAtRuntime: boolean;
  /** What the config calls the place Grace runs in; empty when it says nothing. */
  readonly environment: string;
  /** The tier that is decided on: what the file says, unless it was promoted or demoted [GV-7]. */
  effectiveTier(playbook: string, hash: string, declared: AutonomyTier): Promise<AutonomyTier>;
}

interface AuthorizePorts extends PolicyPorts {
  readonly clock: Clock;
  readonly approvals: ApprovalStore;
  readonly limits: LimitStore;
  readonly limitSettings: HealingLimits;
}

interface Subject {
  readonly registered: RegisteredPlaybook;
  /** As it was just loaded, with the hash of its bytes. */
  readonly playbook: Playbook;
  readonly hash: string;
  readonly component: string;
}

interface Asked extends Subject {
  readonly phase: Phase;
  readonly attempts: number;
  readonly signature: string | null;
  /** What ran lately, as the limits count it. */
  readonly runs: readonly CountedRun[];
  readonly primitives: ReadonlyMap<string, Primitive>;
  readonly context: PrimitiveContext;
}

export interface Authorized {
  readonly decision: Decision;
  /** The limit that says no, before any policy was asked; null when none does. */
  readonly limit: LimitReached | null;
  /** The request for exactly this, whatever people said to it. */
  readonly approval: Approval | null;
  /** What an approval has to be for; looked up only where one is needed. */
  readonly binding: string;
  readonly foreseen: readonly ForeseenStep[] | null;
  /** What people approved before, and what is different now. */
  readonly outdated: { readonly id: string; readonly changes: readonly string[] } | null;
}

/**
 * Asks the policy, right before anything would be done. Where it wants an approval, the steps are planned without touching
 * anything, and only an approval of that very plan counts [GV-6].
 */
export async function authorize(ports: AuthorizePorts, asked: Asked): Promise<Authorized> {
  const { registered, playbook, hash, component } = asked;
  const nowMs = ports.clock.nowMs();
  const limited = { ...asked, playbook: registered.name };
  const limit = limitReached(limited, asked.runs, await ports.limits.breakers(), ports.limitSettings, nowMs);
  const unasked = { approval: null, binding: '', foreseen: null, outdated: null };
  if (limit !== null) return { ...unasked, limit, decision: { verdict: 'deny', reason: limit.reason, policies: [`limit.${limit.limit}`] } };
  const isKnown = knowsSteps(registered, hash);
  const request = await requestOf(ports, asked);
  const decision = await ports.policy.decide({ ...request, approvals: 0 });
  if (decision.verdict !== 'needs_approval') return { ...unasked, limit, decision };
  // What was learned is offered while all is well: there is no plan yet that people could agree to.
  const foreseen = isKnown && registered.origin !== 'learned' ? await foresee(asked) : null;
  const binding = bindingHash(hash, component, playbook.params, foreseen);
  const approval = await ports.approvals.byBinding(binding);
  const approvals = approvalsHeld(approval, nowMs);
  if (approvals === 0) return { limit, decision, approval, binding, foreseen, outdated: await outdatedBy(ports, asked, binding, foreseen) };
  return { limit, decision: await ports.policy.decide({ ...request, approvals }), approval, binding, foreseen, outdated: null };
}

/**
 * How many people would have to agree before this runs at a boot, for an offer that is made before it is needed.
 * @returns null when no number of them would do
 */
export async function approvalsWanted(ports: PolicyPorts, asked: Subject): Promise<number | null> {
  const decision = await ports.policy.decide({ ...(await requestOf(ports, { ...asked, phase: 'boot', attempts: 0 })), approvals: 0 });
  if (decision.verdict === 'deny') return null;
  return decision.verdict === 'needs_approval' ? decision.approvals : 1;
}

async function requestOf(
  ports: PolicyPorts,
  asked: Subject & Pick<Asked, 'phase' | 'attempts'>,
): Promise<Omit<DecisionRequest, 'approvals'>> {
  const { registered, playbook, hash } = asked;
  return {
    actor: { kind: 'grace', name: 'grace' },
    playbook: registered.name,
    component: asked.component,
    risk: playbook.risk,
    tier: await ports.effectiveTier(registered.name, hash, playbook.tier),
    origin: registered.origin,
    primitives: knowsSteps(registered, hash) ? registered.steps.map((step) => step.primitive) : [],
    phase: asked.phase,
    mode: 'normal',
    environment: ports.environment,
    executeAtRuntime: ports.executeAtRuntime,
    attempts: asked.attempts,
    failures: registered.failedCount,
  };
}

/** What an approval is bound to where the steps are not: the file, its parameters, the component. */
export function bindingOfFile(hash: string, component: string, params: Json): string {
  return bindingHash(hash, component, params);
}

/** A person's file, or one that was edited, says by itself what it does: its steps are known when it runs. */
export function knowsSteps({ steps, hash, origin }: RegisteredPlaybook, loadedHash: string): boolean {
  return steps.length > 0 && hash === loadedHash && origin !== 'edited' && origin !== 'written';
}

/** What each step would do now. Later ones are planned as if those before them had not run: so they are each time. */
export async function foresee({
  registered,
  primitives,
  context,
}: Pick<Asked, 'registered' | 'primitives' | 'context'>): Promise<readonly ForeseenStep[]> {
  const foreseen: ForeseenStep[] = [];
  for (const { name, primitive, params } of registered.steps) {
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

/** What is kept of a file gets a name with the time of the run: another time is not another plan. */
function withoutTime(summary: string): string {
  return summary.replaceAll(/\.broken-\d{14}(?:-\d{1,9})?/g, '.broken-<time>');
}

/** The newest approval of this playbook for this component that was given and does not cover what would be done now. */
async function outdatedBy(
  { approvals, clock }: AuthorizePorts,
  { registered, component }: Asked,
  binding: string,
  foreseen: readonly ForeseenStep[] | null,
): Promise<Authorized['outdated']> {
  const before = (await approvals.list()).find((a) => a.playbook === registered.name && a.component === component);
  if (before === undefined || before.bindingHash === binding || approvalState(before, clock.nowMs()) !== 'approved') return null;
  const isNowPlanned = before.foreseen === null && foreseen !== null;
  if (isNowPlanned) return { id: before.id, changes: ['it was for the file alone, and what its steps would do is known now'] };
  const changes = before.foreseen === null || foreseen === null ? [] : changesOfPlan(before.foreseen, foreseen);
  return { id: before.id, changes: changes.length > 0 ? changes : ['the playbook or its parameters are others'] };
}
