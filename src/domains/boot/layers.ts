import type { ComponentSpec } from '../supervisor/index.ts';
import type { StagePart } from './stage-parts.ts';

export type LayerName = 'store' | 'logging' | 'spine' | 'mission_control' | 'services' | 'apis';

export interface Layer {
  readonly number: number;
  readonly name: LayerName;
  readonly title: string;
  /** A boot stops when it fails. What fails of another layer is done without. */
  readonly isEssential: boolean;
  /** When this stage has ended, the layer is through. */
  readonly lastStage: number;
}

/** From the ground up; each stands on those before it. */
export const LAYERS: readonly Layer[] = [
  { number: 1, name: 'store', title: 'Store', isEssential: true, lastStage: 3 },
  { number: 2, name: 'logging', title: 'Logging and telemetry', isEssential: false, lastStage: 5 },
  { number: 3, name: 'spine', title: 'Spine', isEssential: true, lastStage: 4 },
  { number: 4, name: 'mission_control', title: 'Mission control', isEssential: false, lastStage: 4 },
  { number: 5, name: 'services', title: 'Services', isEssential: true, lastStage: 6 },
  { number: 6, name: 'apis', title: 'APIs', isEssential: true, lastStage: 7 },
];

export interface LayerReport {
  readonly number: number;
  readonly layer: string;
  /** `degraded`: something of it does not work, and the boot went on without. */
  readonly state: 'ok' | 'degraded' | 'failed' | 'not_reached';
  readonly startedAfterMs: number;
  /** Its parts together; they may lie apart. */
  readonly durationMs: number;
  /** What does not work. */
  readonly reasons: readonly string[];
}

/** A boot goes on over a failed part only where its layer is not essential. */
export function isFatal(part: StagePart): boolean {
  return part.state === 'failed' && LAYERS.some(({ name, isEssential }) => name === part.layer && isEssential);
}

/** @param parts   of all stages so far */
export function layerReport(layer: Layer, parts: readonly StagePart[]): LayerReport {
  const own = parts.filter((part) => part.layer === layer.name);
  return {
    number: layer.number,
    layer: layer.title,
    state: own.length === 0 ? 'not_reached' : own.some(isFatal) ? 'failed' : own.every(({ state }) => state === 'ok') ? 'ok' : 'degraded',
    startedAfterMs: Math.min(...own.map(({ startedAfterMs }) => startedAfterMs), ...(own.length === 0 ? [0] : [])),
    durationMs: Math.round(own.reduce((sum, { durationMs }) => sum + durationMs, 0) * 10) / 10,
    reasons: own.flatMap(({ reasons }) => reasons),
  };
}

/** Components that answer requests over HTTP, and whatever needs one of them: the top layer. The others are services. */
export function apisOf(components: readonly ComponentSpec[]): ReadonlySet<string> {
  const asked = ({ startup, readiness, liveness }: ComponentSpec): boolean =>
    [startup, readiness, liveness].some((probe) => probe?.target.kind === 'http');
  const apis = new Set(components.filter((spec) => spec.kind === 'process' && asked(spec)).map(({ name }) => name));
  for (let before = -1; before !== apis.size;) {
    before = apis.size;
    for (const { name, dependsOn } of components) if (dependsOn.some((needed) => apis.has(needed))) apis.add(name);
  }
  return apis;
}
