import type { Clock, Ids } from '../../kernel/index.ts';
import {
  approvalsHeld,
  approvalState,
  askedBinding,
  bindingHash,
  answerEntry,
  changesOfPlan,
  isOffer,
  limitReached,
  recordDecision,
  type Approval,
  type ApprovalState,
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
import { agreedPlan, beyondOffer, offerOf } from './offer.ts';
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
  /** Signatures that this failure has as well. */
  readonly alike?: readonly string[];
  /** The person who wants it done now, whose own agreement does not count; null where Grace acts by itself. */
  readonly by: string | null;
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
  /** What people agree to with it: the plan, or an offer that the plan keeps to. */
  readonly foreseen: readonly ForeseenStep[] | null;
  /** The plan that a run has to keep to; null where nobody had to agree. */
  readonly agreed: readonly ForeseenStep[] | null;
  /** What people approved before, and what is different now. */
  readonly outdated: { readonly id: string; readonly changes: readonly string[] } | null;
}

/**
 * Asks the policy, right before anything would be done. Where it wants an approval, the steps are planned without touching
 * anything, and only an approval of that very plan counts [GV-6].
 */
export async function authorize(ports: AuthorizePorts, asked: Asked): Promise<Authorized> {
  const { registered } = asked;
  const nowMs = ports.clock.nowMs();
  // What keeps Grace from trying too often while a service runs keeps no person who wants it now; a breaker keeps everybody.
  const limited = { ...asked, playbook: registered.name, phase: asked.by === null ? asked.phase : ('boot' as const) };
  const limit = limitReached(limited, asked.runs, await ports.limits.breakers(), ports.limitSettings, nowMs);
  const request = await requestOf(ports, asked);
  const { tier } = request;
  const unasked = { tier, approval: null, binding: '', foreseen: null, agreed: null, outdated: null };
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
  const rests = await requestFor(ports, asked);
  const { approval, approvals } = rests;
  if (approvals === 0) {
    const decision = unapproved ?? (await decide(0));
    return { tier, limit, decision, ...told(rests), outdated: await outdatedBy(ports, asked, rests) };
  }
  return { tier, limit, decision: await decide(approvals, approval?.id ?? null), ...told(rests), outdated: null };
}

/** The request that a run rests on, or would have to be asked for. */
interface Request {
  readonly approval: Approval | null;
  /** People whose agreement counts now. */
  readonly approvals: number;
  readonly binding: string;
  readonly foreseen: readonly ForeseenStep[] | null;
  readonly agreed: readonly ForeseenStep[] | null;
  /** Bindings under which the same was asked for. */
  readonly same: readonly string[];
  /** In what the plan, or where its places lead, goes further than what was offered; null where nothing was. */
  readonly beyond: ((before: readonly ForeseenStep[]) => readonly string[]) | null;
}

function told({ approval, binding, foreseen, agreed }: Request): Pick<Authorized, 'approval' | 'binding' | 'foreseen' | 'agreed'> {
  return { approval, binding, foreseen, agreed };
}

type Requested = Pick<Asked, 'registered' | 'playbook' | 'hash' | 'primitives' | 'context' | 'signature' | 'alike' | 'by'>;

/** Plans the steps, and looks for what people said to that; of what was learned, also to what was offered before there was a plan. */
async function requestFor(ports: Pick<AuthorizePorts, 'approvals' | 'clock'>, asked: Requested): Promise<Request> {
  const { registered, playbook, hash, primitives, context, signature, alike = [] } = asked;
  const { component } = context;
  const plan = knowsSteps(registered, hash)
    ? await foresee(registered.steps, primitives, context)
    : await foreseeUnknown(playbook, primitives, context);
  const bound = bindingHash(hash, component.name, playbook.params, plan);
  const exact = { ...(await answered(ports, bound, asked.by)), foreseen: plan, agreed: plan, beyond: null };
  const isFor = signature !== null && [signature, ...alike].some((one) => one === registered.signature);
  if (registered.origin !== 'learned' || !isFor || !knowsSteps(registered, hash)) return exact;
  const offer = await offerOf(registered, hash, playbook.params, component, context.files);
  const offered = await answered(ports, offer.binding, asked.by);
  const beyond = beyondOffer(offer.steps, plan, primitives);
  if (beyond.length === 0 && isRestingOn(offered, exact.approvals, asked.by, ports.clock.nowMs()))
    return { ...offered, foreseen: offer.steps, agreed: agreedPlan(offer.steps, plan), beyond: null };
  const further = (before: readonly ForeseenStep[]): readonly string[] => {
    const now = beyondOffer(before, plan, primitives);
    return now.length > 0 ? now : changesOfPlan(before, offer.steps);
  };
  return { ...exact, beyond: further };
}

/**
 * Whether it is the offer that counts, for a plan within it: a no always does. Where nobody has answered, Grace goes on waiting for
 * that; a person, who wants it now, asks for the plan.
 * @param exactly  people who have agreed to the very plan
 */
function isRestingOn(
  { approval, approvals }: Pick<Request, 'approval' | 'approvals'>,
  exactly: number,
  by: string | null,
  nowMs: number,
): boolean {
  const state = approval === null ? 'expired' : approvalState(approval, nowMs);
  if (state === 'rejected' || exactly > 0) return state === 'rejected';
  return by === null ? state !== 'expired' : approvals > 0;
}

/** Grace's own request for this, or that of a person: the one with more agreement that counts. */
async function answered(
  { approvals, clock }: Pick<AuthorizePorts, 'approvals' | 'clock'>,
  bound: string,
  by: string | null,
): Promise<Pick<Request, 'approval' | 'approvals' | 'binding' | 'same'>> {
  const same = [bound, askedBinding(bound)];
  const [graces, persons] = [await approvals.byBinding(bound), await approvals.byBinding(askedBinding(bound))];
  const [byGrace, byPerson] = [graces, persons].map((a) => approvalsHeld(a, clock.nowMs(), by)) as [number, number];
  const binding = by === null ? bound : askedBinding(bound);
  if (byGrace > 0 || byPerson > 0)
    return byGrace >= byPerson
      ? { approval: graces, approvals: byGrace, binding, same }
      : { approval: persons, approvals: byPerson, binding, same };
  return { approval: by === null ? graces : (persons ?? graces), approvals: 0, binding, same };
}

/** What people have said to exactly this, were it to run for this failure; null when they were not asked. */
export async function answerBefore(ports: Pick<AuthorizePorts, 'approvals' | 'clock'>, asked: Requested): Promise<ApprovalState | null> {
  const { approval } = await requestFor(ports, asked);
  return approval === null ? null : approvalState(approval, ports.clock.nowMs());
}

/**
 * How many people would have to agree before this runs at a boot, for an offer that is made before it is needed.
 * @returns null when no number of them would do
 */
export async function approvalsWanted(ports: PolicyPorts, asked: Subject): Promise<number | null> {
  const request = await requestOf(ports, { ...asked, phase: 'boot', attempts: 0, by: null });
  const decision = await ports.policy.decide({ ...request, approvals: 0, isForecast: true });
  if (decision.verdict === 'deny') return null;
  return decision.verdict === 'needs_approval' ? decision.approvals : 1;
}

async function requestOf(
  ports: PolicyPorts,
  asked: Subject & Pick<Asked, 'phase' | 'attempts' | 'by'>,
): Promise<Omit<RunPlaybook, 'approvals'>> {
  const { registered, playbook, hash } = asked;
  const steps = knowsSteps(registered, hash) ? registered.steps : [];
  return {
    action: 'run_playbook',
    actor: asked.by === null ? { kind: 'grace', name: 'grace' } : { kind: 'person', name: asked.by },
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

/** The newest approval of this playbook for this component that was given and does not cover what would be done now. */
async function outdatedBy(
  { approvals, clock, ids, decisions }: AuthorizePorts,
  { registered, component }: Asked,
  { foreseen, same, beyond }: Request,
): Promise<Authorized['outdated']> {
  const before = (await approvals.list()).find(
    (a) => a.action === 'run_playbook' && a.playbook === registered.name && a.component === component,
  );
  if (before === undefined || same.includes(before.bindingHash) || approvalState(before, clock.nowMs()) !== 'approved') return null;
  const differences = differencesOf(before, foreseen, beyond);
  const changes = differences.length > 0 ? differences : ['the playbook or its parameters are others'];
  const entry = answerEntry(before, 'grace', 'refused', `it was for something else: ${changes.join('; ')}`);
  await decisions.write({ id: ids.next('dc'), atMs: clock.nowMs(), ...entry });
  return { id: before.id, changes };
}

function differencesOf(before: Approval, foreseen: Request['foreseen'], beyond: Request['beyond']): readonly string[] {
  if (foreseen === null) return [];
  if (before.foreseen === null) return ['it was for the file alone, and what its steps would do is known now'];
  if (!isOffer(before.foreseen)) return changesOfPlan(before.foreseen, foreseen);
  return beyond === null ? [] : beyond(before.foreseen);
}
