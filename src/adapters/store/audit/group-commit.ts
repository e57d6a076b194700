import { CommitPace } from './commit-pace.ts';

/** What waits to be stored. Of `acknowledge` and `reject` the first call counts. */
export interface Waiting {
  /** What it counts for the limit. */
  readonly bytes: number;
  readonly entries: number;
  /** It is durable. */
  acknowledge(): void;
  /** It was not stored, or it is unknown whether it was: then the log is closed. */
  reject(error: unknown): void;
}

export interface GroupCommitLimits {
  /** Entries that may wait, committed ones until they are synced. */
  readonly entries: number;
  /** Their bytes. */
  readonly bytes: number;
  /** Requests of one transaction, at most: as long as it lasts the event loop does nothing else. */
  readonly batch: number;
  /** How long a request waits for the store's lock. */
  readonly busyMs: number;
}

export interface GroupCommitParts<T extends Waiting> {
  readonly limits: GroupCommitLimits;
  /**
   * Stores them in one transaction, without waiting for the disk. Whichever it could not store by itself it rejects.
   * @returns those that are stored; `busy` when another connection has the lock: nothing was stored then
   * @throws when none of them was stored
   */
  commit(requests: readonly T[]): readonly T[] | 'busy';
  /** @see WalSync.sync */
  sync(): Promise<void>;
  /** Something failed after which it is not known what is stored: no more is taken. */
  onUncertain(error: unknown): Error;
  onFailed(error: unknown): Error;
  onFull(waiting: number, bytes: number): Error;
  onBusy(waitedMs: number): Error;
}

/** Pauses while somebody else writes: short, because a commit is, and not all of one length, so that two do not step in time. */
const BUSY_PAUSE_MS = [0, 0, 1, 2, 3, 5, 8, 13] as const;

/**
 * One transaction and one sync for all who wait, or two halves that take turns, whichever is faster now. Transactions follow each
 * other without waiting for the disk; each sync covers all of them that were committed before it began, and only then are they
 * acknowledged.
 * @see DeWitt et al., "Implementation Techniques for Main Memory Database Systems" (1984), group commit
 */
export class GroupCommit<T extends Waiting> {
  private readonly parts: GroupCommitParts<T>;
  private waiting: T[] = [];
  private waitingEntries = 0;
  private waitingBytes = 0;
  /** Committed, and not yet synced. */
  private committed: T[] = [];
  /** Being synced now. */
  private syncing = 0;
  private readonly pace = new CommitPace();
  private isScheduled = false;
  private isSyncing = false;
  private busySinceMs: number | null = null;
  private busyTries = 0;
  private failure: Error | null = null;
  private whenIdle: (() => void)[] = [];

  constructor(parts: GroupCommitParts<T>) {
    this.parts = parts;
  }

  /** Takes it, or rejects it at once. */
  add(request: T): void {
    const { limits } = this.parts;
    if (this.failure !== null) return request.reject(this.failure);
    // One alone is always taken, however large: it has a limit of its own.
    if (
      this.waitingEntries > 0 &&
      (this.waitingEntries + request.entries > limits.entries || this.waitingBytes + request.bytes > limits.bytes)
    )
      return request.reject(this.parts.onFull(this.waitingEntries, this.waitingBytes));
    this.waitingEntries += request.entries;
    this.waitingBytes += request.bytes;
    this.waiting.push(request);
    // After the promises that are being resolved now: whoever answers to one of them belongs to the same transaction.
    if (!this.isScheduled) this.schedule((run) => process.nextTick(run));
  }

  /** Whether more waits than what is being synced: it gets a sync of its own, unless it can not be stored. */
  get isMoreComing(): boolean {
    return this.waiting.length > 0 || this.committed.length > 0;
  }

  /** Resolves when nothing waits any more, for better or worse. */
  async idle(): Promise<void> {
    if (this.isIdle()) return;
    await new Promise<void>((resolve) => this.whenIdle.push(resolve));
  }

  private isIdle(): boolean {
    return this.waiting.length === 0 && this.committed.length === 0 && !this.isSyncing;
  }

  private schedule(later: (run: () => void) => void): void {
    this.isScheduled = true;
    later(() => {
      this.isScheduled = false;
      this.storeSome();
    });
  }

  private storeSome(): void {
    if (this.waiting.length > 0 && this.failure === null) {
      const inFlight = this.waiting.length + this.committed.length + this.syncing;
      const isTogether = this.pace.isTogether(inFlight);
      const batch = this.waiting.slice(0, Math.min(this.parts.limits.batch, isTogether ? inFlight : Math.ceil(inFlight / 2)));
      const startMs = performance.now();
      const outcome = this.commit(batch);
      if (outcome === 'busy') return this.waitForLock();
      this.busySinceMs = null;
      this.busyTries = 0;
      this.pace.committed(outcome.length, performance.now() - startMs);
      this.waiting = this.waiting.slice(batch.length);
      if (outcome.length < batch.length) {
        const stored = new Set(outcome);
        this.discount(batch.filter((request) => !stored.has(request)));
      }
      this.committed.push(...outcome);
      // All of them are stored in less time than a sync takes: then one sync is for all.
      if (this.waiting.length === 0 || !isTogether) void this.syncCommitted();
      if (this.waiting.length > 0) this.schedule(setImmediate);
    }
    this.tellIdle();
  }

  private commit(batch: readonly T[]): readonly T[] | 'busy' {
    try {
      return this.parts.commit(batch);
    } catch (error) {
      const failed = this.parts.onFailed(error);
      for (const request of batch) request.reject(failed);
      return [];
    }
  }

  private waitForLock(): void {
    // What is stored does not wait for what is not.
    void this.syncCommitted();
    const nowMs = performance.now();
    this.busySinceMs ??= nowMs;
    const waitedMs = Math.round(nowMs - this.busySinceMs);
    if (waitedMs >= this.parts.limits.busyMs) {
      this.busySinceMs = null;
      this.busyTries = 0;
      this.rejectWaiting(this.parts.onBusy(waitedMs));
      return this.tellIdle();
    }
    const pauseMs = BUSY_PAUSE_MS[Math.min(this.busyTries++, BUSY_PAUSE_MS.length - 1)] ?? 0;
    this.schedule((run) => (pauseMs === 0 ? setImmediate(run) : setTimeout(run, pauseMs * (0.5 + Math.random()))));
  }

  private async syncCommitted(): Promise<void> {
    if (this.isSyncing || this.committed.length === 0) return;
    this.isSyncing = true;
    while (this.committed.length > 0) {
      const covered = this.committed;
      this.committed = [];
      this.syncing = covered.length;
      const startMs = performance.now();
      try {
        await this.parts.sync();
      } catch (error) {
        this.syncing = 0;
        this.fail(error, covered);
        break;
      }
      this.syncing = 0;
      this.pace.synced(performance.now() - startMs);
      this.discount(covered);
      for (const request of covered) request.acknowledge();
      if (this.committed.length > 0 && this.pace.isTogether(covered.length + this.committed.length)) {
        // Whoever was answered may have more at once: it is stored in this turn, and the next sync is for that, too.
        setImmediate(() => void this.syncCommitted());
        break;
      }
    }
    this.isSyncing = false;
    this.tellIdle();
  }

  private fail(error: unknown, covered: readonly T[]): void {
    this.failure = this.parts.onUncertain(error);
    const unknown = [...covered, ...this.committed];
    this.committed = [];
    this.discount(unknown);
    for (const request of unknown) request.reject(this.failure);
    this.rejectWaiting(this.failure);
  }

  private rejectWaiting(error: Error): void {
    const batch = this.waiting;
    this.waiting = [];
    this.discount(batch);
    for (const request of batch) request.reject(error);
  }

  private discount(batch: readonly T[]): void {
    for (const { entries, bytes } of batch) {
      this.waitingEntries -= entries;
      this.waitingBytes -= bytes;
    }
  }

  private tellIdle(): void {
    if (!this.isIdle()) return;
    const waiters = this.whenIdle;
    this.whenIdle = [];
    for (const resolve of waiters) resolve();
  }
}
