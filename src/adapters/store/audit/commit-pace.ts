/** Weight of the newest sync: some ten after the disk has changed its pace, so has this. */
const NEWEST = 1 / 8;
/** A sync that takes longer than so many usual ones counts as so many: one stall of a second says nothing about the next. */
const STALL = 8;
/** By so much a transaction moves what is held for usual, towards the median: in some of them SQLite makes its checkpoint. */
const STEP = 1.15;
/** Of an append about as much happens before its transaction as within it: text, promise, the one who waits going on. */
const WHOLE_OF_COMMIT = 2;
/** What a clock may show as nothing. */
const TIME_MS_MIN = 0.0001;

/**
 * How those who wait are best divided into transactions and syncs, going by how long both take here and now. With n waiting, all in
 * one transaction and one sync take n·c + s for n, c being the work for one and s the sync. Two halves that take turns, one
 * computed while the other is synced, take 2·max(s, n·c/2) for n. So halves are better until a sync takes as long as the work for all.
 */
export class CommitPace {
  private syncMs: number | null = null;
  private requestMs: number | null = null;

  synced(tookMs: number): void {
    const value = Math.max(tookMs, TIME_MS_MIN);
    this.syncMs = this.syncMs === null ? value : this.syncMs + (Math.min(value, this.syncMs * STALL) - this.syncMs) * NEWEST;
  }

  committed(requests: number, tookMs: number): void {
    if (requests === 0) return;
    const value = Math.max(tookMs / requests, TIME_MS_MIN);
    const usual = this.requestMs ?? value;
    this.requestMs = value > usual ? Math.min(value, usual * STEP) : Math.max(value, usual / STEP);
  }

  /** Of so many that wait for anything; true until both times are known. */
  isTogether(waiting: number): boolean {
    return this.syncMs === null || this.requestMs === null || this.syncMs >= this.requestMs * WHOLE_OF_COMMIT * waiting;
  }
}
