import { messageOf } from '../../kernel/index.ts';
import type { Journal } from './execute-playbook.ts';
import { differencesOf, observeTargets } from './observe-targets.ts';
import type { JournalEntry, JournalState } from './playbook.ts';
import type { Primitive, PrimitiveContext } from './primitive.ts';

/** In words. Nothing left and nothing kept: everything is as it was before the run. */
export interface UndoOutcome {
  /** What could not be put back, and what was found to be otherwise than before although it was: somebody has to look. */
  readonly left: readonly string[];
  /** What was left on purpose: putting it back would have lost something. */
  readonly kept: readonly string[];
  /** Targets that were as the run had left them when its undo began: nobody has changed them since, and they may be written over. */
  readonly untouched: readonly string[];
}

/**
 * Undoes what a run did, last step first, and looks whether it is as it was. Steps that were planned but never reported their
 * end are undone too: they may have acted.
 * @param stop  Grace is told to end: what is not undone by then is left to its next start
 * @throws whatever `stop` says, when a step could not be undone because of it
 */
export async function undoRun(
  runId: string,
  primitives: ReadonlyMap<string, Primitive>,
  context: PrimitiveContext,
  journal: Journal,
  stop: AbortSignal | null = null,
): Promise<UndoOutcome> {
  const left: string[] = [];
  const kept: string[] = [];
  // By target, as the last step that acted on it left it.
  const untouched = new Map<string, boolean>();
  const entries = await journal.entries(runId);
  for (const entry of entries.toReversed()) {
    if (entry.state === 'undone') continue;
    const primitive = primitives.get(entry.primitive);
    // A step that was cut off is over all the same: nothing may go on being planned for ever.
    const isCutOff = entry.state === 'planned';
    if (primitive === undefined || primitive.undo === null) {
      // One that failed or was cut off may have done all of it before.
      if (primitive?.needsNoUndo !== true && !(await hasDoneNothing(entry, primitive, context)))
        left.push(`${entry.step}: ${entry.primitive} ${BEFORE_ITS_END[entry.state]}cannot be undone`);
      if (isCutOff) await journal.write({ ...entry, state: 'failed', summary: 'it was cut off' });
      continue;
    }
    try {
      const isUntouched = await isAsLeft(entry, primitive, context);
      for (const target of entry.targets) if (!untouched.has(target)) untouched.set(target, isUntouched);
      const told = (await primitive.undo(entry.undo, context)) ?? [];
      kept.push(...told.map((text) => `${entry.step}: ${text}`));
      if (told.length === 0) left.push(...(await remaining(entry, primitive, context)));
      await journal.write({ ...entry, state: 'undone' });
    } catch (error) {
      stop?.throwIfAborted();
      left.push(`${entry.step}: ${messageOf(error)}`);
      if (isCutOff)
        await journal.write({ ...entry, state: 'failed', summary: `it was cut off, and could not be undone: ${messageOf(error)}` });
    }
  }
  return { left, kept, untouched: [...untouched].flatMap(([target, isSo]) => (isSo ? [target] : [])) };
}

const BEFORE_ITS_END: Readonly<Record<JournalState, string>> = {
  planned: 'was cut off, may have acted before, and ',
  failed: 'did not end well, may have acted before, and ',
  done: '',
  undone: '',
};

/** Only its own `observe` can show that: the traits of its targets say nothing of what a command does elsewhere. */
async function hasDoneNothing(entry: JournalEntry, primitive: Primitive | undefined, context: PrimitiveContext): Promise<boolean> {
  if (entry.state === 'done' || primitive?.observe === undefined || entry.before === null) return false;
  try {
    return differencesOf(entry.before, await observeTargets(primitive, entry.targets, context)).length === 0;
  } catch {
    return false; // what cannot be looked at may have changed
  }
}

async function isAsLeft({ after = null, targets }: JournalEntry, primitive: Primitive, context: PrimitiveContext): Promise<boolean> {
  if (after === null) return false;
  try {
    return differencesOf(after, await observeTargets(primitive, targets, context)).length === 0;
  } catch {
    return false; // what cannot be looked at is not known to be ours
  }
}

/** What of all that a run has touched is not as it was before, in words; what cannot be compared counts as not. */
export async function remainsOf(
  entries: readonly JournalEntry[],
  primitives: ReadonlyMap<string, Primitive>,
  context: PrimitiveContext,
): Promise<readonly string[]> {
  const left: string[] = [];
  // Of steps that touched the same, the first one knows how it was.
  const seen = new Set<string>();
  for (const entry of entries) {
    const primitive = primitives.get(entry.primitive);
    if (primitive?.needsNoUndo === true) continue;
    const key = entry.targets.join('\0');
    if (seen.has(key)) continue;
    seen.add(key);
    if (primitive === undefined || entry.before === null) left.push(`${entry.step}: it cannot be compared`);
    else left.push(...(await remaining(entry, primitive, context)));
  }
  return left;
}

/** Whether what a run has made is still so, as far as it can be compared: then nobody has undone or changed it since. */
export async function isInPlace(
  entries: readonly JournalEntry[],
  primitives: ReadonlyMap<string, Primitive>,
  context: PrimitiveContext,
): Promise<boolean> {
  // Of steps that touched the same, the last one knows how it was left.
  const last = new Map(entries.filter((e) => e.state === 'done' && (e.after ?? null) !== null).map((e) => [e.targets.join('\0'), e]));
  for (const entry of last.values()) {
    const primitive = primitives.get(entry.primitive);
    if (primitive === undefined) continue;
    const now = await observeTargets(primitive, entry.targets, context);
    if (differencesOf(entry.after ?? null, now).length > 0) return false;
  }
  return true;
}

/** An undo that says it worked is looked at like any other action. */
async function remaining(entry: JournalEntry, primitive: Primitive, context: PrimitiveContext): Promise<readonly string[]> {
  if (entry.before === null) return [];
  const now = await observeTargets(primitive, entry.targets, context);
  return differencesOf(entry.before, now).map((difference) => `${entry.step}: it was undone, and ${difference}`);
}
