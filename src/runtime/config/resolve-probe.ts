import { resolve } from 'node:path';
import type { ProbeSpec, ProbeTarget } from '../../domains/health/index.ts';
import { invariant } from '../../kernel/index.ts';
import { probeHost, readHostAndPort, urlOn } from './address.ts';
import { argvOf, toMs } from './checked-values.ts';
import { PROBE_DEFAULTS } from './defaults.ts';
import type { ProbeFile } from './schema.ts';

/** Where what is asked runs. */
interface Place {
  readonly projectDir: string;
  readonly host: string;
  readonly port: number | null;
}

/** What a probe or a smoke check asks. */
export function targetOf(
  file: Pick<ProbeFile, 'http' | 'status' | 'caFile' | 'tcp' | 'command' | 'file' | 'maxAge'>,
  { projectDir, host, port }: Place,
): ProbeTarget {
  if (file.http !== undefined)
    return {
      kind: 'http',
      url: file.http.startsWith('/') ? urlOn(host, port, file.http) : file.http,
      expectStatus: file.status === undefined ? null : [file.status].flat(),
      caFile: file.caFile === undefined ? null : resolve(projectDir, file.caFile),
    };
  if (typeof file.tcp === 'string') return { kind: 'tcp', ...readHostAndPort(file.tcp) };
  if (file.tcp === true) {
    invariant(port !== null, 'validation refuses tcp: true where no port is known');
    return { kind: 'tcp', host: probeHost(host), port };
  }
  if (file.command !== undefined) return { kind: 'command', argv: argvOf(file.command) };
  if (file.file !== undefined) return { kind: 'file_age', path: resolve(projectDir, file.file), maxAgeMs: toMs(file.maxAge ?? 0) };
  return { kind: 'process' };
}

/** How often and how patiently it is asked. */
export function probeSpec(file: ProbeFile, kind: keyof typeof PROBE_DEFAULTS, target: ProbeTarget): ProbeSpec {
  const defaults = PROBE_DEFAULTS[kind];
  return {
    target,
    intervalMs: toMs(file.every ?? defaults.every),
    timeoutMs: toMs(file.timeout ?? defaults.timeout),
    failureThreshold: file.failures ?? defaults.failures,
  };
}
