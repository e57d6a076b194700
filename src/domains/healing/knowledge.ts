import type { FailureFamily } from '../learning/index.ts';
import type { Primitive } from '../playbooks/index.ts';

/** What Grace knows about failures, and what it can do about them. */
export interface Knowledge {
  readonly families: readonly FailureFamily[];
  readonly primitives: ReadonlyMap<string, Primitive>;
}
