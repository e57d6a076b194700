import type { BootReport } from '../../domains/boot/index.ts';

/** One stretch of a boot. Times are milliseconds since it began. */
export interface TimelineRow {
  readonly name: string;
  readonly kind: 'stage' | 'component';
  readonly startedAfterMs: number;
  readonly tookMs: number;
  readonly waitedFor: string | null;
  /** Only what is out of the ordinary: `failed`, `warned`, `adopted`. */
  readonly result: string;
}

/**
 * What a boot spent its time on.
 * @returns rows, longest first; chain, in order of time: the stages one after the other, and within the one that starts
 *   components the chain of those that had to wait for each other and were ready last
 */
export function blame(report: BootReport): { readonly rows: readonly TimelineRow[]; readonly chain: readonly TimelineRow[] } {
  const stages = report.stages
    .filter((s) => s.result !== 'skipped')
    .map((s): TimelineRow => ({
      name: s.stage,
      kind: 'stage',
      startedAfterMs: s.startedAfterMs,
      tookMs: s.durationMs,
      waitedFor: null,
      result: s.result === 'success' ? '' : s.result,
    }));
  const starting = stages.find((s) => s.name.startsWith('6.'));
  const endOfStarting = starting === undefined ? report.summary.duration_ms : starting.startedAfterMs + starting.tookMs;
  const components = report.components
    .filter((c) => c.state !== 'skipped' && (c.startedAfterMs > 0 || c.readyAfterMs !== null))
    .map((c): TimelineRow => ({
      name: c.name,
      kind: 'component',
      startedAfterMs: Math.round(c.startedAfterMs),
      tookMs: Math.max(0, Math.round((c.readyAfterMs ?? endOfStarting) - c.startedAfterMs)),
      waitedFor: c.waitedFor,
      result: c.state === 'ready' ? '' : c.state,
    }));
  const slowest = lastReadyChain(components);
  const chain = stages.flatMap((stage) => (stage === starting ? [stage, ...slowest] : [stage]));
  return { rows: [...stages, ...components].toSorted((a, b) => b.tookMs - a.tookMs), chain };
}

/** From the component that was ready last back to the one it all waited for. */
function lastReadyChain(components: readonly TimelineRow[]): readonly TimelineRow[] {
  const byName = new Map(components.map((c) => [c.name, c]));
  const chain: TimelineRow[] = [];
  let at = components.toSorted((a, b) => b.startedAfterMs + b.tookMs - a.startedAfterMs - a.tookMs)[0];
  while (at !== undefined && !chain.includes(at)) {
    chain.unshift(at);
    at = at.waitedFor === null ? undefined : byName.get(at.waitedFor);
  }
  return chain;
}
