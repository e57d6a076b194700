/** One way of asking a component how it is. Exactly one kind; times in milliseconds. */
export type ProbeTarget =
  | { readonly kind: 'http'; readonly url: string; readonly expectStatus: readonly number[] | null; readonly caFile: string | null }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'command'; readonly argv: readonly string[] }
  | { readonly kind: 'file_age'; readonly path: string; readonly maxAgeMs: number }
  | { readonly kind: 'process' };

export interface ProbeSpec {
  readonly target: ProbeTarget;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Failures in a row before the verdict is critical. */
  readonly failureThreshold: number;
}

/** `unknown`: the probe itself could not be carried out, which says nothing about the component. */
export type ProbeOutcome = 'pass' | 'fail' | 'unknown';

export interface ProbeResult {
  readonly outcome: ProbeOutcome;
  readonly latencyMs: number;
  /** `HTTP 500`, `connection refused`, `exit 1: no such flag`; empty for a pass. Redacted. */
  readonly detail: string;
}

/** For people: `http://127.0.0.1:3000/health`. */
export function describeTarget(target: ProbeTarget): string {
  switch (target.kind) {
    case 'http':
      return target.url;
    case 'tcp':
      return `tcp ${target.host}:${target.port}`;
    case 'command':
      return target.argv.join(' ');
    case 'file_age':
      return `age of ${target.path}`;
    case 'process':
      return 'process';
  }
}

/** Carries out probes: adapters do the asking. */
export interface Prober {
  probe(target: ProbeTarget, context: ProbeContext): Promise<ProbeResult>;
}

export interface ProbeContext {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** For `process`: the pid to look at; null when nothing runs. */
  readonly pid: number | null;
  readonly signal?: AbortSignal;
}
