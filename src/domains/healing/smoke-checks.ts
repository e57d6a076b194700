import { describeTarget, look, type ProbeResult, type SmokeSpec } from '../health/index.ts';
import type { SupervisionPorts, SupervisionSettings } from './supervision-ports.ts';

/** Between two tries of a check: a service that has just become ready may need a moment. */
export const SMOKE_PAUSE_MS = 700;

export type SmokeVerdict =
  | { readonly verdict: 'pass' }
  | { readonly verdict: 'fail' | 'inconclusive'; readonly smoke: SmokeSpec; readonly result: ProbeResult };

/** The checks that tell a service which works from one that only answers. */
export class SmokeChecks {
  private readonly ports: Pick<SupervisionPorts, 'clock' | 'prober' | 'launchOf' | 'capture'>;
  private readonly settings: Pick<SupervisionSettings, 'smoke' | 'components' | 'projectDir'>;
  private readonly signal: AbortSignal;

  constructor(ports: SmokeChecks['ports'], settings: SmokeChecks['settings'], signal: AbortSignal) {
    this.ports = ports;
    this.settings = settings;
    this.signal = signal;
  }

  /** Runs smoke checks until they pass. @returns the first one that failed every time; null when none did */
  async failed(checks: readonly SmokeSpec[], tries: number): Promise<{ readonly smoke: SmokeSpec; readonly result: ProbeResult } | null> {
    const judged = await this.judge(checks, tries);
    return judged.verdict === 'fail' ? judged : null;
  }

  /** What they say together: a failure first; then what could not be carried out, which is no pass. */
  async judge(checks: readonly SmokeSpec[], tries: number): Promise<SmokeVerdict> {
    let untold: SmokeVerdict = { verdict: 'pass' };
    for (const smoke of checks) {
      const component = this.blamed(smoke);
      const spec = component === null ? null : (this.settings.components.find((c) => c.name === component) ?? null);
      const env = spec === null ? {} : (await this.ports.launchOf(spec)).env;
      for (let attempt = 1; ; attempt++) {
        const seen = await look(this.ports.prober, smoke.target, {
          cwd: spec?.cwd ?? this.settings.projectDir,
          env,
          timeoutMs: smoke.timeoutMs,
          pid: null,
          signal: this.signal,
        });
        if (seen.outcome === 'pass') break;
        if (attempt >= tries) {
          const detail = this.ports.capture.redactor.redact(seen.detail === '' ? describeTarget(smoke.target) : seen.detail);
          const result = { ...seen, detail };
          if (seen.outcome === 'fail') return { verdict: 'fail', smoke, result };
          if (untold.verdict === 'pass') untold = { verdict: 'inconclusive', smoke, result };
          break;
        }
        await this.ports.clock.sleep(SMOKE_PAUSE_MS, this.signal);
      }
    }
    return untold;
  }

  of(component: string): readonly SmokeSpec[] {
    return this.settings.smoke.filter((s) => s.critical && this.blamed(s) === component);
  }

  blamed(smoke: SmokeSpec): string | null {
    return smoke.component ?? this.settings.components.find((c) => c.kind === 'process' && c.critical)?.name ?? null;
  }
}
