import { join, resolve } from 'node:path';
import type { ProbeTarget } from '../../domains/health/index.ts';
import type { ComponentSpec } from '../../domains/supervisor/index.ts';
import { probeHost } from './address.ts';
import { argvOf, toMs } from './checked-values.ts';
import type { Scope } from './config-parts.ts';
import { byDefault, DEFAULTS } from './defaults.ts';
import type { DependencyWait } from './grace-config.ts';
import { inFile, type Chooser } from './origin.ts';
import { probeSpec } from './resolve-probe.ts';
import type { DependencyFile } from './schema.ts';

/** What the service needs and somebody else runs, and how long it is waited for. */
export function resolveDependency(
  { parts, chooser, dataDir }: Scope,
  name: string,
  file: DependencyFile,
): { readonly spec: ComponentSpec; readonly wait: DependencyWait } {
  const at = `dependencies.${name}`;
  const choose = chooser.choose.bind(chooser);
  const host = choose(`${at}.host`, inFile(file.host), DEFAULTS.host);
  const port = choose<number | null>(`${at}.port`, inFile(file.port), byDefault(null, 'its status command tells'));
  const status =
    file.status === undefined ? null : choose<readonly string[]>(`${at}.status`, { source: 'file', value: argvOf(file.status) });
  const waitFor = choose<string | number>(`${at}.waitFor`, inFile(file.waitFor), DEFAULTS.waitFor);
  const startTimeoutMs = toMs(choose<string | number>(`${at}.startTimeout`, inFile(file.startTimeout), DEFAULTS.startTimeout));
  const connect: ProbeTarget | null = port === null ? null : { kind: 'tcp', host: probeHost(host), port };
  const asked: ProbeTarget | null = status === null ? connect : { kind: 'command', argv: status };
  const spec: ComponentSpec = {
    name,
    kind: 'dependency',
    command: choose<readonly string[]>(
      `${at}.start`,
      inFile(file.start === undefined ? undefined : argvOf(file.start)),
      byDefault([], 'nobody here may start it'),
    ),
    cwd: parts.projectDir,
    env: {},
    envFiles: [],
    needsEnvFiles: false,
    loadEnvFiles: false,
    requiredEnv: [],
    dependsOn: [],
    critical: choose<boolean>(`${at}.critical`, inFile(file.critical), byDefault(true, 'it would not be declared if it were not needed')),
    optional: false,
    port,
    host,
    startup: null,
    startupTimeoutMs: startTimeoutMs,
    readiness: asked === null ? null : probeSpec({}, 'readiness', asked),
    // a status command says more than an open port, but the port is cheaper to watch
    liveness: status === null || connect === null ? null : probeSpec({}, 'liveness', connect),
    soakMs: 0,
    restart: { policy: 'never', intensity: 0, periodMs: 60_000, backoffMs: 1000, backoffMsMax: 10_000 },
    stop: { signal: 'SIGTERM', graceMs: 5000 },
    limits: { openFiles: null, heapMb: null },
    logFile: join(dataDir, 'logs', `${name}.log`),
    // what somebody else runs is not for playbooks to change, unless it is declared
    roots: choose<readonly string[]>(`${at}.data`, inFile(file.data), DEFAULTS.none).map((path) => resolve(parts.projectDir, path)),
    expendable: [],
    migrate: [],
    database: null,
  };
  return { spec, wait: { waitForMs: waitFor === 'forever' ? null : toMs(waitFor), startTimeoutMs } };
}

/**
 * A critical dependency that no component names is needed by all of them: why else would it be there.
 * Without this the components would start beside it and fail at their first query.
 */
export function needImplied(
  processes: readonly ComponentSpec[],
  dependencies: readonly { readonly spec: ComponentSpec }[],
  chooser: Chooser,
): readonly ComponentSpec[] {
  const named = new Set(processes.flatMap((process) => process.dependsOn));
  const implied = dependencies.filter(({ spec }) => spec.critical && !named.has(spec.name)).map(({ spec }) => spec.name);
  if (implied.length === 0) return processes;
  return processes.map((process) => {
    const dependsOn = [...process.dependsOn, ...implied];
    const origin = chooser.provenance.get(`components.${process.name}.dependsOn`);
    chooser.provenance.set(`components.${process.name}.dependsOn`, {
      source: origin?.source ?? 'default',
      reason: `nobody names ${implied.join(', ')}, so every component waits for it`,
      value: dependsOn,
    });
    return { ...process, dependsOn };
  });
}
