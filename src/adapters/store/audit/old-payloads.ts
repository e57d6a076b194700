import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isTimestamp } from '../../../domains/audit/index.ts';
import { entriesOf, rowOf } from './entry-rows.ts';
import type { StoredTree } from './stored-tree.ts';

/** Looked at in one transaction: some milliseconds. */
export const DROP_ENTRIES = 500;
/** What the log says about itself stays readable: without it the rest could not be checked. */
const OWN_ENTRIES = Buffer.from('{"action":"audit.');
/** Dropping ends behind so many of them, and goes on the next day: an entry that names them has 64 KiB. */
const OWN_NAMED_MAX = 2000;

/** Of an entry's timestamp; null where it tells none. */
export type IsYoung = (time: string | null) => boolean;

/** Entries whose payloads may go, and those among them that the log says about itself. */
export interface OldEntries {
  readonly from: number;
  /** Before which they end. */
  readonly ends: number;
  readonly own: readonly number[];
}

/** The payloads of old entries: which they are, and dropping them. The tree keeps their hashes. */
export class OldPayloads {
  private readonly stored: StoredTree;
  private readonly droppedBefore: StatementSync;
  private readonly setDroppedBefore: StatementSync;
  private readonly setBodies: StatementSync;

  constructor(database: DatabaseSync, stored: StoredTree) {
    this.stored = stored;
    this.droppedBefore = database.prepare(`select value from audit_state where name = 'payloads_dropped_before'`);
    this.setDroppedBefore = database.prepare(`insert or replace into audit_state (name, value) values ('payloads_dropped_before', ?)`);
    this.setBodies = database.prepare('update audit_entries set bodies = ? where first = ?');
  }

  /**
   * Those not dropped before, each by its own time: a clock that was wrong for a while, as after a start without a battery, must not
   * let what is before it look old. Some at a time, since there may be a million of them.
   * @param size     of the log
   * @param mayGoOn  is asked after each turn; it throws to end it
   */
  async find(size: number, isYoung: IsYoung, mayGoOn: () => void): Promise<OldEntries> {
    const from = Number((this.droppedBefore.get() as { value: string } | undefined)?.value ?? 0);
    const to = this.firstYoung(size, isYoung);
    const own: number[] = [];
    for (let at = from; at < to; at += DROP_ENTRIES) {
      const end = Math.min(at + DROP_ENTRIES, to);
      for (const row of this.stored.rows(at, end))
        for (const [i, { body }] of (entriesOf(row) ?? []).entries()) {
          const place = row.first + i;
          if (place < at || place >= end) continue;
          if (isYoung(timeOf(body)) || own.length > OWN_NAMED_MAX) return { from, ends: place, own };
          if (isOwn(body)) own.push(place);
        }
      await nextTurn();
      mayGoOn();
    }
    return { from, ends: to, own };
  }

  /** Runs inside a transaction. @returns how many of these entries had a body to lose */
  drop(from: number, to: number): number {
    let dropped = 0;
    for (const row of this.stored.rows(from, to)) {
      const held = entriesOf(row);
      // Damage is for `grace audit verify` to tell; it stays as it is.
      if (held === null) continue;
      let isChanged = false;
      const kept = held.map((entry, i) => {
        const isOld = row.first + i >= from && row.first + i < to;
        if (!isOld || entry.body === null || isOwn(entry.body)) return entry;
        isChanged = true;
        dropped++;
        return { ...entry, body: null };
      });
      if (isChanged) this.setBodies.run(rowOf(row.first, kept).bodies, row.first);
    }
    this.setDroppedBefore.run(String(to));
    return dropped;
  }

  /** The first entry that is not old, as far as entries lie in order of time; what tells no time, or one that is still to come, counts as old. */
  private firstYoung(size: number, isYoung: IsYoung): number {
    let [from, to] = [0, size];
    while (from < to) {
      const middle = Math.floor((from + to) / 2);
      if (isYoung(timeOf(this.stored.body(middle)))) to = middle;
      else from = middle + 1;
    }
    return from;
  }
}

/** Whether it is an entry of the log about itself. */
function isOwn(body: Uint8Array | null): boolean {
  return body !== null && OWN_ENTRIES.equals(body.subarray(0, OWN_ENTRIES.length));
}

/** `2026-01-01T00:00:00.000Z`, which stands at the end of an entry, before a quote and a brace; null where there is none. */
function timeOf(body: Uint8Array | null): string | null {
  const time = body === null ? '' : Buffer.from(body.subarray(-26, -2)).toString('latin1');
  return isTimestamp(time) ? time : null;
}
