/** Probe answers that make up the baseline, and the newest that are compared with it. */
export const BASELINE_SAMPLES = 6;
const RECENT_SAMPLES = 9;
/** Slower than this many times its own baseline … */
const SLOWER_FACTOR = 6;
/** … and by at least this much: below, nobody would notice. */
const SLOWER_MS_MIN = 250;
/** Newest looks of which this many may not be bad: it answers in between, and keeps its users waiting all the same. */
const STEADY_SAMPLES = 15;
const BAD_SAMPLES = 5;
/** An answer this much later than usual is as bad as none. */
const BAD_MS_MIN = 700;

/**
 * Tells "far slower than it used to be" from a hiccup: compares the median of the newest answers with the median of the
 * first healthy ones. One setting for every component, since each is measured against itself.
 */
export class LatencyBaseline {
  private readonly first: number[] = [];
  private recent: number[] = [];
  /** Newest last: whether a look had no answer in time, or a very late one. */
  private looks: boolean[] = [];

  /** Nobody answered this time. */
  miss(): void {
    this.look(true);
  }

  add(latencyMs: number): void {
    const baselineMs = this.baselineMs();
    this.look(baselineMs !== null && latencyMs > baselineMs * SLOWER_FACTOR && latencyMs - baselineMs > BAD_MS_MIN);
    if (this.first.length < BASELINE_SAMPLES) this.first.push(latencyMs);
    else this.recent = [...this.recent.slice(-(RECENT_SAMPLES - 1)), latencyMs];
  }

  /** What the component needed when it was healthy; null until enough was seen. */
  baselineMs(): number | null {
    return this.first.length < BASELINE_SAMPLES ? null : median(this.first);
  }

  verdict():
    | { readonly state: 'learning' | 'normal' }
    | { readonly state: 'slow'; readonly nowMs: number; readonly baselineMs: number }
    | { readonly state: 'unsteady'; readonly bad: number; readonly looks: number } {
    const bad = this.looks.filter(Boolean).length;
    if (this.looks.length === STEADY_SAMPLES && bad >= BAD_SAMPLES) return { state: 'unsteady', bad, looks: STEADY_SAMPLES };
    const baselineMs = this.baselineMs();
    if (baselineMs === null || this.recent.length < RECENT_SAMPLES) return { state: 'learning' };
    const nowMs = median(this.recent);
    if (nowMs > baselineMs * SLOWER_FACTOR && nowMs - baselineMs > SLOWER_MS_MIN) return { state: 'slow', nowMs, baselineMs };
    return { state: 'normal' };
  }

  /** After a restart the newest answers say nothing any more; the baseline stays. */
  forgetRecent(): void {
    this.recent = [];
    this.looks = [];
  }

  private look(isBad: boolean): void {
    this.looks = [...this.looks.slice(-(STEADY_SAMPLES - 1)), isBad];
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
