// Health: how a component is asked how it is, and what its answers mean over time.
export {
  describeTarget,
  type ProbeContext,
  type Prober,
  type ProbeOutcome,
  type ProbeResult,
  type ProbeSpec,
  type ProbeTarget,
} from './probe.ts';
export { look } from './look.ts';
export { BASELINE_SAMPLES, LatencyBaseline } from './latency-baseline.ts';
export type { SmokeSpec } from './smoke.ts';
