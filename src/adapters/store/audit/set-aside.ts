import { createHash } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { HASH_BYTES } from '../../../domains/audit/index.ts';
import { entriesOf, rowOf, type EntryRow } from './entry-rows.ts';
import type { StoredTree } from './stored-tree.ts';

/** What was set aside, for the entry that tells it. */
export interface SetAside {
  /** Entries, going by their hashes. */
  readonly setAside: number;
  readonly leavesSha256: string;
}

/** Puts this entry and all after it into a table of their own. Runs inside a transaction. */
export function setAside(database: DatabaseSync, stored: StoredTree, sequence: number, nowMs: number): SetAside {
  const digest = createHash('sha256');
  let count = 0;
  // Nobody reads rows from here on that hold nothing of what is damaged.
  for (const row of stored.rows(sequence, Infinity)) {
    const [before, after] = split(row, sequence);
    if (row.first < sequence) database.prepare('delete from audit_entries where first = ?').run(row.first);
    if (before !== null) stored.insert(before);
    if (after === null) continue;
    if (row.first < sequence)
      database
        .prepare('insert into audit_set_aside (at, first, leaves, bodies) values (?, ?, ?, ?)')
        .run(nowMs, after.first, after.leaves, after.bodies);
    // SQLite keeps a value of any type in any column; what is too long is not read.
    const leaves = after.leaves instanceof Uint8Array ? after.leaves : Buffer.from(String(after.leaves));
    count += Math.ceil(leaves.length / HASH_BYTES);
    digest.update(leaves);
  }
  database
    .prepare('insert into audit_set_aside (at, first, leaves, bodies) select ?, first, leaves, bodies from audit_entries where first >= ?')
    .run(nowMs, sequence);
  database.prepare('delete from audit_entries where first >= ?').run(sequence);
  database.prepare('delete from audit_nodes where (position + 1) * (1 << level) > ?').run(sequence);
  return { setAside: count, leavesSha256: digest.digest('hex') };
}

/** @returns what of the row comes before the entry, and what from there on; a row that is not whole goes as it is */
function split(row: EntryRow, sequence: number): readonly [EntryRow | null, EntryRow | null] {
  if (row.first >= sequence) return [null, row];
  const entries = entriesOf(row);
  if (entries === null) return [null, row];
  const kept = sequence - row.first;
  return [rowOf(row.first, entries.slice(0, kept)), kept < entries.length ? rowOf(sequence, entries.slice(kept)) : null];
}
