import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeClock } from '../adapters/node/clock.ts';
import { nodeIds } from '../adapters/node/ids.ts';
import { lockHolder } from '../adapters/node/instance-lock.ts';
import { invariant } from '../kernel/index.ts';
import { releaseFilesThatDiffer, rollbackRemedy } from '../catalog/families/release-failing.ts';
import { areKeptFrom } from '../catalog/release-files.ts';
import { approvalsHeld, approvalState, isAllowed, type Decision, type DecisionRequest } from '../domains/governance/index.ts';
import { askForApproval, knowsSteps } from '../domains/healing/index.ts';
import type { Diagnosis, Remedy } from '../domains/learning/index.ts';
import { planRun, type PlannedStep } from '../domains/playbooks/index.ts';
import type { ComponentSpec } from '../domains/supervisor/index.ts';
import { chosenComponent } from './authoring/chosen-playbook.ts';
import { byHand, type ByHandOptions } from './by-hand.ts';
import type { Composed } from './compose.ts';
import { NO_BOOT } from './cut-off.ts';
import { knowledge } from './load-knowledge.ts';
import { onACopy } from './on-a-copy.ts';
import { openPolicies } from './policy.ts';
import { ReleaseInUse } from './release-in-use.ts';

/** What was good once: a verified boot, and what git had checked out then. */
export interface Release {
  readonly boot: string;
  /** Null where it is not known: then only files are put back. */
  readonly commit: string | null;
}

export interface RollbackOptions extends ByHandOptions {
  readonly release: Release;
  readonly component: string | null;
  /** Who asks, and can not agree to it as well. */
  readonly by: string;
  /** Asked right before anything is done, once governance has nothing against it. */
  readonly confirm: (plan: PlannedRollback) => Promise<boolean>;
}

/** What going back would do now, and what governance says to that. */
export interface PlannedRollback extends Release {
  readonly component: string;
  readonly playbook: string;
  readonly steps: readonly PlannedStep[];
  /**
   * Of the two that are asked, whether the playbook may run and whether this person may go back, the stricter one; null where there is
   * nothing to decide about.
   */
  readonly decision: Decision | null;
}

export interface Rollback extends PlannedRollback {
  /**
   * `planned`: it was a dry run. `refused`: the plan or governance says no. `waiting`: people have to agree first. `declined`: whoever
   * asked for it said no in the end. `failed`: what it had done was undone, as far as that went.
   */
  readonly state: 'planned' | 'applied' | 'nothing_to_do' | 'refused' | 'waiting' | 'declined' | 'failed';
  readonly detail: string;
  readonly run: string | null;
  /** The request that has to be answered, or was. */
  readonly approval: string | null;
}

/**
 * Goes back to the release of a verified boot because a person wants it, by the playbook that Grace would propose itself: the same plan,
 * policies, approval, snapshot, journal. The next boot proves it, or takes it back.
 *
 * People are asked also while the service runs, so that it need not wait for them stopped; changed is nothing under it.
 * @throws ReleaseInUse when it could be done and the service runs, NoSuchComponent
 */
export function rollBackRelease(options: RollbackOptions): Promise<Rollback> {
  return byHand(options, async (composed, isBesideGrace) => {
    const spec = chosenComponent(options.component, { component: null }, options.config);
    const running = options.config.components.find(({ name }) => composed.host.members(name).length > 0);
    await composed.core.syncPlaybooks();
    const confirm = async (plan: PlannedRollback): Promise<boolean> => {
      if (!isBesideGrace && running === undefined) return options.confirm(plan);
      const named = options.component === null ? '' : ` --component ${options.component}`;
      const again = `grace boots rollback --to ${plan.boot}${named} --yes`;
      throw new ReleaseInUse(running?.name ?? spec.name, isBesideGrace ? (lockHolder(options.config.dataDir)?.pid ?? null) : null, again);
    };
    return goBack({ ...options, confirm }, composed, spec);
  });
}

/** Says what that would do, and changes nothing: it works on a copy of what Grace remembers, beside one that runs as well. */
export async function foreseeRollback(options: RollbackOptions): Promise<Rollback> {
  const playbooksDir = mkdtempSync(join(tmpdir(), 'grace-rollback-'));
  try {
    const config = { ...options.config, playbooksDir };
    return await onACopy({ ...options, config }, await openPolicies(options.config), (_, composed) =>
      goBack(options, composed, chosenComponent(options.component, { component: null }, config), true),
    );
  } finally {
    rmSync(playbooksDir, { recursive: true, force: true });
  }
}

async function goBack(options: RollbackOptions, composed: Composed, spec: ComponentSpec, isDryRun = false): Promise<Rollback> {
  const { release, signal, by } = options;
  const { healer, library, redactor, governance, approvals } = composed;
  await composed.launchOf(spec); // tells the redactor what the component is started with
  const remedy = await remedyFor(composed, spec, release, signal);
  const diagnosis: Diagnosis = {
    family: 'release_failing',
    cause: `a person wants the release of ${release.boot} back`,
    confidence: 1,
    evidence: [],
    remedy,
    advice: [],
    waitFor: null,
  };
  const { registered } = await healer.remedies.find(null, spec, diagnosis, remedy);
  const { playbook, hash } = await library.load(registered.file);
  const { primitives } = await knowledge();
  const { steps, endsWith } = await planRun(
    playbook,
    primitives,
    composed.contextFor(spec, signal, () => undefined),
    { knowsSteps: knowsSteps(registered, hash) },
  );
  const answer = (state: Rollback['state'], detail: string, decision: Decision | null, more: Partial<Rollback> = {}): Rollback => ({
    ...release,
    component: spec.name,
    playbook: registered.name,
    steps: steps.map((step) => ({ ...step, summary: redactor.redact(step.summary) })),
    decision,
    state,
    detail: redactor.redact(detail),
    run: null,
    approval: null,
    ...more,
  });
  if (endsWith !== null) return answer('refused', endsWith, null);
  if (!steps.some((step) => step.state === 'ready'))
    return answer('nothing_to_do', `${spec.name} has the release of ${release.boot} already`, null);
  const foretold = await healer.foretell(registered, spec, signal, 'boot', by);
  if (foretold instanceof Error) throw foretold;
  const { approval, binding, foreseen } = foretold;
  const nowMs = nodeClock.nowMs();
  const asked = {
    action: 'roll_back_release' as const,
    actor: { kind: 'person' as const, name: by },
    component: spec.name,
    release: release.boot,
    mode: await governance.mode(),
    environment: options.config.environment,
    approvals: approvalsHeld(approval, nowMs, by),
    approval: approval?.id ?? null,
    ...(isDryRun ? { isForecast: true as const } : {}),
  } satisfies DecisionRequest;
  const decision = stricter(foretold.decision, await governance.policy.decide(asked));
  const rests = { approval: approval?.id ?? null };
  if (isDryRun) return answer('planned', decision.reason, decision, rests);
  if (decision.verdict === 'needs_approval') {
    invariant(binding !== '', 'what people have to agree to is always planned before they are asked');
    if (approval !== null && approvalState(approval, nowMs) === 'rejected')
      return answer('refused', `${approval.rejectedBy ?? 'somebody'} said no (${approval.id})`, decision, rests);
    const { approvals: required } = decision;
    const request = { playbook: registered, component: spec.name, incidentId: '', binding, foreseen, required, requestedBy: by };
    const id = await askForApproval({ approvals, clock: nodeClock, ids: nodeIds }, request);
    return answer('waiting', decision.reason, decision, { approval: id });
  }
  if (!isAllowed(decision)) return answer('refused', decision.reason, decision, rests);
  if (!(await options.confirm(answer('planned', decision.reason, decision, rests))))
    return answer('declined', 'nothing was changed', decision, rests);
  const { state, detail, runId } = await healer.prevent(registered.name, spec, NO_BOOT, signal, 'boot', by);
  return answer(state, detail, decision, { ...rests, run: runId });
}

/** As the family proposes it, for a release that somebody names. */
async function remedyFor(composed: Composed, spec: ComponentSpec, { boot, commit }: Release, signal: AbortSignal): Promise<Remedy> {
  const { lastGood, contextFor } = composed;
  const kept = areKeptFrom(await lastGood.entries(spec.name), boot);
  const files = kept ? releaseFilesThatDiffer({ component: spec, drift: await lastGood.drift(spec, []) }) : [];
  const { workTrees } = contextFor(spec, signal, () => undefined);
  const tree = commit === null ? null : await workTrees.look(spec.cwd);
  if (commit === null || tree === null) return rollbackRemedy(spec, boot, null, files);
  // What git does not say now it says when this is planned, as the reason why not.
  if (typeof tree === 'string') return rollbackRemedy(spec, boot, commit, files);
  // Without copies of that boot only the commit can say that all is as it was.
  if (tree.commit.startsWith(commit)) return rollbackRemedy(spec, boot, kept ? null : commit, files);
  const change = await workTrees.between(tree.root, tree.commit, commit);
  const touched = typeof change === 'string' ? [] : change.files.map((file) => file.path);
  return rollbackRemedy(spec, boot, commit, [...files, ...touched]);
}

/** A no outranks a question, and that a yes; of two questions the one to more people. */
function stricter(a: Decision, b: Decision): Decision {
  const rank = (d: Decision): number => (isAllowed(d) ? 0 : d.verdict === 'needs_approval' ? d.approvals : Infinity);
  return rank(b) > rank(a) ? b : a;
}
