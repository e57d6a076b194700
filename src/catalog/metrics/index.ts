/** A figure Grace knows the meaning of: its unit, and the bands in which it is well, worth a look, or a reason to act. */
export interface MetricDefinition {
  readonly name: string;
  readonly unit: 'ms' | 'bytes' | 'ratio' | 'count';
  readonly help: string;
  /** Above (or, with `lowIsBad`, below) these it is a warning, and critical. */
  readonly warn: number;
  readonly critical: number;
  readonly lowIsBad: boolean;
}

export const METRICS_CATALOG: readonly MetricDefinition[] = [
  {
    name: 'startup.duration_ms',
    unit: 'ms',
    help: 'from the command to a ready service',
    warn: 30_000,
    critical: 120_000,
    lowIsBad: false,
  },
  { name: 'startup.tests_passed', unit: 'count', help: 'smoke tests that passed', warn: 2, critical: 1, lowIsBad: true },
  {
    name: 'component.ready_ms',
    unit: 'ms',
    help: 'from the start of a process to its readiness',
    warn: 10_000,
    critical: 60_000,
    lowIsBad: false,
  },
  {
    name: 'component.rss_bytes',
    unit: 'bytes',
    help: 'resident memory of a process',
    warn: 1_073_741_824,
    critical: 4_294_967_296,
    lowIsBad: false,
  },
  { name: 'component.open_files', unit: 'count', help: 'open descriptors of a process', warn: 512, critical: 900, lowIsBad: false },
  { name: 'component.restarts', unit: 'count', help: 'restarts since Grace was started', warn: 3, critical: 10, lowIsBad: false },
  { name: 'store.latency_ms', unit: 'ms', help: 'one durable row in the store', warn: 250, critical: 1000, lowIsBad: false },
];

/** What is looked at before anything fails. */
export interface ProactiveRule {
  readonly metric: string;
  readonly rule: 'growing' | 'above_warn';
  readonly proposes: string;
}

export const PROACTIVE_RULES: readonly ProactiveRule[] = [
  { metric: 'component.rss_bytes', rule: 'growing', proposes: 'restart_component' },
  { metric: 'component.open_files', rule: 'growing', proposes: 'restart_component' },
];
