import type { JsonObject } from '../../kernel/index.ts';
import { canonicalJson, canonicalText, isPlainObject, type Rewrite } from './canonical-json.ts';
import { EntryRefused } from './errors.ts';

/** One line of the log: who did what to which thing, and how it ended. */
export interface AuditEntry {
  /** Zero-based, without gaps: the index of its leaf in the tree. */
  readonly sequence: number;
  /** RFC 3339, UTC, milliseconds, `Z`: 2026-01-01T00:00:00.000Z */
  readonly timestamp: string;
  /** `grace`, `operator:ann`, `scheduler` … */
  readonly actor: string;
  /** `heal.plan`, `approval.grant` …: dotted, lower case. */
  readonly action: string;
  /** What was acted on: `svc/checkout`, `playbook/free_port@1` … */
  readonly resource: string;
  readonly subsystem: string;
  /** `ok`, `failed`, `denied`, `partial`. */
  readonly result: string;
  /** Redacted before it comes here: what is hashed can not be taken out again. */
  readonly payload: JsonObject;
}

/** An entry as its writer gives it: place and time come from the log. */
export type AuditDraft = Omit<AuditEntry, 'sequence' | 'timestamp'>;

/** The length of an entry is a uint16 in a tile. */
export const ENTRY_BYTES_MAX = 65_535;
const TIMESTAMP = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;

const encoder = new TextEncoder();

/**
 * The bytes that are stored and hashed: canonical JSON, UTF-8, no line end.
 * @throws EntryRefused for what RFC 8785 can not write, what other readers would read differently, and what is too large
 * @see RFC 8785 (JCS)
 */
export function canonicalEntry(entry: AuditEntry): Uint8Array {
  const { sequence, timestamp } = entry;
  if (!Number.isSafeInteger(sequence) || sequence < 0) throw new EntryRefused('sequence is not a whole number from 0 to 2^53 - 1');
  if (typeof timestamp !== 'string' || !isTimestamp(timestamp))
    throw new EntryRefused('timestamp is not a moment like 2026-01-01T00:00:00.000Z');
  const { before, after } = entryText(entry, timestamp);
  const bytes = encoder.encode(`${before}${sequence}${after}`);
  if (bytes.length > ENTRY_BYTES_MAX) throw entryTooLarge(bytes.length);
  return bytes;
}

/** The text of an entry but for its sequence, which is only known under the lock: it stands between these two. */
export interface EntryText {
  readonly before: string;
  readonly after: string;
}

/**
 * All that can be done of an entry before its place is known. How many bytes it has is for whoever puts the parts together.
 * @param timestamp   in the right form, which is not looked at again
 * @param rewrite     of actor, resource and payload, for taking out secrets; what Grace calls its own acts stays
 * @throws EntryRefused
 */
export function entryText(draft: AuditDraft, timestamp: string, rewrite: Rewrite | null = null): EntryText {
  if (!isPlainObject(draft.payload)) throw new EntryRefused('payload is not an object');
  const action = fieldText(draft.action, 'action');
  const actor = fieldText(draft.actor, 'actor', rewrite);
  const payload = canonicalJson(draft.payload, 'payload', rewrite);
  const resource = fieldText(draft.resource, 'resource', rewrite);
  const result = fieldText(draft.result, 'result');
  const subsystem = fieldText(draft.subsystem, 'subsystem');
  return {
    before: `{"action":${action},"actor":${actor},"payload":${payload},"resource":${resource},"result":${result},"sequence":`,
    after: `,"subsystem":${subsystem},"timestamp":"${timestamp}"}`,
  };
}

function fieldText(value: unknown, name: string, rewrite: Rewrite | null = null): string {
  if (typeof value !== 'string' || value === '') throw new EntryRefused(`${name} is not a text`);
  return canonicalText(value, name, rewrite);
}

/** How each entry of this action begins. */
export function entryStart(action: string): Uint8Array {
  return encoder.encode(`{"action":${JSON.stringify(action)},`);
}

/** Looked at backwards, since all begin alike. */
export function beginsWith(entry: Uint8Array, start: Uint8Array): boolean {
  if (entry.length < start.length) return false;
  for (let i = start.length - 1; i >= 0; i--) if (entry[i] !== start[i]) return false;
  return true;
}

export function entryTooLarge(bytes: number): EntryRefused {
  return new EntryRefused(`it has ${bytes} bytes, and ${ENTRY_BYTES_MAX} are allowed`, { bytes });
}

/** Shape, and that the day exists. */
export function isTimestamp(text: string): boolean {
  if (!TIMESTAMP.test(text)) return false;
  // Every month has these days; asking the calendar for each of a million entries costs as much as hashing them.
  if (Number(text.slice(8, 10)) <= 28) return true;
  const ms = Date.parse(text);
  return !Number.isNaN(ms) && new Date(ms).toISOString() === text;
}
