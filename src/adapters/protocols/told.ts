/** What a server said of itself. */
export interface Told {
  readonly product: string;
  readonly version: string | null;
  /** Its wall clock, and ours in the middle between question and answer; null where it does not tell. */
  readonly clockMs: number | null;
  readonly atMs: number;
}
