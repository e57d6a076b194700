import canonicalize from 'canonicalize';
import type { JsonObject } from '../../kernel/index.ts';
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
/** Far more than anybody writes, and far from the end of the stack. */
const DEPTH_MAX = 200;
const TIMESTAMP = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;
const TEXTS = ['action', 'actor', 'resource', 'result', 'subsystem', 'timestamp'] as const;

const encoder = new TextEncoder();

/**
 * The bytes that are stored and hashed: canonical JSON, UTF-8, no line end.
 * @throws EntryRefused for what RFC 8785 can not write, what other readers would read differently, and what is too large
 * @see RFC 8785 (JCS)
 */
export function canonicalEntry(entry: AuditEntry): Uint8Array {
  const { sequence, timestamp, actor, action, resource, subsystem, result, payload } = entry;
  if (!Number.isSafeInteger(sequence) || sequence < 0) throw new EntryRefused('sequence is not a whole number from 0 to 2^53 - 1');
  const wrong = TEXTS.find((name) => typeof entry[name] !== 'string' || entry[name] === '');
  if (wrong !== undefined) throw new EntryRefused(`${wrong} is not a text`);
  if (!isTimestamp(timestamp)) throw new EntryRefused('timestamp is not a moment like 2026-01-01T00:00:00.000Z');
  if (!isPlainObject(payload)) throw new EntryRefused('payload is not an object');
  const whole = { sequence, timestamp, actor, action, resource, subsystem, result, payload };
  refuseUnwritable(whole, '', 0);
  const bytes = encoder.encode(canonicalize(whole));
  if (bytes.length > ENTRY_BYTES_MAX)
    throw new EntryRefused(`it has ${bytes.length} bytes, and ${ENTRY_BYTES_MAX} are allowed`, { bytes: bytes.length });
  return bytes;
}

/** Shape, and that the day exists. */
export function isTimestamp(text: string): boolean {
  if (!TIMESTAMP.test(text)) return false;
  // Every month has these days; asking the calendar for each of a million entries costs as much as hashing them.
  if (Number(text.slice(8, 10)) <= 28) return true;
  const ms = Date.parse(text);
  return !Number.isNaN(ms) && new Date(ms).toISOString() === text;
}

function refuseUnwritable(value: unknown, path: string, depth: number): void {
  if (depth > DEPTH_MAX) throw new EntryRefused(`it is nested deeper than ${DEPTH_MAX} levels`);
  const where = path === '' ? 'the entry' : path;
  switch (typeof value) {
    case 'boolean':
      return;
    case 'string':
      if (!value.isWellFormed()) throw new EntryRefused(`${where} holds half of a surrogate pair`, { where });
      return;
    case 'number':
      if (!Number.isFinite(value)) throw new EntryRefused(`${where} is ${value}, which JSON has no number for`, { where });
      if (Number.isInteger(value) && !Number.isSafeInteger(value))
        throw new EntryRefused(`${where} is a whole number beyond 2^53 - 1`, { where });
      return;
    case 'object':
      if (value === null) return;
      if (Array.isArray(value)) {
        // By index: forEach would pass over holes.
        for (let i = 0; i < value.length; i++) refuseUnwritable(value[i], `${path}[${i}]`, depth + 1);
        return;
      }
      if (!isPlainObject(value)) throw new EntryRefused(`${where} is an object of a class`, { where });
      for (const key of Object.keys(value)) {
        if (!key.isWellFormed()) throw new EntryRefused(`a name in ${where} holds half of a surrogate pair`, { where });
        refuseUnwritable(value[key], path === '' ? key : `${path}.${shownName(key)}`, depth + 1);
      }
      return;
    default:
      throw new EntryRefused(`${where} is ${typeof value === 'undefined' ? 'undefined' : `a ${typeof value}`}`, { where });
  }
}

/** Names come from anywhere; in a message they are short and without control characters. */
function shownName(key: string): string {
  return /^[\w-]{1,64}$/.test(key) ? key : '…';
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
