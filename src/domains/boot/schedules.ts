import { messageOf, type Clock } from '../../kernel/index.ts';
import type { Emit, Supervision } from '../healing/index.ts';
import type { ProcessHost } from '../supervisor/index.ts';

/** How often each is done, in milliseconds. */
export interface ScheduleTimes {
  readonly healthMs: number;
  readonly metricsMs: number;
  readonly selfHealMs: number;
  readonly proactiveMs: number;
  readonly validationMs: number;
}

export interface SchedulePorts {
  readonly clock: Clock;
  readonly emit: Emit;
  readonly host: ProcessHost;
  readonly supervision: Supervision;
  /** Milliseconds for one durable row; throws when the store is lost. */
  storeLatencyMs(): Promise<number>;
  /** The whole pre-flight again [PF-6]. */
  validate(): Promise<void>;
  saveMetrics(metrics: readonly MetricSample[]): Promise<void>;
  /** Keeps the logs of the components from growing without end. */
  rotateLogs(): Promise<void>;
}

export interface MetricSample {
  readonly name: string;
  readonly component: string;
  readonly atMs: number;
  readonly value: number;
}

export interface ScheduleReport {
  readonly started: number;
}

/** Slower than this the store is a danger to what Grace promises to remember. */
const STORE_SLOW_MS = 1000;
/** Snapshots from which a trend is told. */
const TREND_SAMPLES = 8;
/** Growth over the window that is worth a word. */
const TREND_RATIO = 1.5;

/** Starts everything that goes on while the service runs; all of it ends with the signal. @returns how many */
export function runSchedules(times: ScheduleTimes, ports: SchedulePorts, signal: AbortSignal): ScheduleReport {
  const history = new Map<string, number[]>();
  const said = new Set<string>();
  const schedules: readonly (readonly [number, () => Promise<void>])[] = [
    [times.healthMs, () => lookAtStore(ports)],
    [times.metricsMs, () => snapshotMetrics(ports, history)],
    [times.metricsMs, () => ports.rotateLogs()],
    [times.selfHealMs, () => sweep(ports)],
    [times.proactiveMs, async () => foresee(history, said, ports)],
    [times.validationMs, () => ports.validate()],
  ];
  for (const [everyMs, work] of schedules) void repeat(everyMs, work, ports, signal);
  return { started: schedules.length };
}

async function repeat(everyMs: number, work: () => Promise<void>, { clock, emit }: SchedulePorts, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await clock.sleep(everyMs, signal);
      await work();
    } catch (error) {
      if (signal.aborted) return;
      emit({ type: 'notice', level: 'warn', text: `continuous monitor: ${messageOf(error)}` });
    }
  }
}

async function lookAtStore({ emit, storeLatencyMs }: SchedulePorts): Promise<void> {
  const ms = await storeLatencyMs();
  if (ms > STORE_SLOW_MS) emit({ type: 'notice', level: 'warn', text: `the store of Grace took ${Math.round(ms)} ms for one row` });
}

async function snapshotMetrics(ports: SchedulePorts, history: Map<string, number[]>): Promise<void> {
  const samples: MetricSample[] = [];
  const atMs = ports.clock.nowMs();
  for (const [name, runner] of ports.supervision.runners) {
    const vitals = runner.process === null ? null : ports.host.vitals(runner.process.identity);
    if (vitals === null) continue;
    const values = {
      'component.rss_bytes': vitals.rssBytes,
      'component.open_files': vitals.openFiles,
      'component.restarts': runner.starts - 1,
    };
    for (const [metric, value] of Object.entries(values)) {
      samples.push({ name: metric, component: name, atMs, value });
      const key = `${name} ${metric}`;
      history.set(key, [...(history.get(key) ?? []).slice(-(TREND_SAMPLES - 1)), value]);
    }
  }
  await ports.saveMetrics(samples);
}

/** Level, not edge: whatever should run and does not is brought back, however its end was missed. */
async function sweep({ supervision }: SchedulePorts): Promise<void> {
  await supervision.recoverMissing();
}

/** Something that only ever grows will one day be too much; it is said once per component. */
function foresee(history: ReadonlyMap<string, readonly number[]>, said: Set<string>, { emit }: SchedulePorts): void {
  for (const [key, values] of history) {
    const [first = 0, last = 0] = [values[0], values.at(-1)];
    const isGrowing =
      values.length === TREND_SAMPLES && values.every((v, i) => i === 0 || v >= (values[i - 1] ?? 0)) && last > first * TREND_RATIO;
    if (!isGrowing || said.has(key)) continue;
    said.add(key);
    emit({
      type: 'notice',
      level: 'warn',
      text: `${key} grew from ${first} to ${last} without a step back; look at it before it is too much`,
    });
  }
}
