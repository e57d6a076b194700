import { hash } from 'node:crypto';
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { Clock, JsonObject } from '../../../kernel/index.ts';
import {
  canonicalEntry,
  EntryRefused,
  formatVerifierKey,
  frontierRoot,
  keyRotationEntry,
  signCheckpoint,
  type AuditAppender,
  type AuditDraft,
} from '../../../domains/audit/index.ts';
import { isBusy } from './audit-connection.ts';
import type { AuditDamage, CheckedTail } from './check-tail.ts';
import { AuditAppendFailed, AuditLogClosed, AuditQueueFull, AuditStoreBusy } from './errors.ts';
import { GroupCommit, type GroupCommitLimits, type Waiting } from './group-commit.ts';
import { appendEntry, caughtUp, type LogHead } from './log-head.ts';
import type { LogKeys } from './log-keys.ts';
import { StoredTree } from './stored-tree.ts';
import type { WalSync } from './wal-sync.ts';

/** One statement as kysely compiles it: `{ sql, parameters }` of `query.compile()`. */
export interface CompiledStatement {
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

/** Entries, and the changes they tell of: stored together or not at all. */
export interface AuditedChange {
  readonly changes: readonly CompiledStatement[];
  readonly entries: readonly AuditDraft[];
}

export const APPEND_LIMITS: GroupCommitLimits = {
  // A minute of the busiest Grace; with these bytes a stalled disk costs no more memory than one playbook's process.
  entries: 4096,
  bytes: 8 * 1024 * 1024,
  batch: 32,
  // As long as the rest of the store waits.
  busyMs: 5000,
};

/** A checkpoint is signed after so many entries … */
const CHECKPOINT_ENTRIES = 1024;
/** … or at the first entry after this time; the last entry of a burst does not wait longer than this either. */
const CHECKPOINT_MS = 1000;
/** Looked at for dropping in one transaction: some milliseconds. */
const DROP_ENTRIES = 500;
/** What the log says about itself stays readable: without it the rest could not be checked. */
const OWN_ENTRIES = Buffer.from('{"action":"audit.');

export interface AuditLogParts {
  readonly path: string;
  readonly database: DatabaseSync;
  readonly sync: WalSync;
  readonly tail: CheckedTail;
  readonly keys: LogKeys;
  readonly clock: Pick<Clock, 'nowMs' | 'monotonicMs'>;
  /** Takes secrets out of a text, before it is hashed. */
  readonly redact: (text: string) => string;
  readonly limits: GroupCommitLimits;
}

/**
 * The log, open for entries. An entry that was acknowledged survives `kill -9` and power loss, and lies in one transaction with
 * the change it tells of.
 */
export class AuditLog implements AuditAppender {
  private readonly parts: AuditLogParts;
  private readonly tree: StoredTree;
  private readonly statements: Statements;
  private readonly group: GroupCommit<AuditRequest>;
  private head: LogHead;
  private signedSize: number;
  private signedAtMs: number;
  /** From the entry that names the next key until that key is in its place: both sign. */
  private isHandingOver = false;
  private timer: NodeJS.Timeout | null = null;
  private closedFor: AuditLogClosed | null = null;
  damage: AuditDamage | null;

  constructor(parts: AuditLogParts) {
    this.parts = parts;
    this.tree = new StoredTree(parts.database);
    this.statements = prepare(parts.database);
    this.head = parts.tail.head;
    this.signedSize = parts.tail.signedSize;
    this.signedAtMs = parts.clock.monotonicMs();
    this.damage = parts.tail.damage;
    if (this.damage !== null) this.closedFor = closedFor(parts.path, this.damage);
    this.group = new GroupCommit<AuditRequest>({
      limits: parts.limits,
      commit: (requests) => this.commit(requests),
      sync: () => parts.sync.sync(),
      onUncertain: (error) => this.closeFor('the disk failed to keep what was written', 'check the disk, then start Grace again', error),
      onFailed: (error) => (error instanceof AuditLogClosed ? error : new AuditAppendFailed(parts.path, error)),
      onFull: (waiting, bytes) => new AuditQueueFull(waiting, bytes),
      onBusy: (waitedMs) => new AuditStoreBusy(parts.path, waitedMs),
    });
    // What was found unsigned gets its checkpoint.
    if (this.damage === null) this.signSoon();
  }

  /** The name of the log in its checkpoints. */
  get origin(): string {
    return this.parts.keys.current.verifier.name;
  }

  /** What others need to check what the log signs. */
  get verifierKey(): string {
    return formatVerifierKey(this.parts.keys.current.verifier);
  }

  async append(draft: AuditDraft): Promise<{ readonly sequence: number }> {
    const [sequence = 0] = await this.record({ changes: [], entries: [draft] });
    return { sequence };
  }

  /**
   * Resolves with the entries' sequences when they and the changes are on the disk.
   * @throws EntryRefused, AuditLogClosed, AuditQueueFull, AuditStoreBusy, AuditAppendFailed: nothing of it was stored then. What a
   *         statement of `changes` throws comes through as it is, and spoils no other request of the same transaction.
   */
  record({ changes, entries }: AuditedChange): Promise<readonly number[]> {
    return new Promise((resolve, reject) => {
      if (this.closedFor !== null) throw this.closedFor;
      const timestamp = new Date(this.parts.clock.nowMs()).toISOString();
      const drafts = entries.map((draft) => redacted(draft, this.parts.redact));
      // Where it will lie unless another process comes between: so all the work is done before the lock is taken.
      const expected = this.head.frontier.size + this.group.queued;
      const prepared = drafts.map((draft, i) => canonicalEntry({ ...draft, sequence: expected + i, timestamp }));
      let sequences: readonly number[] = [];
      this.group.add({
        entries: entries.length,
        bytes: prepared.reduce((sum, { length }) => sum + length, 0),
        isRisky: changes.length > 0,
        onSigned: null,
        store: () => {
          const first = this.head.frontier.size;
          // The whole of it before anything is stored: what refuses an entry refuses its changes.
          const bytes =
            first === expected ? prepared : drafts.map((draft, i) => canonicalEntry({ ...draft, sequence: first + i, timestamp }));
          for (const { sql, parameters } of changes) this.parts.database.prepare(sql).run(...(parameters as readonly SQLInputValue[]));
          for (const entry of bytes) this.head = appendEntry(this.tree, this.head, entry);
          sequences = bytes.map((_, i) => first + i);
        },
        acknowledge: () => resolve(sequences),
        reject,
      });
    });
  }

  /** The signed head of all that is stored now. @throws as `record` does */
  async checkpoint(): Promise<string> {
    let signed = '';
    await this.inTransaction({ isRisky: false, onSigned: (note) => (signed = note), store: () => undefined });
    return signed;
  }

  /**
   * Another key signs from now on. The old one says so, in an entry; the checkpoint after it is signed by both.
   * @param actor   who wants it
   */
  async rotateKey(actor: string): Promise<void> {
    const { keys } = this.parts;
    const next = keys.prepareNext();
    try {
      await this.inTransaction({
        isRisky: true,
        onSigned: () => undefined,
        store: () => {
          const { frontier } = this.head;
          this.appendNow(keyRotationEntry(keys.current, next.verifier, frontier.size, frontierRoot(frontier), actor));
          this.isHandingOver = true;
          this.statements.insertFirstKey.run(this.verifierKey, this.parts.clock.nowMs());
          this.statements.insertKey.run(formatVerifierKey(next.verifier), this.head.frontier.size, this.parts.clock.nowMs());
        },
      });
    } catch (error) {
      // Where it is not known whether the entry was stored, the next start finds out which key goes on.
      this.isHandingOver = false;
      if (!(error instanceof AuditLogClosed)) keys.dropNext();
      throw error;
    }
    keys.promote();
    this.isHandingOver = false;
  }

  /**
   * Drops the payloads of entries older than this: the tree keeps their hashes, so proofs and checkpoints stay good. Entries of the
   * log about itself keep theirs.
   * @returns how many were dropped
   */
  async dropPayloads({ olderThanMs, actor }: { readonly olderThanMs: number; readonly actor: string }): Promise<number> {
    const before = this.firstFrom(new Date(olderThanMs).toISOString());
    let from = Number((this.statements.droppedBefore.get() as { value: string } | undefined)?.value ?? 0);
    if (before <= from) return 0;
    const ends = Math.min(before, this.head.frontier.size);
    // Said before it is done, and signed: what has no content any more must be covered by a checkpoint.
    await this.inTransaction({
      isRisky: true,
      onSigned: () => undefined,
      store: () => this.appendNow(ownEntry(actor, 'audit.payloads_dropped', { from, before: ends })),
    });
    let dropped = 0;
    for (; from < ends; from = Math.min(from + DROP_ENTRIES, ends)) {
      const [first, last] = [from, Math.min(from + DROP_ENTRIES, ends)];
      await this.inTransaction({
        isRisky: true,
        onSigned: null,
        store: () => {
          dropped += Number(this.statements.drop.run(first, last, OWN_ENTRIES).changes);
          this.statements.setDroppedBefore.run(String(last));
        },
      });
    }
    return dropped;
  }

  /**
   * Lets a log with a damaged end go on, because a person says so: what is damaged and all after it is set aside, in a table of
   * its own, and the entry that follows tells it.
   * @throws AuditLogClosed when more than the end is damaged
   */
  async reopen({ actor, reason }: { readonly actor: string; readonly reason: string }): Promise<void> {
    const { damage } = this;
    if (damage === null) return;
    if (damage.kind !== 'tail') throw closedFor(this.parts.path, damage);
    this.closedFor = null;
    try {
      await this.inTransaction({
        isRisky: true,
        onSigned: () => undefined,
        store: () => {
          const rows = this.statements.selectFrom.all(damage.sequence) as { leaf: Uint8Array }[];
          const digest = hash('sha256', Buffer.concat(rows.map(({ leaf }) => leaf)), 'hex');
          this.statements.setAside.run(this.parts.clock.nowMs(), damage.sequence);
          this.statements.deleteEntries.run(damage.sequence);
          this.statements.deleteNodes.run(damage.sequence);
          const found = { why: damage.why, setAside: rows.length, leavesSha256: digest };
          this.appendNow(ownEntry(actor, 'audit.reopened', { reason: this.parts.redact(reason), ...found }));
        },
      });
      this.damage = null;
    } catch (error) {
      this.closedFor = closedFor(this.parts.path, damage);
      throw error;
    }
  }

  /** Takes no more, waits until what was taken is on the disk, signs it, and lets go of the store. */
  async close(): Promise<void> {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    await this.group.idle();
    if (this.closedFor === null && this.head.frontier.size > this.signedSize) await this.checkpoint().catch(() => undefined); // the next start signs it
    this.closedFor ??= new AuditLogClosed(this.parts.path, 'Grace is stopping', 'start Grace again');
    await this.group.idle();
    await this.parts.sync.close();
    this.parts.database.close();
  }

  private inTransaction(request: Pick<AuditRequest, 'isRisky' | 'onSigned' | 'store'>): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.closedFor !== null) throw this.closedFor;
      this.group.add({ ...request, entries: 0, bytes: 0, acknowledge: resolve, reject });
    });
  }

  private appendNow(draft: AuditDraft): void {
    const timestamp = new Date(this.parts.clock.nowMs()).toISOString();
    this.head = appendEntry(this.tree, this.head, canonicalEntry({ ...draft, sequence: this.head.frontier.size, timestamp }));
  }

  /** One transaction, without waiting: in WAL mode nothing but the lock can make it wait, and for that it does not. */
  private commit(requests: readonly AuditRequest[]): readonly AuditRequest[] | 'busy' {
    const { database } = this.parts;
    const before = this.head;
    const signedBefore = this.signedSize;
    try {
      this.statements.begin.run();
    } catch (error) {
      if (isBusy(error)) return 'busy';
      throw error;
    }
    try {
      if (this.damage === null) this.catchUp();
      const stored = requests.filter((request) => this.storeOne(request));
      const size = this.head.frontier.size;
      const asking = stored.filter(({ onSigned }) => onSigned !== null);
      if (asking.length > 0 || this.isCheckpointDue(size)) {
        const note = this.sign(size);
        for (const { onSigned } of asking) onSigned?.(note);
      }
      this.statements.commit.run();
      if (this.signedSize < size) this.signSoon();
      return stored;
    } catch (error) {
      if (database.isTransaction) this.statements.rollback.run();
      this.head = before;
      this.signedSize = signedBefore;
      throw error;
    }
  }

  private catchUp(): void {
    const head = caughtUp(this.tree, this.head);
    if (typeof head === 'string')
      throw this.closeFor(`somebody changed it: ${head}`, 'keep the store as it is for a person to look at, and start Grace again');
    if (head === this.head) return;
    this.head = head;
    const recorded = this.statements.lastKey.get() as { vkey: string } | undefined;
    if (recorded !== undefined && !this.isHandingOver) this.parts.keys.follow(recorded.vkey);
  }

  /** @returns false when it was rejected, and left nothing */
  private storeOne(request: AuditRequest): boolean {
    if (!request.isRisky) {
      try {
        request.store();
        return true;
      } catch (error) {
        // Refused before anything was written.
        if (!(error instanceof EntryRefused)) throw error;
        request.reject(error);
        return false;
      }
    }
    const before = this.head;
    this.statements.savepoint.run();
    try {
      request.store();
      this.statements.release.run();
      return true;
    } catch (error) {
      this.head = before;
      // A full disk or a failed one ends the whole transaction, and with it all that are in it.
      if (!this.parts.database.isTransaction || isOfTheDisk(error)) throw error;
      this.statements.rollbackTo.run();
      this.statements.release.run();
      request.reject(error);
      return false;
    }
  }

  private isCheckpointDue(size: number): boolean {
    return (
      size - this.signedSize >= CHECKPOINT_ENTRIES ||
      (size > this.signedSize && this.parts.clock.monotonicMs() - this.signedAtMs >= CHECKPOINT_MS)
    );
  }

  private sign(size: number): string {
    const { keys, clock } = this.parts;
    const signers = keys.next !== null && this.isHandingOver ? [keys.current, keys.next] : [keys.current];
    const note = signCheckpoint({ origin: this.origin, size, root: frontierRoot(this.head.frontier) }, signers);
    this.statements.insertNote.run(size, clock.nowMs(), note);
    this.statements.insertFirstKey.run(this.verifierKey, clock.nowMs());
    this.signedSize = size;
    this.signedAtMs = clock.monotonicMs();
    return note;
  }

  /** Nobody may come after the last entry of a burst: then time signs it. */
  private signSoon(): void {
    if (this.timer !== null || this.head.frontier.size <= this.signedSize) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      if (this.closedFor === null && this.head.frontier.size > this.signedSize) void this.checkpoint().catch(() => this.signSoon());
    }, CHECKPOINT_MS);
    this.timer.unref();
  }

  private closeFor(why: string, hint: string, cause?: unknown): AuditLogClosed {
    this.closedFor ??= new AuditLogClosed(this.parts.path, why, hint, cause);
    return this.closedFor;
  }

  /** The first entry that is not older, going by the entries that have a time left; they lie in order of time. */
  private firstFrom(timestamp: string): number {
    let [from, to] = [0, this.head.frontier.size];
    while (from < to) {
      const middle = Math.floor((from + to) / 2);
      const { body } = (this.statements.selectBody.get(middle) as { body: Uint8Array | null } | undefined) ?? { body: null };
      if (body === null || (JSON.parse(Buffer.from(body).toString()) as { timestamp: string }).timestamp < timestamp) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}

interface AuditRequest extends Waiting {
  /** It may fail half way, by itself. */
  readonly isRisky: boolean;
  /** Where it is there, the transaction ends with a checkpoint, which it gets before that is on the disk. */
  readonly onSigned: ((note: string) => void) | null;
  /** Runs inside the transaction. */
  readonly store: () => void;
}

/** What the log says about itself. */
function ownEntry(actor: string, action: string, payload: JsonObject): AuditDraft {
  return { actor, action, resource: 'audit/log', subsystem: 'audit', result: 'ok', payload };
}

function closedFor(path: string, { kind, why }: AuditDamage): AuditLogClosed {
  const hint =
    kind === 'tail'
      ? 'look at what is there with: grace audit verify; then say that the log may go on without it'
      : 'look at what is there with: grace audit verify; put the store back from a backup, with its key';
  return new AuditLogClosed(path, why, hint);
}

/** Names stay: they are Grace's own words. */
function redacted(draft: AuditDraft, redact: (text: string) => string): AuditDraft {
  const clean = <T>(value: T): T => {
    if (typeof value === 'string') return redact(value) as T;
    if (Array.isArray(value)) return value.map(clean) as T;
    // Objects of a class are refused later, so they stay what they are.
    if (typeof value !== 'object' || value === null || !isPlain(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [redact(name), clean(part)])) as T;
  };
  return { ...draft, actor: redact(draft.actor), resource: redact(draft.resource), payload: clean(draft.payload) };
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Out of memory or space, read-only, input and output, damage. @see https://www.sqlite.org/rescode.html */
const DISK_CODES = new Set([7, 8, 10, 11, 13, 14]);

function isOfTheDisk(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && DISK_CODES.has((error.errcode as number) & 0xff);
}

type Statements = Readonly<Record<keyof typeof SQL, StatementSync>>;

const SQL = {
  begin: 'begin immediate',
  commit: 'commit',
  rollback: 'rollback',
  savepoint: 'savepoint one',
  release: 'release one',
  rollbackTo: 'rollback to one',
  insertNote: 'insert or replace into audit_checkpoints (size, at, note) values (?, ?, ?)',
  lastKey: 'select vkey from audit_keys order by number desc limit 1',
  insertKey: 'insert into audit_keys (vkey, from_sequence, at) values (?, ?, ?)',
  insertFirstKey: `insert into audit_keys (vkey, from_sequence, at) select ?, 0, ? where not exists (select 1 from audit_keys)`,
  selectBody: 'select body from audit_entries where sequence = ?',
  selectFrom: 'select leaf from audit_entries where sequence >= ? order by sequence',
  setAside: 'insert into audit_set_aside (at, sequence, leaf, body) select ?, sequence, leaf, body from audit_entries where sequence >= ?',
  deleteEntries: 'delete from audit_entries where sequence >= ?',
  deleteNodes: 'delete from audit_nodes where (position + 1) * (1 << level) > ?',
  droppedBefore: `select value from audit_state where name = 'payloads_dropped_before'`,
  setDroppedBefore: `insert or replace into audit_state (name, value) values ('payloads_dropped_before', ?)`,
  drop: `update audit_entries set body = null
    where sequence >= ? and sequence < ? and body is not null and substr(body, 1, 17) <> ?`,
} as const;

function prepare(database: DatabaseSync): Statements {
  return Object.fromEntries(Object.entries(SQL).map(([name, sql]) => [name, database.prepare(sql)])) as Statements;
}
