import {
  componentOf,
  decisionOf,
  GOVERNED_ACTIONS,
  isAllowed,
  subjectOf,
  type Decision,
  type DecisionPoint,
  type DecisionRequest,
  type GovernedAction,
  type RunPlaybook,
} from '../../domains/governance/index.ts';
import { messageOf } from '../../kernel/index.ts';
import { loadCedar, type Cedar } from './load-cedar.ts';
import { shippedPolicies } from './shipped-policies.ts';
import { mistakesBetween, POLICY_BYTES_MAX, readPolicyFile, type PolicyFile, type PolicyMistake, type PolicyRule } from './policy-text.ts';

/** Policies that were read, and what is wrong in those of the user. */
export interface CheckedPolicies {
  readonly rules: readonly PolicyRule[];
  readonly mistakes: readonly PolicyMistake[];
}

/** Mistakes told at once; a person corrects no more in one go. */
const MISTAKES_MAX = 50;
/** What all files of a user may have together: they are parsed before anything starts. */
const ALL_BYTES_MAX = 256 * 1024;

/**
 * Reads and validates policies, the shipped ones first. Never throws because of what a file says.
 * @param alsoShipped  validates the shipped ones too, which takes as long as all the rest: their test does
 */
export async function checkPolicies(own: readonly PolicyFile[], alsoShipped = false): Promise<CheckedPolicies> {
  const [cedar, base] = await Promise.all([loadCedar(), shippedPolicies()]);
  const shipped = base.files.map((file) => readPolicyFile(cedar, alsoShipped ? base.schema : null, file, null));
  const shippedRules = shipped.flatMap((r) => r.rules);
  const mistakes = shipped.flatMap((r) => r.mistakes);
  const rules = [...shippedRules];
  let bytes = 0;
  for (const file of own) {
    bytes += Math.min(Buffer.byteLength(file.text), POLICY_BYTES_MAX);
    if (bytes > ALL_BYTES_MAX) {
      const problem = `makes the policies larger than ${ALL_BYTES_MAX / 1024} KiB together`;
      mistakes.push({ file: file.name, line: 1, column: 1, problem, suggestion: null });
      break;
    }
    const read = readPolicyFile(cedar, base.schema, file, shippedRules);
    rules.push(...read.rules);
    mistakes.push(...read.mistakes);
  }
  mistakes.push(...mistakesBetween(rules, shippedRules.length));
  return { rules, mistakes: mistakes.slice(0, MISTAKES_MAX) };
}

/** Names of parsed policy sets inside Cedar: several decision points may live in one process. */
let sets = 0;

/**
 * The decision point, by Cedar policies. Nothing is loaded before the first decision is asked for.
 * @param own  the user's files, checked before; what is wrong in them by now denies everything
 */
export function cedarPolicy(own: readonly PolicyFile[]): DecisionPoint {
  let engine: Promise<(request: DecisionRequest) => Decision> | undefined;
  return {
    async decide(request) {
      try {
        engine ??= prepare(own);
        return (await engine)(request);
      } catch (error) {
        return { verdict: 'deny', reason: `the policies cannot be used: ${messageOf(error)}`, policies: [] };
      }
    },
  };
}

async function prepare(own: readonly PolicyFile[]): Promise<(request: DecisionRequest) => Decision> {
  const { rules, mistakes } = await checkPolicies(own);
  const [wrong] = mistakes;
  if (wrong !== undefined) throw new TypeError(`${wrong.file}:${wrong.line}:${wrong.column}: ${wrong.problem}`);
  const cedar = await loadCedar();
  const sets = new Map(GOVERNED_ACTIONS.map((action) => [action, setsFor(cedar, action, rules)]));
  const decide = (request: DecisionRequest): Decision => {
    const of = sets.get(request.action);
    if (of === undefined) return { verdict: 'deny', reason: 'no policy is about such an action', policies: [] };
    const call = callOf(request);
    const held = of.limits(call);
    const isLiftable = held.length > 0 && held.every((p) => p.isOverridable);
    return decisionOf(isLiftable ? [...held, ...of.waivers(call)] : held, request.approvals);
  };
  // It must refuse before it is trusted to allow [GV-1].
  for (const tier of ['tier_1', 'tier_3', 'tier_4'] as const) {
    if (isAllowed(decide({ ...SELF_TEST, tier }))) throw new TypeError('they allow what needs an approval');
  }
  return decide;
}

type Asking = (call: Call) => readonly PolicyRule[];

/** Policies about one action only: those about others could not hold, and would cost each decision some microseconds. */
function setsFor(cedar: Cedar, action: GovernedAction, all: readonly PolicyRule[]): { readonly limits: Asking; readonly waivers: Asking } {
  const rules = all.filter((p) => p.actions === null || p.actions.includes(action));
  // A permit that lifts a limit is asked apart: Cedar tells of no permits once a forbid holds.
  const limits = rules.filter((p) => p.overrides === null);
  const waivers = rules.filter((p) => p.overrides !== null);
  return { limits: ruleSet(cedar, limits), waivers: waivers.length === 0 ? () => [] : ruleSet(cedar, waivers) };
}

const SELF_TEST: RunPlaybook = {
  action: 'run_playbook',
  actor: { kind: 'grace', name: 'grace' },
  playbook: 'self_test',
  component: 'grace',
  risk: 'critical',
  tier: 'tier_4',
  origin: 'generated',
  primitives: [],
  changesNoData: false,
  phase: 'boot',
  mode: 'normal',
  environment: '',
  executeAtRuntime: true,
  approvals: 0,
  attempts: 0,
  failures: 0,
};

type Call = Omit<Parameters<Cedar['statefulIsAuthorized']>[0], 'preparsedPolicySetId'>;

/** @returns asks a parsed set which of its policies hold, in the order in which they are written */
function ruleSet(cedar: Cedar, rules: readonly PolicyRule[]): Asking {
  const preparsedPolicySetId = `grace_${++sets}`;
  const parsed = cedar.preparsePolicySet(preparsedPolicySetId, { staticPolicies: Object.fromEntries(rules.map((p) => [p.id, p.text])) });
  if (parsed.type === 'failure') throw new TypeError(parsed.errors[0]?.message ?? 'Cedar does not read them');
  const places = new Map(rules.map((p, index) => [p.id, index]));
  return (call) => {
    const answer = cedar.statefulIsAuthorized({ ...call, preparsedPolicySetId });
    if (answer.type === 'failure') throw new TypeError(answer.errors[0]?.message ?? 'Cedar does not answer');
    const { reason, errors } = answer.response.diagnostics;
    // Cedar passes over a policy that fails, and a forbid that is passed over would allow.
    if (errors[0] !== undefined) throw new TypeError(`policy ${errors[0].policyId}: ${errors[0].error.message}`);
    return reason
      .map((id) => places.get(id) ?? -1)
      .toSorted((a, b) => a - b)
      .flatMap((index) => rules[index] ?? []);
  };
}

function callOf(request: DecisionRequest): Call {
  const { actor, mode, environment, approvals } = request;
  const principal = { type: 'Grace::Actor', id: actor.name };
  const resource = { type: `Grace::${RESOURCES[request.action]}`, id: subjectOf(request) };
  return {
    principal,
    action: { type: 'Grace::Action', id: request.action },
    resource,
    context: { component: componentOf(request), mode, environment, approvals, ...moreContextOf(request) },
    entities: [
      { uid: principal, attrs: { kind: actor.kind }, parents: [] },
      { uid: resource, attrs: attributesOf(request), parents: [] },
    ],
  };
}

const RESOURCES: Readonly<Record<GovernedAction, string>> = {
  run_playbook: 'Playbook',
  restart_component: 'Component',
  set_mode: 'Mode',
  change_policy: 'Policies',
  restore_snapshot: 'Snapshot',
  roll_back_release: 'Release',
  close_breaker: 'Breaker',
  change_playbook: 'Playbook',
};

type Values = Call['context'];

function moreContextOf(r: DecisionRequest): Values {
  if (r.action === 'change_playbook') return { change: r.change, toTier: r.toTier };
  if (r.action !== 'run_playbook') return {};
  return { phase: r.phase, executeAtRuntime: r.executeAtRuntime, attempts: r.attempts, failures: r.failures };
}

function attributesOf(r: DecisionRequest): Values {
  if (r.action === 'run_playbook' || r.action === 'change_playbook') {
    const { risk, tier, origin, primitives, changesNoData } = r;
    return { risk, tier, origin, primitives: [...primitives], changesNoData };
  }
  if (r.action === 'restart_component') return { critical: r.isCritical };
  return r.action === 'change_policy' ? { added: [...r.added], removed: [...r.removed] } : {};
}
