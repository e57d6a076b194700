import { messageOf } from '../../kernel/index.ts';
import type { Journal } from './execute-playbook.ts';
import { differencesOf, observeTargets } from './observe-targets.ts';
import type { JournalEntry } from './playbook.ts';
import type { Primitive, PrimitiveContext } from './primitive.ts';

/** In words. Both empty: everything is as it was before the run. */
export interface UndoOutcome {
  /** What could not be put back, and what was found to be otherwise than before although it was: somebody has to look. */
  readonly left: readonly string[];
  /** What was left on purpose: putting it back would have lost something. */
  readonly kept: readonly string[];
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
  const entries = await journal.entries(runId);
  for (const entry of entries.toReversed()) {
    if (entry.state === 'undone') continue;
    const primitive = primitives.get(entry.primitive);
    // A step that was cut off is over all the same: nothing may go on being planned for ever.
    const isCutOff = entry.state === 'planned';
    if (primitive === undefined || primitive.undo === null) {
      if (entry.state === 'done') left.push(`${entry.step}: ${entry.primitive} cannot be undone`);
      if (isCutOff) await journal.write({ ...entry, state: 'failed', summary: 'it was cut off' });
      continue;
    }
    try {
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
  return { left, kept };
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
    const key = entry.targets.join('\0');
    if (seen.has(key)) continue;
    seen.add(key);
    if (primitive === undefined || entry.before === null) left.push(`${entry.step}: it cannot be compared`);
    else left.push(...(await remaining(entry, primitive, context)));
  }
  return left;
}

/** An undo that says it worked is looked at like any other action. */
async function remaining(entry: JournalEntry, primitive: Primitive, context: PrimitiveContext): Promise<readonly string[]> {
  if (entry.before === null) return [];
  const now = await observeTargets(primitive, entry.targets, context);
  return differencesOf(entry.before, now).map((difference) => `${entry.step}: it was undone, and ${difference}`);
}
