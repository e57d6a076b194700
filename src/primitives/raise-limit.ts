import type { Json } from '../kernel/index.ts';
import type { PrimitiveContext } from '../domains/playbooks/index.ts';

/** A numeric override that is raised, never lowered. */
export type RaisedLimit = { readonly from: number | null; readonly to: number };

export async function setLimit(context: PrimitiveContext, key: 'heapMb' | 'openFiles', value: number | null): Promise<void> {
  await context.overrides.set(context.component.name, { [key]: value });
}

/** Back to the old override, unless somebody has chosen a third value since. */
export async function undoLimit(context: PrimitiveContext, key: 'heapMb' | 'openFiles', record: Json): Promise<readonly string[]> {
  const { from, to } = record as unknown as RaisedLimit;
  const now = (await context.overrides.get(context.component.name))[key];
  if (now === to) await setLimit(context, key, from);
  return now === to || now === from ? [] : [`${key} was chosen anew since (${now ?? 'unset'}), and stays so`];
}
