import type { DatabaseSync } from 'node:sqlite';
import {
  appendLeaf,
  AuditNodeMissing,
  canonicalEntry,
  checkNote,
  frontierRoot,
  isRotation,
  leafHash,
  parseCheckpoint,
  parseNote,
  type AuditEntry,
  type Checkpoint,
  type VerifierKey,
} from '../../../domains/audit/index.ts';
import { messageOf } from '../../../kernel/index.ts';
import { BODIES, entriesOf, LEAVES, type EntryRow } from './entry-rows.ts';
import { EMPTY_HEAD, storedHead, type LogHead } from './log-head.ts';
import { FIRST, isStored, type StoredTree } from './stored-tree.ts';

/** Why a log that was opened takes no entries. */
export interface AuditDamage {
  /** `tail`: entries that no checkpoint covers yet, so a person may set them aside. `signed`: nothing but a backup helps. */
  readonly kind: 'tail' | 'signed';
  /** The first entry that is not what it must be. */
  readonly sequence: number;
  readonly why: string;
}

/** What the end of a stored log is like. */
export interface CheckedTail {
  /** Up to the damage, if there is one. */
  readonly head: LogHead;
  /** Size of the last checkpoint; 0 when there is none. */
  readonly signedSize: number;
  readonly damage: AuditDamage | null;
}

/**
 * Looks at what a power cut, a broken disk or a foreign hand may have done to the end of the log: the last checkpoint is ours
 * and fits the tree, and each entry after it is what its leaf says. What lies before is for `grace audit verify`.
 * @param keys       that may have signed the last checkpoint
 * @param keptHead   the newest head, as it is kept outside of the store; read before this looks at the store
 */
export async function checkTail(
  database: DatabaseSync,
  tree: StoredTree,
  keys: readonly VerifierKey[],
  keptHead: string | null,
): Promise<CheckedTail> {
  // One view of the tables, whoever adds to them meanwhile.
  database.exec('begin');
  try {
    const last = database
      .prepare(
        `select min(size, ${Number.MAX_SAFE_INTEGER}) as size, note from audit_checkpoints order by audit_checkpoints.size desc limit 1`,
      )
      .get() as { size: number; note: string } | undefined;
    const { size } = tree.last();
    const kept = ownHead(keptHead, keys);
    if (last === undefined) return (await lostSince(tree, kept, EMPTY_HEAD, 0)) ?? checkEntries(database, tree, EMPTY_HEAD, 0);
    const signed = (why: string, sequence: number): CheckedTail => ({
      head: EMPTY_HEAD,
      signedSize: last.size,
      damage: { kind: 'signed', sequence, why },
    });
    const problem = problemOfNote(last, keys);
    if (problem !== null) return signed(problem, last.size);
    if (size < last.size) return signed(`a checkpoint covers ${last.size} entries, and there are ${size}`, size);
    let head: LogHead;
    try {
      head = await storedHead(tree, last.size);
    } catch (error) {
      return signed(messageOf(error), last.size);
    }
    if (Buffer.compare(frontierRoot(head.frontier), parseCheckpoint(parseNote(last.note).text).root) !== 0)
      return signed(`the first ${last.size} entries are not those of the last checkpoint`, last.size);
    return (await lostSince(tree, kept, head, last.size)) ?? checkEntries(database, tree, head, last.size);
  } finally {
    database.exec('commit');
  }
}

/** One that this log did not sign says nothing about it. */
function ownHead(note: string | null, keys: readonly VerifierKey[]): Checkpoint | null {
  if (note === null) return null;
  const checkpoint = parseCheckpoint(parseNote(note).text);
  return problemOfNote({ size: checkpoint.size, note }, keys) === null ? checkpoint : null;
}

/** Whether the log does not hold what it had signed once: it was put back to an older state, cut off, or written anew. */
async function lostSince(tree: StoredTree, kept: Checkpoint | null, head: LogHead, signedSize: number): Promise<CheckedTail | null> {
  if (kept === null || (await hasHistory(tree, head, signedSize, kept))) return null;
  const covers = `the head of ${kept.size} entries that is kept beside the key, in audit.head, is signed`;
  const why =
    tree.last().size < kept.size
      ? `${covers}, and the store has ${tree.last().size}: it was cut off, or put back to an older state`
      : `${covers}, and the store has others: they were written anew`;
  // What the store has a head for stays; the rest, if there is any, a person may set aside.
  if (kept.size > signedSize) return { head, signedSize, damage: { kind: 'tail', sequence: signedSize, why } };
  return { head: EMPTY_HEAD, signedSize, damage: { kind: 'signed', sequence: kept.size, why } };
}

async function hasHistory(tree: StoredTree, head: LogHead, signedSize: number, { size, root }: Checkpoint): Promise<boolean> {
  if (tree.last().size < size) return false;
  try {
    let { frontier } = size > signedSize ? head : await storedHead(tree, size);
    // From the leaves: what is above them is looked at with each entry.
    while (frontier.size < size) {
      const leaf = tree.leaf(frontier.size);
      if (leaf === null) return false;
      ({ frontier } = appendLeaf(frontier, leaf));
    }
    return Buffer.compare(frontierRoot(frontier), root) === 0;
  } catch (error) {
    if (error instanceof AuditNodeMissing) return false;
    throw error;
  }
}

function problemOfNote({ size, note }: { size: number; note: string }, keys: readonly VerifierKey[]): string | null {
  try {
    const parsed = parseNote(note);
    const checkpoint = parseCheckpoint(parsed.text);
    if (checkpoint.size !== size) return `the checkpoint of ${size} entries says ${checkpoint.size}`;
    if (!keys.some(({ name }) => name === checkpoint.origin)) return 'the last checkpoint is of another log';
    return checkNote(parsed, keys).state === 'signed' ? null : 'the last checkpoint is not signed by the key of this log';
  } catch (error) {
    return messageOf(error);
  }
}

function checkEntries(database: DatabaseSync, tree: StoredTree, from: LogHead, signedSize: number): CheckedTail {
  let head = from;
  const damaged = (sequence: number, why: string): CheckedTail => ({ head, signedSize, damage: { kind: 'tail', sequence, why } });
  const rows = database
    .prepare(
      `select ${FIRST} as first, ${LEAVES}, ${BODIES} from audit_entries
        where audit_entries.first >= coalesce((select max(first) from audit_entries where first <= ?1), ?1) order by audit_entries.first`,
    )
    .iterate(signedSize) as Iterable<unknown> as Iterable<EntryRow>;
  for (const row of rows) {
    const expected = head.frontier.size;
    // The last checkpoint may end within a row.
    const known = row.first < signedSize ? expected - row.first : 0;
    const entries = entriesOf(row);
    if (entries === null && known === 0) return damaged(expected, `the row that begins with entry ${row.first} is not whole`);
    if (entries === null) return damaged(expected, `the row that holds entry ${expected} is not whole`);
    if (row.first + known !== expected) return damaged(expected, `entry ${expected} is missing`);
    for (const { leaf, body } of entries.slice(known)) {
      const sequence = head.frontier.size;
      if (body === null) return damaged(sequence, `entry ${sequence} has no content, and no checkpoint covers it yet`);
      if (Buffer.compare(leafHash(body), leaf) !== 0) return damaged(sequence, `entry ${sequence} is not what its hash says`);
      // A rotation comes with its head.
      if (isRotation(body)) return damaged(sequence, `entry ${sequence} hands over to another key, and no checkpoint covers it`);
      const problem = problemOfEntry(body, sequence);
      if (problem !== null) return damaged(sequence, problem);
      const { frontier, nodes } = appendLeaf(head.frontier, leaf);
      for (const { level, index, hash } of nodes) {
        const stored = isStored(level) ? tree.stored(level, index) : hash;
        if (stored === null || Buffer.compare(stored, hash) !== 0)
          return damaged(sequence, `the tree above entry ${sequence} was not written with it (level ${level})`);
      }
      head = { frontier, lastLeaf: leaf };
    }
  }
  return { head, signedSize, damage: null };
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function problemOfEntry(body: Uint8Array, sequence: number): string | null {
  try {
    const entry = JSON.parse(decoder.decode(body)) as AuditEntry;
    if (Buffer.compare(canonicalEntry(entry), body) !== 0) return `entry ${sequence} is not in canonical form`;
    return entry.sequence === sequence ? null : `entry ${sequence} calls itself ${String(entry.sequence).slice(0, 20)}`;
  } catch {
    // What the parser says would quote what is stored there.
    return `entry ${sequence} is not in canonical form`;
  }
}
