import { formatDuration, GraceError, messageOf, type Json, type JsonObject } from '../../kernel/index.ts';
import { beyondPlan, type AutonomyTier, type ForeseenStep, type Risk } from '../governance/index.ts';
import { observeTargets } from './observe-targets.ts';
import type { JournalEntry, LoadedPlaybook, PlaybookResult, StepResult } from './playbook.ts';
import type { Primitive, PrimitiveContext } from './primitive.ts';
import { unseenRisk } from './unseen-risk.ts';

/** Durable record of a run; each call returns only when it is stored. */
export interface Journal {
  write(entry: JournalEntry): Promise<void>;
  /** In the order in which the steps were planned. */
  entries(runId: string): Promise<readonly JournalEntry[]>;
}

export type StepState = 'start' | 'progress' | 'done' | 'nothing_to_do' | 'failed';

/** How long a step may act, and what happens to one that does not end then. */
export interface StepLimits {
  readonly stepMs: number;
  /** For a step that was told to end, to do so. */
  readonly endMs: number;
  /** Aborts after so many milliseconds. */
  readonly after: (ms: number) => AbortSignal;
}

export interface ExecuteOptions {
  readonly runId: string;
  readonly playbook: LoadedPlaybook;
  readonly params: JsonObject;
  readonly primitives: ReadonlyMap<string, Primitive>;
  /** The tier it was decided on as; without it, the one that it claims. */
  readonly tier?: AutonomyTier;
  /** The policies saw which primitives its steps are of. */
  readonly knowsSteps?: boolean;
  /** What people have agreed to, step by step; null where nobody had to, or where nobody knew the steps. */
  readonly agreed: readonly ForeseenStep[] | null;
  /** What the run changes lies in a snapshot. */
  readonly hasSnapshot?: boolean;
  /** When the run began, as files are dated. */
  readonly startedAtMs?: number;
  readonly signal: AbortSignal;
  readonly limits: StepLimits;
  /** What a step may use, until this signal. */
  contextFor(signal: AbortSignal): PrimitiveContext;
  readonly journal: Journal;
  /** Called as each step starts and ends, for the live view. */
  readonly onStep: (step: string, state: StepState, summary: string) => void;
}

export interface ExecuteOutcome extends PlaybookResult {
  /** Steps that changed something; none means the playbook has found nothing to do. */
  readonly changes: number;
  readonly refused: boolean;
  /** Steps that would have acted on an empty set: somebody has to hear of it. */
  readonly emptySets: readonly string[];
  /** A step that was told to end and did not: it may act still, and nothing may be done beside it until it has ended. */
  readonly unended: { readonly detail: string; readonly ended: Promise<void> } | null;
}

/** A step that must not act, or did not work; ends the run. */
class StepFailed extends GraceError {
  readonly refused: boolean;
  constructor(message: string, refused: boolean) {
    super({ code: 'GRACE_PLAYBOOKS_STEP_FAILED', message });
    this.refused = refused;
  }
}

/** A step that was told to end and did not. */
class StepUnended extends StepFailed {
  constructor(step: string, endMs: number) {
    super(
      `"${step}" was told to end and did not within ${formatDuration(endMs)}: it may act still, and nothing is undone beside it`,
      false,
    );
  }
}

/**
 * Runs a playbook step by step: plan, journal the undo record, act, journal the end. Steps are taken one after the other, in
 * the order in which they are asked for, also when the playbook does not wait for them. On a failed step nothing is undone
 * here: the caller decides (`undoRun`), since a failed verification undoes the same way.
 */
export async function executePlaybook(options: ExecuteOptions): Promise<ExecuteOutcome> {
  const { runId, playbook, params, primitives, agreed, signal, journal, onStep } = options;
  const { component } = options.contextFor(signal);
  const results: StepResult[] = [];
  const emptySets: string[] = [];
  const touched: string[] = [];
  let asked = 0;
  let changes = 0;
  let refused = false;
  let index = 0;
  let isOver = false;
  let unended: ExecuteOutcome['unended'] = null;
  let last: Promise<unknown> = Promise.resolve();

  function step(name: string, primitiveName: string, stepParams: JsonObject): Promise<StepResult> {
    const mine = last.then(() => {
      const tooLong = options.limits.after(options.limits.stepMs);
      const limited = AbortSignal.any([signal, tooLong]);
      const runSoFar = { startedAtMs: options.startedAtMs ?? null, touched: [...touched] };
      return take(name, primitiveName, stepParams, { ...options.contextFor(limited), runSoFar }).catch((error: unknown) => {
        if (!tooLong.aborted || error instanceof StepUnended) throw error;
        throw new StepFailed(`"${name}" did not end within ${formatDuration(options.limits.stepMs)}: ${messageOf(error)}`, false);
      });
    });
    last = mine.catch(() => undefined); // whoever asked for it is told
    return mine;
  }

  async function take(name: string, primitiveName: string, stepParams: JsonObject, context: PrimitiveContext): Promise<StepResult> {
    context.signal.throwIfAborted();
    if (isOver || unended !== null) throw new StepFailed('the run of this playbook is over', true);
    const primitive = primitives.get(primitiveName);
    if (!primitive) throw new StepFailed(`there is no primitive "${primitiveName}"`, true);
    onStep(name, 'start', '');
    const parsed = primitive.parse(stepParams);
    // Looked at now, whatever was seen when it was decided: the world has gone on since.
    const plan = await primitive.plan(parsed, context);
    if (plan.state === 'refused') throw new StepFailed(plan.reason, true);
    if (options.knowsSteps !== true) refuseUnseen(primitiveName, primitive.risk);
    const bound = agreed?.[asked]?.paramsDigest;
    const called = bound === undefined ? {} : { paramsDigest: context.digest(JSON.stringify(stepParams)) };
    const other =
      agreed === null ? null : beyondPlan(agreed[asked], { step: name, primitive: primitiveName, ...plan, ...called }, changes > 0);
    asked++;
    if (other !== null) throw new StepFailed(`it is not what was approved: ${other}`, true);
    if (plan.state === 'nothing_to_do') {
      onStep(name, 'nothing_to_do', plan.summary);
      const result: StepResult = { step: name, success: true, summary: plan.summary };
      results.push(result);
      return result;
    }
    if (plan.risk !== undefined) refuseUnseen(`this use of ${primitiveName}`, plan.risk);
    if (primitive.needsSnapshot === true && options.hasSnapshot !== true)
      throw new StepFailed(`${primitiveName} acts only with a snapshot to go back to, and there is none`, true);
    const irreversible = primitive.undo === null ? (primitive.irreversible ?? 'it has no undo') : plan.irreversible;
    // A playbook whose steps are not known beforehand is asked here: what nobody hears of has to have a way back.
    if (irreversible !== undefined && (options.tier ?? playbook.tier) === 'tier_1')
      throw new StepFailed(
        `${primitiveName} cannot be undone (${irreversible}), and tier_1 may do only what can: it has to be tier_2`,
        true,
      );
    if (plan.targets.length === 0) {
      emptySets.push(name);
      throw new StepFailed(`"${name}" found nothing to act on: an empty set is none, never all`, true);
    }
    const entry = {
      runId,
      index: index++,
      step: name,
      primitive: primitiveName,
      params: stepParams as Json,
      targets: plan.targets,
      before: primitive.undo === null && primitive.observe === undefined ? null : await observeTargets(primitive, plan.targets, context),
      after: null,
      undo: plan.undo,
    };
    await journal.write({ ...entry, state: 'planned', summary: plan.summary });
    touched.push(...plan.targets);
    const seenAfter = async (): Promise<Json> =>
      entry.before === null ? null : observeTargets(primitive, plan.targets, context).catch(() => null);
    try {
      const done = await endedInTime(name, primitive.apply(parsed, context, plan.undo), context.signal);
      if (done.didNothing === true) {
        // By then it was as it should be: there is nothing to undo, and nothing that has helped.
        await journal.write({ ...entry, state: 'undone', summary: done.summary });
        onStep(name, 'nothing_to_do', done.summary);
        const result: StepResult = { step: name, success: true, summary: done.summary };
        results.push(result);
        return result;
      }
      await journal.write({ ...entry, after: await seenAfter(), state: 'done', summary: done.summary });
      changes++;
      onStep(name, 'done', done.summary);
      const result: StepResult = { step: name, success: true, summary: done.summary };
      results.push(result);
      return result;
    } catch (error) {
      const after = error instanceof StepUnended ? null : await seenAfter();
      await journal.write({ ...entry, after, state: 'failed', summary: messageOf(error) });
      throw error;
    }
  }

  function refuseUnseen(what: string, risk: Risk): void {
    const unseen = unseenRisk(what, risk, playbook.risk, options.tier ?? playbook.tier);
    if (unseen !== null) throw new StepFailed(unseen, true);
  }

  /** It has ended when this returns, also when it was told to; else it is known that it has not. */
  async function endedInTime<T>(name: string, acting: Promise<T>, told: AbortSignal): Promise<T> {
    const { endMs, after } = options.limits;
    let isActing = true;
    const ended = acting.then(
      () => void (isActing = false),
      () => void (isActing = false),
    );
    const { promise: gaveUp, reject } = Promise.withResolvers<never>();
    const wait = (): void => {
      if (!isActing) return;
      after(endMs).addEventListener('abort', () => {
        if (!isActing) return;
        const error = new StepUnended(name, endMs);
        unended ??= { detail: error.message, ended };
        reject(error);
      });
    };
    if (told.aborted) wait();
    else told.addEventListener('abort', wait, { once: true });
    try {
      return await Promise.race([acting, gaveUp]);
    } finally {
      told.removeEventListener('abort', wait);
    }
  }

  try {
    try {
      await playbook.run({ params: { ...playbook.params, ...params }, component: component.name, step }, signal);
    } finally {
      // A step that was not waited for may still act: nothing is undone or verified beside it.
      isOver = true;
      await last;
    }
    return { success: true, results, changes, refused, emptySets, unended };
  } catch (error) {
    refused = error instanceof StepFailed && error.refused;
    const text = messageOf(error);
    onStep(playbook.name, 'failed', text);
    results.push({ step: `step ${results.length + 1}`, success: false, error: text });
    return { success: false, results, changes, refused, emptySets, unended };
  }
}
