import { HASH_BYTES, type Hash, type StoredEntry } from '../../../domains/audit/index.ts';

/** The entries of one transaction, as one row: a row for each would cost more than hashing them. */
export interface EntryRow {
  /** Sequence of its first entry. */
  readonly first: number;
  /** Their hashes, one after the other. */
  readonly leaves: Uint8Array;
  /** Their canonical forms, each behind a zero byte, which JSON never has in it and which the hash of a leaf begins with. */
  readonly bodies: Uint8Array;
}

/** One entry of a row; no body when it was dropped. */
export interface RowEntry {
  readonly leaf: Hash;
  readonly body: Uint8Array | null;
}

export const BODY_START = 0;

/** @returns null when hashes and bodies are not of one number: the row is not what was written */
export function entriesOf({ leaves, bodies }: EntryRow): readonly RowEntry[] | null {
  const count = leaves.length / HASH_BYTES;
  if (!Number.isInteger(count) || count === 0 || bodies[0] !== BODY_START) return null;
  const entries: RowEntry[] = [];
  for (let at = 0; at < bodies.length;) {
    const next = bodies.indexOf(BODY_START, at + 1);
    const end = next < 0 ? bodies.length : next;
    if (entries.length === count) return null;
    const leaf = leaves.subarray(entries.length * HASH_BYTES, (entries.length + 1) * HASH_BYTES);
    entries.push({ leaf, body: end === at + 1 ? null : bodies.subarray(at + 1, end) });
    at = end;
  }
  return entries.length === count ? entries : null;
}

export function rowOf(first: number, entries: readonly RowEntry[]): EntryRow {
  const start = Uint8Array.of(BODY_START);
  return {
    first,
    leaves: Buffer.concat(entries.map(({ leaf }) => leaf)),
    bodies: Buffer.concat(entries.flatMap(({ body }) => (body === null ? [start] : [start, body]))),
  };
}

export function storedEntry({ leaf, body }: RowEntry): StoredEntry {
  return body ?? { leafHash: leaf };
}
