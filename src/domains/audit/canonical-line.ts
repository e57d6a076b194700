import { isUtf8 } from 'node:buffer';
import canonicalize from 'canonicalize';
import { canonicalJson } from './canonical-json.ts';
import { isTimestamp } from './entry.ts';
import { EntryRefused } from './errors.ts';
import type { FindingKind } from './finding.ts';

/** What one stored entry says of itself, or what is wrong with it. */
export type ReadLine =
  | { readonly state: 'entry'; readonly entry: Readonly<Record<string, unknown>>; readonly sequence: number }
  | {
      readonly state: 'wrong';
      readonly kind: FindingKind & ('not_canonical' | 'shape' | 'timestamp');
      readonly problem: string;
      /** Where it could still be read. */
      readonly sequence: number | null;
    };

const TEXTS = ['action', 'actor', 'resource', 'result', 'subsystem', 'timestamp'] as const;

/**
 * Reads the bytes of an entry and checks that they are the only ones it can have. Whole numbers beyond 2^53 - 1 pass, where
 * they are written as RFC 8785 does: a Grace never writes them, and they change nothing about what was signed.
 */
export function readLine(bytes: Uint8Array): ReadLine {
  const wrong = (kind: 'not_canonical' | 'shape' | 'timestamp', problem: string, sequence: number | null = null): ReadLine => ({
    state: 'wrong',
    kind,
    problem,
    sequence,
  });
  // Invalid bytes would be replaced, and look the same afterwards.
  if (!isUtf8(bytes)) return wrong('not_canonical', 'is not UTF-8');
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  let entry: Readonly<Record<string, unknown>>;
  let isCanonical: boolean;
  try {
    entry = JSON.parse(text) as Readonly<Record<string, unknown>>;
    isCanonical = isFormOf(text, entry);
  } catch {
    return wrong('not_canonical', 'is not JSON, or not JSON that has a canonical form');
  }
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return wrong('shape', 'is not an object');
  const sequence = isSequence(entry['sequence']) ? entry['sequence'] : null;
  if (!isCanonical) return wrong('not_canonical', 'is not in canonical form (RFC 8785)', sequence);
  if (sequence === null) return wrong('shape', 'has no sequence');
  for (const name of TEXTS) if (typeof entry[name] !== 'string') return wrong('shape', `has no ${name}`, sequence);
  const { payload, timestamp } = entry;
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return wrong('shape', 'has no payload', sequence);
  if (!isTimestamp(timestamp as string))
    return wrong('timestamp', 'has a timestamp that is no moment like 2026-01-01T00:00:00.000Z', sequence);
  return { state: 'entry', entry, sequence };
}

/** What Grace writes is recognised by its own writer, which is faster; what that refuses, the vectors' library judges. */
function isFormOf(text: string, entry: unknown): boolean {
  try {
    if (canonicalJson(entry, 'entry') === text) return true;
  } catch (error) {
    if (!(error instanceof EntryRefused)) throw error;
  }
  return canonicalize(entry) === text;
}

function isSequence(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
