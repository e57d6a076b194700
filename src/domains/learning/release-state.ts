/** A release that worked, and what has become of it since. */
export interface ReleaseState {
  /** The boot that was verified last. */
  readonly lastGoodBoot: string;
  readonly atMs: number;
  /** What was checked out then; null where that is not known. */
  readonly commit: string | null;
  /** What is checked out now; null as well where it is the same. */
  readonly commitNow: string | null;
  /** Files that differ between the two, absolute. */
  readonly touched: readonly string[];
  /** How many boots in a row have failed since, the present one among them. */
  readonly failedBoots: number;
}

/** What counts of a past boot. */
export interface PastRelease {
  readonly id: string;
  readonly startedAtMs: number;
  readonly outcome: 'running' | 'success' | 'failed' | 'interrupted' | 'stopped';
  readonly isVerified: boolean;
  /** As its fingerprint says; null where it does not. */
  readonly commit: string | null;
}

/**
 * The boot to go back to, once enough have failed since. One that was interrupted, stopped by hand or only checked says nothing;
 * one that came up and was not verified was not shown to be good, and does not end the row.
 * @param boots   newest first, the present one may be among them
 * @param after   failed boots that it takes, the present one among them; 0: never
 */
export function releaseState(
  boots: readonly PastRelease[],
  present: string,
  after: number,
): Pick<ReleaseState, 'lastGoodBoot' | 'atMs' | 'commit' | 'failedBoots'> | null {
  const past = boots.filter((b) => b.id !== present);
  const at = past.findIndex((b) => b.isVerified);
  const good = past[at];
  if (after === 0 || good === undefined) return null;
  const failedBoots = past.slice(0, at).filter((b) => b.outcome === 'failed').length + 1;
  return failedBoots < after ? null : { lastGoodBoot: good.id, atMs: good.startedAtMs, commit: good.commit, failedBoots };
}
