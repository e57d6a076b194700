import type { Clock, Ids, Json } from '../../kernel/index.ts';
import {
  approvalsHeld,
  approvalState,
  bindingHash,
  answerEntry,
  changesOfPlan,
  limitReached,
  recordDecision,
  type Approval,
  type ApprovalStore,
  type AutonomyTier,
  type CountedRun,
  type Decision,
  type DecisionPoint,
  type DecisionRecord,
  type ForeseenStep,
  type HealingLimits,
  type LimitReached,
  type LimitStore,
  type Mode,
  type Phase,
  type RunPlaybook,
} from '../governance/index.ts';
import type { LoadedPlaybook, Playbook, Primitive, PrimitiveContext, RegisteredPlaybook } from '../playbooks/index.ts';
import { foresee, foreseeUnknown, knowsSteps } from './foresee.ts';
import { changesNoData, tierOf } from './tier-of.ts';

export interface PolicyPorts {
  readonly policy: DecisionPoint;
  /** The one in force now. Never throws: where nobody can say, it is a careful one. */
  mode(): Promise<Mode>;
  readonly executeAtRuntime: boolean;
  /** What the config calls the place Grace runs in; empty when it says nothing. */
  readonly environment: string;
  /** The tier that is decided on: what the file says, unless it was promoted or demoted [GV-7]. */
  effectiveTier(playbook: string, hash: string, declared: AutonomyTier): Promise<AutonomyTier>;
}

interface AuthorizePorts extends PolicyPorts {
  readonly clock: Clock;
  readonly ids: Ids;
  /** Where a no of a limit is written down, and an approval that was for something else. */
  readonly decisions: DecisionRecord;
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
  readonly primitives: ReadonlyMap<string, Primitive>;
}

interface Asked extends Subject {
  readonly playbook: LoadedPlaybook;
  readonly phase: Phase;
  readonly attempts: number;
  readonly signature: string | null;
  /** What ran lately, as the limits count it. */
  readonly runs: readonly CountedRun[];
  readonly context: PrimitiveContext;
}

export interface Authorized {
  /** What counts, whatever the playbook claims. */
  readonly tier: AutonomyTier;
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
  const request = await requestOf(ports, asked);
  const { tier } = request;
  const unasked = { tier, approval: null, binding: '', foreseen: null, outdated: null };
  if (limit !== null) {
    const { decisions: record, clock, ids } = ports;
    const denied: Decision = { verdict: 'deny', reason: limit.reason, policies: [`limit.${limit.limit}`] };
    return { ...unasked, limit, decision: await recordDecision({ record, clock, ids }, { ...request, approvals: 0 }, denied) };
  }
  const decide = (approvals: number, approval: string | null = null): Promise<Decision> =>
    ports.policy.decide({ ...request, approvals, approval });
  // Only what is acted on is written down: a durable record costs a hundred times what deciding does.
  const forecast = await ports.policy.decide({ ...request, approvals: 0, isForecast: true });
  const unapproved = forecast.verdict === 'needs_approval' ? null : await decide(0);
  if (unapproved !== null && unapproved.verdict !== 'needs_approval') return { ...unasked, limit, decision: unapproved };
  // What was learned is offered while all is well: there is no plan yet that people could agree to.
  const foreseen =
    registered.origin === 'learned'
      ? null
      : knowsSteps(registered, hash)
        ? await foresee(registered.steps, asked.primitives, asked.context)
        : await foreseeUnknown(playbook, asked.primitives, asked.context);
  const binding = bindingHash(hash, component, playbook.params, foreseen);
  const approval = await ports.approvals.byBinding(binding);
  const approvals = approvalsHeld(approval, nowMs);
  if (approvals === 0) {
    const decision = unapproved ?? (await decide(0));
    return { tier, limit, decision, approval, binding, foreseen, outdated: await outdatedBy(ports, asked, binding, foreseen) };
  }
  return {
    tier,
    limit,
    decision: await decide(approvals, approval?.id ?? null),
    approval,
    binding,
    foreseen,
    outdated: null,
  };
}

/**
 * How many people would have to agree before this runs at a boot, for an offer that is made before it is needed.
 * @returns null when no number of them would do
 */
export async function approvalsWanted(ports: PolicyPorts, asked: Subject): Promise<number | null> {
  const request = await requestOf(ports, { ...asked, phase: 'boot', attempts: 0 });
  const decision = await ports.policy.decide({ ...request, approvals: 0, isForecast: true });
  if (decision.verdict === 'deny') return null;
  return decision.verdict === 'needs_approval' ? decision.approvals : 1;
}

async function requestOf(ports: PolicyPorts, asked: Subject & Pick<Asked, 'phase' | 'attempts'>): Promise<Omit<RunPlaybook, 'approvals'>> {
  const { registered, playbook, hash } = asked;
  const steps = knowsSteps(registered, hash) ? registered.steps : [];
  return {
    action: 'run_playbook',
    actor: { kind: 'grace', name: 'grace' },
    playbook: registered.name,
    component: asked.component,
    risk: playbook.risk,
    tier: tierOf({ risk: playbook.risk, tier: await ports.effectiveTier(registered.name, hash, playbook.tier) }, steps, asked.primitives),
    origin: registered.origin,
    primitives: steps.map((step) => step.primitive),
    changesNoData: changesNoData(steps, asked.primitives),
    phase: asked.phase,
    mode: await ports.mode(),
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

/** The newest approval of this playbook for this component that was given and does not cover what would be done now. */
async function outdatedBy(
  { approvals, clock, ids, decisions }: AuthorizePorts,
  { registered, component }: Asked,
  binding: string,
  foreseen: readonly ForeseenStep[] | null,
): Promise<Authorized['outdated']> {
  const before = (await approvals.list()).find(
    (a) => a.action === 'run_playbook' && a.playbook === registered.name && a.component === component,
  );
  if (before === undefined || before.bindingHash === binding || approvalState(before, clock.nowMs()) !== 'approved') return null;
  const isNowPlanned = before.foreseen === null && foreseen !== null;
  const differences = before.foreseen === null || foreseen === null ? [] : changesOfPlan(before.foreseen, foreseen);
  const changes = isNowPlanned
    ? ['it was for the file alone, and what its steps would do is known now']
    : differences.length > 0
      ? differences
      : ['the playbook or its parameters are others'];
  const entry = answerEntry(before, 'grace', 'refused', `it was for something else: ${changes.join('; ')}`);
  await decisions.write({ id: ids.next('dc'), atMs: clock.nowMs(), ...entry });
  return { id: before.id, changes };
}
