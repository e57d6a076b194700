import { z } from 'zod';
import type { JsonObject } from '../../kernel/index.ts';
import type { StepResult } from '../../domains/playbooks/index.ts';

/** The first line that the process of a playbook is given. */
export interface Order {
  /** Known to this process and to Grace alone: each line of it carries this, and one that carries another is refused. */
  readonly run: string;
  readonly task: 'describe' | 'run';
  /** Under which address the code is loaded: stack traces name it. */
  readonly url: string;
  readonly source: string;
  /** Whether the source is JavaScript by now. */
  readonly isStripped: boolean;
  readonly params: JsonObject;
  readonly component: string;
}

/** What became of a step. */
export interface Answer {
  readonly id: number;
  readonly result?: StepResult;
  readonly error?: string;
}

/** What the process of a playbook may say, before it was looked at. */
export type Report =
  | { readonly type: 'stripped'; readonly code: string }
  | { readonly type: 'unloadable'; readonly error: string }
  | { readonly type: 'described'; readonly head: unknown }
  | { readonly type: 'step'; readonly id: number; readonly name: unknown; readonly primitive: unknown; readonly params: unknown }
  | { readonly type: 'ended' }
  | { readonly type: 'failed'; readonly error: string; readonly step?: number };

/** Deeper data is no parameter of anything. */
const DEPTH_MAX = 16;
const TEXT_CHARS_MAX = 2000;

const plainObject = z.custom<JsonObject>((value) => typeof value === 'object' && value !== null && !Array.isArray(value) && isPlain(value));
const text = z.string().max(TEXT_CHARS_MAX);

/** What Grace takes from the process of a playbook: everything else ends that process. */
export const checkedReport = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('stripped'), run: z.string(), code: z.string() }),
  z.strictObject({ type: z.literal('unloadable'), run: z.string(), error: text }),
  z.strictObject({ type: z.literal('described'), run: z.string(), head: z.union([z.null(), plainObject]) }),
  z.strictObject({
    type: z.literal('step'),
    run: z.string(),
    id: z.int().positive(),
    name: z.string().min(1).max(200),
    primitive: z.string().min(1).max(80),
    params: plainObject,
  }),
  z.strictObject({ type: z.literal('ended'), run: z.string() }),
  z.strictObject({ type: z.literal('failed'), run: z.string(), error: text, step: z.int().positive().optional() }),
]);

export type CheckedReport = z.infer<typeof checkedReport>;

/** JSON that nests no deeper than `DEPTH_MAX` and has no key that means something to objects themselves. */
function isPlain(value: unknown, depth = 0): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (depth === DEPTH_MAX) return false;
  return Array.isArray(value)
    ? value.every((item) => isPlain(item, depth + 1))
    : Object.entries(value).every(([key, item]) => key !== '__proto__' && isPlain(item, depth + 1));
}
