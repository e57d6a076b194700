import { GraceError, messageOf, type Json, type JsonObject } from '../../kernel/index.ts';
import type { JournalEntry, LoadedPlaybook, PlaybookResult, StepResult } from './playbook.ts';
import type { Primitive, PrimitiveContext } from './primitive.ts';

/** Durable record of a run; each call returns only when it is stored. */
export interface Journal {
  write(entry: JournalEntry): Promise<void>;
  /** In the order in which the steps were planned. */
  entries(runId: string): Promise<readonly JournalEntry[]>;
}

export interface ExecuteOptions {
  readonly runId: string;
  readonly playbook: LoadedPlaybook;
  readonly params: JsonObject;
  readonly primitives: ReadonlyMap<string, Primitive>;
  readonly context: PrimitiveContext;
  readonly journal: Journal;
  /** Called as each step starts and ends, for the live view. */
  readonly onStep: (step: string, state: 'start' | 'done' | 'nothing_to_do' | 'failed', summary: string) => void;
}

export interface ExecuteOutcome extends PlaybookResult {
  /** Steps that changed something; none means the playbook has found nothing to do. */
  readonly changes: number;
  readonly refused: boolean;
}

/** A step that must not act, or did not work; ends the run. */
class StepFailed extends GraceError {
  readonly refused: boolean;
  constructor(message: string, refused: boolean) {
    super({ code: 'GRACE_PLAYBOOKS_STEP_FAILED', message });
    this.refused = refused;
  }
}

/**
 * Runs a playbook step by step: plan, journal the undo record, act, journal the end. Steps are taken one after the other, in
 * the order in which they are asked for, also when the playbook does not wait for them. On a failed step nothing is undone
 * here: the caller decides (`undoRun`), since a failed verification undoes the same way.
 */
export async function executePlaybook(options: ExecuteOptions): Promise<ExecuteOutcome> {
  const { runId, playbook, params, primitives, context, journal, onStep } = options;
  const results: StepResult[] = [];
  let changes = 0;
  let refused = false;
  let index = 0;
  let isOver = false;
  let last: Promise<unknown> = Promise.resolve();

  function step(name: string, primitiveName: string, stepParams: JsonObject): Promise<StepResult> {
    const mine = last.then(() => take(name, primitiveName, stepParams));
    last = mine.catch(() => undefined); // whoever asked for it is told
    return mine;
  }

  async function take(name: string, primitiveName: string, stepParams: JsonObject): Promise<StepResult> {
    context.signal.throwIfAborted();
    if (isOver) throw new StepFailed('the run of this playbook is over', true);
    const primitive = primitives.get(primitiveName);
    if (!primitive) throw new StepFailed(`there is no primitive "${primitiveName}"`, true);
    onStep(name, 'start', '');
    const parsed = primitive.parse(stepParams);
    const plan = await primitive.plan(parsed, context);
    if (plan.state === 'refused') throw new StepFailed(plan.reason, true);
    if (plan.state === 'nothing_to_do') {
      onStep(name, 'nothing_to_do', plan.summary);
      const result: StepResult = { step: name, success: true, summary: plan.summary };
      results.push(result);
      return result;
    }
    const entry = { runId, index: index++, step: name, primitive: primitiveName, params: stepParams as Json, undo: plan.undo };
    await journal.write({ ...entry, state: 'planned', summary: plan.summary });
    try {
      const done = await primitive.apply(parsed, context, plan.undo);
      await journal.write({ ...entry, state: 'done', summary: done.summary });
      changes++;
      onStep(name, 'done', done.summary);
      const result: StepResult = { step: name, success: true, summary: done.summary };
      results.push(result);
      return result;
    } catch (error) {
      await journal.write({ ...entry, state: 'failed', summary: messageOf(error) });
      throw error;
    }
  }

  try {
    try {
      await playbook.run({ params: { ...playbook.params, ...params }, component: context.component.name, step }, context.signal);
    } finally {
      // A step that was not waited for may still act: nothing is undone or verified beside it.
      isOver = true;
      await last;
    }
    return { success: true, results, changes, refused };
  } catch (error) {
    refused = error instanceof StepFailed && error.refused;
    const text = messageOf(error);
    onStep(playbook.name, 'failed', text);
    results.push({ step: `step ${results.length + 1}`, success: false, error: text });
    return { success: false, results, changes, refused };
  }
}

/**
 * Undoes what a run did, last step first. Steps that were planned but never reported their end are undone too: they may
 * have acted.
 * @returns what could not be undone, in words; empty when everything is as it was
 */
export async function undoRun(
  runId: string,
  primitives: ReadonlyMap<string, Primitive>,
  context: PrimitiveContext,
  journal: Journal,
): Promise<readonly string[]> {
  const left: string[] = [];
  const entries = await journal.entries(runId);
  for (const entry of entries.toReversed()) {
    if (entry.state === 'undone') continue;
    const undo = primitives.get(entry.primitive)?.undo;
    // A step that was cut off is over all the same: nothing may go on being planned for ever.
    const isCutOff = entry.state === 'planned';
    if (!undo) {
      if (entry.state === 'done') left.push(`${entry.step}: ${entry.primitive} cannot be undone`);
      if (isCutOff) await journal.write({ ...entry, state: 'failed', summary: 'it was cut off' });
      continue;
    }
    try {
      await undo(entry.undo, context);
      await journal.write({ ...entry, state: 'undone' });
    } catch (error) {
      left.push(`${entry.step}: ${messageOf(error)}`);
      if (isCutOff)
        await journal.write({ ...entry, state: 'failed', summary: `it was cut off, and could not be undone: ${messageOf(error)}` });
    }
  }
  return left;
}
