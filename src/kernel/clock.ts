/** Time as the rest of Grace sees it; the real one is an adapter, tests bring a simulated one. */
export interface Clock {
  /** Wall-clock milliseconds since the epoch: for stamps that people and files see. It may jump. */
  nowMs(): number;
  /** Milliseconds that only ever grow: for durations and deadlines. */
  monotonicMs(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
