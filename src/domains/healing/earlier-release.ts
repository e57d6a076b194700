import type { Journal } from '../playbooks/index.ts';
import type { Emit } from './events.ts';

/** What it leaves has failed in several boots: it is not brought back because the earlier one fails as well. */
export const ROLLBACK = 'roll_back_release';

/** Whether a run has set out to bring an earlier release back. */
export async function triedRollback(journal: Journal, runId: string): Promise<boolean> {
  return (await journal.entries(runId)).some((e) => e.primitive === ROLLBACK);
}

/** Told once it works: what people deploy next is not what runs now. Nothing is told of a run that has brought none back. */
export async function tellEarlierRelease(
  { journal, emit }: { readonly journal: Journal; readonly emit: Emit },
  runId: string,
  component: string,
): Promise<void> {
  const back = (await journal.entries(runId)).find((e) => e.primitive === ROLLBACK && e.state === 'done');
  if (back === undefined) return;
  emit({
    type: 'notice',
    level: 'warn',
    text: `${component} runs an earlier release: it ${back.summary}. Grace does not go forward to the one that was set aside; the next one you deploy is tried as usual`,
  });
}
