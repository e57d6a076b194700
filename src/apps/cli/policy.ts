import { resolve } from 'node:path';
import { userName } from '../../adapters/node/user-name.ts';
import { cedarPolicy, checkPolicies, type PolicyRule } from '../../adapters/policy/index.ts';
import {
  componentOf,
  tierAllowed,
  modeInForce,
  MODES,
  policyDigest,
  subjectOf,
  type AutonomyTier,
  type Decision,
  type DecisionPoint,
  type DecisionRequest,
  type GovernedAction,
  type Mode,
  type Phase,
  type RecordedDecision,
  type Risk,
} from '../../domains/governance/index.ts';
import { changesNoData } from '../../domains/healing/index.ts';
import type { RegisteredPlaybook } from '../../domains/playbooks/index.ts';
import { primitives } from '../../primitives/index.ts';
import { findConfigFile, loadConfig, type GraceConfig } from '../../runtime/config/index.ts';
import { mistakesOf, ownPolicies, readPolicies } from '../../runtime/policy.ts';
import type { Answer } from './answer.ts';
import { DIGEST_SHOWN, titleOf } from './approvals.ts';
import { NothingBootedYet, PolicyCaseUnknown } from './errors.ts';
import { openMemory, type LookOptions, type Memory } from './memory.ts';
import { fitted, paint, table } from './terminal.ts';
import { iso, when } from './when.ts';

/** What a person says about the case that `grace policy test` is asked for. */
export interface PolicyCase {
  readonly action?: GovernedAction;
  readonly playbook?: string;
  /** The mode that would be set. */
  readonly to?: Mode;
  /** What would be changed of a playbook, and the tier it would have then. */
  readonly change?: 'enable' | 'disable' | 'promote';
  readonly toTier?: AutonomyTier;
  /** Of a snapshot, a release, a breaker. */
  readonly name?: string;
  readonly component?: string;
  readonly phase?: Phase;
  readonly mode?: Mode;
  readonly risk?: Risk;
  readonly tier?: AutonomyTier;
  readonly as?: string;
  readonly approvals?: number;
}

/** `grace policy show`: every policy in force, in the order in which they are told, and since when. @throws ConfigInvalid */
export async function showPolicy(options: LookOptions): Promise<Answer> {
  const config = await configOf(options);
  const files = await ownPolicies(config); // what would keep Grace from starting is no policy in force
  const known = await remembered(config, async (memory) => {
    const inForce = await memory.policyTexts.inForce();
    return { inForce, pending: await memory.policyTexts.get(policyDigest(files)), nowMs: memory.nowMs };
  });
  const inForce = known?.inForce ?? null;
  const { rules } = await checkPolicies(inForce?.files ?? files);
  const digest = inForce?.digest ?? policyDigest(files);
  const isAsInFiles = digest === policyDigest(files);
  const pending = isAsInFiles || known?.pending?.state === 'past' ? null : (known?.pending ?? null);
  const since = inForce === null ? 'from the first grace up on' : `since ${when(inForce.sinceMs, known?.nowMs ?? 0)}: ${inForce.reason}`;
  const difference = isAsInFiles
    ? null
    : pending === null
      ? 'they are looked at when Grace starts'
      : `${STATES[pending.state]}: ${pending.reason}`;
  return {
    exitCode: 0,
    data: {
      digest,
      since: inForce === null ? null : iso(inForce.sinceMs),
      reason: inForce?.reason ?? null,
      files_in_force: (inForce?.files ?? files).map(({ name }) => name),
      files_differ: !isAsInFiles,
      pending: pending === null ? null : { state: pending.state, reason: pending.reason, approval: pending.approval },
      policies: rules.map(ruleJson),
    },
    lines: [
      `${paint('bold', 'in force')} ${since}  ${paint('dim', digest.slice(0, DIGEST_SHOWN))}`,
      ...(difference === null ? [] : [paint('yellow', `the files are others than those in force; ${difference}`)]),
      ...(pending?.state === 'waiting' && pending.approval !== null ? [`  another person: grace approvals show ${pending.approval}`] : []),
      '',
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

const STATES = {
  waiting: 'they wait for an approval',
  refused: 'they do not count',
  past: 'they were in force before',
  in_force: 'they are in force',
} as const;

/** `grace policy decisions`: what was decided, the newest first. */
export async function listDecisions(memory: Memory, about: { readonly component?: string; readonly limit: number }): Promise<Answer> {
  const decisions = await memory.decisions.list(about);
  return {
    exitCode: 0,
    data: decisions.map((d) => ({
      id: d.id,
      at: iso(d.atMs),
      actor: d.actor,
      action: d.action,
      subject: d.subject,
      component: d.component,
      verdict: d.verdict,
      reason: d.reason,
      policies: d.policies,
      approval: d.approval,
      asked: d.asked,
    })),
    lines:
      decisions.length === 0
        ? ['nothing was decided yet']
        : [
            fitted([
              ['when', 'who', 'asked for', 'decided', 'reason'].map((title) => paint('dim', title)),
              ...decisions.map((d) => [
                when(d.atMs, memory.nowMs),
                d.actor,
                askedFor(d),
                d.verdict,
                `${d.reason}${d.policies.length === 0 ? '' : ` (${d.policies.join(', ')})`}`,
              ]),
            ]),
          ],
  };
}

function askedFor({ action, subject, component, asked }: RecordedDecision): string {
  if (action !== 'answer_approval') return titleOf({ action, playbook: subject, component });
  const { action: of, about } = (asked ?? {}) as { action?: GovernedAction; about?: string };
  return `${subject}, ${titleOf({ action: of ?? 'run_playbook', playbook: about ?? '', component })}`;
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
  const files = await ownPolicies(config);
  const point = cedarPolicy(files);
  const { rules } = await checkPolicies(files);
  const known = await remembered(config, async (memory) => ({
    playbook: asked.playbook === undefined ? null : await memory.playbooks.get(asked.playbook),
    mode: modeInForce((await memory.modes.history(1))[0] ?? null, memory.nowMs).mode,
  }));
  const request = requestOf(asked, known?.playbook ?? null, known?.mode ?? 'normal', config);
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
      `${paint('bold', decision.verdict)}  ${titleOf({ action: request.action, playbook: subjectOf(request), component: componentOf(request) })}`,
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
  const ask = async (text: string, other: DecisionRequest): Promise<void> => {
    const decided = await point.decide(other);
    if (outcomeOf(decided) !== outcomeOf(decision)) changes.push(`${text}: ${outcomeOf(decided)} (${decided.reason})`);
  };
  for (let n = request.approvals + 1; n <= APPROVALS_TRIED_MAX; n++) {
    const other = await point.decide({ ...request, approvals: n });
    if (other.verdict === decision.verdict) continue;
    await ask(`with ${n} ${n === 1 ? 'approval' : 'approvals'}`, { ...request, approvals: n });
    break;
  }
  if (request.action === 'run_playbook') {
    const { phase } = request;
    if (phase === 'runtime' && !request.executeAtRuntime) await ask('with SELF_HEAL_EXECUTE=true', { ...request, executeAtRuntime: true });
    await ask(phase === 'boot' ? 'at run time' : 'at boot', { ...request, phase: phase === 'boot' ? 'runtime' : 'boot' });
  }
  if (request.action === 'restart_component')
    await ask(request.isCritical ? 'were it not critical' : 'were it critical', { ...request, isCritical: !request.isCritical });
  const { actor } = request;
  if (request.action !== 'run_playbook')
    await ask(actor.kind === 'grace' ? 'asked by a person' : 'asked by Grace itself', {
      ...request,
      actor: actor.kind === 'grace' ? { kind: 'person', name: userName() } : GRACE,
    });
  for (const mode of MODES) if (mode !== request.mode) await ask(`in mode ${mode}`, { ...request, mode });
  return changes;
}

const APPROVALS_TRIED_MAX = 10;

function outcomeOf(decision: Decision): string {
  return decision.verdict === 'needs_approval' ? `needs_approval ${decision.approvals}` : decision.verdict;
}

const GRACE = { kind: 'grace', name: 'grace' } as const;

/** @throws PolicyCaseUnknown */
function requestOf(asked: PolicyCase, registered: RegisteredPlaybook | null, inForce: Mode, config: GraceConfig): DecisionRequest {
  const action = asked.action ?? 'run_playbook';
  const isGrace = asked.as === 'grace' || (asked.as === undefined && action === 'run_playbook');
  const about = {
    actor: isGrace ? GRACE : ({ kind: 'person', name: asked.as ?? userName() } as const),
    mode: asked.mode ?? inForce,
    environment: config.environment,
    approvals: asked.approvals ?? 0,
  };
  const component = asked.component ?? registered?.component ?? config.components[0]?.name ?? '';
  const name = asked.name ?? '';
  switch (action) {
    case 'run_playbook': {
      const playbook = playbookCase(asked, registered);
      const isIrreversible = playbook.primitives.some((step) => primitives.get(step)?.undo === null);
      return {
        ...about,
        action,
        ...playbook,
        tier: tierAllowed(playbook.tier, playbook.risk, isIrreversible),
        component,
        phase: asked.phase ?? 'boot',
        executeAtRuntime: config.healing.executeAtRuntime,
        attempts: 0,
        failures: registered?.failedCount ?? 0,
      };
    }
    case 'restart_component':
      return { ...about, action, component, isCritical: config.components.find((c) => c.name === component)?.critical ?? true };
    case 'set_mode':
      return { ...about, action, to: asked.to ?? 'normal' };
    case 'change_policy':
      return { ...about, action, digest: name, added: [], removed: [] };
    case 'restore_snapshot':
      return { ...about, action, component, snapshot: name };
    case 'roll_back_release':
      return { ...about, action, component, release: name };
    case 'close_breaker':
      return { ...about, action, component, breaker: name };
    case 'change_playbook': {
      const playbook = playbookCase(asked, registered);
      return { ...about, action, ...playbook, component, change: asked.change ?? 'promote', toTier: asked.toTier ?? playbook.tier };
    }
  }
}

/** What is known of the playbook, and what the case says instead. @throws PolicyCaseUnknown */
function playbookCase(asked: PolicyCase, registered: RegisteredPlaybook | null) {
  if (asked.playbook === undefined) throw new PolicyCaseUnknown('');
  const risk = asked.risk ?? registered?.risk;
  const tier = asked.tier ?? registered?.tier;
  if (risk === undefined || tier === undefined) throw new PolicyCaseUnknown(asked.playbook);
  return {
    playbook: asked.playbook,
    risk,
    tier,
    origin: registered?.origin ?? 'written',
    primitives: registered?.steps.map((step) => step.primitive) ?? [],
    changesNoData: changesNoData(registered?.steps ?? [], primitives),
  };
}

/** Asks the store; null when nothing has booted yet. */
async function remembered<T>(config: GraceConfig, ask: (memory: Memory) => Promise<T>): Promise<T | null> {
  try {
    const memory = await openMemory(config.dataDir);
    try {
      return await ask(memory);
    } finally {
      await memory.close();
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

export function configOf(options: LookOptions): Promise<GraceConfig> {
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
  const what =
    r.action === 'run_playbook'
      ? `risk ${r.risk}, ${r.tier}, ${r.origin}, ${r.phase}, `
      : r.action === 'restart_component'
        ? `${r.isCritical ? 'critical' : 'not critical'}, `
        : '';
  return `by ${who}: ${what}mode ${r.mode}, ${r.approvals} approvals${where}`;
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
