/** Probe answers that make up the baseline, and the newest that are compared with it. */
export const BASELINE_SAMPLES = 6;
const RECENT_SAMPLES = 9;
/** Slower than this many times its own baseline … */
const SLOWER_FACTOR = 6;
/** … and by at least this much: below, nobody would notice. */
const SLOWER_MS_MIN = 250;

/**
 * Tells "far slower than it used to be" from a hiccup: compares the median of the newest answers with the median of the
 * first healthy ones. One setting for every component, since each is measured against itself.
 */
export class LatencyBaseline {
  private readonly first: number[] = [];
  private recent: number[] = [];

  add(latencyMs: number): void {
    if (this.first.length < BASELINE_SAMPLES) this.first.push(latencyMs);
    else this.recent = [...this.recent.slice(-(RECENT_SAMPLES - 1)), latencyMs];
  }

  /** What the component needed when it was healthy; null until enough was seen. */
  baselineMs(): number | null {
    return this.first.length < BASELINE_SAMPLES ? null : median(this.first);
  }

  verdict(): { readonly state: 'learning' | 'normal' } | { readonly state: 'slow'; readonly nowMs: number; readonly baselineMs: number } {
    const baselineMs = this.baselineMs();
    if (baselineMs === null || this.recent.length < RECENT_SAMPLES) return { state: 'learning' };
    const nowMs = median(this.recent);
    if (nowMs > baselineMs * SLOWER_FACTOR && nowMs - baselineMs > SLOWER_MS_MIN) return { state: 'slow', nowMs, baselineMs };
    return { state: 'normal' };
  }

  /** After a restart the newest answers say nothing any more; the baseline stays. */
  forgetRecent(): void {
    this.recent = [];
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
