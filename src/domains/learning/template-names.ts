import type { Json, Signature } from '../../kernel/index.ts';
import { TemplateMiner, type Failure, type SignaturePartName, type TemplateId } from '../incidents/index.ts';

/** Where the templates that a component's failures were found to have are kept, as JSON. */
export interface TemplateStore {
  load(component: string): Promise<Json | null>;
  save(component: string, state: Json): Promise<void>;
}

/** What the words of a failure without a code were found to be. */
export interface NamedByTemplate {
  /** `cannot start tenant <*>`: a name for people. It may widen as more is seen, so it is never part of a signature. */
  readonly template: string;
  /** Earlier failures that the same statement said, oldest first; everything but their words is the same. */
  readonly alike: readonly Signature[];
}

/** Kinds whose identity is their words, for want of a code and of a subject. */
const CODELESS: ReadonlySet<string> = new Set(['exception', 'timeout', 'unexplained']);
/** What may differ between two failures that one statement said. */
const WORDS: ReadonlySet<SignaturePartName> = new Set(['subject', 'message']);
/** Signatures remembered for each component, newest last: beyond that the oldest are compared with no more. */
const SEEN_MAX = 500;
/** A component says few different sentences when it fails; a flood of them must not fill the store. */
const LIMITS = { skeletonsMax: 300, shapesMax: 256 };

interface Seen {
  readonly signature: string;
  readonly id: number;
  readonly kin: string;
}

/**
 * Recognises a failure that has no code by the statement that said it. Five failures that differ in one word only are one
 * failure with a value in that place; which word that is nobody knows before (`TemplateMiner`).
 * @returns null when the failure has a code or a subject, which tell more than words, or said nothing
 */
export async function nameByTemplate(failure: Failure, signature: Signature, templates: TemplateStore): Promise<NamedByTemplate | null> {
  const kind = failure.signatureParts.find((part) => part.name === 'kind')?.value ?? '';
  if (!CODELESS.has(kind) || failure.headline === '') return null;
  const stored = stateFrom(await templates.load(failure.component));
  const before = TemplateMiner.fromJSON(stored.miner);
  const miner = before ?? new TemplateMiner(LIMITS);
  // Ids of another miner mean nothing here.
  const seen = before === null ? [] : stored.seen;
  const id = miner.add(failure.headline);
  const kin = kinOf(failure);
  const group = miner.groupOf(id);
  const alike = seen.filter((one) => one.kin === kin && one.signature !== signature && miner.groupOf(one.id as TemplateId) === group);
  const known = [...seen.filter((one) => one.signature !== signature), { signature, id, kin }].slice(-SEEN_MAX);
  await templates.save(failure.component, { miner: miner.toJSON() as unknown as Json, seen: known as unknown as Json });
  return { template: miner.template(id), alike: alike.map((one) => one.signature as Signature) };
}

function kinOf(failure: Failure): string {
  return JSON.stringify(failure.signatureParts.filter((part) => !WORDS.has(part.name)).map((part) => [part.name, part.value]));
}

/** What the store gives back is only as good as what was written. */
function stateFrom(json: Json | null): { readonly miner: unknown; readonly seen: readonly Seen[] } {
  const { miner = null, seen = [] } = (json ?? {}) as { readonly miner?: unknown; readonly seen?: unknown };
  return { miner, seen: Array.isArray(seen) ? seen.filter(isSeen) : [] };
}

function isSeen(value: unknown): value is Seen {
  const { signature, id, kin } = (value ?? {}) as Partial<Record<keyof Seen, unknown>>;
  return typeof signature === 'string' && typeof id === 'number' && typeof kin === 'string';
}
