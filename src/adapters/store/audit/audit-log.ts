import { dirname } from 'node:path';
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { Clock, JsonObject } from '../../../kernel/index.ts';
import {
  EntryRefused,
  entryText,
  formatVerifierKey,
  frontierRoot,
  keyRotationEntry,
  signCheckpoint,
  type AuditAppender,
  type AuditDraft,
  type EntryText,
} from '../../../domains/audit/index.ts';
import { isBusy } from './audit-connection.ts';
import type { AuditDamage, CheckedTail } from './check-tail.ts';
import { AuditAppendFailed, AuditLogClosed, AuditQueueFull, AuditStoreBusy } from './errors.ts';
import { EntryBatch } from './entry-batch.ts';
import { GroupCommit, type GroupCommitLimits, type Waiting } from './group-commit.ts';
import { GrowingTree } from './growing-tree.ts';
import { keepHead } from './head-file.ts';
import { addedSince } from './log-head.ts';
import type { LogKeys } from './log-keys.ts';
import { DROP_ENTRIES, OldPayloads } from './old-payloads.ts';
import { setAside } from './set-aside.ts';
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
  // One or two milliseconds of the event loop.
  batch: 256,
  // As long as the rest of the store waits.
  busyMs: 5000,
};

/** A checkpoint is signed after so many entries, which a start after a kill reads again, in some thirty milliseconds … */
const CHECKPOINT_ENTRIES = 4096;
/** … or at the first entry after this time; the last entry of a burst does not wait longer than this either. */
const CHECKPOINT_MS = 1000;
/** Of a burst's many heads one is kept beside the key in this time, and the last: to do so takes as long as a hundred entries. */
const KEEP_HEAD_MS = 250;
/** A text shorter than this hides nothing, and short texts are most of an entry. */
const SECRET_CHARS_MIN = 4;

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
  private readonly stored: StoredTree;
  private readonly tree: GrowingTree;
  private readonly batch: EntryBatch;
  private readonly old: OldPayloads;
  private readonly statements: Statements;
  private readonly group: GroupCommit<AuditRequest>;
  private readonly redact: (text: string) => string;
  /** Changes when another connection changes anything, of this process or another: then the end of the log is looked at. */
  private seenVersion = NaN;
  private time = { ms: NaN, text: '' };
  private signedSize: number;
  private signedAtMs: number;
  /** Committed, and not yet synced. */
  private unsyncedHead: string | null = null;
  /** Synced, and not yet in the file beside the key. */
  private syncedHead: string | null = null;
  private keptAtMs = -Infinity;
  /** From the entry that names the next key until that key is in its place: both sign. */
  private isHandingOver = false;
  private timer: NodeJS.Timeout | null = null;
  private closedFor: AuditLogClosed | null = null;
  private closing: Promise<void> | null = null;
  damage: AuditDamage | null;

  constructor(parts: AuditLogParts) {
    this.parts = parts;
    this.stored = new StoredTree(parts.database);
    this.tree = new GrowingTree(parts.tail.head);
    this.batch = new EntryBatch(this.tree, this.stored);
    this.old = new OldPayloads(parts.database, this.stored);
    this.statements = prepare(parts.database);
    this.redact = (text) => (text.length < SECRET_CHARS_MIN ? text : parts.redact(text));
    this.signedSize = parts.tail.signedSize;
    this.signedAtMs = parts.clock.monotonicMs();
    this.damage = parts.tail.damage;
    if (this.damage !== null) this.closedFor = closedFor(parts.path, this.damage);
    this.group = new GroupCommit<AuditRequest>({
      limits: parts.limits,
      commit: (requests) => this.commit(requests),
      sync: () => this.sync(),
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
    return this.parts.keys.verifier.name;
  }

  /** What others need to check what the log signs. */
  get verifierKey(): string {
    return formatVerifierKey(this.parts.keys.verifier);
  }

  append(draft: AuditDraft): Promise<{ readonly sequence: number }> {
    return new Promise((resolve, reject) => {
      if (this.closedFor !== null) throw this.closedFor;
      this.group.add(new OneEntry(entryText(draft, this.timestamp(), this.redact), this.tree, this.batch, resolve, reject));
    });
  }

  /**
   * Resolves with the entries' sequences when they and the changes are on the disk.
   * @throws EntryRefused, AuditLogClosed, AuditQueueFull, AuditStoreBusy, AuditAppendFailed: nothing of it was stored then. What a
   *         statement of `changes` throws comes through as it is, and spoils no other request of the same transaction.
   */
  record({ changes, entries }: AuditedChange): Promise<readonly number[]> {
    return new Promise((resolve, reject) => {
      if (this.closedFor !== null) throw this.closedFor;
      const timestamp = this.timestamp();
      // All but the place, so that the lock is held for less.
      const texts = entries.map((draft) => entryText(draft, timestamp, this.redact));
      let first = 0;
      this.group.add({
        entries: texts.length,
        bytes: texts.reduce((chars, text) => chars + charsOf(text), 0),
        isRisky: changes.length > 0 || texts.length > 1,
        onSigned: null,
        store: () => {
          first = this.tree.size;
          // Entries first: they are refused before anything is changed.
          for (const text of texts) this.batch.add(text);
          for (const { sql, parameters } of changes) this.parts.database.prepare(sql).run(...(parameters as readonly SQLInputValue[]));
        },
        acknowledge: () => resolve(entries.map((_, i) => first + i)),
        reject,
      });
    });
  }

  /** Of now; made anew once a millisecond. */
  private timestamp(): string {
    const ms = this.parts.clock.nowMs();
    if (ms !== this.time.ms) this.time = { ms, text: new Date(ms).toISOString() };
    return this.time.text;
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
    try {
      await this.inTransaction({
        isRisky: true,
        onSigned: () => undefined,
        store: () => {
          // All of it with the lock: a rotation of another process is done, or has not begun.
          this.followRecorded();
          const next = keys.prepareNext();
          const frontier = this.tree.frontier();
          this.appendNow(keyRotationEntry(keys.signer, next, frontier.size, frontierRoot(frontier), actor));
          this.isHandingOver = true;
          this.statements.insertFirstKey.run(this.verifierKey, this.parts.clock.nowMs());
          this.statements.insertKey.run(formatVerifierKey(next.verifier), this.tree.size, this.parts.clock.nowMs());
        },
      });
    } catch (error) {
      // Where it is not known whether the entry was stored, the next start finds out which key goes on.
      this.isHandingOver = false;
      if (!(error instanceof AuditLogClosed)) keys.dropNext();
      throw error;
    }
    const promote = (): void => {
      keys.promote((this.statements.lastKey.get() as { vkey: string }).vkey);
      this.followRecorded();
      this.isHandingOver = false;
    };
    // Without the lock where it is not to be had: the entry is stored, and the old key signs nothing any more.
    await this.inTransaction({ isRisky: false, onSigned: null, store: promote }).catch(promote);
  }

  private followRecorded(): void {
    const recorded = this.statements.lastKey.get() as { vkey: string } | undefined;
    if (recorded !== undefined) this.parts.keys.follow(recorded.vkey);
  }

  /**
   * Drops the payloads of entries older than this: the tree keeps their hashes, so proofs and checkpoints stay good. Entries of the
   * log about itself keep theirs.
   * @param reason  what says that they go, such as a policy; it stands in the entry
   * @returns how many were dropped
   */
  async dropPayloads({ olderThanMs, actor, reason }: DropRequest): Promise<number> {
    const olderThan = new Date(olderThanMs).toISOString();
    const now = this.timestamp();
    const { from, ends, own } = await this.old.find(
      this.tree.size,
      (time) => time !== null && time >= olderThan && time <= now,
      () => {
        if (this.closedFor !== null) throw this.closedFor;
      },
    );
    if (ends <= from) return 0;
    // Named, so that nobody else can take their contents and it looks like this.
    const told = { from, before: ends, ...(own.length === 0 ? {} : { kept: own }), older_than: olderThan, reason };
    // Said before it is done, and signed: what has no content any more must be covered by a checkpoint.
    await this.inTransaction({
      isRisky: true,
      onSigned: () => undefined,
      store: () => this.appendNow(ownEntry(actor, 'audit.payloads_dropped', told)),
    });
    let dropped = 0;
    for (let first = from; first < ends; first += DROP_ENTRIES)
      await this.inTransaction({
        isRisky: true,
        onSigned: null,
        store: () => (dropped += this.old.drop(first, Math.min(first + DROP_ENTRIES, ends))),
      });
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
          // Another may have mended it meanwhile, and gone on.
          const signed = this.statements.lastSigned.get() as { size: number | null };
          if ((signed.size ?? 0) !== this.signedSize)
            throw new AuditLogClosed(this.parts.path, 'somebody else mended it meanwhile', 'look at it again with: grace audit verify');
          const found = { why: damage.why, ...setAside(this.parts.database, this.stored, damage.sequence, this.parts.clock.nowMs()) };
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
  close(): Promise<void> {
    // Once: a second time the descriptor could be somebody else's.
    return (this.closing ??= this.closeOnce());
  }

  private async closeOnce(): Promise<void> {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    const isWhole = this.closedFor === null;
    // At once: an entry that came while the last head is signed would stay without one.
    this.closedFor ??= new AuditLogClosed(this.parts.path, 'Grace is stopping', 'start Grace again');
    await this.group.idle();
    // Where it fails, the next start signs it.
    const sign = { isRisky: false, onSigned: () => undefined, store: () => undefined };
    if (isWhole && this.parts.keys.canSign && this.tree.size > this.signedSize) await this.inGroup(sign).catch(() => undefined);
    await this.group.idle();
    this.keepSyncedHead();
    await this.parts.sync.close();
    this.parts.database.close();
  }

  private async inTransaction(request: Pick<AuditRequest, 'isRisky' | 'onSigned' | 'store'>): Promise<void> {
    if (this.closedFor !== null) throw this.closedFor;
    await this.inGroup(request);
  }

  private inGroup(request: Pick<AuditRequest, 'isRisky' | 'onSigned' | 'store'>): Promise<void> {
    return new Promise((resolve, reject) => this.group.add({ ...request, entries: 0, bytes: 0, acknowledge: resolve, reject }));
  }

  private appendNow(draft: AuditDraft): void {
    this.batch.add(entryText(draft, this.timestamp()));
  }

  /** One transaction, without waiting: in WAL mode nothing but the lock can make it wait, and for that it does not. */
  private commit(requests: readonly AuditRequest[]): readonly AuditRequest[] | 'busy' {
    const { database } = this.parts;
    const before = this.batch.mark();
    const signedBefore = this.signedSize;
    try {
      this.statements.begin.run();
    } catch (error) {
      if (isBusy(error)) return 'busy';
      throw error;
    }
    try {
      if (this.damage === null) this.catchUp();
      const stored = requests.filter((request) => {
        if (this.batch.isLarge) this.batch.flush();
        return this.storeOne(request);
      });
      this.batch.flush();
      const { size } = this.tree;
      const asking = stored.filter(({ onSigned }) => onSigned !== null);
      let note = this.unsyncedHead;
      if (asking.length > 0 || this.isCheckpointDue(size)) {
        note = this.sign(size);
        for (const { onSigned } of asking) onSigned?.(note);
      }
      this.statements.commit.run();
      this.unsyncedHead = note;
      if (this.signedSize < size) this.signSoon();
      return stored;
    } catch (error) {
      if (database.isTransaction) this.statements.rollback.run();
      this.batch.clear();
      this.batch.reset(before);
      this.seenVersion = NaN;
      this.signedSize = signedBefore;
      throw error;
    }
  }

  private async sync(): Promise<void> {
    const note = this.unsyncedHead;
    this.unsyncedHead = null;
    await this.parts.sync.sync();
    if (note !== null) this.syncedHead = note;
    const isDue = this.parts.clock.monotonicMs() - this.keptAtMs >= KEEP_HEAD_MS;
    // What is coming brings a newer head, perhaps; where it can not be stored, this one is kept with what follows, or at the end.
    if (isDue || !this.group.isMoreComing) this.keepSyncedHead();
  }

  /** Not before it is synced: a head that is kept and that the log does not have means that somebody took it away. */
  private keepSyncedHead(): void {
    if (this.syncedHead === null) return;
    keepHead(dirname(this.parts.path), this.syncedHead);
    this.syncedHead = null;
    this.keptAtMs = this.parts.clock.monotonicMs();
  }

  /** With the lock, so that nobody can come between. */
  private catchUp(): void {
    const { data_version: version } = this.statements.dataVersion.get() as { data_version: number };
    if (version === this.seenVersion) return;
    this.seenVersion = version;
    const { keys } = this.parts;
    // Ours has handed over already, and is not yet in its place.
    const signer = this.isHandingOver && keys.next !== null ? keys.next.verifier : keys.verifier;
    const head = addedSince(this.stored, this.tree, signer);
    if (head === null) return;
    if (typeof head === 'string')
      throw this.closeFor(`somebody changed it: ${head}`, 'keep the store as it is for a person to look at, and start Grace again');
    this.tree.goOnFrom(head);
    if (!this.isHandingOver) this.followRecorded();
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
    const before = this.batch.mark();
    this.statements.savepoint.run();
    try {
      request.store();
      this.statements.release.run();
      return true;
    } catch (error) {
      this.batch.reset(before);
      // A full disk or a failed one ends the whole transaction, and with it all that are in it.
      if (!this.parts.database.isTransaction || isOfTheDisk(error)) throw error;
      this.statements.rollbackTo.run();
      this.statements.release.run();
      request.reject(error);
      return false;
    }
  }

  private isCheckpointDue(size: number): boolean {
    if (!this.parts.keys.canSign) return false;
    return (
      // The first entries bring the key with them: without it nobody could check them.
      (this.signedSize === 0 && size > 0) ||
      size - this.signedSize >= CHECKPOINT_ENTRIES ||
      (size > this.signedSize && this.parts.clock.monotonicMs() - this.signedAtMs >= CHECKPOINT_MS)
    );
  }

  private sign(size: number): string {
    const { keys, clock } = this.parts;
    const signers = keys.next !== null && this.isHandingOver ? [keys.signer, keys.next] : [keys.signer];
    const note = signCheckpoint({ origin: this.origin, size, root: frontierRoot(this.tree.frontier()) }, signers);
    this.statements.insertNote.run(size, clock.nowMs(), note);
    this.statements.insertFirstKey.run(this.verifierKey, clock.nowMs());
    this.signedSize = size;
    this.signedAtMs = clock.monotonicMs();
    return note;
  }

  /** Nobody may come after the last entry of a burst: then time signs it. */
  private signSoon(): void {
    if (this.timer !== null || this.tree.size <= this.signedSize || !this.parts.keys.canSign) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      if (this.closedFor === null && this.tree.size > this.signedSize) void this.checkpoint().catch(() => this.signSoon());
    }, CHECKPOINT_MS);
    this.timer.unref();
  }

  private closeFor(why: string, hint: string, cause?: unknown): AuditLogClosed {
    this.closedFor ??= new AuditLogClosed(this.parts.path, why, hint, cause);
    return this.closedFor;
  }
}

interface DropRequest {
  readonly olderThanMs: number;
  readonly actor: string;
  readonly reason: string;
}

interface AuditRequest extends Waiting {
  /** It may fail half way, by itself. */
  readonly isRisky: boolean;
  /** Where it is there, the transaction ends with a checkpoint, which it gets before that is on the disk. */
  readonly onSigned: ((note: string) => void) | null;
  /** Runs inside the transaction. */
  readonly store: () => void;
}

/** The usual request, as small as it can be. */
class OneEntry implements AuditRequest {
  readonly entries = 1;
  readonly bytes: number;
  readonly isRisky = false;
  readonly onSigned = null;
  private readonly text: EntryText;
  private readonly tree: GrowingTree;
  private readonly batch: EntryBatch;
  private readonly resolve: (stored: { readonly sequence: number }) => void;
  readonly reject: (error: unknown) => void;
  private sequence = 0;

  constructor(
    text: EntryText,
    tree: GrowingTree,
    batch: EntryBatch,
    resolve: (stored: { readonly sequence: number }) => void,
    reject: (error: unknown) => void,
  ) {
    this.bytes = charsOf(text);
    this.text = text;
    this.tree = tree;
    this.batch = batch;
    this.resolve = resolve;
    this.reject = reject;
  }

  store(): void {
    this.sequence = this.tree.size;
    this.batch.add(this.text);
  }

  acknowledge(): void {
    this.resolve({ sequence: this.sequence });
  }
}

/** What the log says about itself. */
function ownEntry(actor: string, action: string, payload: JsonObject): AuditDraft {
  return { actor, action, resource: 'audit/log', subsystem: 'audit', result: 'ok', payload };
}

function closedFor(path: string, { kind, why }: AuditDamage): AuditLogClosed {
  const hint =
    kind === 'tail'
      ? 'look at what is there with: grace audit verify; then say that the log may go on without it: grace audit reopen'
      : 'look at what is there with: grace audit verify; put the store back from a backup, with its key';
  return new AuditLogClosed(path, why, hint);
}

/** UTF-16 units, which is what waiting texts are kept as: counting bytes would cost as much as writing them. */
function charsOf({ before, after }: EntryText): number {
  return before.length + after.length;
}

/** Out of memory or space, read-only, input and output, damage. @see https://www.sqlite.org/rescode.html */
const DISK_CODES = new Set([7, 8, 10, 11, 13, 14]);

function isOfTheDisk(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && DISK_CODES.has((error.errcode as number) & 0xff);
}

type Statements = Readonly<Record<keyof typeof SQL, StatementSync>>;

const SQL = {
  begin: 'begin immediate',
  /** @see https://www.sqlite.org/pragma.html#pragma_data_version */
  dataVersion: 'pragma data_version',
  commit: 'commit',
  rollback: 'rollback',
  savepoint: 'savepoint one',
  release: 'release one',
  rollbackTo: 'rollback to one',
  insertNote: 'insert or replace into audit_checkpoints (size, at, note) values (?, ?, ?)',
  lastSigned: `select min(max(size), ${Number.MAX_SAFE_INTEGER}) as size from audit_checkpoints`,
  lastKey: 'select vkey from audit_keys order by number desc limit 1',
  insertKey: 'insert into audit_keys (vkey, from_sequence, at) values (?, ?, ?)',
  insertFirstKey: `insert into audit_keys (vkey, from_sequence, at) select ?, 0, ? where not exists (select 1 from audit_keys)`,
} as const;

function prepare(database: DatabaseSync): Statements {
  return Object.fromEntries(Object.entries(SQL).map(([name, sql]) => [name, database.prepare(sql)])) as Statements;
}
