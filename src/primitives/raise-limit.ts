import type { Json } from '../kernel/index.ts';
import type { PrimitiveContext } from '../domains/playbooks/index.ts';
import { PrimitiveFailed } from './errors.ts';

/** A numeric override that is raised, never lowered. */
export type RaisedLimit = { readonly from: number | null; readonly to: number };

/** @throws PrimitiveFailed when somebody has chosen another value since the plan */
export async function raiseTo(primitive: string, context: PrimitiveContext, key: 'heapMb' | 'openFiles', record: Json): Promise<void> {
  const { from, to } = record as unknown as RaisedLimit;
  const now = (await context.overrides.get(context.component.name))[key];
  if (now !== from)
    throw new PrimitiveFailed(primitive, `${key} was chosen anew while this was being prepared (${now ?? 'unset'})`, { retryable: true });
  await setLimit(context, key, to);
}

async function setLimit(context: PrimitiveContext, key: 'heapMb' | 'openFiles', value: number | null): Promise<void> {
  await context.overrides.set(context.component.name, { [key]: value });
}

/** Back to the old override, unless somebody has chosen a third value since. */
export async function undoLimit(context: PrimitiveContext, key: 'heapMb' | 'openFiles', record: Json): Promise<readonly string[]> {
  const { from, to } = record as unknown as RaisedLimit;
  const now = (await context.overrides.get(context.component.name))[key];
  if (now === to) await setLimit(context, key, from);
  return now === to || now === from ? [] : [`${key} was chosen anew since (${now ?? 'unset'}), and stays so`];
}
