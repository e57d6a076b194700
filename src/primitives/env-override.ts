import type { Json } from '../kernel/index.ts';
import type { PrimitiveContext } from '../domains/playbooks/index.ts';
import { PrimitiveFailed } from './errors.ts';

/** One variable that Grace adds to a component's environment; null where it added none before. */
export type EnvOverride = { readonly name: string; readonly from: string | null; readonly to: string };

/** @throws PrimitiveFailed when it is another one by now than the plan saw */
export async function setEnvVariable(primitive: string, { name, from, to }: EnvOverride, context: PrimitiveContext): Promise<void> {
  const { component, overrides } = context;
  const { env } = await overrides.get(component.name);
  if ((env[name] ?? null) !== from)
    throw new PrimitiveFailed(primitive, `${name} was chosen anew while this was being prepared`, { retryable: true });
  await overrides.set(component.name, { env: { ...env, [name]: to } });
}

export async function observeEnvVariables(names: readonly string[], { component, overrides }: PrimitiveContext): Promise<Json> {
  const { env } = await overrides.get(component.name);
  return Object.fromEntries(names.map((name) => [name, env[name] ?? null]));
}

/** @returns what stays, in words */
export async function undoEnvVariable(record: Json, { component, overrides }: PrimitiveContext): Promise<readonly string[]> {
  const { name, from, to } = record as unknown as EnvOverride;
  const { env } = await overrides.get(component.name);
  const now = env[name] ?? null;
  if (now === from) return []; // never set, or undone before
  if (now !== to) return [`${name} was chosen anew since, and stays so`];
  const { [name]: _gone, ...rest } = env;
  await overrides.set(component.name, { env: from === null ? rest : { ...rest, [name]: from } });
  return [];
}
