import { HASH_BYTES, type Hash } from '../../../domains/audit/index.ts';

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

/**
 * No row has more bytes, of hashes or of bodies: a longer one is not what was written, and is not read into memory. Some two hundred
 * of the largest entries.
 */
export const ROW_BYTES_MAX = 16 * 1024 * 1024;
/** Hashes and bodies of a row as columns; null where they are longer. */
export const LEAVES = `case when length(leaves) <= ${ROW_BYTES_MAX} then leaves end as leaves`;
export const BODIES = `case when length(bodies) <= ${ROW_BYTES_MAX} then bodies end as bodies`;

export const BODY_START = 0;
export const BODY_START_TEXT = String.fromCharCode(BODY_START);

/** Whether hashes and bodies are of one number, and some: otherwise the row is not what was written. */
export function isWhole({ leaves, bodies }: EntryRow): boolean {
  // SQLite keeps a value of any type in any column.
  if (!(leaves instanceof Uint8Array && bodies instanceof Uint8Array) || bodies[0] !== BODY_START) return false;
  let count = 0;
  for (let at = 0; at < bodies.length; at = endOf(bodies, at)) count++;
  return count * HASH_BYTES === leaves.length;
}

/** Where the body that begins with the zero byte at `start` ends. */
export function endOf(bodies: Uint8Array, start: number): number {
  const next = bodies.indexOf(BODY_START, start + 1);
  return next < 0 ? bodies.length : next;
}

/** @returns null when the row is not whole */
export function entriesOf(row: EntryRow): readonly RowEntry[] | null {
  if (!isWhole(row)) return null;
  const { leaves, bodies } = row;
  const entries: RowEntry[] = [];
  for (let at = 0; at < bodies.length;) {
    const end = endOf(bodies, at);
    const leaf = leaves.subarray(entries.length * HASH_BYTES, (entries.length + 1) * HASH_BYTES);
    entries.push({ leaf, body: end === at + 1 ? null : bodies.subarray(at + 1, end) });
    at = end;
  }
  return entries;
}

export function rowOf(first: number, entries: readonly RowEntry[]): EntryRow {
  const start = Uint8Array.of(BODY_START);
  return {
    first,
    leaves: Buffer.concat(entries.map(({ leaf }) => leaf)),
    bodies: Buffer.concat(entries.flatMap(({ body }) => (body === null ? [start] : [start, body]))),
  };
}
