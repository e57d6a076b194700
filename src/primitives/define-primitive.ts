import type { Json, JsonObject } from '../kernel/index.ts';
import {
  PrimitiveMisuse,
  type Primitive,
  type PrimitiveContext,
  type PrimitivePlan,
  type PrimitiveResult,
} from '../domains/playbooks/index.ts';
import { PrimitiveFailed } from './errors.ts';
import type { ParameterList, ParsedParameters } from './parameter.ts';

/** A primitive, and what it says about itself. */
export interface DefinedPrimitive<Name extends string = string, L extends ParameterList = ParameterList> extends Primitive {
  readonly name: Name;
  readonly parameters: L;
  /** Where it can act at all, in a few words for the reference. */
  readonly confinement: string;
}

/** Either it can be undone, or it says why not. */
type WayBack =
  | {
      readonly undo: (record: Json, context: PrimitiveContext) => Promise<void | readonly string[]>;
      readonly irreversible?: never;
      readonly needsNoUndo?: never;
    }
  | { readonly undo: null; readonly irreversible: string; readonly needsNoUndo?: true };

type Definition<Name extends string, L extends ParameterList> = Pick<
  Primitive,
  'description' | 'risk' | 'changes' | 'observe' | 'touchesDatabase' | 'needsSnapshot'
> & {
  readonly name: Name;
  readonly parameters: L;
  readonly confinement: string;
  /** What the parameters have to be beyond their shapes; `wrong` says what they are not. */
  check?(params: ParsedParameters<L>, wrong: (problem: string) => never): void;
  plan(params: ParsedParameters<L>, context: PrimitiveContext): Promise<PrimitivePlan>;
  apply(params: ParsedParameters<L>, context: PrimitiveContext, record: Json): Promise<PrimitiveResult>;
} & WayBack;

/**
 * Makes a primitive of its definition. What holds for all of them is seen to here: unknown parameters are typing mistakes, and
 * the precondition is looked at again at the moment of action, since the world has gone on since the plan.
 */
export function definePrimitive<const Name extends string, const L extends ParameterList>(
  definition: Definition<Name, L>,
): DefinedPrimitive<Name, L> {
  const { name, check, plan, apply, ...rest } = definition;
  return {
    ...rest,
    name,
    parse(params) {
      const parsed = read(name, definition.parameters, params) as ParsedParameters<L>;
      check?.(parsed, (problem) => misused(name, problem));
      return parsed;
    },
    plan: (params, context) => plan(params as ParsedParameters<L>, context),
    async apply(params, context, record) {
      const now = await plan(params as ParsedParameters<L>, context);
      if (now.state === 'refused') throw new PrimitiveFailed(name, now.reason, { retryable: true });
      if (now.state === 'nothing_to_do') return { summary: now.summary, changed: [], didNothing: true };
      // Grace's own: what is moved aside and noted goes there.
      await context.files.makeDir(context.backupDir, { mode: 0o700 });
      return apply(params as ParsedParameters<L>, context, record);
    },
  };
}

/** For what only waits or tells: nothing is different afterwards. */
export async function nothingToUndo(): Promise<void> {
  // there is nothing
}

function read(primitive: string, list: ParameterList, given: JsonObject): JsonObject {
  const names = Object.keys(list);
  const unknown = Object.keys(given).filter((name) => !names.includes(name));
  if (unknown.length > 0)
    misused(primitive, `there is no parameter "${unknown.join('", "')}"; it takes ${names.length === 0 ? 'none' : names.join(', ')}`);
  return Object.fromEntries(
    Object.entries(list).map(([name, parameter]): [string, Json] => {
      const found = parameter.read(given[name] ?? null);
      return 'problem' in found ? misused(primitive, `"${name}" ${found.problem}`) : [name, found.value];
    }),
  );
}

function misused(primitive: string, problem: string): never {
  throw new PrimitiveMisuse(primitive, problem);
}
