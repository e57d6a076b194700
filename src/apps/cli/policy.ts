import { resolve } from 'node:path';
import { checkPolicies, type PolicyRule } from '../../adapters/policy/index.ts';
import {
  effectiveTier,
  type AutonomyTier,
  type Decision,
  type DecisionPoint,
  type DecisionRequest,
  type Mode,
  type Phase,
  type Risk,
} from '../../domains/governance/index.ts';
import type { RegisteredPlaybook } from '../../domains/playbooks/index.ts';
import { primitives } from '../../primitives/index.ts';
import { findConfigFile, loadConfig, type GraceConfig } from '../../runtime/config/index.ts';
import { mistakesOf, openPolicy, readPolicies } from '../../runtime/policy.ts';
import type { Answer } from './answer.ts';
import { NothingBootedYet, PolicyCaseUnknown } from './errors.ts';
import { openMemory, type LookOptions } from './memory.ts';
import { fitted, paint, table } from './terminal.ts';

/** What a person says about the case that `grace policy test` is asked for. */
export interface PolicyCase {
  readonly playbook: string;
  readonly component?: string;
  readonly phase?: Phase;
  readonly mode?: Mode;
  readonly risk?: Risk;
  readonly tier?: AutonomyTier;
  readonly as?: string;
  readonly approvals?: number;
}

/** `grace policy show`: every policy in force, in the order in which they are told. @throws ConfigInvalid */
export async function showPolicy(options: LookOptions): Promise<Answer> {
  const config = await configOf(options);
  await openPolicy(config); // what would keep Grace from starting is no policy in force
  const { rules } = await checkPolicies(readPolicies(config.policies, config.projectDir).files);
  return {
    exitCode: 0,
    data: rules.map(ruleJson),
    lines: [
      fitted([
        ['policy', 'does', 'where', 'reason'].map((title) => paint('dim', title)),
        ...rules.map((p) => [p.id, effectOf(p), `${p.file}:${p.line}`, p.reason]),
      ]),
      '',
      `a policy of your own can lift: ${rules
        .filter((p) => p.isOverridable)
        .map((p) => p.id)
        .join(', ')}`,
    ],
  };
}

/** `grace policy check`: these files, or those of the config; exit code 1 when something is wrong in them. */
export async function checkPolicyFiles(files: readonly string[], options: LookOptions, directory: string): Promise<Answer> {
  const { globs, projectDir } =
    files.length > 0 ? { globs: files.map((f) => resolve(directory, f)), projectDir: directory } : await configured(options);
  const read = readPolicies(globs, projectDir);
  const checked = await checkPolicies(read.files);
  const mistakes = [...read.mistakes, ...mistakesOf(checked)];
  const own = checked.rules.filter((p) => read.files.some(({ name }) => name === p.file));
  return {
    exitCode: mistakes.length === 0 ? 0 : 1,
    data: { files: read.files.map(({ name }) => name), policies: own.map(ruleJson), mistakes },
    lines:
      mistakes.length === 0
        ? [
            `${paint('green', 'fine')}: ${own.length} ${own.length === 1 ? 'policy' : 'policies'} in ${read.files.length} ${read.files.length === 1 ? 'file' : 'files'}`,
          ]
        : mistakes.map((m) => `${m.location ?? m.path}: ${m.problem}${m.suggestion === null ? '' : `; ${m.suggestion}`}`),
  };
}

/** `grace policy test`: what would be decided, by which policies, and what would change it. @throws PolicyCaseUnknown, ConfigInvalid */
export async function testPolicy(asked: PolicyCase, options: LookOptions): Promise<Answer> {
  const config = await configOf(options);
  const point = await openPolicy(config);
  const { rules } = await checkPolicies(readPolicies(config.policies, config.projectDir).files);
  const request = requestOf(asked, await registeredAs(asked.playbook, config), config);
  const decision = await point.decide(request);
  const changes = await whatWouldChange(point, request, decision);
  const deciding = decision.policies.flatMap((id) => rules.find((p) => p.id === id) ?? []);
  const approvals = decision.verdict === 'needs_approval' ? decision.approvals : null;
  return {
    exitCode: 0,
    data: {
      verdict: decision.verdict,
      approvals,
      reason: decision.reason,
      policies: deciding.map(ruleJson),
      would_change: changes,
      asked: request,
    },
    lines: [
      `${paint('bold', decision.verdict)}  ${request.playbook} for ${request.component}`,
      '',
      table([
        ['  reason', decision.reason],
        ...(approvals === null ? [] : [['  needs', `${approvals} ${approvals === 1 ? 'approval' : 'approvals by distinct people'}`]]),
        ...deciding.map((p, i) => [i === 0 ? '  decided by' : '', `${p.id} ${paint('dim', `(${p.file}:${p.line}) ${p.reason}`)}`]),
        ...changes.map((text, i) => [i === 0 ? '  it changes' : '', text]),
        ['  asked', describeCase(request)],
      ]),
    ],
  };
}

/** Told in words: what is different, and what would then be decided. */
async function whatWouldChange(point: DecisionPoint, request: DecisionRequest, decision: Decision): Promise<readonly string[]> {
  const changes: string[] = [];
  const ask = async (text: string, change: Partial<DecisionRequest>): Promise<boolean> => {
    const other = await point.decide({ ...request, ...change });
    if (outcomeOf(other) === outcomeOf(decision)) return false;
    changes.push(`${text}: ${outcomeOf(other)} (${other.reason})`);
    return true;
  };
  for (let n = request.approvals + 1; n <= APPROVALS_TRIED_MAX; n++) {
    const other = await point.decide({ ...request, approvals: n });
    if (other.verdict === decision.verdict) continue;
    await ask(`with ${n} ${n === 1 ? 'approval' : 'approvals'}`, { approvals: n });
    break;
  }
  if (request.phase === 'runtime' && !request.executeAtRuntime) await ask('with SELF_HEAL_EXECUTE=true', { executeAtRuntime: true });
  await ask(request.phase === 'boot' ? 'at run time' : 'at boot', { phase: request.phase === 'boot' ? 'runtime' : 'boot' });
  for (const mode of ['normal', 'observation_only', 'emergency'] as const)
    if (mode !== request.mode) await ask(`in mode ${mode}`, { mode });
  return changes;
}

const APPROVALS_TRIED_MAX = 10;

function outcomeOf(decision: Decision): string {
  return decision.verdict === 'needs_approval' ? `needs_approval ${decision.approvals}` : decision.verdict;
}

function requestOf(asked: PolicyCase, registered: RegisteredPlaybook | null, config: GraceConfig): DecisionRequest {
  const risk = asked.risk ?? registered?.risk;
  const tier = asked.tier ?? registered?.tier;
  if (risk === undefined || tier === undefined) throw new PolicyCaseUnknown(asked.playbook);
  const steps = registered?.steps.map((step) => step.primitive) ?? [];
  const isIrreversible = steps.some((name) => primitives.get(name)?.undo === null);
  return {
    actor: asked.as === undefined ? { kind: 'grace', name: 'grace' } : { kind: 'person', name: asked.as },
    playbook: asked.playbook,
    component: asked.component ?? registered?.component ?? config.components[0]?.name ?? '',
    risk,
    tier: effectiveTier(tier, risk, isIrreversible),
    origin: registered?.origin ?? 'written',
    primitives: steps,
    phase: asked.phase ?? 'boot',
    mode: asked.mode ?? 'normal',
    environment: config.environment,
    executeAtRuntime: config.healing.executeAtRuntime,
    approvals: asked.approvals ?? 0,
    attempts: 0,
    failures: registered?.failedCount ?? 0,
  };
}

/** As the store knows it; null when it does not, or nothing has booted yet. */
async function registeredAs(name: string, config: GraceConfig): Promise<RegisteredPlaybook | null> {
  try {
    const memory = await openMemory(config.dataDir);
    try {
      return await memory.playbooks.get(name);
    } finally {
      memory.close();
    }
  } catch (error) {
    if (error instanceof NothingBootedYet) return null;
    throw error;
  }
}

async function configured(options: LookOptions): Promise<{ readonly globs: readonly string[]; readonly projectDir: string }> {
  const { policies, projectDir } = await configOf(options);
  return { globs: policies, projectDir };
}

function configOf(options: LookOptions): Promise<GraceConfig> {
  const directory = process.cwd();
  const hasFile = options.config !== undefined || findConfigFile(directory) !== null;
  return loadConfig({
    directory,
    configFile: options.config,
    command: hasFile ? undefined : ['grace'], // looking needs nothing to run
    environment: process.env,
    flags: { dataDir: options.dataDir },
  });
}

function effectOf(p: PolicyRule): string {
  if (p.effect === 'permit')
    return p.overrides !== null ? `lifts ${p.overrides}` : p.verdict === 'notice' ? 'allows, with notice' : 'allows';
  if (p.verdict === 'observe') return 'only observes';
  return p.approvals === null ? 'denies' : `asks for ${p.approvals}`;
}

function describeCase(r: DecisionRequest): string {
  const who = r.actor.kind === 'grace' ? 'Grace itself' : r.actor.name;
  const where = r.environment === '' ? '' : `, environment ${r.environment}`;
  return `by ${who}: risk ${r.risk}, ${r.tier}, ${r.origin}, ${r.phase}, mode ${r.mode}, ${r.approvals} approvals${where}`;
}

function ruleJson(p: PolicyRule): Readonly<Record<string, unknown>> {
  return {
    id: p.id,
    effect: p.effect,
    reason: p.reason,
    approvals: p.approvals,
    verdict: p.verdict,
    overridable: p.isOverridable,
    overrides: p.overrides,
    file: p.file,
    line: p.line,
  };
}
