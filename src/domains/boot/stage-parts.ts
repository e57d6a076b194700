import type { Clock } from '../../kernel/index.ts';
import type { Finding } from '../preflight/index.ts';
import type { LayerName } from './layers.ts';

/** A part of a stage, with its own time and result. */
export interface StagePart {
  readonly name: string;
  /** For people: what it looks at or starts. */
  readonly title: string;
  readonly layer: LayerName;
  readonly startedAfterMs: number;
  readonly durationMs: number;
  readonly state: 'ok' | 'warned' | 'failed';
  readonly reasons: readonly string[];
}

/** Takes the time of the parts of one stage, and what each has added to its findings and failures. */
export class StageParts {
  readonly list: StagePart[] = [];
  private readonly world: { readonly clock: Clock; readonly startedMonotonicMs: number };
  private readonly findings: readonly Finding[];
  private readonly failures: readonly string[];

  constructor(world: StageParts['world'], findings: readonly Finding[], failures: readonly string[]) {
    this.world = world;
    this.findings = findings;
    this.failures = failures;
  }

  /** One at a time. A part that is run again, for another component, is still one part. */
  async run<T>(name: string, title: string, layer: LayerName, work: () => Promise<T>): Promise<T> {
    const { clock, startedMonotonicMs } = this.world;
    const beganMs = clock.monotonicMs();
    const found = this.findings.length;
    const failed = this.failures.length;
    const result = await work();
    const failures = this.failures.slice(failed);
    const warnings = this.findings.slice(found).filter(({ severity }) => severity !== 'info');
    const at = this.list.findIndex((part) => part.name === name);
    const before = this.list[at];
    const part: StagePart = {
      name,
      title,
      layer,
      startedAfterMs: before?.startedAfterMs ?? Math.round(beganMs - startedMonotonicMs),
      durationMs: Math.round(((before?.durationMs ?? 0) + clock.monotonicMs() - beganMs) * 10) / 10,
      state: failures.length > 0 || before?.state === 'failed' ? 'failed' : warnings.length > 0 ? 'warned' : (before?.state ?? 'ok'),
      reasons: [
        ...(before?.reasons ?? []),
        ...(failures.length > 0 ? failures : warnings.map(({ component, message }) => `${component}: ${message}`)),
      ],
    };
    if (before === undefined) this.list.push(part);
    else this.list[at] = part;
    return result;
  }
}
